"""Stretches of a cut road stay as far as they are needed."""

from collections import Counter

import numpy as np
import shapely

from pacifico.layout.editing.road_graph import RoadGraph, RoadTarget
from pacifico.layout.editing.stretches import Detour, pieces_clear_of, split_by
from pacifico.layout.model.roads import make_road
from pacifico.site.model import Zone


def test_a_stretch_that_serves_nothing_is_removed(gas, open_, dem, plan_tools):
    """The last asset of a road is covered with the road's end: what is left of it ends before the zone, or is gone."""
    served = Counter(a.service_road_id for a in gas.asset_list)
    joints = Counter(v for r in gas.road_list for v in {c[:2] for c in r.line.coords})
    road = next(r for r in gas.road_list if served[r.road_id] and joints[r.line.coords[-1][:2]] == 1)
    zone = Zone(shapely.Point(road.line.coords[-1][:2]).buffer(2.0), "tip")
    plan = open_(gas).add_zone(zone, assets="remove")
    assert plan_tools.clear_of(plan, zone)
    assert road.road_id not in {r.road_id for r in plan.road_list}
    plan_tools.check_invariants(plan, open_(gas).context, dem)


def test_a_straight_road_is_cut_back_to_the_asset_it_serves():
    """A road of 100 m with a joint at its start, closed between 60 m and 70 m, serves an asset at 30 m."""
    xyz = np.array([(x, 0.0, 100.0) for x in range(0, 101, 10)])
    spine = make_road("R001", "spine", np.array([(0.0, -50.0, 100.0), (0.0, 0.0, 100.0)]), 6.0)
    branch = make_road("R002", "secondary", xyz, 6.0)
    roads = RoadGraph((spine, branch), (0.0, -50.0))
    target = RoadTarget("battery-0001", shapely.box(28, 8, 34, 12), 15.0)
    detour = Detour(shapely.box(60, -20, 70, 20), {"battery-0001": target}, None)
    clear, cut = split_by(roads, detour.area)
    assert (clear, cut) == ([spine], [branch])
    (piece,) = pieces_clear_of(roads, cut, detour, {"battery-0001": "R002"}, 3)
    assert (piece.road_id, piece.road_class) == ("R003", "secondary")
    np.testing.assert_array_equal(shapely.get_coordinates(piece.line)[:, 0], [0, 10, 20, 30])
