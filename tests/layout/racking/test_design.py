"""Racking design of whole plans: piles, rows, limits, ground that is kept."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose
from pyproj import CRS

from pacifico.errors import CRSMismatchError
from pacifico.layout.criteria.racking import with_racking
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.generate import generate_layout
from pacifico.layout.racking.balance import BalancedGradings
from pacifico.layout.racking.design import balance_groups, balance_warnings, design_racking, kept_ground
from pacifico.site.model import Zone
from pacifico.vocabulary import RACKINGS


@pytest.fixture(scope="module")
def dem(make):
    return make.dem(make.ground(lambda x, y: 100 + 0.02 * x + 1.4 * np.sin(x / 31.0) * np.cos(y / 17.0)))


@pytest.fixture(scope="module", params=RACKINGS)
def plan(make, dem, request):
    return generate_layout(make.site(), dem, target_capacity_kw=4000, spec=with_racking({}, request.param))


@pytest.fixture(scope="module")
def design(plan, dem):
    return design_racking(plan, dem)


def test_every_pile_is_in_its_window_or_marked(plan, design):
    name, piles = design.racking, design.piles
    low, high = (plan.spec.number(name, f"{end}_reveal_m") for end in ("min", "max"))
    out = (piles.reveal_m < low - 1e-4) | (piles.reveal_m > high + 1e-4)
    assert not (out & ~piles.outside).any()
    assert len(piles.row) == design.rows.first_pile[-1] == design.metrics()["pile_count"]


def test_tubes_keep_the_slope_of_their_racking(plan, design):
    ends = design.rows.ends
    slope = np.abs(np.diff(ends[:, :, 2], axis=1)[:, 0]) / np.hypot(*np.diff(ends[:, :, :2], axis=1)[:, 0].T)
    assert slope.max() <= plan.spec.number(design.racking, "max_slope_along_pct") / 100 + 1e-6


def test_grading_keeps_off_roads_pads_and_outside_ground(plan, design):
    keep_off = kept_ground(plan)
    for cells in design.graded:
        assert (keep_off.distance(cells.x, cells.y) >= cells.cell_m / 2 - 1e-9).all()


def test_grading_keeps_off_exclusions(make, dem):
    pond = Zone(make.at(250, 250, 330, 330), "pond", "water", buffer_m=15.0)
    plan = generate_layout(make.site(), dem, target_capacity_kw=3000, exclusions=[pond])
    (cells,) = design_racking(plan, dem).graded
    assert len(cells.x)
    nearest = shapely.distance(shapely.points(cells.x, cells.y), pond.geometry).min()
    assert nearest >= 15.0 + cells.cell_m / 2 - 0.1


def test_metrics_follow_from_the_tables(plan, design):
    m = design.metrics()
    assert m["array_cut_m3"] + m["array_fill_m3"] == pytest.approx(np.abs(design.volumes_m3).sum(), abs=0.1)
    assert sum(m["pile_length_shares"].values()) == pytest.approx(1.0, abs=2e-3)
    per_m = plan.spec.number(design.racking, "pile_kg_per_m")
    assert m["steel_t"] == pytest.approx(design.piles.length_m.sum() * per_m / 1000, abs=0.01)
    assert (design.piles.ordered_m(0.5) >= design.piles.length_m - 1e-6).all()
    assert 0 <= m["array_above_bound_pct"] <= 0.5


def test_the_same_plan_gives_the_same_design(plan, dem, design):
    again = design_racking(plan, dem)
    assert_allclose(again.piles.top_m, design.piles.top_m, rtol=0, atol=0)
    assert again.metrics() == design.metrics()


def test_coarse_ground_makes_piles_an_index(make, plan, dem):
    assert any("an index to compare layouts by" in w for w in design_racking(plan, dem).warnings)
    fine = dem.copy()
    fine.attrs["source_resolution_m"] = 1.0
    assert not any("an index" in w for w in design_racking(plan, fine).warnings)


def test_a_dem_in_another_crs_is_refused(plan, dem):
    other = dem.copy()
    wkt = CRS.from_epsg(32616).to_wkt()
    other = other.assign_coords(spatial_ref=other.spatial_ref.assign_attrs(crs_wkt=wkt, spatial_ref=wkt))
    with pytest.raises(CRSMismatchError, match="the plan in"):
        design_racking(plan, other)


def test_a_turned_array_keeps_its_rows_in_their_windows(make, dem):
    from pacifico.layout.model.assets import outline, rotate_item

    plan = generate_layout(make.site(), dem, target_capacity_kw=1000)
    turned = tuple(
        replace(a, item=(item := rotate_item(a.item, 20.0)), footprint=outline(item))
        if a.item.kind == "solar_array"
        else a
        for a in plan.asset_list
    )
    design = design_racking(replace(plan, asset_list=turned), dem)
    assert len(design.graded) == 1
    assert design.graded[0].azimuth_deg == 160.0
    assert (~design.piles.outside).mean() > 0.9


@pytest.mark.parametrize("rules", [{"max_row_step_m": 0.35}, {"max_slope_across_pct": 5.0}])
def test_ground_is_graded_to_the_limits_of_neighbouring_rows(make, rules):
    """A slope of 6 % across rows, 6.857 m apart: each is 0.41 m above the next."""
    dem = make.dem(make.ground(lambda x, y: 100 + 0.06 * x))
    plan = generate_layout(make.site(), dem, target_capacity_kw=1000, spec={"straight_tracker": rules})
    design = design_racking(plan, dem)
    assert design.arrays_beyond == ()
    assert design.metrics()["arrays_over_racking_limits"] == 0
    assert len(design.volumes_m3)


def test_arrays_that_can_not_be_graded_are_named(make):
    """Ground beside the rows is kept: a slope of 6 % across them can't become 1 %."""
    dem = make.dem(make.ground(lambda x, y: 100 + 0.06 * x))
    plan = generate_layout(make.site(), dem, target_capacity_kw=1000)
    strict = replace(
        plan, spec=make_spec({"straight_tracker": {"max_slope_across_pct": 1.0, "max_slope_along_pct": 1.0}})
    )
    zones = [Zone(a.footprint, a.asset_id, "land") for a in plan.asset_list if a.item.kind == "solar_array"]
    design = design_racking(replace(strict, site=replace(plan.site, exclusions=tuple(zones))), dem)
    assert len(design.arrays_over) == design.metrics()["arrays_over_racking_limits"] == len(zones)
    assert set(design.arrays_beyond) == {z.name for z in zones}
    assert any("or have neighbouring rows" in w for w in design.warnings)


