"""Roads: one legal, connected network from the site entry to every terminal, with a designed profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box

from pacifico.errors import InputError
from pacifico.layout import _kernels, routing
from pacifico.layout.alignment import (
    CURVE_M_PER_PCT,
    Pin,
    Profile,
    Stations,
    design_heights,
    grade_breaks,
    stations_of,
)
from pacifico.layout.bends import Keep
from pacifico.layout.drawing import TOLERANCE_M, Case, Drawing, draw
from pacifico.layout.entry import Edge, Gate, cheapest_gate, given_gate
from pacifico.layout.turnaround import turnarounds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pacifico.grid import Ground
    from pacifico.site.model import Zone

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

RoadClass = Literal["spine", "secondary", "spur"]

SPUR_M = 150.0
"""A dead end shorter than this is a spur."""
BRIDGED = 0.35
"""Share of the depth limit that a road may use up beside a pad."""
ROUNDING_M = 0.002
"""Most that rounding changes the distance between two vertices, and twice what it changes a rise by."""
DETOURS = 3
"""Searches that avoid where no profile was found before terminals are given up."""

CURVE_OVER_M = 10.0
"""Length within which a change of grade is to be rounded off."""
EASINGS = 5
"""Most drawings with bends eased; the last ones keep more and more as it was."""
EASED_APART_M = 50.0
"""Round a place where easing left no profile this much stays as it was, twice as much each time."""


@dataclass(frozen=True)
class RoadRules:
    """Rules of site roads; defaults after the International Fire Code (2021), appendix D."""

    width_m: float = 6.1
    """Carriageway width, 20 ft."""
    max_grade: float = 0.10
    """Rise over run."""
    min_radius_m: float = 12.0
    """Radius of the inner edge in bends."""
    max_cut_fill_m: float = 4.0
    """Most depth between ground and design, averaged over the width."""
    station_m: float = 10.0
    """Most distance between design heights."""
    turnaround_over_m: float = 45.0
    """Dead ends longer than this (150 ft) get a turnaround where there is room; infinite: none do."""
    turnaround_arm_m: float = 18.3
    """Length of each of its two arms, 60 ft."""
    clearance_m: float = 0.25
    """Kept between the strip and every edge."""
    grade_margin: float = 0.001
    """Left unused of `max_grade`, so that rounded coordinates keep it too."""

    def __post_init__(self) -> None:
        for name in ("width_m", "max_grade", "max_cut_fill_m", "station_m", "turnaround_arm_m", "clearance_m"):
            if not getattr(self, name) > 0:
                raise InputError(f"road rule {name} is {getattr(self, name)}; it must be above 0")
        if not 0 <= self.grade_margin < self.max_grade:
            raise InputError(
                f"road rule grade_margin is {self.grade_margin}; it must lie between 0 and max_grade ({self.max_grade})"
            )


DEFAULT_RULES = RoadRules()


@dataclass(frozen=True)
class Terminal:
    """Something that a road must come near."""

    key: str
    footprint: Polygon
    """Working CRS; the centreline must come within `reach_m` of it [m]."""
    reach_m: float
    priority: int = 1
    """Low ones are reached first."""
    pad: Polygon | None = None
    """The pad it stands on: the road's height must meet it."""
    pad_plane: tuple[float, float, float] | None = None
    """Height at the pad's centroid [m], rise per metre eastwards and northwards."""


@dataclass(frozen=True)
class Road:
    """One stretch between junctions, with its design heights."""

    road_id: str
    road_class: RoadClass
    line: LineString
    """Centreline with Z (design height), working CRS [m]; it leads away from the entry."""
    width_m: float
    length_m: float
    """In plan."""
    max_grade_pct: float
    mean_grade_pct: float


