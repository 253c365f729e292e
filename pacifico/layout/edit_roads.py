"""Roads of an edited plan: what still leads somewhere, what serves an asset at its new place, and spurs to it.

Roads meet at shared vertices. The network is looked at as it stands, whatever the order it was made in; only what an
edit touches is drawn or taken away.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Polygon, box

from pacifico.errors import EditRefused
from pacifico.layout import routing
from pacifico.layout.alignment import Pin, Stations, design_heights, stations_of
from pacifico.layout.roads import BRIDGED, ROUNDING_M, Road, RoadRules
from pacifico.layout.turnaround import turnarounds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pacifico.layout.buildable import Field, Floats
    from pacifico.layout.earthwork import PadPlane
    from pacifico.site.model import Zone

Key = tuple[float, float]

SLACK_M = 0.001
"""Of distances between what was placed exactly."""
STEP_M = 0.01
"""Of heights, that a road and a pad may miss each other by."""
WINDOWS_M = ((100.0, 1.0, 250.0), (300.0, 2.0, 800.0))
"""Around an asset, in which a spur to it is sought: so much more than so many times the way to the nearest road, at least."""
MARGIN_M = 1.0
"""Spurs come this much nearer than the rule, so that rounding can't break it."""


@dataclass(frozen=True)
class Wanted:
    """An asset that a road must reach."""

    name: str
    footprint: Polygon
    reach_m: float
    pad: Polygon | None = None
    plane: PadPlane | None = None

    @property
    def taken(self) -> Polygon:
        """What no road may cross."""
        return self.pad or self.footprint


@dataclass(frozen=True)
class Net:
    """Roads as they stand, and where they meet."""

    roads: tuple[Road, ...]
    entry: Key
    at: dict[Key, list[int]] = field(init=False, repr=False, compare=False)
    """Roads through each vertex."""
    beside: list[set[int]] = field(init=False, repr=False, compare=False)
    """Roads that each one meets."""
    lines: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lines = np.array([r.line for r in self.roads], dtype=object)
        xy, of = shapely.get_coordinates(lines, return_index=True)
        at: dict[Key, list[int]] = {}
        for (x, y), road in zip(xy.tolist(), of.tolist(), strict=True):
            here = at.setdefault((x, y), [])
            if road not in here:
                here.append(road)
        beside: list[set[int]] = [set() for _ in self.roads]
        for who in at.values():
            for k in who:
                beside[k].update(o for o in who if o != k)
        object.__setattr__(self, "at", at)
        object.__setattr__(self, "beside", beside)
        object.__setattr__(self, "lines", lines)

    def without(self, gone: Collection[str]) -> Net:
        """Roads less some."""
        return Net(tuple(r for r in self.roads if r.road_id not in gone), self.entry) if gone else self

    def plus(self, more: Iterable[Road]) -> Net:
        """Roads and others, in the order of their numbers."""
        return Net(tuple(sorted((*self.roads, *more), key=lambda r: (len(r.road_id), r.road_id))), self.entry)

    def cut_off(self, gone: Collection[int]) -> set[int]:
        """Roads that nothing joins to the entry where some are gone."""
        seen = {k for k in self.at.get(self.entry, ()) if k not in gone}
        queue = list(seen)
        while queue:
            fresh = self.beside[queue.pop()] - seen - set(gone)
            seen |= fresh
            queue += fresh
        return set(range(len(self.roads))) - seen - set(gone)

    def needed(self, k: int, served: Mapping[str, int], gone: Collection[int] = ()) -> bool:
        """Whether a road serves something, holds the entry, or leads to what does."""
        road = self.roads[k]
        if served.get(road.road_id) or k in self.at.get(self.entry, ()):
            return True
        return any(served.get(self.roads[o].road_id) for o in self.cut_off({*gone, k}) - self.cut_off(gone))

    def next_id(self, used: Iterable[str] = ()) -> int:
        """Number that no road has or had."""
        return 1 + max((int(i[1:]) for i in (*(r.road_id for r in self.roads), *used)), default=0)


def ends(road: Road) -> tuple[Key, Key]:
    """First and last vertex."""
    coords = road.line.coords
    return (coords[0][0], coords[0][1]), (coords[-1][0], coords[-1][1])


def vertices(road: Road) -> list[Key]:
    """All vertices in plan."""
    return [(c[0], c[1]) for c in road.line.coords]


