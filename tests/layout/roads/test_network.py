"""The road network: exact cases, what it promises on rough ground, and what it says of what it can't reach."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pyproj import CRS
from scipy.sparse.csgraph import minimum_spanning_tree
from shapely import MultiPolygon, Point, box

from pacifico.errors import InputError
from pacifico.grid import Grid, Ground
from pacifico.layout.alignment.horizontal import _absorbed, touching
from pacifico.layout.alignment.profile_design import beyond_crossing
from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.model.roads import RoadCriteria, Terminal
from pacifico.layout.roads.network import route_network
from pacifico.layout.roads.turnarounds import turnarounds
from pacifico.layout.routing import routing_grid
from pacifico.layout.routing.problem import HorizontalAlignment
from pacifico.site.model import Zone

UTM = CRS.from_epsg(32615)
WEST, SOUTH = 500_000.0, 4_600_000.0
RULES = RoadCriteria()
PLAIN = RoadCriteria(turnaround_over_m=np.inf)


def ground_of(height, size=1000.0, dx=10.0):
    """Ground with z = height(x, y), coordinates from the south-west corner; 200 m of it around the square."""
    n = round((size + 400) / dx)
    grid = Grid(UTM, WEST - 200, SOUTH + size + 200, dx, dx, n, n)
    x, y = np.meshgrid(grid.x_centres() - WEST, grid.y_centres() - SOUTH)
    return Ground(grid, np.asarray(height(x, y), dtype=np.float64) + np.zeros((n, n)))


def rough(seed, *, size=1000.0, dx=10.0, grade=0.06, finest=80.0):
    """Random ground with a spectrum like real relief and the median grade given."""
    rng = np.random.default_rng(seed)
    n = round((size + 400) / dx)
    f = np.fft.fftfreq(n, dx)
    k = np.hypot(*np.meshgrid(f, f))
    k[0, 0] = 1.0
    spectrum = np.fft.fft2(rng.normal(size=(n, n))) * k**-1.8 * (k < 1 / finest)
    z = np.real(np.fft.ifft2(spectrum))
    z *= grade / np.median(np.hypot(*np.gradient(z, dx)))
    return Ground(Grid(UTM, WEST - 200, SOUTH + size + 200, dx, dx, n, n), z - z.min())


def at(x0, y0, x1, y1):
    return box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


def terminal(key, x, y, *, reach=14.0, priority=1, half=5.0):
    return Terminal(key, at(x - half, y - half, x + half, y + half), reach, priority)


def network(ground, allowed, terminals, **more):
    more.setdefault("obstacles", [t.pad or t.footprint for t in terminals])
    return route_network(ground, allowed, terminals, **more)


def assert_holds(net, ground, allowed, terminals, obstacles, rules=RULES):
    """All that a network promises, measured from its geometry."""
    assert set(net.served) | set(net.unreached) == {t.key for t in terminals}
    assert not set(net.served) & set(net.unreached)
    if not net.roads:
        assert not net.served
        return
    lines = {r.road_id: r.line for r in net.roads}
    strips = [r.line.buffer(r.width_m / 2, cap_style="flat") for r in net.roads]
    assert all(allowed.covers(s) for s in strips)
    assert shapely.STRtree(obstacles).query(strips, predicate="intersects").size == 0
    by_key = {t.key: t for t in terminals}
    for key, road in net.served.items():
        assert lines[road].distance(by_key[key].footprint) <= by_key[key].reach_m + 1e-9
    heights = {}
    parent = {}

    def root(k):
        while parent[k] != k:
            k = parent[k]
        return k

    for r in net.roads:
        xyz = shapely.get_coordinates(r.line, include_z=True)
        rounded = np.round(xyz, 3)
        d = np.hypot(*np.diff(rounded[:, :2], axis=0).T)
        assert (np.abs(np.diff(rounded[:, 2])) <= rules.max_grade * d + 1e-12).all()
        assert r.max_grade_pct <= 100 * rules.max_grade
        assert r.length_m == pytest.approx(r.line.length)
        ends = [tuple(xyz[0, :2]), tuple(xyz[-1, :2])]
        for end, z in zip(ends, xyz[[0, -1], 2], strict=True):
            assert heights.setdefault(end, z) == z
            parent.setdefault(end, end)
        parent[root(ends[0])] = root(ends[1])
        way = np.gradient(xyz[:, :2], axis=0)
        way /= np.hypot(way[:, 0], way[:, 1])[:, None]
        offset = np.linspace(-3, 3, 7)
        z = ground.at(xyz[:, :1] - way[:, 1:] * offset, xyz[:, 1:2] + way[:, :1] * offset)
        assert np.isfinite(z).all()
        assert np.abs(z.mean(axis=1) - xyz[:, 2]).max() <= rules.max_cut_fill_m + 0.3
    assert len({root(k) for k in parent}) == 1
    assert (net.entry.x, net.entry.y) in parent
    # lines meet at shared vertices and nowhere else
    a, b = shapely.STRtree(list(lines.values())).query(list(lines.values()), predicate="intersects")
    shapes = list(lines.values())
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        if i < j:
            common = shapely.get_coordinates(shapes[i].intersection(shapes[j]))
            ends = [c for s in (shapes[i], shapes[j]) for c in (s.coords[0][:2], s.coords[-1][:2])]
            assert all(min(np.hypot(x - ex, y - ey) for ex, ey in ends) < 0.06 for x, y in common)


def test_on_level_ground_the_road_is_straight_and_costs_no_earthwork():
    ground = ground_of(lambda x, y: 5.0)
    goal = terminal("a", 900, 500)
    net = network(ground, at(0, 0, 1000, 1000), [goal], entry=Point(WEST + 1, SOUTH + 300), criteria=PLAIN)
    assert_holds(net, ground, at(0, 0, 1000, 1000), [goal], [goal.footprint])
    straight = net.entry.distance(goal.footprint) - 14
    assert straight <= net.length_m <= straight * 1.002 + 4
    z = shapely.get_coordinates(net.roads[0].line, include_z=True)[:, 2]
    assert_allclose(z, 5.0)
    assert net.warnings == ()


def test_gentle_plane_is_followed_without_earthwork():
    ground = ground_of(lambda x, y: 0.05 * x + 0.03 * y)
    goal = terminal("a", 900, 500)
    net = network(ground, at(0, 0, 1000, 1000), [goal], entry=Point(WEST + 1, SOUTH + 300))
    xyz = shapely.get_coordinates(net.roads[0].line, include_z=True)
    assert_allclose(xyz[:, 2], ground.at(xyz[:, 0], xyz[:, 1]), atol=1e-6)


def test_a_slope_beyond_the_limit_is_climbed_aslant():
    """20 % straight up under a 10 % limit: the road has to be about twice as long as the climb is."""
    ground = ground_of(lambda x, y: 0.2 * y)
    goal = terminal("a", 500, 800)
    net = network(ground, at(0, 0, 1000, 1000), [goal], entry=Point(WEST + 500, SOUTH + 1))
    assert_holds(net, ground, at(0, 0, 1000, 1000), [goal], [goal.footprint])
    assert net.served
    climb = 0.2 * (800 - 5 - 14 - 3.3) - 8.0  # cut and fill of 4 m at either end may save this much
    assert net.length_m >= climb / 0.1


def test_a_strip_too_narrow_to_climb_aslant_is_climbed_in_switchbacks():
    """20 % under a 10 % limit asks for 60 degrees off the fall line: 300 m across are used up after 173 m of climb."""
    ground = ground_of(lambda x, y: 0.2 * y)
    site = at(0, 0, 300, 1000)
    goal = terminal("a", 150, 800)
    net = network(ground, site, [goal], entry=Point(WEST + 150, SOUTH + 1), criteria=PLAIN)
    assert_holds(net, ground, site, [goal], [goal.footprint])
    assert set(net.served) == {"a"}
    x = np.concatenate([shapely.get_coordinates(r.line)[:, 0] for r in net.roads])
    far = x[np.insert(np.abs(np.diff(x)) > 0.5, 0, True)]
    way = np.sign(np.diff(far))
    assert (way[1:] != way[:-1]).sum() >= 3
    assert net.length_m >= (0.2 * (800 - 5 - 14 - 3.3) - 8.0) / 0.1


def test_no_room_for_switchbacks_is_too_steep():
    ground = ground_of(lambda x, y: 0.35 * y)
    goal = terminal("a", 15, 800)
    net = network(ground, at(0, 0, 30, 1000), [goal], entry=Point(WEST + 15, SOUTH + 1), criteria=PLAIN)
    assert not net.served
    assert net.unreached["a"].startswith("too steep")


def test_the_gap_in_a_ridge_is_found():
    ground = ground_of(lambda x, y: np.exp(-(((x - 500) / 60) ** 2)) * np.where(np.abs(y - 800) < 60, 0.0, 60.0))
    goal = terminal("a", 900, 200)
    net = network(ground, at(0, 0, 1000, 1000), [goal], entry=Point(WEST + 1, SOUTH + 200))
    assert_holds(net, ground, at(0, 0, 1000, 1000), [goal], [goal.footprint])
    over = shapely.union_all([r.line for r in net.roads]).intersection(at(495, 0, 505, 1000))
    assert abs(over.centroid.y - SOUTH - 800) < 75


def test_beyond_a_barrier_is_unreached_and_said_so():
    allowed = MultiPolygon([at(0, 0, 480, 1000), at(520, 0, 1000, 1000)])
    ends = [terminal("near", 300, 500, priority=0), terminal("far", 700, 500)]
    net = network(ground_of(lambda x, y: 0.0), allowed, ends)
    assert set(net.served) == {"near"}
    assert net.unreached == {"far": "no legal route: this part of the site is not connected to the entry"}


def test_who_asks_again_is_told_who_is_unreached_and_gets_no_roads():
    allowed = MultiPolygon([at(0, 0, 480, 1000), at(520, 0, 1000, 1000)])
    ends = [terminal("near", 300, 500, priority=0), terminal("far", 700, 500)]
    ground = ground_of(lambda x, y: 0.0)
    net = network(ground, allowed, ends, again=lambda missing: True)
    assert (net.roads, net.served) == ((), {})
    assert net.unreached == {"far": "no legal route: this part of the site is not connected to the entry"}
    assert network(ground, allowed, ends[:1], again=lambda missing: True) == network(ground, allowed, ends[:1])


def test_a_terminal_without_room_is_unreached_and_said_so():
    ends = [terminal("open", 300, 500, priority=0), terminal("shut", 700, 500)]
    wall = at(650, 450, 750, 550)
    net = network(ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), ends, obstacles=[ends[0].footprint, wall])
    assert net.unreached == {"shut": "no legal route: no room for a road within 14 m"}


def test_a_table_mountain_is_too_steep():
    ground = ground_of(lambda x, y: np.where(np.hypot(x - 700, y - 500) < 120, 60.0, 0.0))
    ends = [terminal("plain", 200, 500, priority=0), terminal("top", 700, 500)]
    net = network(ground, at(0, 0, 1000, 1000), ends)
    assert set(net.served) == {"plain"}
    assert net.unreached["top"].startswith("too steep")
    assert_holds(net, ground, at(0, 0, 1000, 1000), ends, [t.footprint for t in ends])


def test_a_pad_out_of_reach_in_height_is_too_steep():
    pads = {key: at(x - 10, 480, x + 10, 500) for key, x in (("level", 300), ("high", 600))}
    ends = [
        Terminal("level", at(295, 485, 305, 495), 14.0, 0, pads["level"], (0.3, 0.0, 0.0)),
        Terminal("high", at(595, 485, 605, 495), 14.0, 1, pads["high"], (9.0, 0.0, 0.0)),
    ]
    ground = ground_of(lambda x, y: 0.0)
    net = network(ground, at(0, 0, 1000, 1000), ends)
    assert set(net.served) == {"level"}
    assert net.unreached["high"] == "too steep: the road can't meet its pad within 10 %"
    assert_holds(net, ground, at(0, 0, 1000, 1000), ends, list(pads.values()))


def test_the_road_meets_the_pad_at_its_height():
    pad = at(580, 480, 620, 500)
    plane = (2.5, 0.01, -0.01)
    end = Terminal("a", at(595, 485, 605, 495), 14.0, 0, pad, plane)
    net = network(ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [end])
    xyz = np.vstack([shapely.get_coordinates(r.line, include_z=True) for r in net.roads])
    gaps = np.array([pad.distance(Point(x, y)) for x, y, _ in xyz])
    k = int(np.argmin(gaps))
    touch = shapely.get_coordinates(shapely.shortest_line(Point(xyz[k]), pad))[1]
    meets = plane[0] + plane[1] * (touch[0] - pad.centroid.x) + plane[2] * (touch[1] - pad.centroid.y)
    assert abs(xyz[k, 2] - meets) <= 0.1 * gaps[k]
    assert net.served


def test_a_pad_on_a_slope_is_met_from_the_side_that_is_level_with_it():
    """A pad 6 m above the ground at its lower edge, level with it at its upper one; the entry lies below."""
    pad = at(480, 480, 520, 520)
    end = Terminal("a", pad.buffer(-2), 14.0, 0, pad, (0.15 * 520, 0.0, 0.0))
    ground = ground_of(lambda x, y: 0.15 * y)
    net = network(ground, at(0, 0, 1000, 1000), [end], entry=Point(WEST + 500, SOUTH + 1))
    assert_holds(net, ground, at(0, 0, 1000, 1000), [end], [pad])
    assert set(net.served) == {"a"}


def test_entry_is_chosen_on_the_boundary_and_where_the_road_is_short():
    goal = terminal("a", 850, 500, priority=0)
    net = network(ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [goal], criteria=PLAIN)
    assert at(0, 0, 1000, 1000).contains(net.entry)
    assert at(0, 0, 1000, 1000).exterior.distance(net.entry) < 5.0
    assert net.entry.x > WEST + 990
    assert net.length_m < 150
    assert net.roads[0].line.coords[0][:2] == (net.entry.x, net.entry.y)


def test_entry_lies_on_the_site_boundary_not_on_an_exclusions_edge():
    site = at(0, 0, 1000, 1000)
    allowed = site.difference(at(700, 200, 1100, 800))
    goal = terminal("a", 650, 500, priority=0)
    ground = ground_of(lambda x, y: 0.0)
    loose = network(ground, allowed, [goal])
    assert site.exterior.distance(loose.entry) > 100
    net = network(ground, allowed, [goal], boundary=site)
    assert site.exterior.distance(net.entry) < 5.0


@pytest.mark.parametrize(
    ("x", "y", "warns"), [(3.5, 400, False), (0, 400, False), (-1, 400, False), (-40, 400, True), (45, 400, True)]
)
def test_given_entry_is_kept_or_moved_to_the_edge(x, y, warns):
    goal = terminal("a", 500, 500)
    net = network(ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [goal], entry=Point(WEST + x, SOUTH + y))
    assert at(0, 0, 1000, 1000).buffer(-3).contains(net.entry)
    assert net.entry.x < WEST + 5
    assert net.entry.distance(Point(WEST + x, SOUTH + y)) < abs(x) + 5
    assert bool([w for w in net.warnings if w.startswith("the entry was moved")]) == warns
    assert net.roads[0].line.coords[0][:2] == (net.entry.x, net.entry.y)


@pytest.mark.parametrize(("x", "side"), [(-75, "75 m outside"), (500, "400 m inside")])
def test_given_entry_too_far_from_the_edge_is_refused(x, side):
    goal = terminal("a", 300, 500)
    with pytest.raises(InputError, match=f"the entry lies {side} the site's edge"):
        network(ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [goal], entry=Point(WEST + x, SOUTH + 400))


def test_lines_that_cross_without_a_junction_are_found_and_given_up():
    lines = [
        np.array(c, dtype=float)
        for c in ([(0, 0), (10, 0)], [(10, 0), (20, 10)], [(10, 0), (20, -5)], [(20, -5), (18, 20)])
    ]
    ups = [-1, 0, 0, 2]
    assert touching(lines[:3], ups[:3]) == []
    assert touching(lines, ups) == [1, 3]
    assert touching([np.array([(0, 0), (10, 0), (10, 10), (5, -5)], dtype=float)], [-1]) == [0]
    alignment = HorizontalAlignment(lines, ups, {0: 1, 1: 2, 2: 3}, crossing=(1, 3))
    assert beyond_crossing(alignment) == {2: "no legal route: its road would cross another without a junction"}


def test_rules_are_checked():
    with pytest.raises(InputError, match="max_grade is 0"):
        RoadCriteria(max_grade=0.0, grade_margin=0.0)
    with pytest.raises(InputError, match="grade_margin"):
        RoadCriteria(max_grade=0.05, grade_margin=0.06)


def test_nowhere_to_start_is_told_of_every_terminal():
    goal = terminal("a", 3, 3)
    net = network(ground_of(lambda x, y: 0.0), at(0, 0, 6, 6), [goal])
    assert net.roads == ()
    assert net.entry is None
    assert net.unreached == {"a": "no legal route: the site has no room for a road"}


def test_off_the_raster_and_beside_nodata_there_is_no_road():
    ground = ground_of(lambda x, y: 0.0)
    ground.z[:, 60:80] = np.nan  # x from 400 to 600
    allowed = at(-400, 0, 1000, 1000)
    ends = [terminal("west", 100, 500, priority=0), terminal("east", 800, 500), terminal("off", -300, 500)]
    net = network(ground, allowed, ends)
    assert_holds(net, ground, allowed, ends, [t.footprint for t in ends])
    assert set(net.served) == {"west"}
    assert net.unreached["off"].startswith("no legal route")


def test_the_substation_comes_first_and_classes_follow_it():
    goals = [terminal("sub", 500, 500, priority=0), terminal("a", 500, 900), terminal("b", 520, 300)]
    net = network(ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), goals, entry=Point(WEST + 1, SOUTH + 500))
    assert net.roads[0].road_class == "spine"
    by_id = {r.road_id: r for r in net.roads}
    assert by_id[net.served["sub"]].road_class == "spine"
    assert by_id[net.served["a"]].road_class in ("secondary", "spur")
    assert [r.road_id for r in net.roads] == [f"R{k:03d}" for k in range(1, len(net.roads) + 1)]


def test_cost_zones_are_avoided_not_barred():
    zone = Zone(at(400, 200, 600, 1000), "crop", "cost", 0.0, 20.0)
    goal = terminal("a", 900, 700)
    plain, dear = (
        network(
            ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [goal], entry=Point(WEST + 1, SOUTH + 700), cost_zones=z
        )
        for z in ((), (zone,))
    )
    assert sum(r.line.intersection(zone.geometry).length for r in plain.roads) > 190
    # corners of the zone may be cut where a bend is rounded
    assert sum(r.line.intersection(zone.geometry).length for r in dear.roads) < 25
    assert dear.served


def test_bumps_are_gone_round_where_earthwork_is_dear():
    """Bumps of 1 m lie across the straight way; level ground lies 150 m aside."""
    ground = ground_of(lambda x, y: 100.0 + 1.0 * np.sin(x / 6.0) * (abs(y - 500.0) < 120.0), dx=5.0)
    far = [terminal("a", 900.0, 500.0)]
    entry = Point(WEST, SOUTH + 500.0)
    straight = network(ground, at(0, 0, 1000, 1000), far, entry=entry)
    round_ = network(ground, at(0, 0, 1000, 1000), far, entry=entry, criteria=replace(RULES, earth_price=5.0))
    assert_holds(round_, ground, at(0, 0, 1000, 1000), far, [far[0].footprint])
    moved = [
        sum(v.cut_m3 + v.fill_m3 for v in corridors(ground, [r.line for r in n.roads], [6.1] * len(n.roads)))
        for n in (straight, round_)
    ]
    assert straight.length_m < 950.0 < round_.length_m
    assert moved[1] < 0.5 * moved[0]


def test_network_length_against_the_steiner_lower_bound():
    """No tree is shorter than sqrt(3)/2 of the spanning tree (Gilbert-Pollak); reach and entry are taken off."""
    rng = np.random.default_rng(4)
    places = rng.uniform(60, 940, (25, 2))
    goals = [terminal(f"t{k}", x, y, priority=1) for k, (x, y) in enumerate(places)]
    net = network(
        ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), goals, entry=Point(WEST + 1, SOUTH + 500), criteria=PLAIN
    )
    assert len(net.served) == 25
    nodes = np.vstack([places, [[3.3, 500.0]]])
    span = minimum_spanning_tree(np.hypot(*(nodes[:, None] - nodes[None]).transpose(2, 0, 1))).sum()
    assert net.length_m <= span
    assert net.length_m >= 0.866 * span - 25 * (14 + 7.1)


def test_a_long_dead_end_gets_a_turnaround():
    """The shortest: one arm to the side, at least its own length and at most 45 m before the end."""
    goal = terminal("a", 500, 500)
    ground = ground_of(lambda x, y: 0.03 * x)
    site = at(0, 0, 1000, 1000)
    net = network(ground, site, [goal], entry=Point(WEST + 1, SOUTH + 500))
    assert_holds(net, ground, site, [goal], [goal.footprint])
    way, end, arm = net.roads
    assert arm.road_class == "spur"
    assert arm.length_m == pytest.approx(18.3)
    assert arm.line.coords[0] == way.line.coords[-1] == end.line.coords[0]
    assert 18.3 - 1e-6 <= end.length_m <= 45
    assert net.served == {"a": end.road_id}
    assert net.warnings == ()


def between_walls(gap_at, *, gap=16.0, end=400):
    """A road in an aisle of 12 m that ends before a wall, a gap across the aisle about `gap_at`."""
    spans = [(0, gap_at - gap / 2), (gap_at + gap / 2, 1000)]
    walls = [at(x0, y0, x1, y1) for x0, x1 in spans for y0, y1 in ((0, 494), (506, 1000))]
    return walls, Terminal("a", at(end, 470, end + 5, 480), 30.0, 0)


def test_a_turnaround_uses_a_gap_before_the_dead_end():
    walls, goal = between_walls(365)
    net = network(
        ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [goal], obstacles=walls, entry=Point(WEST + 1, SOUTH + 500)
    )
    assert_holds(net, ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [goal], walls)
    assert net.warnings == ()
    arm = net.roads[-1].line
    assert abs(arm.coords[0][0] - WEST - 365) < 5
    assert abs(arm.coords[-1][0] - arm.coords[0][0]) < 5


def test_a_dead_end_is_drawn_on_to_where_a_turnaround_fits():
    walls, goal = between_walls(480)
    net = network(
        ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [goal], obstacles=walls, entry=Point(WEST + 1, SOUTH + 500)
    )
    assert_holds(net, ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [goal], walls)
    assert net.warnings == ()
    assert 470 < max(r.line.bounds[2] for r in net.roads) - WEST < 505
    assert net.length_m < 480 + 5 + 2 * 18.3


def test_a_dead_end_is_linked_to_the_road_before_it():
    """An aisle of 12 m that meets another: the road in the one is drawn on to that in the other, at its height."""
    walls = [at(0, 0, 454, 494), at(0, 506, 454, 1000), at(466, 0, 1000, 1000)]
    ground = ground_of(lambda x, y: 0.02 * y + 0.01 * x)
    lat = routing_grid.make_routing_grid(
        ground, at(0, 0, 1000, 1000), walls, (), half_width_m=3.05, clearance_m=0.25, cell=4.0
    )
    xy = np.array([WEST, SOUTH])
    west = np.column_stack([np.arange(0, 401, 10.0), np.full(41, 500.0)]) + xy
    across = np.column_stack([np.full(41, 460.0), np.arange(300, 701, 10.0)]) + xy
    roads = [np.column_stack([p, ground.at(p[:, 0], p[:, 1]) + lift]) for p, lift in ((west, 0.0), (across, 1.0))]
    made, without = turnarounds(lat, ground, roads, [0], criteria=RULES)
    assert without == 0
    (link,) = made
    assert_allclose(link[0], roads[0][-1])
    assert any((link[-1] == v).all() for v in roads[1])
    rise = np.abs(np.diff(link[:, 2])) / np.hypot(*np.diff(link[:, :2], axis=0).T)
    assert rise.max() <= RULES.max_grade


def test_a_dead_end_without_room_for_a_turnaround_is_counted():
    walls = [at(0, 0, 1000, 494), at(0, 506, 1000, 1000), at(800, 400, 1000, 600)]
    goal = Terminal("a", walls[2], 14.0, 0)
    net = network(ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [goal], obstacles=walls)
    assert len(net.roads) == 1
    assert net.warnings == ("dead ends over 45 m without room for a turnaround: 1",)


def test_a_short_dead_end_has_none():
    goal = terminal("a", 45, 500)
    net = network(ground_of(lambda x, y: 0.0), at(0, 0, 1000, 1000), [goal], entry=Point(WEST + 1, SOUTH + 500))
    assert len(net.roads) == 1


def test_a_road_bends_towards_what_it_passes_rather_than_leave_a_stub():
    """Places a few metres out of the straight road's reach: it goes by them, and no dead end is left beside it."""
    far = terminal("far", 900, 500, priority=0)
    near = [
        terminal(f"n{k}", x, 500 + side * 26, priority=1) for k, (x, side) in enumerate([(300, 1), (500, -1), (700, 1)])
    ]
    net = network(
        ground_of(lambda x, y: 0.0),
        at(0, 0, 1000, 1000),
        [far, *near],
        entry=Point(WEST + 1, SOUTH + 500),
        criteria=PLAIN,
    )
    assert len(net.roads) == 1
    assert net.unreached == {}
    assert net.length_m < 900