@dataclass(frozen=True)
class Network:
    """All roads of a site."""

    roads: tuple[Road, ...]
    entry: Point | None
    """Where the roads begin; None where no road can start anywhere."""
    served: Mapping[str, str] = field(default_factory=dict)
    """Road that serves each terminal."""
    unreached: Mapping[str, str] = field(default_factory=dict)
    """Why each of the other terminals is not served."""
    warnings: tuple[str, ...] = ()

    @property
    def length_m(self) -> float:
        """Of all roads, in plan."""
        return sum(r.length_m for r in self.roads)


def route_network(
    ground: Ground,
    allowed: Polygon | MultiPolygon,
    terminals: Sequence[Terminal],
    *,
    entry: Point | None = None,
    obstacles: Sequence[Polygon] = (),
    rules: RoadRules = DEFAULT_RULES,
    cost_zones: Sequence[Zone] = (),
    boundary: Polygon | MultiPolygon | None = None,
) -> Network:
    """One connected road network from the entry to every terminal that a legal road can reach.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS; nodata is never crossed.
    allowed : Polygon or MultiPolygon
        Site less exclusions; every strip (line buffered by half the width, flat ends) lies inside it.
    terminals : sequence of Terminal
        What is to be reached, lowest `priority` first, then the nearest to the network.
    entry : Point, optional
        Where the roads begin; by default the place on the boundary that is cheapest to reach the first terminal from.
    obstacles : sequence of Polygon
        Footprints and pads; no strip touches them.
    rules : RoadRules
        Width, grade, radius, depth.
    cost_zones : sequence of Zone
        Ground that costs `cost_multiplier` times as much to cross.
    boundary : Polygon or MultiPolygon, optional
        The site's outer boundary, on which the entry lies; by default the outer rings of `allowed`.

    Returns
    -------
    Network
        Every terminal is in `served` or in `unreached`. No road is steeper than `rules.max_grade` or deeper than
        `rules.max_cut_fill_m` at its stations; lines that meet share a vertex.

    Raises
    ------
    InputError
        An entry farther than 60 m from the site's edge, or beside no place for a road.
    """
    case = _case(ground, allowed, terminals=terminals, obstacles=obstacles, rules=rules, cost_zones=cost_zones)
    if case is None:
        return Network((), None, {}, {t.key: "no legal route: the site has no room for a road" for t in terminals})
    order = np.argsort(case.priority, kind="stable")
    edge = Edge.of(case.lattice, boundary if boundary is not None else allowed)
    gate: Gate | None
    if entry is not None:
        first = np.repeat(np.arange(case.lattice.px.size), np.diff(case.reach.row))
        urgent = case.priority[case.reach.item] == case.priority.min() if case.reach.item.size else np.zeros(0, bool)
        gate = given_gate(case.lattice, edge, entry, allowed, wanted=first[urgent], parts=routing.parts(case.lattice))
    else:
        gate = cheapest_gate(case.lattice, edge, order, case.reach, max_grade=rules.max_grade)
    if gate is None:
        return Network((), None, {}, _reasons(case, None, set(range(len(terminals))), {}))
    return _network(case, gate)


def _case(
    ground: Ground,
    allowed: Polygon | MultiPolygon,
    *,
    terminals: Sequence[Terminal],
    obstacles: Sequence[Polygon],
    rules: RoadRules,
    cost_zones: Sequence[Zone],
) -> Case | None:
    known = box(*ground.grid.bounds)
    if not known.covers(allowed):  # off the raster there is no ground
        allowed = MultiPolygon(routing.parts_of(shapely.intersection(allowed, known)))
    if allowed.is_empty:
        return None
    lattice = routing.make_lattice(
        ground,
        allowed,
        obstacles,
        [(z.geometry, z.cost_multiplier) for z in cost_zones],
        half_width_m=rules.width_m / 2,
        clearance_m=rules.clearance_m,
        cell=routing.cell_size(allowed.area),
    )
    if not (lattice.clear > 0).any():
        return None
    shapes = routing.Shapes.of([t.footprint for t in terminals])
    pads = routing.Shapes.of([t.pad if t.pad is not None else t.footprint for t in terminals])
    reach_m = np.array([t.reach_m for t in terminals], dtype=np.float64)
    priority = np.array([t.priority for t in terminals], dtype=np.int64)
    reach = _level_with_pads(lattice, routing.Reach.of(lattice, shapes, reach_m), terminals, rules)
    return Case(ground, terminals, rules, lattice, shapes, pads, reach_m, reach, priority)


