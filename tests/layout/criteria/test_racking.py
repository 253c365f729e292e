"""Racking criteria: by mounting, by name, and refused where they contradict each other."""

import pytest

from pacifico.errors import InputError
from pacifico.layout.criteria.racking import array_slopes, racking_criteria, racking_name, with_racking
from pacifico.layout.criteria.spec import catalog, make_spec
from pacifico.vocabulary import RACKINGS


@pytest.mark.parametrize("racking", RACKINGS)
def test_each_racking_has_a_section_and_is_a_choice(racking):
    assert racking in catalog()
    assert racking in catalog()["racking"]["name"]["choices"]
    assert racking_criteria(make_spec(with_racking({}, racking))).name == racking


def test_the_mounting_chooses_the_racking_where_none_is_named():
    assert racking_name(make_spec()) == "straight_tracker"
    assert racking_name(make_spec({"solar": {"mounting": "fixed"}})) == "fixed_tilt"


def test_a_named_racking_sets_its_mounting():
    assert with_racking({}, "fixed_tilt") == {"racking": {"name": "fixed_tilt"}, "solar": {"mounting": "fixed"}}
    assert with_racking({}, "terrain_following") == {"racking": {"name": "terrain_following"}}


def test_a_racking_that_does_not_carry_the_mounting_is_refused():
    with pytest.raises(InputError, match=r"does not carry solar\.mounting = 'tracker'; set mounting to 'fixed'"):
        with_racking({"solar": {"mounting": "tracker"}}, "fixed_tilt")
    with pytest.raises(InputError, match="does not carry"):
        racking_name(make_spec({"racking": {"name": "straight_tracker"}, "solar": {"mounting": "fixed"}}))


def test_percent_and_degrees_become_rise_over_run():
    criteria = racking_criteria(
        make_spec(with_racking({"terrain_following": {"max_bend_deg": 1.0}}, "terrain_following"))
    )
    assert criteria.max_bend == pytest.approx(0.0174551, abs=1e-7)
    assert criteria.max_slope_along == pytest.approx(0.2)
    assert not criteria.straight
    assert racking_criteria(make_spec()).straight
    assert racking_criteria(make_spec()).shortest_pile_m == pytest.approx(3.3)


def test_an_empty_reveal_window_is_refused():
    with pytest.raises(InputError, match=r"min_reveal_m = 2 is not below max_reveal_m = 1\.8; leave a window"):
        racking_criteria(make_spec({"straight_tracker": {"min_reveal_m": 2.0}}))


def test_slopes_of_an_array_follow_its_rows():
    ungraded = {"racking": {"graded_slope_factor": 1.0}}
    tracker, fixed = (
        array_slopes(make_spec(ungraded)),
        array_slopes(make_spec({"solar": {"mounting": "fixed"}, **ungraded})),
    )
    assert (tracker.any_deg, tracker.north, tracker.east) == (10.0, 0.15, 0.2)
    assert tracker.north_span_m == 7.0
    assert tracker.east_span_m == pytest.approx(2.4 / 0.35)
    assert (fixed.east, fixed.east_span_m) == (0.15, 3.6)


def test_the_height_difference_of_rows_limits_the_slope_across():
    """Rows 10.7 m apart may differ by 1.5 m: 14 %."""
    rules = {"solar": {"mounting": "fixed"}, "racking": {"graded_slope_factor": 1.0}}
    fixed = array_slopes(make_spec(rules))
    assert fixed.north == pytest.approx(1.5 / (4.8 / 0.45))
    wide = array_slopes(make_spec({**rules, "fixed_tilt": {"max_row_step_m": 6.0}}))
    assert wide.north == 0.2


def test_steeper_ground_is_graded_up_to_a_factor():
    ungraded, usual = (array_slopes(make_spec(rules)) for rules in ({"racking": {"graded_slope_factor": 1.0}}, {}))
    assert (usual.north, usual.east) == pytest.approx((2 * ungraded.north, 2 * ungraded.east))
    assert usual.any_deg == ungraded.any_deg
