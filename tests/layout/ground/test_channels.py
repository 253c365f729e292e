"""Channels of a site as ground to keep free and to cross at a price."""

import numpy as np
import pytest
import shapely

from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.ground.buildable import make_field
from pacifico.layout.ground.channels import (
    NO_DRAINAGE,
    cable_cost_zones,
    road_cost_zones,
    site_drainage,
    water_notes,
)
from pacifico.site.model import Zone

SPEC = make_spec()


def valley(x, y):
    return 100 + 0.05 * np.abs(x - 305) + 0.01 * y


@pytest.fixture
def drained(make):
    return site_drainage(make.site(), make.ground(valley, halo=500.0), SPEC, 10.0)


def test_assets_keep_clear_of_a_channel_by_its_width_and_half_a_cell(make, drained):
    ground = make.ground(valley, halo=500.0)
    field = make_field(make.site(), ground, ground, setback_m=0, source_cell_m=10.0, drainage=drained)
    bankfull_m = 2.7 * (drained.channels.drained_ha.max() / 100) ** 0.352
    assert drained.half_width_m == pytest.approx(max(6.0, (bankfull_m + 10.0) / 2))
    assert not field.placeable.intersects(shapely.Point(make.west + 303, make.south + 100))
    assert field.placeable.distance(drained.channels.lines) == pytest.approx(6.0, abs=0.6)
    # roads and cables may cross it anywhere
    assert field.allowed.equals(make.site().boundary)


def test_roads_and_cables_cross_a_channel_at_a_price(drained):
    (road,) = road_cost_zones((), drained, SPEC)
    (cable,) = cable_cost_zones((), drained, SPEC)
    surface = SPEC.number("road", "width_m") * SPEC.number("costs", "road_surface")
    assert (road.cost_multiplier - 1) * surface == pytest.approx(SPEC.number("costs", "culvert"))
    assert cable.cost_multiplier > 1
    given = Zone(shapely.box(0, 0, 1, 1), "marsh", "cost", cost_multiplier=3.0)
    assert road_cost_zones((given, Zone(shapely.box(0, 0, 1, 1))), NO_DRAINAGE, SPEC) == [given]


def test_channels_on_coarse_cells_are_only_mentioned(make):
    drained = site_drainage(make.site(), make.ground(valley, halo=600.0, dx=25.0), SPEC, 25.0)
    assert drained.area.is_empty
    assert "drainage lines meet the site" in drained.note
    assert water_notes(drained, np.zeros((0, 2)), SPEC) == (drained.note,)


def test_a_threshold_of_0_looks_for_none(make):
    off = make_spec({"water": {"channel_min_ha": 0.0}})
    assert site_drainage(make.site(), make.ground(valley), off, 10.0) is NO_DRAINAGE
    assert NO_DRAINAGE.note == ""


def test_assets_where_water_ponds_are_mentioned(make):
    ground = make.ground(lambda x, y: 100 + np.minimum(np.hypot(x - 300, y - 300) / 50, 4.0), halo=500.0)
    drained = site_drainage(make.site(), ground, SPEC, 10.0)
    centre = np.array([[make.west + 300.0, make.south + 300.0], [make.west + 590.0, make.south + 10.0]])
    (note,) = water_notes(drained, centre, SPEC)
    assert note.startswith("1 asset stands in depressions")
    assert water_notes(drained, centre[1:], SPEC) == ()
