"""Road networks from entry to terminals: exact cases, rough ground, and reasons for what is unreached."""

import json
from dataclasses import replace

import numpy as np
import pytest
import shapely
from fixtures.ground import SOUTH, WEST, at
from fixtures.roads import (
    CRITERIA,
    NO_TURNAROUNDS,
    SQUARE,
    array_field,
    assert_network_holds,
    messages,
    network,
    rough_ground,
    square_ground,
    terminal,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.sparse.csgraph import minimum_spanning_tree
from shapely import MultiPolygon, Point

from pacifico.errors import InputError
from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.model.roads import RoadCriteria, Terminal
from pacifico.layout.model.unreached import UnreachedCause
from pacifico.site.model import Zone


def test_road_on_level_ground_is_straight_and_level():
    ground = square_ground(lambda x, y: 5.0)
    goal = terminal(0, 900, 500)
    net = network(ground, SQUARE, [goal], entry=Point(WEST + 1, SOUTH + 300), criteria=NO_TURNAROUNDS)
    assert_network_holds(net, ground, SQUARE, [goal], [goal.footprint])
    straight = net.entry.distance(goal.footprint) - 14
    assert straight <= net.length_m <= straight * 1.002 + 4
    z = shapely.get_coordinates(net.roads[0].line, include_z=True)[:, 2]
    assert_allclose(z, 5.0)
    assert net.warnings == ()


def test_road_follows_a_gentle_plane():
    ground = square_ground(lambda x, y: 0.05 * x + 0.03 * y)
    goal = terminal(0, 900, 500)
    net = network(ground, SQUARE, [goal], entry=Point(WEST + 1, SOUTH + 300))
    xyz = shapely.get_coordinates(net.roads[0].line, include_z=True)
    assert_allclose(xyz[:, 2], ground.at(xyz[:, 0], xyz[:, 1]), atol=1e-6)


def grade_break_pct(road, within_m=10):
    """Largest change of grade of a road within 10 m, on pieces of 1 m [%]."""
    xyz = shapely.get_coordinates(road.line, include_z=True)
    s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))])
    at_m = np.linspace(0.0, s[-1], max(round(s[-1]), within_m + 1) + 1)
    grade = 100 * np.diff(np.interp(at_m, s, xyz[:, 2])) / np.diff(at_m)
    return float(np.abs(grade[within_m - 1 :] - grade[: 1 - within_m]).max())


def test_road_over_a_ridge_has_a_vertical_curve():
    ground = square_ground(lambda x, y: 40 - 0.09 * np.abs(x - 495))
    goal = terminal(0, 900, 500)
    net = network(ground, SQUARE, [goal], entry=Point(WEST + 1, SOUTH + 500), criteria=NO_TURNAROUNDS)
    assert net.warnings == ()
    assert 4.0 < max(grade_break_pct(road) for road in net.roads) <= 6.25


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_grade_breaks_fit_vertical_curves_on_rough_ground(seed):
    ground = rough_ground(seed, grade=0.12)
    goals = [terminal(k, x, y) for k, (x, y) in enumerate([(800, 300), (300, 800), (850, 850), (500, 450)])]
    net = network(ground, SQUARE, goals, entry=Point(WEST + 1, SOUTH + 500))
    assert net.roads
    assert not any("changes of grade" in warning for warning in net.warnings)
    assert max(grade_break_pct(road) for road in net.roads) <= 6.3


def test_road_climbs_a_steep_slope_at_an_angle():
    """Straight up it is 20 %, the limit is 10 %: the road is about twice as long as the slope."""
    ground = square_ground(lambda x, y: 0.2 * y)
    goal = terminal(0, 500, 800)
    net = network(ground, SQUARE, [goal], entry=Point(WEST + 500, SOUTH + 1))
    assert_network_holds(net, ground, SQUARE, [goal], [goal.footprint])
    assert net.served
    climb = 0.2 * (800 - 5 - 14 - 3.3) - 8.0  # cut and fill of 4 m at either end may save this much
    assert net.length_m >= climb / 0.1