def dead_roads(net: Net, served: Mapping[str, int], suspects: Iterable[str]) -> set[str]:
    """Which of some roads, and of those that lead to them alone, are needed no more; their turnarounds with them.

    What serves nothing and leads to nothing is a turnaround: it stays while the road stays whose end it is at.
    """
    number = {r.road_id: k for k, r in enumerate(net.roads)}
    own = [number[s] for s in suspects if s in number]
    before = Counter(served) + Counter(net.roads[k].road_id for k in own)
    gone: set[int] = set()
    queue = list(own)
    while queue:
        k = queue.pop(0)
        if k in gone or net.needed(k, served, gone):
            continue
        if k not in own and not net.needed(k, before):
            # a turnaround: of what is gone where it met that alone
            meets = [v for v in vertices(net.roads[k]) if gone & set(net.at[v])]
            if not any(set(net.at[v]) <= gone | {k} | _idle(net, net.at[v], before) for v in meets):
                continue
        gone.add(k)
        queue += sorted(net.beside[k] - gone)
    gone |= net.cut_off(gone)
    return {net.roads[k].road_id for k in gone}


def turnarounds_of(net: Net, served: Mapping[str, int]) -> set[str]:
    """Roads that serve nothing and lead to nothing."""
    return {net.roads[k].road_id for k in _idle(net, range(len(net.roads)), served)}


def _idle(net: Net, which: Iterable[int], served: Mapping[str, int]) -> set[int]:
    """Turnarounds among some roads."""
    return {k for k in which if not net.needed(k, served)}


def blocked_by(net: Net, taken: Polygon, rules: RoadRules) -> list[str]:
    """Roads whose strip comes nearer to a pad or footprint than the clearance."""
    if not net.roads:
        return []
    far = shapely.distance(net.lines, taken)
    keep = np.array([r.width_m / 2 for r in net.roads]) + rules.clearance_m - SLACK_M
    return [net.roads[k].road_id for k in np.flatnonzero(far < keep)]


def server_of(
    net: Net, wanted: Wanted, rules: RoadRules, *, liked: str = "", last: Collection[str] = ()
) -> tuple[str, str]:
    """Road within reach whose height meets the pad: the one it had before first, some last; else nothing, and why not."""
    if not net.roads:
        return "", "there is no road"
    far = shapely.distance(net.lines, wanted.footprint)
    near = np.flatnonzero(far <= wanted.reach_m - SLACK_M)
    if not near.size:
        k = int(np.argmin(far))
        return (
            "",
            f"the nearest road, {net.roads[k].road_id}, is {far[k]:.0f} m away, the reach is {wanted.reach_m:g} m",
        )
    order = sorted(
        near.tolist(), key=lambda k: (net.roads[k].road_id in last, net.roads[k].road_id != liked, far[k], k)
    )
    worst = ""
    for k in order:
        step, gap = pad_step(net.roads[k], wanted)
        if step <= rules.max_grade * gap + STEP_M:
            return net.roads[k].road_id, ""
        worst = worst or (
            f"road {net.roads[k].road_id}, {gap:.1f} m from its pad, is {step:.1f} m above or below it, "
            f"the grade limit of {100 * rules.max_grade:g} % allows {rules.max_grade * gap:.1f} m"
        )
    return "", worst


def pad_step(road: Road, wanted: Wanted) -> tuple[float, float]:
    """Height between a road and a pad where a drive between them is gentlest, and its length [m]."""
    if wanted.pad is None or wanted.plane is None:
        return 0.0, 0.0
    xyz = shapely.get_coordinates(road.line, include_z=True)
    at = road.line.project(shapely.shortest_line(wanted.pad, road.line).boundary.geoms[1]) if road.length_m else 0.0
    here = road.line.interpolate(at)
    xyz = np.vstack([xyz, [here.x, here.y, _height_along(xyz, at)]])
    points = np.asarray(shapely.points(xyz[:, :2]), dtype=object)
    gap = np.asarray(shapely.distance(points, wanted.pad))
    near = np.flatnonzero(gap <= max(wanted.reach_m, float(gap.min()) + SLACK_M))
    touch = shapely.get_coordinates(shapely.shortest_line(points[near], wanted.pad))[1::2]
    step = np.abs(xyz[near, 2] - wanted.plane.height_at(touch[:, 0], touch[:, 1]))
    best = int(np.argmin(step / np.maximum(gap[near], 0.1)))
    return float(step[best]), float(gap[near][best])


