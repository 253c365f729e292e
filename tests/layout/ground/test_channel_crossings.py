"""Crossings of roads and cables over channels."""

import numpy as np
import pytest
import shapely
from shapely import LineString, Point

from pacifico.layout.criteria.water import WaterCriteria
from pacifico.layout.ground.channel_crossings import ChannelCrossings
from pacifico.layout.ground.channels import SiteDrainage
from pacifico.layout.model.cables import Cable
from pacifico.layout.model.roads import make_road
from pacifico.terrain.drainage.flow import Channels

CRITERIA = WaterCriteria()


def drained(ha=30.0, *ends):
    """Channel along y = 50, in pieces of 10 m."""
    segments = np.array(ends or [(x, 50.0, x + 10.0, 50.0) for x in range(0, 200, 10)], dtype=float)
    channels = Channels(segments, np.full(len(segments), ha))
    return SiteDrainage(channels, channels.lines.buffer(6.0), 6.0, 10.0)


def road(*xy, road_class="secondary", z=(10.0, 10.0), name="R001"):
    heights = np.linspace(*z, len(xy))
    return make_road(name, road_class, np.column_stack([np.array(xy, dtype=float), heights]), 6.1)


def cable(name, *xy):
    return Cable(name, "a", "b", 34.5, LineString(xy), in_road_trench=False, load_mva=1.0)


def crossings(roads=(), cables=(), over=None, water=(), longest=150.0):
    found = ChannelCrossings(over or drained(), CRITERIA, longest, water)
    found.add_roads(roads)
    found.add_cables(cables)
    return found.found


def test_a_road_over_a_channel_has_a_culvert_with_its_area():
    (one,) = crossings([road((55, 0), (55, 100))])
    assert (one.crossing_type, one.of_id, one.over, one.zone_type) == ("culvert", "R001", "drainage line", "water")
    assert one.drained_area_ha == 30.0
    assert one.length_m == pytest.approx(12.0)
    assert one.line.distance(Point(55, 50)) < 1e-9


@pytest.mark.parametrize(
    ("ha", "road_class", "rise", "expected"),
    [
        (10.0, "secondary", 0.0, "ford"),
        (10.0, "spine", 0.0, "culvert"),
        (10.0, "secondary", 8.0, "culvert"),
        (30.0, "secondary", 0.0, "culvert"),
        (900.0, "secondary", 0.0, "bridge"),
    ],
)
def test_type_follows_from_flow_grade_and_road(ha, road_class, rise, expected):
    (one,) = crossings([road((55, 0), (55, 100), road_class=road_class, z=(10, 10 + rise))], over=drained(ha))
    assert one.crossing_type == expected


def test_meetings_near_each_other_are_one_crossing():
    zigzag = drained(30.0, (0, 50, 100, 50), (100, 50, 0, 65), (0, 65, 100, 65))
    (one,) = crossings([road((55, 0), (55, 100))], over=zigzag)
    assert one.length_m == pytest.approx(15 + 12)


def test_a_road_along_a_channel_is_cut_into_crossings_of_the_longest_length():
    along = [(x, 50 + 3 * (-1) ** (x // 10)) for x in range(0, 200, 10)]
    found = crossings([road(*along)], longest=50.0)
    assert len(found) >= 4
    assert max(c.length_m for c in found) <= 50.0 + 1e-6
    line = shapely.force_2d(road(*along).line)
    met = shapely.get_parts(line.intersection(drained().channels.lines))
    assert all(min(c.line.distance(p) for c in found) < 1e-6 for p in met)


def test_roads_that_meet_on_a_channel_share_its_crossing():
    found = crossings([road((55, 0), (55, 50)), road((55, 50), (90, 100), name="R002")])
    assert [c.of_id for c in found] == ["R001"]


def test_drawn_water_over_a_channel_counts_once():
    assert crossings([road((55, 0), (55, 100))], water=[LineString([(55, 40), (55, 60)])]) == []


def test_cables_are_bored_unless_they_lie_in_a_road_or_share_a_bore():
    cables = [
        cable("F01-01", (55, 0), (55, 100)),
        cable("F02-01", (90, 0), (90, 100)),
        cable("F03-01", (90.5, 0), (90.5, 100)),
    ]
    found = crossings([road((55, 0), (55, 100))], cables)
    assert [(c.crossing_type, c.of_id) for c in found] == [("culvert", "R001"), ("bore", "F02-01")]


def test_what_crosses_no_channel_has_no_crossing():
    assert crossings([road((0, 0), (200, 0))], [cable("F01-01", (0, 80), (200, 80))]) == []


def test_a_road_that_ends_on_a_channel_crosses_it_with_its_width():
    (one,) = crossings([road((55, 0), (55, 48.0))])
    assert one.line.distance(Point(55, 48.0)) < 1e-9
    assert crossings([road((55, 0), (55, 46.0))]) == []