def test_road_climbs_a_narrow_steep_strip_in_switchbacks():
    """A slope of 20 % and a limit of 10 % need 60° off the fall line: after 173 m of climb the strip of 300 m ends."""
    ground = square_ground(lambda x, y: 0.2 * y)
    site = at(0, 0, 300, 1000)
    goal = terminal(0, 150, 800)
    net = network(ground, site, [goal], entry=Point(WEST + 150, SOUTH + 1), criteria=NO_TURNAROUNDS)
    assert_network_holds(net, ground, site, [goal], [goal.footprint])
    assert set(net.served) == {0}
    x = np.concatenate([shapely.get_coordinates(r.line)[:, 0] for r in net.roads])
    far = x[np.insert(np.abs(np.diff(x)) > 0.5, 0, True)]
    way = np.sign(np.diff(far))
    assert (way[1:] != way[:-1]).sum() >= 3
    assert net.length_m >= (0.2 * (800 - 5 - 14 - 3.3) - 8.0) / 0.1


def test_terminal_is_too_steep_without_room_for_switchbacks():
    ground = square_ground(lambda x, y: 0.35 * y)
    goal = terminal(0, 15, 800)
    net = network(ground, at(0, 0, 30, 1000), [goal], entry=Point(WEST + 15, SOUTH + 1), criteria=NO_TURNAROUNDS)
    assert not net.served
    assert net.unreached[0].cause is UnreachedCause.TOO_STEEP


def test_road_crosses_a_ridge_at_its_gap():
    ground = square_ground(lambda x, y: np.exp(-(((x - 500) / 60) ** 2)) * np.where(np.abs(y - 800) < 60, 0.0, 60.0))
    goal = terminal(0, 900, 200)
    net = network(ground, SQUARE, [goal], entry=Point(WEST + 1, SOUTH + 200))
    assert_network_holds(net, ground, SQUARE, [goal], [goal.footprint])
    over = shapely.union_all([r.line for r in net.roads]).intersection(at(495, 0, 505, 1000))
    assert abs(over.centroid.y - SOUTH - 800) < 75


def test_terminal_behind_a_barrier_is_reported_as_not_connected():
    allowed = MultiPolygon([at(0, 0, 480, 1000), at(520, 0, 1000, 1000)])
    ends = [terminal(0, 300, 500, priority=0), terminal(1, 700, 500)]
    net = network(square_ground(lambda x, y: 0.0), allowed, ends)
    assert set(net.served) == {0}
    assert messages(net) == {1: "no legal route: this part of the site is not connected to the entry"}


def test_terminal_without_room_for_a_road_is_reported():
    ends = [terminal(0, 300, 500, priority=0), terminal(1, 700, 500)]
    wall = at(650, 450, 750, 550)
    net = network(square_ground(lambda x, y: 0.0), SQUARE, ends, obstacles=[ends[0].footprint, wall])
    assert messages(net) == {1: "no legal route: no room for a road within 14 m"}


def test_terminal_on_a_mesa_is_too_steep():
    ground = square_ground(lambda x, y: np.where(np.hypot(x - 700, y - 500) < 120, 60.0, 0.0))
    ends = [terminal(0, 200, 500, priority=0), terminal(1, 700, 500)]
    net = network(ground, SQUARE, ends)
    assert set(net.served) == {0}
    assert net.unreached[1].cause is UnreachedCause.TOO_STEEP
    assert_network_holds(net, ground, SQUARE, ends, [t.footprint for t in ends])


def test_terminal_on_a_pad_too_high_for_the_road_is_too_steep():
    pads = {key: at(x - 10, 480, x + 10, 500) for key, x in ((0, 300), (1, 600))}
    ends = [
        Terminal(0, at(295, 485, 305, 495), 14.0, 0, pads[0], (0.3, 0.0, 0.0)),
        Terminal(1, at(595, 485, 605, 495), 14.0, 1, pads[1], (9.0, 0.0, 0.0)),
    ]
    ground = square_ground(lambda x, y: 0.0)
    net = network(ground, SQUARE, ends)
    assert set(net.served) == {0}
    assert net.unreached[1].message == "too steep: the road can't meet its pad within 10 %"
    assert_network_holds(net, ground, SQUARE, ends, list(pads.values()))