def _level_with_pads(
    lattice: routing.Lattice, reach: routing.Reach, terminals: Sequence[Terminal], rules: RoadRules
) -> routing.Reach:
    """Leave out road positions beside a pad but far above or below it, where there are others."""
    none = (np.nan, 0.0, 0.0)
    planes = np.array([t.pad_plane if t.pad is not None and t.pad_plane else none for t in terminals], dtype=np.float64)
    if reach.item.size == 0 or np.isnan(planes[:, 0]).all():
        return reach
    middle = shapely.get_coordinates(
        shapely.centroid(np.array([t.pad or t.footprint for t in terminals], dtype=object))
    )
    node = np.repeat(np.arange(lattice.px.size), np.diff(reach.row))
    away = np.column_stack([lattice.px[node], lattice.py[node]]) - middle[reach.item]
    plane = planes[reach.item]
    step = np.abs(routing.heights(lattice)[node] - plane[:, 0] - (away * plane[:, 1:]).sum(axis=1))
    can = np.isnan(plane[:, 0]) | (step <= rules.max_grade * reach.far + BRIDGED * rules.max_cut_fill_m)
    return reach.kept(can, len(terminals))


def _network(case: Case, gate: Gate) -> Network:
    """Search, draw, design; go round what has no profile, then give up what still has none."""
    tax = np.ones(case.lattice.px.size)
    given_up: dict[int, str] = {}
    server = np.zeros(0, np.int64)
    parent = np.zeros(0, np.int64)
    drawing, stations, profile = None, None, None
    for turn in range(DETOURS + 1):
        growth = routing.search(
            case.lattice, np.array([gate.node]), reach=case.reach, priority=case.priority,
            max_grade=case.rules.max_grade, tax=tax,
        )  # fmt: skip
        server, (parent, _) = growth.server, routing.uncrossed(case.lattice, growth)
        drawing = draw(case, gate, parent, server)
        stations = _stations(case, drawing)
        profile, _ = _design(case, drawing, stations)
        bad = profile.excess_m > TOLERANCE_M
        if not bad.any() or turn == DETOURS:
            break
        _avoid(case.lattice, tax, stations.xy[bad])
    assert drawing is not None and stations is not None and profile is not None  # noqa: PT018, S101 (the loop ran)
    server = server.copy()
    while True:
        profile, pinned = _design(case, drawing, stations)
        out = _crossing(drawing) or _too_deep(case, drawing, stations, profile) or _unpinned(drawing, profile, pinned)
        if not out:
            break
        for t, reason in out.items():
            given_up[t] = reason.format(grade=100 * case.rules.max_grade, depth=case.rules.max_cut_fill_m)
            server[t] = -1
        drawing = draw(case, gate, parent, server)
        stations = _stations(case, drawing)
    drawing, stations, profile = _eased(case, gate, parent, server, (drawing, stations, profile))
    return _finished(case, gate, drawing, stations=stations, profile=profile, given_up=given_up)


def _eased(
    case: Case, gate: Gate, parent: Ints, server: Ints, plain: tuple[Drawing, Stations, Profile]
) -> tuple[Drawing, Stations, Profile]:
    """Lines with room for their bends, and their profile; where that would leave none, they stay as they were."""
    keep = Keep(np.zeros((0, 2)), EASED_APART_M)
    for turn in range(EASINGS):
        drawing = draw(case, gate, parent, server, keep=keep)
        stations = _stations(case, drawing)
        profile, pinned = _design(case, drawing, stations)
        bad = profile.excess_m > TOLERANCE_M
        bad[
            [pin.station for (_, pin), miss in zip(pinned, profile.pin_excess_m, strict=True) if miss > TOLERANCE_M]
        ] = True
        if not bad.any() and not drawing.crossing:
            return drawing, stations, profile
        keep = Keep(np.concatenate([keep.xy, stations.xy[bad]]), EASED_APART_M * 2.0**turn)
    return plain


