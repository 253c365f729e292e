"""Reasons for missing capacity: the true one, in one line."""

import numpy as np
import pytest

from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.placement.draft import Draft
from pacifico.layout.shortfall import why_less, why_no_asset, why_no_ground

SPEC = make_spec({"site": {"setback_m": 30.0}})


def test_a_setback_wider_than_the_site_is_the_reason(make):
    field = make.field(make.site(50, 50), make.ground(make.level), setback_m=30.0)
    assert "the setback of 30 m leave nothing" in why_no_ground(field, 10.0, SPEC)


def test_a_dem_without_data_is_the_reason(make):
    ground = make.ground(make.level)
    ground.z[:] = np.nan
    assert "the DEM has no data inside the site" in why_no_ground(make.field(make.site(), ground), 10.0, SPEC)


def test_steep_ground_is_the_reason(make):
    field = make.field(make.site(), make.ground(lambda x, y: 0.5 * x))
    assert "the gentlest cell has a slope of 26.6 deg, the limit is 10 deg" in why_no_ground(field, 10.0, SPEC)


def test_without_any_asset_the_reason_is_that_of_the_draft_or_of_the_roads():
    draft = Draft((), (Unplaced("battery", 2, "no ground is left"), Unplaced("substation", 1, "no place")))
    assert why_no_asset(draft, 5000.0, "") == (
        "no buildable ground: not one asset can be placed for a target of 5,000 kW (battery: no ground is left)"
    )
    assert why_no_asset(Draft((), ()), None, "no road can start").endswith("can be placed (no road can start)")
    assert why_no_asset(Draft((), ()), None, "").endswith("(the target is below the smallest unit)")


@pytest.mark.parametrize(("placed_kw", "target_kw"), [(950.0, None), (950.0, 1000.0), (1000.0, 1000.0)])
def test_less_than_the_smallest_unit_is_not_missing(placed_kw, target_kw):
    assert why_less(placed_kw, target_kw, 100.0, ()) == ""


def test_missing_capacity_is_stated_with_its_reason():
    assert why_less(900.0, 1000.0, 100.0, ()).startswith("900 kW of the 1,000 kW asked for are placed: ")
    lost = [Unplaced("battery", 2, "no road")]
    assert why_less(900.0, 1000.0, 100.0, lost).endswith("(2 x battery: no road)")
    assert why_less(1000.0, 1000.0, 100.0, lost) == "not everything is placed (2 x battery: no road)"