def test_road_meets_a_pad_at_its_height():
    pad = at(580, 480, 620, 500)
    plane = (2.5, 0.01, -0.01)
    end = Terminal(0, at(595, 485, 605, 495), 14.0, 0, pad, plane)
    net = network(square_ground(lambda x, y: 0.0), SQUARE, [end])
    xyz = np.vstack([shapely.get_coordinates(r.line, include_z=True) for r in net.roads])
    gaps = np.array([pad.distance(Point(x, y)) for x, y, _ in xyz])
    k = int(np.argmin(gaps))
    touch = shapely.get_coordinates(shapely.shortest_line(Point(xyz[k]), pad))[1]
    meets = plane[0] + plane[1] * (touch[0] - pad.centroid.x) + plane[2] * (touch[1] - pad.centroid.y)
    assert abs(xyz[k, 2] - meets) <= 0.1 * gaps[k]
    assert net.served


def test_road_meets_a_pad_on_a_slope_from_its_level_side():
    """The pad is 6 m above the ground at its lower edge and level with it at the upper one; the entry is below."""
    pad = at(480, 480, 520, 520)
    end = Terminal(0, pad.buffer(-2), 14.0, 0, pad, (0.15 * 520, 0.0, 0.0))
    ground = square_ground(lambda x, y: 0.15 * y)
    net = network(ground, SQUARE, [end], entry=Point(WEST + 500, SOUTH + 1))
    assert_network_holds(net, ground, SQUARE, [end], [pad])
    assert set(net.served) == {0}


def test_entry_is_on_the_boundary_where_the_road_is_short():
    goal = terminal(0, 850, 500, priority=0)
    net = network(square_ground(lambda x, y: 0.0), SQUARE, [goal], criteria=NO_TURNAROUNDS)
    assert SQUARE.contains(net.entry)
    assert SQUARE.exterior.distance(net.entry) < 5.0
    assert net.entry.x > WEST + 990
    assert net.length_m < 150
    assert net.roads[0].line.coords[0][:2] == (net.entry.x, net.entry.y)


def test_entry_is_on_the_site_boundary_not_on_the_edge_of_an_exclusion():
    site = SQUARE
    allowed = site.difference(at(700, 200, 1100, 800))
    goal = terminal(0, 650, 500, priority=0)
    ground = square_ground(lambda x, y: 0.0)
    loose = network(ground, allowed, [goal])
    assert site.exterior.distance(loose.entry) > 100
    net = network(ground, allowed, [goal], boundary=site)
    assert site.exterior.distance(net.entry) < 5.0


@pytest.mark.parametrize(
    ("x", "y", "warns"), [(3.5, 400, False), (0, 400, False), (-1, 400, False), (-40, 400, True), (45, 400, True)]
)
def test_requested_entry_is_kept_or_moved_to_the_boundary(x, y, warns):
    goal = terminal(0, 500, 500)
    net = network(square_ground(lambda x, y: 0.0), SQUARE, [goal], entry=Point(WEST + x, SOUTH + y))
    assert SQUARE.buffer(-3).contains(net.entry)
    assert net.entry.x < WEST + 5
    assert net.entry.distance(Point(WEST + x, SOUTH + y)) < abs(x) + 5
    assert bool([w for w in net.warnings if w.startswith("the entry was moved")]) == warns
    assert net.roads[0].line.coords[0][:2] == (net.entry.x, net.entry.y)


@pytest.mark.parametrize(("x", "side"), [(-75, "75 m outside"), (500, "400 m inside")])
def test_requested_entry_too_far_from_the_boundary_is_refused(x, side):
    goal = terminal(0, 300, 500)
    with pytest.raises(InputError, match=f"the entry lies {side} the site's edge"):
        network(square_ground(lambda x, y: 0.0), SQUARE, [goal], entry=Point(WEST + x, SOUTH + 400))