def lattice_case(seed, *, size=1000.0, aisle=12.0, grade=0.05):
    """Arrays of 100 x 45 m with aisles between, every fifth place a skid on its pad."""
    ground = rough(seed, size=size, grade=grade)
    terminals, k = [], 0
    for x in np.arange(20, size - 120, 100 + aisle):
        for y in np.arange(20, size - 65, 45 + aisle):
            if k % 5 == 2:
                z = float(ground.at(np.array(WEST + x + 50), np.array(SOUTH + y + 22)))
                terminals.append(
                    Terminal(f"s{k}", at(x + 44, y + 20, x + 56, y + 24), 14.0, int(k != 2), at(x + 42, y + 18, x + 58, y + 26), (z, 0.0, 0.0))
                )  # fmt: skip
            else:
                terminals.append(Terminal(f"a{k}", at(x, y, x + 100, y + 45), 78.0, 2))
            k += 1
    return ground, at(0, 0, size, size), terminals, [t.pad or t.footprint for t in terminals]


@pytest.mark.parametrize("aisle", [8.0, 12.0])
def test_every_array_of_a_lattice_is_served_through_its_aisles(aisle):
    ground, allowed, terminals, obstacles = lattice_case(1, aisle=aisle, grade=0.02)
    net = network(ground, allowed, terminals, obstacles=obstacles)
    assert_holds(net, ground, allowed, terminals, obstacles)
    assert net.unreached == {}