def _height_along(xyz: Floats, at: float) -> float:
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))])
    return float(np.interp(at, along, xyz[:, 2]))


def is_clear(road: Road, taken: Sequence[Polygon], allowed: Polygon | MultiPolygon, rules: RoadRules) -> bool:
    """Whether a road that stood before is still legal: clear of what stands, inside what is allowed."""
    keep = road.width_m / 2 + rules.clearance_m - SLACK_M
    if len(taken) and bool(shapely.dwithin(np.asarray(taken, dtype=object), road.line, keep).any()):
        return False
    return bool(allowed.covers(road.line.buffer(road.width_m / 2 - SLACK_M, cap_style="flat")))


def restored(
    net: Net, retired: Sequence[Road], wanted: Wanted, taken: Sequence[Polygon], place: Field, rules: RoadRules
) -> str:
    """Which of the roads that an earlier edit took away would serve an asset again, all of them being legal; '' if none."""
    whole = net.plus(retired)
    if not retired or not all(is_clear(r, taken, place.allowed, rules) for r in retired):
        return ""
    number = {r.road_id: k for k, r in enumerate(whole.roads)}
    own = {number[r.road_id] for r in retired}
    joints = [v for r in retired for v in ends(r) if set(whole.at[v]) - own]
    if not joints or any(not _same_height(whole, v) for v in joints):
        return ""
    found, _ = server_of(Net(tuple(retired), net.entry), wanted, rules)
    return found


def _same_height(net: Net, place: Key) -> bool:
    """Whether all roads through a vertex have one height there."""
    z = [c[2] for k in net.at[place] for c in net.roads[k].line.coords if (c[0], c[1]) == place]
    return max(z) - min(z) <= SLACK_M


@dataclass(frozen=True)
class Surroundings:
    """Ground around an edit, as roads see it."""

    lattice: routing.Lattice
    window: Polygon

    @classmethod
    def of(
        cls, place: Field, window: Polygon, taken: Sequence[Polygon], zones: Sequence[Zone], rules: RoadRules
    ) -> Surroundings | None:
        """Lattice of a window; None where no road fits."""
        known = box(*place.ground.grid.bounds)
        parts = routing.parts_of(shapely.intersection(shapely.intersection(place.allowed, window), known))
        if not parts:
            return None
        allowed = parts[0] if len(parts) == 1 else MultiPolygon(parts)
        shapes = np.asarray(taken, dtype=object)
        near = shapes[shapely.intersects(shapes, window)] if shapes.size else shapes
        lattice = routing.make_lattice(
            place.ground,
            allowed,
            list(near),
            [(z.geometry, z.cost_multiplier) for z in zones if z.zone_type == "cost" and z.geometry.intersects(window)],
            half_width_m=rules.width_m / 2,
            clearance_m=rules.clearance_m,
            cell=routing.cell_size(allowed.area),
        )
        return cls(lattice, window) if (lattice.clear > 0).any() else None


def spur_to(
    net: Net,
    wanted: Wanted,
    *,
    place: Field,
    taken: Sequence[Polygon],
    zones: Sequence[Zone],
    served: Mapping[str, int],
    rules: RoadRules,
    first_number: int,
) -> tuple[Road, ...]:
    """Shortest legal road from the network to an asset, with a turnaround where it is long.

    Raises
    ------
    EditRefused
        There is none: the reason is told.
    """
    why = "there is no room for a road"
    nearest = float(shapely.distance(net.lines, wanted.footprint).min())
    for more, times, least in WINDOWS_M:
        reach = max(least, more + times * nearest)
        west, south, east, north = wanted.footprint.bounds
        window = box(west - reach, south - reach, east + reach, north + reach)
        around = Surroundings.of(place, window, taken, zones, rules)
        if around is None:
            continue
        line, base, why = _path(net, wanted, around, served, rules)
        if line is None:
            continue
        xyz, why = _heights(line, base, wanted, place, rules)
        if xyz is None:
            continue
        spur = road_of(first_number, xyz, rules)
        others = [r.line for r in net.roads if r.line.intersects(window)]
        arms, _ = turnarounds(
            around.lattice, place.ground, [shapely.get_coordinates(o, include_z=True) for o in (*others, spur.line)],
            [len(others)], rules=rules,
        )  # fmt: skip
        return (spur, *(road_of(first_number + k, a, rules) for k, a in enumerate(arms, 1)))
    raise EditRefused(
        f"no road reaches {wanted.name} there: {why}; choose a place nearer a road, or gentler ground between"
    )


