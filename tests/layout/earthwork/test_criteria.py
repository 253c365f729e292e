"""Earthwork criteria: taken from a spec, and refused out of range."""

import math

import pytest

from pacifico.errors import InputError
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.earthwork.criteria import EarthworkCriteria, earthwork_criteria


@pytest.mark.parametrize(
    "options", [{"shrink": 1.0}, {"shrink": -0.1}, {"side_slope": -1.0}, {"sample_m": 0.0}, {"swell": math.nan}]
)
def test_values_out_of_range_are_refused(options):
    with pytest.raises(InputError, match=next(iter(options))):
        EarthworkCriteria(**options)


def test_criteria_are_taken_from_the_spec():
    spec = make_spec({"earthwork": {"shrink": 0.2, "swell": 0.3, "side_slope": 3.0, "max_pad_grade": 0.01}})
    found = earthwork_criteria(spec)
    assert (found.shrink, found.swell, found.side_slope, found.max_pad_grade) == (0.2, 0.3, 3.0, 0.01)
    assert found.sample_m is None


def test_defaults_are_those_of_the_catalog():
    assert earthwork_criteria(make_spec()) == EarthworkCriteria()


def test_defaults_are_those_of_the_documentation():
    found = EarthworkCriteria()
    assert (found.shrink, found.swell, found.side_slope, found.max_pad_grade) == (0.12, 0.25, 2.0, 0.02)
    assert (found.max_batter_m, found.sample_m, found.search_rounds) == (60.0, None, 40)


@pytest.mark.parametrize("name", ["shrink", "swell", "side_slope", "max_pad_grade", "max_batter_m", "search_rounds"])
def test_zero_is_in_range_and_less_is_not(name):
    assert getattr(EarthworkCriteria(**{name: 0}), name) == 0
    with pytest.raises(InputError, match=name):
        EarthworkCriteria(**{name: -1})


def test_a_tile_edge_may_be_shorter_than_a_metre_and_a_shrink_just_under_one():
    assert EarthworkCriteria(sample_m=0.01).sample_m == 0.01
    assert EarthworkCriteria(shrink=0.999).shrink == 0.999