@given(st.integers(0, 10_000), st.sampled_from([0.02, 0.08, 0.2, 0.35]))
@example(4584, 0.35)
@settings(max_examples=12, deadline=None)
def test_whatever_the_ground_a_network_keeps_its_promises(seed, grade):
    ground, allowed, terminals, obstacles = lattice_case(seed, size=600.0, grade=grade)
    rng = np.random.default_rng(seed)
    hole = shapely.affinity.rotate(at(250, 250, 250 + rng.uniform(20, 200), 330), rng.uniform(0, 180))
    kept = [t for t in terminals if not hole.buffer(8).intersects(t.pad or t.footprint)]
    allowed = allowed.difference(hole)
    obstacles = [t.pad or t.footprint for t in kept]
    net = network(ground, allowed, kept, obstacles=obstacles)
    assert_holds(net, ground, allowed, kept, obstacles)


@pytest.mark.parametrize("dx", [1.0, 30.0])
def test_other_cells_of_the_elevation_model(dx):
    ground = rough(7, size=400.0, dx=dx, grade=0.05)
    goals = [terminal("sub", 200, 200, priority=0), terminal("a", 60, 350), terminal("b", 350, 60)]
    net = network(ground, at(0, 0, 400, 400), goals)
    assert_holds(net, ground, at(0, 0, 400, 400), goals, [t.footprint for t in goals])
    assert len(net.served) == 3


