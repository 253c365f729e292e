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