def new_turnarounds(
    net: Net, before: Net, *, place: Field, taken: Sequence[Polygon], rules: RoadRules, first_number: int
) -> tuple[Road, ...]:
    """Turnarounds at ends that became dead because roads beyond them are gone."""
    arms: list[Road] = []
    for k, road in enumerate(net.roads):
        for e in ends(road):
            if len(net.at[e]) > 1 or len(before.at.get(e, ())) < 2 or road.length_m <= rules.turnaround_over_m:
                continue
            if e == net.entry:
                continue
            reach = 3 * rules.turnaround_arm_m
            window = box(e[0] - reach, e[1] - reach, e[0] + reach, e[1] + reach)
            around = Surroundings.of(place, window, taken, (), rules)
            if around is None:
                continue
            own = shapely.get_coordinates(road.line, include_z=True)
            own = own if e == ends(road)[1] else own[::-1]
            others = [o.line for i, o in enumerate(net.roads) if i != k and o.line.intersects(window)]
            lines = [shapely.get_coordinates(o, include_z=True) for o in (*others, *(a.line for a in arms))]
            made, _ = turnarounds(around.lattice, place.ground, [*lines, own], [len(lines)], rules=rules)
            arms += [road_of(first_number + len(arms) + i, a, rules) for i, a in enumerate(made)]
    return tuple(arms)


def road_of(number: int, xyz: Floats, rules: RoadRules) -> Road:
    """Spur of given vertices with its figures."""
    d = np.hypot(*np.diff(xyz[:, :2], axis=0).T)
    rise = np.abs(np.diff(xyz[:, 2]))
    return Road(
        f"R{number:03d}", "spur", LineString(xyz), rules.width_m, float(d.sum()), float((rise / d).max() * 100),
        float(rise.sum() / d.sum() * 100),
    )  # fmt: skip


def _seeds(net: Net, around: Surroundings, served: Mapping[str, int]) -> dict[int, Floats]:
    """Road positions from which a spur may leave: each with the vertex (x, y, z) of a road beside it."""
    lattice = around.lattice
    near = np.flatnonzero(shapely.intersects(net.lines, around.window))
    near = np.array([k for k in near.tolist() if net.needed(k, served)], dtype=np.int64)
    if not near.size:
        return {}
    xyz = shapely.get_coordinates(net.lines[near], include_z=True)
    i = np.floor((xyz[:, 0] - lattice.x0) / lattice.cell + 0.5).astype(np.int64)
    j = np.floor((xyz[:, 1] - lattice.y0) / lattice.cell + 0.5).astype(np.int64)
    inside = (i >= 0) & (i < lattice.nx) & (j >= 0) & (j < lattice.ny)
    found: dict[int, tuple[float, Floats]] = {}
    for k in np.flatnonzero(inside).tolist():
        node = int(j[k] * lattice.nx + i[k])
        if lattice.clear[node] <= 0:
            continue
        here = np.array([lattice.px[node], lattice.py[node]])
        far = float(np.hypot(*(here - xyz[k, :2])))
        if (node not in found or far < found[node][0]) and lattice.fence.clear(xyz[k, :2].copy(), here):
            found[node] = (far, xyz[k])
    return {n: v for n, (_, v) in sorted(found.items())}


