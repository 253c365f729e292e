"""Metrics: sums by hand, intervals that hold the value, and true hectares."""

import numpy as np
import pytest
import shapely
from shapely import LineString

from pacifico.layout.earthwork.criteria import EarthworkCriteria
from pacifico.layout.earthwork.pads import balanced_pad
from pacifico.layout.metrics import (
    REALIZATIONS,
    BuildableGround,
    buildable_draws,
    buildable_ground,
    tally,
    works_spread,
)
from pacifico.layout.model.assets import Asset, Item, Pad, outline
from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane
from pacifico.layout.model.roads import make_road

BUILDABLE = BuildableGround(20.0, (18.0, 22.0), 19.5)


def asset(kind, **ratings):
    item = Item(kind, (0.0, 0.0, 30.0, 20.0), 4.0, **ratings)
    return Asset(kind, item, outline(item), 1.0, 0.0, 100.0, 1.0, "", "R001")


def test_metrics_are_sums_over_the_features(make):
    assets = [asset("battery", storage_kw=5000.0, storage_kwh=20_000.0), asset("generator", capacity_kw=2500.0)]
    pad = Pad("P0001", ("battery",), PadPlane(shapely.box(0, 0, 30, 20), 100.0, 0.0, 0.0, 10.0, 20.0, 1.0, 2.0))
    road = make_road("R001", "spine", np.array([(0.0, 0.0, 100.0), (100.0, 0.0, 104.0)]), 6.1)
    spread = np.full(1 + REALIZATIONS, 95.0)
    found = tally(
        make.site(600, 600), assets, [pad], [road], [CorridorVolumes(30.0, 40.0, 3.0, 4.0, 1.0)], unreached=2,
        spread_m3=spread, buildable=BUILDABLE,
    )  # fmt: skip
    assert (found["total_capacity_kw"], found["storage_kw"], found["storage_kwh"]) == (2500.0, 5000.0, 20_000.0)
    assert found["assets_by_type"] == {"battery": 1, "generator": 1}
    assert (found["cut_volume_m3"], found["fill_volume_m3"], found["net_earthwork_m3"]) == (40.0, 60.0, -20.0)
    assert (found["batter_cut_m3"], found["batter_fill_m3"]) == (4.0, 6.0)
    assert (found["road_length_m"], found["max_road_grade_pct"]) == (100.0, 4.0)
    assert found["served_share"] == 0.5
    assert found["buildable_area_p10_p90_ha"] == [18.0, 22.0]
    # errors that change nothing leave the nominal volume
    assert found["earthwork_p10_p90_m3"] == [100.0, 100.0]


def test_an_empty_layout_has_metrics_too(make):
    empty = tally(make.site(), [], [], [], [], unreached=1, spread_m3=np.zeros(1 + REALIZATIONS), buildable=BUILDABLE)
    assert (empty["asset_count"], empty["served_share"], empty["max_road_grade_pct"]) == (0, 0.0, 0.0)


def test_buildable_ground_of_a_level_site_is_the_site(make):
    site, ground = make.site(600, 600), make.ground(make.level)
    field, dem = make.field(site, ground), make.dem(ground)
    found = buildable_ground(site, field, dem, 10.0)
    assert found.hectares == pytest.approx(site.area_ha, rel=1e-6)
    assert found.p10_p90_ha[0] <= found.p50_ha <= found.p10_p90_ha[1]
    assert buildable_ground(site, field, dem, 10.0, draws=buildable_draws(field, dem, 10.0)) == found


def test_the_spread_begins_with_the_volumes_of_the_dem_itself(make):
    ground = make.ground(make.rolling)
    dem, criteria = make.dem(ground), EarthworkCriteria(side_slope=0.0, search_rounds=4)
    pads = [balanced_pad(ground, make.at(x, 200, x + 40, 230), criteria=criteria) for x in (100, 300)]
    x, y = make.west, make.south
    z = ground.at(np.array([x + 100.0, x + 300.0]), np.array([y + 100.0, y + 100.0]))
    line = LineString([(x + 100, y + 100, z[0]), (x + 300, y + 100, z[1])])
    road = make_road("R001", "spine", np.array(line.coords), 6.1)
    spread = works_spread(dem, pads, [road], criteria)
    assert spread.shape == (1 + REALIZATIONS, 3)
    assert spread[0, :2] == pytest.approx([p.cut_m3 + p.fill_m3 for p in pads], rel=0.02)
    assert (spread > 0).all()
    assert works_spread(dem, pads, [road], criteria) == pytest.approx(spread)


def test_without_works_there_is_no_spread(make):
    ground = make.ground(make.level)
    assert works_spread(make.dem(ground), [], [], EarthworkCriteria()).shape == (1 + REALIZATIONS, 0)
