"""Spare units make up for turning room, and are trimmed where they are not needed."""

import numpy as np
import pytest
from pyproj import CRS
from shapely import LineString, Point, box

from pacifico import generate_layout
from pacifico.grid import Grid, Ground
from pacifico.layout.access.connect import ServedLayout
from pacifico.layout.access.trim_to_target import MIN_TARGET_KW, spare_kw, trim_to_target
from pacifico.layout.criteria.asset_types import solar_unit
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.ground.buildable import make_field
from pacifico.layout.model.assets import Item
from pacifico.layout.model.roads import Network, Road
from pacifico.site.model import Site

UTM = CRS.from_epsg(32615)
SPEC = make_spec()
UNIT = solar_unit(SPEC)
WIDE = UNIT.pitch_x_m


def level():
    """Field of level ground."""
    grid = Grid(UTM, -500.0, 700.0, 10.0, 10.0, 120, 150)
    ground = Ground(grid, np.zeros((120, 150)))
    return make_field(Site("made", UTM, box(-300, -300, 800, 500)), ground, ground, setback_m=0.0, source_cell_m=10.0)


FIELD = level()


def array(west, south, units):
    rect = (west, south, west + units * WIDE - UNIT.gap_x_m, south + UNIT.height_m)
    return Item(
        "solar_array", rect, 10.0, capacity_kw=round(units * UNIT.ac_kw, 3), capacity_dc_kw=round(units * UNIT.dc_kw, 3)
    )


def served(arrays, roads):
    lines = [Road(f"R{k}", "spur", line, 6.1, line.length, 0.0, 0.0) for k, line in enumerate(roads)]
    of = {k: f"R{k if len(roads) > 1 else 0}" for k in range(len(arrays))}
    return ServedLayout(tuple(arrays), tuple(arrays), (None,) * len(arrays), Network(tuple(lines), Point(0, 0), of), ())


def test_array_placed_last_loses_its_eastern_unit():
    now = served([array(0, 10, 8), array(200, 10, 8)], [LineString([(0, 0, 0), (400, 0, 0)])])
    less = trim_to_target(FIELD, now, UNIT.ac_kw, SPEC)
    assert less.items[0] == now.items[0]
    assert less.items[1].rect == pytest.approx((200, 10, 200 + 7 * WIDE - UNIT.gap_x_m, 10 + UNIT.height_m))
    assert less.items[1].capacity_kw == pytest.approx(7 * UNIT.ac_kw, abs=1e-3)
    assert less.items[1].capacity_dc_kw == pytest.approx(7 * UNIT.dc_kw, abs=1e-3)


def test_trimmed_array_stays_within_reach_of_its_road():
    # the road ends east of the array, so that only western units can be removed
    east = 8 * WIDE - UNIT.gap_x_m
    now = served([array(0, 0, 8)], [LineString([(east + 75, 0, 0), (east + 200, 0, 0)])])
    (less,) = trim_to_target(FIELD, now, 2 * UNIT.ac_kw, SPEC).items
    assert less.rect[2] == pytest.approx(east)
    assert less.rect[0] == pytest.approx(2 * WIDE)


def test_every_array_keeps_its_fewest_units():
    now = served([array(0, 10, 6), array(200, 10, 4)], [LineString([(0, 0, 0), (400, 0, 0)])])
    less = trim_to_target(FIELD, now, 9 * UNIT.ac_kw, SPEC)
    assert [round(i.capacity_kw / UNIT.ac_kw) for i in less.items] == [4, 4]


def test_layout_at_its_target_is_not_trimmed():
    now = served([array(0, 10, 4)], [LineString([(0, 0, 0), (400, 0, 0)])])
    assert trim_to_target(FIELD, now, 0.0, SPEC) == now


def test_small_targets_have_no_spare_units():
    """104 kW and 0.4 % of 60 MW are 344 kW, 13 rows."""
    assert spare_kw(MIN_TARGET_KW - 1, UNIT) == 0
    assert spare_kw(60_000, UNIT) == pytest.approx(13 * UNIT.ac_kw)


@pytest.mark.parametrize("profile", ["solar_farm", "hybrid"])
def test_target_is_met_to_the_unit_and_never_exceeded(profile):
    n = 160
    grid = Grid(UTM, 500_000.0, 4_601_600.0, 10.0, 10.0, n, n)
    y, x = np.mgrid[:n, :n] * 10.0
    dem = grid.data_array(
        8 * np.sin(x / 230) * np.sin(y / 190), name="elevation", source_resolution_m=10.0, nodata_share=0.0, warnings=()
    )
    site = Site("made", UTM, box(500_150.0, 4_600_150.0, 501_450.0, 4_601_450.0))
    for target in (15_000, 25_000, 31_234):
        plan = generate_layout(site, dem, profile=profile, target_capacity_kw=target)
        got = plan.metrics["total_capacity_kw"]
        assert target - UNIT.ac_kw < got <= target
        assert not plan.shortfall
