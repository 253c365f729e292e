"""Networks of separate areas as one record."""

import numpy as np
from shapely import Point

from pacifico.layout.model.roads import Network, make_road
from pacifico.layout.model.unreached import Unreached, UnreachedCause
from pacifico.layout.roads.merge import merge_networks

WHY = Unreached(UnreachedCause.NO_ROUTE, "no legal route")


def network(x, served, **more):
    road = make_road("R001", "spine", np.array([(x, 0.0, 1.0), (x, 50.0, 1.0)]), 6.1)
    return Network((road,), Point(x, 0), served, **more)


def test_roads_are_numbered_through_and_entries_are_kept():
    whole = merge_networks([network(0, {0: "R001"}, warnings=("w",)), network(100, {2: "R001"}, unreached={1: WHY})])
    assert [r.road_id for r in whole.roads] == ["R001", "R002"]
    assert whole.served == {0: "R001", 2: "R002"}
    assert whole.unreached == {1: WHY}
    assert (whole.entry, whole.further_entries) == (Point(0, 0), (Point(100, 0),))
    assert whole.warnings == ("w",)


def test_one_network_stays_as_it_is():
    one = network(0, {0: "R001"})
    assert merge_networks([one]) is one


def test_an_area_without_roads_has_no_entry():
    whole = merge_networks([Network((), Point(5, 5), {}, {3: WHY}), network(0, {0: "R001"})])
    assert (whole.entry, whole.further_entries) == (Point(0, 0), ())