def test_criteria_out_of_range_are_refused():
    with pytest.raises(InputError, match="max_grade is 0"):
        RoadCriteria(max_grade=0.0, grade_margin=0.0)
    with pytest.raises(InputError, match="grade_margin"):
        RoadCriteria(max_grade=0.05, grade_margin=0.06)


def test_site_without_room_for_a_road_reports_every_terminal():
    goal = terminal(0, 3, 3)
    net = network(square_ground(lambda x, y: 0.0), at(0, 0, 6, 6), [goal])
    assert net.roads == ()
    assert net.entry is None
    assert messages(net) == {0: "no legal route: the site has no room for a road"}


def test_no_road_leaves_the_raster_or_crosses_nodata():
    ground = square_ground(lambda x, y: 0.0)
    ground.z[:, 60:80] = np.nan  # x from 400 to 600
    allowed = at(-400, 0, 1000, 1000)
    ends = [terminal(0, 100, 500, priority=0), terminal(1, 800, 500), terminal(2, -300, 500)]
    net = network(ground, allowed, ends)
    assert_network_holds(net, ground, allowed, ends, [t.footprint for t in ends])
    assert set(net.served) == {0}
    assert net.unreached[2].cause is UnreachedCause.NO_ROUTE


def test_first_terminal_is_on_the_spine():
    goals = [terminal(0, 500, 500, priority=0), terminal(1, 500, 900), terminal(2, 520, 300)]
    net = network(square_ground(lambda x, y: 0.0), SQUARE, goals, entry=Point(WEST + 1, SOUTH + 500))
    assert net.roads[0].road_class == "spine"
    by_id = {r.road_id: r for r in net.roads}
    assert by_id[net.served[0]].road_class == "spine"
    assert by_id[net.served[1]].road_class in ("secondary", "spur")
    assert [r.road_id for r in net.roads] == [f"R{k:03d}" for k in range(1, len(net.roads) + 1)]


def test_cost_zones_are_avoided_but_not_forbidden():
    zone = Zone(at(400, 200, 600, 1000), "crop", "cost", 0.0, 20.0)
    goal = terminal(0, 900, 700)
    plain, dear = (
        network(square_ground(lambda x, y: 0.0), SQUARE, [goal], entry=Point(WEST + 1, SOUTH + 700), cost_zones=z)
        for z in ((), (zone,))
    )
    assert sum(r.line.intersection(zone.geometry).length for r in plain.roads) > 190
    # corners of the zone may be cut where a bend is rounded
    assert sum(r.line.intersection(zone.geometry).length for r in dear.roads) < 25
    assert dear.served


def test_road_avoids_bumps_when_earthwork_has_a_price():
    """Bumps of 1 m lie across the straight road; there is level ground 150 m beside it."""
    ground = square_ground(lambda x, y: 100.0 + 1.0 * np.sin(x / 6.0) * (abs(y - 500.0) < 120.0), dx=5.0)
    far = [terminal(0, 900.0, 500.0)]
    entry = Point(WEST, SOUTH + 500.0)
    straight = network(ground, SQUARE, far, entry=entry)
    round_ = network(ground, SQUARE, far, entry=entry, criteria=replace(CRITERIA, earth_price=5.0))
    assert_network_holds(round_, ground, SQUARE, far, [far[0].footprint])
    moved = [
        sum(v.cut_m3 + v.fill_m3 for v in corridors(ground, [r.line for r in n.roads], [6.1] * len(n.roads)))
        for n in (straight, round_)
    ]
    assert straight.length_m < 950.0 < round_.length_m
    assert moved[1] < 0.5 * moved[0]