def _avoid(lattice: routing.Lattice, tax: Floats, places: Floats) -> None:
    """Raise the cost of road positions around places where no profile was found."""
    i = ((places[:, 0] - lattice.x0) / lattice.cell + 0.5).astype(np.int64)
    j = ((places[:, 1] - lattice.y0) / lattice.cell + 0.5).astype(np.int64)
    around = np.zeros(tax.size, bool)
    for dj in range(-2, 3):
        for di in range(-2, 3):
            jj, ii = np.clip(j + dj, 0, lattice.ny - 1), np.clip(i + di, 0, lattice.nx - 1)
            around[jj * lattice.nx + ii] = True
    tax[around] *= 3.0


def _stations(case: Case, drawing: Drawing) -> Stations:
    return stations_of(
        drawing.lines, drawing.ups, case.ground, width_m=case.rules.width_m, station_m=case.rules.station_m
    )


def _design(case: Case, drawing: Drawing, stations: Stations) -> tuple[Profile, list[tuple[int, Pin]]]:
    """Heights of all stations, and the pins (terminal, pin) that pads set."""
    grade = case.rules.max_grade - case.rules.grade_margin
    who, at, gap = [], [], []
    p = case.pads
    for t, c in drawing.line_of.items():
        if case.terminals[t].pad is None or case.terminals[t].pad_plane is None:
            continue
        ids = stations.of_line[c]
        _, k, far = _kernels.nearest_on_line(p.coords, p.start[t], p.start[t + 1], stations.xy[ids])
        who.append(t)
        at.append(int(ids[k]))
        gap.append(far)
    pins: list[tuple[int, Pin]] = []
    if who:
        pads = np.array([case.terminals[t].pad for t in who], dtype=object)
        links = shapely.shortest_line(shapely.points(stations.xy[at]), pads)
        touch = shapely.get_coordinates(links)[1::2]
        middle = shapely.get_coordinates(shapely.centroid(pads))
        plane = np.array([case.terminals[t].pad_plane for t in who], dtype=np.float64)
        z = plane[:, 0] + ((touch - middle) * plane[:, 1:]).sum(axis=1)
        pins = [(t, Pin(a, float(h), grade * g)) for t, a, h, g in zip(who, at, z, gap, strict=True)]
    # millimetres that coordinates may be rounded by must not make a short piece steeper than the limit
    sure = np.maximum(stations.distance - ROUNDING_M - ROUNDING_M / 2 / grade, 0.0)
    profile = design_heights(
        stations.parent, sure, stations.ground, stations.weight, max_grade=grade,
        max_depth_m=case.rules.max_cut_fill_m, pins=[pin for _, pin in pins],
    )  # fmt: skip
    return profile, pins


def _crossing(drawing: Drawing) -> dict[int, str]:
    """Terminals on or beyond the last line that crosses another where no junction is."""
    if not drawing.crossing:
        return {}
    beyond = {max(drawing.crossing)}
    for c in range(max(drawing.crossing) + 1, len(drawing.ups)):
        if drawing.ups[c] in beyond:
            beyond.add(c)
    reason = "no legal route: its road would cross another without a junction"
    return {t: reason for t, c in drawing.line_of.items() if c in beyond}