@pytest.mark.parametrize("within", ["block", "site"])
def test_cut_and_fill_balance_within_blocks_or_the_site(plan, dem, design, within):
    rules = with_racking({"racking": {"grading_balance": within}}, design.racking)
    balanced_plan = replace(plan, spec=make_spec(rules))
    found = design_racking(balanced_plan, dem)
    groups = balance_groups(balanced_plan)
    blocks = {a.item.block for a in plan.asset_list if a.item.kind == "solar_array"}
    assert groups.count == (len(blocks) if within == "block" else 1)
    volume = found.volumes_m3
    assert (1 - groups.shrink) * -volume[volume < 0].sum() == pytest.approx(volume[volume > 0].sum(), rel=0.01)
    assert np.abs(volume).sum() >= design.bound_m3 - 0.1
    assert found.above_bound_pct < 0.5
    assert found.arrays_beyond == design.arrays_beyond
    assert found.warnings == design.warnings


def test_imbalance_that_remains_is_a_warning_with_volumes(plan, dem):
    cut, fill = np.array([100.0, 900.0]), np.array([88.0, 500.0])
    result = BalancedGradings((), 0.0, cut, fill, 0.12)
    for within, words in (("block", "in 1 of 2 power blocks, such as one with"), ("site", "in the site with")):
        spec = make_spec({"racking": {"grading_balance": within}})
        (text,) = balance_warnings(replace(plan, spec=spec), result)
        assert f"{words} 900 m³ of cut and 500 m³ of fill, 292 m³ too little" in text
    assert balance_warnings(plan, BalancedGradings((), 0.0, cut[:1], fill[:1], 0.12)) == ()