def _path(
    net: Net, wanted: Wanted, around: Surroundings, served: Mapping[str, int], rules: RoadRules
) -> tuple[Floats | None, Floats, str]:
    """Line in plan from a road's vertex to within reach, that vertex, and why there is none."""
    lattice, nothing = around.lattice, np.zeros(3)
    seeds = _seeds(net, around, served)
    if not seeds:
        return None, nothing, "no spur can leave the roads near it"
    shapes = routing.Shapes.of([wanted.footprint])
    reach_m = np.array([wanted.reach_m - MARGIN_M])
    reach = routing.Reach.of(lattice, shapes, reach_m)
    node = np.repeat(np.arange(lattice.px.size), np.diff(reach.row))
    if not node.size:
        return None, nothing, f"there is no room for a road within {wanted.reach_m:g} m of it"
    fit = ~np.isin(node, list(seeds))
    if wanted.plane is not None:
        step = np.abs(routing.heights(lattice)[node] - wanted.plane.height_at(lattice.px[node], lattice.py[node]))
        fit &= step <= rules.max_grade * reach.far + BRIDGED * rules.max_cut_fill_m
    if not fit.any():
        return (
            None,
            nothing,
            f"the ground within {wanted.reach_m:g} m is too far above or below its pad for a road to meet it",
        )
    growth = routing.search(
        lattice,
        np.array(list(seeds)),
        reach=reach.kept(fit, 1),
        priority=np.array([1], np.int64),
        max_grade=rules.max_grade,
    )
    if growth.server[0] < 0:
        return None, nothing, f"every way to it is barred, or far beyond the grade limit of {100 * rules.max_grade:g} %"
    nodes = [int(growth.server[0])]
    while growth.parent[nodes[-1]] >= 0:
        nodes.append(int(growth.parent[nodes[-1]]))
    nodes.reverse()
    base = seeds.get(nodes[0])
    if base is None or len(nodes) < 2:
        return None, nothing, "the road beside it can't meet the height of its pad"
    points = np.column_stack([lattice.px[nodes], lattice.py[nodes]])
    direct = lattice.fence.clear(base[:2].copy(), points[1]) and not lattice.blind.crossed(base[:2], points[1])
    raw = np.vstack([base[None, :2], points[1:] if direct else points])
    last = np.array([len(raw) - 1])
    pulled = routing.pull(
        lattice, np.ascontiguousarray(raw), bound_at=last, bound=np.array([0]), shapes=shapes, reach=reach_m,
        max_grade=rules.max_grade,
    )  # fmt: skip
    rounded, _ = routing.round_bends(lattice, pulled, radius_m=rules.min_radius_m + rules.width_m / 2)
    for line in (rounded, pulled, raw):
        if _meets_once(net, line) and LineString(line).distance(wanted.footprint) <= wanted.reach_m - SLACK_M:
            return line, base, ""
    return None, nothing, "a road to it would cross another without a junction"


def _meets_once(net: Net, line: Floats) -> bool:
    """Whether a line meets the network at its first point alone."""
    whole, start = LineString(line), shapely.Point(line[0])
    shared = shapely.get_coordinates(shapely.intersection(net.lines, whole))
    return not shared.size or bool(shapely.distance(shapely.points(shared), start).max() <= 0.05)


def _heights(line: Floats, base: Floats, wanted: Wanted, place: Field, rules: RoadRules) -> tuple[Floats | None, str]:
    """Design heights along a spur: the road's where it leaves, the pad's where it ends, in between the least earthwork."""
    s: Stations = stations_of([line], [-1], place.ground, width_m=rules.width_m, station_m=rules.station_m)
    grade = rules.max_grade - rules.grade_margin
    pins = [Pin(0, float(base[2]), 0.0)]
    if wanted.pad is not None and wanted.plane is not None:
        points = np.asarray(shapely.points(s.xy), dtype=object)
        gap = np.asarray(shapely.distance(points, wanted.pad))
        k = int(np.argmin(gap))
        touch = shapely.get_coordinates(shapely.shortest_line(points[k], wanted.pad))[1]
        pins.append(Pin(k, float(wanted.plane.height_at(touch[0], touch[1])), grade * float(gap[k])))
    sure = np.maximum(s.distance - ROUNDING_M - ROUNDING_M / 2 / grade, 0.0)
    found = design_heights(
        s.parent, sure, s.ground, s.weight, max_grade=grade, max_depth_m=rules.max_cut_fill_m, pins=pins
    )
    if found.excess_m[1:].max(initial=0.0) > STEP_M / 2:
        return None, (
            f"no road profile keeps both {100 * rules.max_grade:g} % and {rules.max_cut_fill_m:g} m of cut or fill on the way"
        )
    if found.pin_excess_m.max() > SLACK_M:
        return None, f"a road within {100 * rules.max_grade:g} % can't meet both the network's height and its pad's"
    z = found.z.copy()
    z[0] = base[2]
    return np.column_stack([s.xy, z]), ""