def _too_deep(case: Case, drawing: Drawing, stations: Stations, profile: Profile) -> dict[int, str]:
    """Terminals beyond the farthest stations that no profile within the depth limit reaches."""
    bad = profile.excess_m > TOLERANCE_M
    if not bad.any():
        return {}
    n = bad.size
    below = np.zeros(n, bool)  # a later station of the branch is bad too
    for k in range(n - 1, 0, -1):
        if bad[k] or below[k]:
            below[stations.parent[k]] = True
    last = bad & ~below
    beyond = last.copy()
    for k in range(1, n):
        beyond[k] |= beyond[stations.parent[k]]
    out = {}
    for t, c in drawing.line_of.items():
        s = case.shapes
        ids = stations.of_line[c]
        k = _kernels.nearest_on_line(s.coords, s.start[t], s.start[t + 1], stations.xy[ids])[1]
        if beyond[ids[k]]:
            out[t] = "too steep: no road profile within {grade:g} % and {depth:g} m of cut or fill"
    if not out:  # the bad stretch itself serves: whoever is served by its line
        lines = set(stations.line[last].tolist())
        out = {t: "too steep: no road profile within {grade:g} % and {depth:g} m of cut or fill"
               for t, c in drawing.line_of.items() if c in lines}  # fmt: skip
    if not out:  # lines without terminals end at junctions: everything after them
        lines = set(stations.line[beyond].tolist())
        out = {t: "too steep: no road profile within {grade:g} % and {depth:g} m of cut or fill"
               for t, c in drawing.line_of.items() if c in lines}  # fmt: skip
    return out


def _unpinned(drawing: Drawing, profile: Profile, pinned: list[tuple[int, Pin]]) -> dict[int, str]:
    """Pick the terminals whose pad the road misses by most, one a line: pads of a line may be at odds with each other."""
    worst: dict[int, tuple[float, int]] = {}
    for (t, _), miss in zip(pinned, profile.pin_excess_m.tolist(), strict=True):
        if miss > TOLERANCE_M:
            c = drawing.line_of[t]
            if c not in worst or miss > worst[c][0] + 1e-9:
                worst[c] = (miss, t)
    return {t: "too steep: the road can't meet its pad within {grade:g} %" for _, t in worst.values()}


def _finished(
    case: Case, gate: Gate, drawing: Drawing, *, stations: Stations, profile: Profile, given_up: dict[int, str]
) -> Network:
    """Roads with their classes and figures, and every terminal accounted for."""
    lines = [np.column_stack([stations.xy[ids], profile.z[ids]]) for ids in stations.of_line]
    goes_on = set(drawing.ups)
    dead = [c for c in range(len(lines)) if c not in goes_on]
    arms, without = turnarounds(case.lattice, case.ground, lines, dead, rules=case.rules, anywhere=True)
    joints = np.array([end for arm in arms for end in (arm[0], arm[-1])]).reshape(-1, 3)
    pieces: list[Floats] = []
    classes: list[RoadClass] = []
    first: list[int] = []
    of_arms: list[RoadClass] = ["spur"] * len(arms)
    for road_class, parts in zip([*_classes(case, drawing), *of_arms], _split([*lines, *arms], joints), strict=True):
        first.append(len(pieces))
        pieces += parts
        classes += [road_class] * len(parts)
    roads = [_road(f"R{k:03d}", c, xyz, case.rules) for k, (c, xyz) in enumerate(zip(classes, pieces, strict=True), 1)]
    first.append(len(pieces))
    served = {}
    for t, c in sorted(drawing.line_of.items()):
        own = roads[first[c] : first[c + 1]]
        near = own[0] if len(own) == 1 else min(own, key=lambda r: r.line.distance(case.terminals[t].footprint))
        served[case.terminals[t].key] = near.road_id
    missing = set(range(len(case.terminals))) - set(drawing.line_of)
    warnings = list(gate.warnings)
    if drawing.tight:
        warnings.append(
            f"road bends tighter than an inner radius of {case.rules.min_radius_m:g} m, for want of room: {drawing.tight}"
        )
    if drawing.turns:
        warnings.append(
            f"turns at junctions tighter than an inner radius of {case.rules.min_radius_m:g} m, for want of room: {drawing.turns}"
        )
    breaks = grade_breaks(stations.parent, stations.distance, profile.z, over_m=CURVE_OVER_M)
    sharp = int((breaks > CURVE_OVER_M / CURVE_M_PER_PCT).sum())
    if sharp:
        warnings.append(
            f"changes of grade too sharp for a vertical curve at 25 km/h within {CURVE_OVER_M:g} m: {sharp}, "
            f"the most {breaks.max():.1f} %; round them off in the detailed design"
        )
    if without:
        warnings.append(f"dead ends over {case.rules.turnaround_over_m:g} m without room for a turnaround: {without}")
    return Network(tuple(roads), Point(gate.point), served, _reasons(case, gate, missing, given_up), tuple(warnings))