def test_network_length_is_near_the_steiner_lower_bound():
    """No tree is shorter than sqrt(3)/2 of the spanning tree (Gilbert-Pollak); reach and entry are subtracted."""
    rng = np.random.default_rng(4)
    places = rng.uniform(60, 940, (25, 2))
    goals = [terminal(k, x, y, priority=1) for k, (x, y) in enumerate(places)]
    net = network(
        square_ground(lambda x, y: 0.0), SQUARE, goals, entry=Point(WEST + 1, SOUTH + 500), criteria=NO_TURNAROUNDS
    )
    assert len(net.served) == 25
    nodes = np.vstack([places, [[3.3, 500.0]]])
    span = minimum_spanning_tree(np.hypot(*(nodes[:, None] - nodes[None]).transpose(2, 0, 1))).sum()
    assert net.length_m <= span
    assert net.length_m >= 0.866 * span - 25 * (14 + 7.1)


def test_road_bends_towards_terminals_instead_of_leaving_stubs():
    """Three terminals lie a few metres out of reach of the straight road."""
    far = terminal(0, 900, 500, priority=0)
    near = [
        terminal(k + 1, x, 500 + side * 26, priority=1) for k, (x, side) in enumerate([(300, 1), (500, -1), (700, 1)])
    ]
    net = network(
        square_ground(lambda x, y: 0.0),
        SQUARE,
        [far, *near],
        entry=Point(WEST + 1, SOUTH + 500),
        criteria=NO_TURNAROUNDS,
    )
    assert len(net.roads) == 1
    assert net.unreached == {}
    assert net.length_m < 900


@pytest.mark.parametrize("aisle", [8.0, 12.0])
def test_roads_in_aisles_serve_every_array(aisle):
    ground, allowed, terminals, obstacles = array_field(1, aisle=aisle, grade=0.02)
    net = network(ground, allowed, terminals, obstacles=obstacles)
    assert_network_holds(net, ground, allowed, terminals, obstacles)
    assert net.unreached == {}


@given(st.integers(0, 10_000), st.sampled_from([0.02, 0.08, 0.2, 0.35]))
@example(4584, 0.35)
@settings(max_examples=12, deadline=None)
def test_network_is_legal_on_any_ground(seed, grade):
    ground, allowed, terminals, obstacles = array_field(seed, size=600.0, grade=grade)
    rng = np.random.default_rng(seed)
    hole = shapely.affinity.rotate(at(250, 250, 250 + rng.uniform(20, 200), 330), rng.uniform(0, 180))
    kept = [t for t in terminals if not hole.buffer(8).intersects(t.pad or t.footprint)]
    allowed = allowed.difference(hole)
    obstacles = [t.pad or t.footprint for t in kept]
    net = network(ground, allowed, kept, obstacles=obstacles)
    assert_network_holds(net, ground, allowed, kept, obstacles)


@pytest.mark.parametrize("dx", [1.0, 30.0])
def test_network_is_legal_with_other_cell_sizes(dx):
    ground = rough_ground(7, size=400.0, dx=dx, grade=0.05)
    goals = [terminal(0, 200, 200, priority=0), terminal(1, 60, 350), terminal(2, 350, 60)]
    net = network(ground, at(0, 0, 400, 400), goals)
    assert_network_holds(net, ground, at(0, 0, 400, 400), goals, [t.footprint for t in goals])
    assert len(net.served) == 3


def test_same_input_gives_the_same_network():
    problem = array_field(3, size=700.0, grade=0.12)
    nets = [network(problem[0], problem[1], problem[2], obstacles=problem[3]) for _ in range(2)]
    texts = [json.dumps([[r.road_id, list(r.line.coords)] for r in n.roads]) for n in nets]
    assert texts[0] == texts[1]
    assert nets[0].served == nets[1].served


def test_input_is_not_changed():
    ground, allowed, terminals, obstacles = array_field(5, size=400.0)
    before = ground.z.copy()
    network(ground, allowed, terminals, obstacles=obstacles)
    np.testing.assert_array_equal(ground.z, before)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_network_is_legal_on_many_large_rough_sites(seed):
    grade = [0.03, 0.1, 0.2, 0.4][seed % 4]
    ground, allowed, terminals, obstacles = array_field(seed, size=1500.0, grade=grade)
    net = network(ground, allowed, terminals, obstacles=obstacles)
    assert_network_holds(net, ground, allowed, terminals, obstacles)