def test_the_same_input_gives_the_same_bytes():
    problem = lattice_case(3, size=700.0, grade=0.12)
    nets = [network(problem[0], problem[1], problem[2], obstacles=problem[3]) for _ in range(2)]
    texts = [json.dumps([[r.road_id, list(r.line.coords)] for r in n.roads]) for n in nets]
    assert texts[0] == texts[1]
    assert nets[0].served == nets[1].served


def test_input_is_left_as_it_was():
    ground, allowed, terminals, obstacles = lattice_case(5, size=400.0)
    before = ground.z.copy()
    network(ground, allowed, terminals, obstacles=obstacles)
    np.testing.assert_array_equal(ground.z, before)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_rough_sites_at_length(seed):
    grade = [0.03, 0.1, 0.2, 0.4][seed % 4]
    ground, allowed, terminals, obstacles = lattice_case(seed, size=1500.0, grade=grade)
    net = network(ground, allowed, terminals, obstacles=obstacles)
    assert_holds(net, ground, allowed, terminals, obstacles)


@pytest.mark.parametrize(
    ("tip", "reach", "stays"), [((58.0, 0.7), 14.0, False), ((56.0, 6.0), 14.0, True), ((58.0, 0.7), 2.9, True)]
)
def test_a_spur_on_the_strip_of_the_road_beside_it_is_left_out(tip, reach, stays):
    """Unless it leads away, or that road passes its terminal by: edge to middle 3 m."""
    goal = terminal("a", 58.0, 8.0, reach=reach)
    start = np.array([WEST, SOUTH])
    ends = [[(0, 0), (50, 0)], [(50, 0), (150, 0)], [(50, 0), tip]]
    lines = [np.array(xy, dtype=np.float64) + start for xy in ends]
    problem = SimpleNamespace(
        criteria=RULES, shapes=routing_grid.Shapes.of([goal.footprint]), reach_m=np.array([reach])
    )
    drawn = _absorbed(problem, HorizontalAlignment(lines, [-1, 0, 0], {0: 2}, lines))
    assert len(drawn.lines) == len(drawn.straight) == 2 + stays
    assert drawn.ups == [-1, 0, 0][: 2 + stays]
    assert drawn.line_of == {0: 1 + stays}