def _split(lines: list[Floats], joints: Floats) -> list[list[Floats]]:
    """Pieces of lines, cut where others join them, at a vertex or between two."""
    if not len(joints):
        return [[xyz] for xyz in lines]
    shapes = [LineString(xyz) for xyz in lines]
    at, on = shapely.STRtree(shapes).query(shapely.points(joints[:, :2]), "dwithin", 1e-6)
    out = []
    for c, xyz in enumerate(lines):
        run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))])
        inner = []
        for j in at[on == c].tolist():
            s = float(shapes[c].project(Point(joints[j, :2])))
            if 1e-3 < s < run[-1] - 1e-3:
                inner.append((s, j))
        cuts = [0]
        whole = xyz
        for s, j in sorted(inner, reverse=True):
            k = int(np.argmin(np.abs(run - s)))
            if abs(run[k] - s) > 1e-3:  # between two vertices
                k = int(np.searchsorted(run, s))
                whole = np.insert(whole, k, joints[j], axis=0)
                cuts = [0, *(c + 1 for c in cuts[1:])]
            if k not in cuts:
                cuts.insert(1, k)
        out.append([whole[a : b + 1] for a, b in zip(cuts, [*cuts[1:], len(whole) - 1], strict=True)])
    return out


def _road(road_id: str, road_class: RoadClass, xyz: Floats, rules: RoadRules) -> Road:
    d = np.hypot(*np.diff(xyz[:, :2], axis=0).T)
    rise = np.abs(np.diff(xyz[:, 2]))
    return Road(
        road_id, road_class, LineString(xyz), rules.width_m, float(d.sum()), float((rise / d).max() * 100),
        float(rise.sum() / d.sum() * 100),
    )  # fmt: skip


def _classes(case: Case, drawing: Drawing) -> list[RoadClass]:
    """Spine: what leads to the first terminals; spur: short dead ends; secondary: the rest."""
    n = len(drawing.lines)
    spine = [False] * n
    first = min((int(case.priority[t]) for t in drawing.line_of), default=0)
    for t, c in drawing.line_of.items():
        if int(case.priority[t]) == first:
            k = c
            while k >= 0 and not spine[k]:
                spine[k] = True
                k = drawing.ups[k]
    goes_on = set(drawing.ups)
    out: list[RoadClass] = []
    for c, line in enumerate(drawing.lines):
        if spine[c]:
            out.append("spine")
        elif c not in goes_on and float(np.hypot(*np.diff(line, axis=0).T).sum()) < SPUR_M:
            out.append("spur")
        else:
            out.append("secondary")
    return out


def _reasons(case: Case, gate: Gate | None, missing: set[int], known: dict[int, str]) -> dict[str, str]:
    """One true line for each terminal that has no road."""
    out = {}
    parts: Ints | None = None
    nodes = case.reach.by_terminal(len(case.terminals)) if missing else []
    for t in sorted(missing):
        key = case.terminals[t].key
        if t in known:
            out[key] = known[t]
            continue
        own = nodes[t]
        if own.size == 0:
            out[key] = f"no legal route: no room for a road within {case.reach_m[t]:g} m"
            continue
        if parts is None:
            parts = routing.parts(case.lattice)
        if gate is not None and not (parts[own] == parts[gate.node]).any():
            out[key] = "no legal route: this part of the site is not connected to the entry"
        elif gate is None:
            out[key] = "no legal route: no road leads from the boundary to it"
        else:
            out[key] = f"too steep: every way to it is far beyond the grade limit of {100 * case.rules.max_grade:g} %"
    return out
