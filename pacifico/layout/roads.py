"""Roads: one legal, connected network from the site entry to every terminal, with a designed profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from pacifico.layout import _kernels, routing
from pacifico.layout.alignment import (
    Pin,
    Profile,
    Stations,
    design_heights,
    stations_of,
)
from pacifico.layout.bends import NOTHING, Eased, tight_bends, tight_turns
from pacifico.layout.drawing import TOLERANCE_M, Case, Drawing, Strands, draw
from pacifico.layout.entry import Edge, Gate, cheapest_gate, given_gate
from pacifico.layout.finishing import finished, reasons
from pacifico.layout.giving_way import bending
from pacifico.layout.leeway import Leeway
from pacifico.layout.mending import mended
from pacifico.layout.road_model import DEFAULT_RULES, Network, Road, RoadClass, RoadRules, Terminal
from pacifico.layout.room import Yields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from pacifico.grid import Ground
    from pacifico.site.model import Zone

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["DEFAULT_RULES", "Network", "Road", "RoadClass", "RoadRules", "Terminal", "route_network"]

BRIDGED = 0.35
"""Share of the depth limit that a road may use up beside a pad."""
ROUNDING_M = 0.002
"""Most that rounding changes the distance between two vertices, and twice what it changes a rise by."""
DETOURS = 3
"""Searches that avoid where no profile was found before terminals are given up."""

MOST_BENT = 2500
"""Terminals of a network whose bends arrays give way to: beyond, drawing all anew for a few takes as long as the rest."""
EASINGS = 9
"""Most drawings with bends eased; the last ones keep more and more as it was."""
MENDINGS = 3
"""Most times that tight places are mended, each time without where that left no profile."""
EASED_APART_M = 25.0
"""Round a place where easing left no profile this much stays as it was, twice as much each time that does not help."""


WORST = 0.5
"""Share of the most that a station of a line lacks from which on its surroundings stay as they were."""


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
    again: Callable[[Mapping[str, str]], bool] | None = None,
    tax: Floats | None = None,
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
    again : callable, optional
        Asked with the reasons of terminals that are not reached, if there are any: whether to give no roads, and so save
        finishing them, for who asks again without some.
    tax : ndarray, optional
        That of the network before, which gave no roads.

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
        return Network((), None, {}, reasons(case, None, set(range(len(terminals))), {}))
    return _network(case, gate, tax, again)


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
        cell=rules.cells * routing.cell_size(allowed.area),
        earth_price=rules.earth_price,
    )
    if not (lattice.clear > 0).any():
        return None
    shapes = routing.Shapes.of([t.footprint for t in terminals])
    pads = routing.Shapes.of([t.pad if t.pad is not None else t.footprint for t in terminals])
    reach_m = np.array([t.reach_m for t in terminals], dtype=np.float64)
    priority = np.array([t.priority for t in terminals], dtype=np.int64)
    reach = _level_with_pads(lattice, routing.Reach.of(lattice, shapes, reach_m), terminals, rules)
    yields = Yields.of(terminals, obstacles, lattice)
    size = np.array([max(rules.min_radius_m, t.min_radius_m) + rules.width_m / 2 for t in terminals])
    return Case(ground, terminals, rules, lattice, shapes, pads, reach_m, reach, priority, yields, size)


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
    some = np.flatnonzero(~np.isnan(planes[reach.item, 0]))
    node, item = np.searchsorted(reach.row, some, side="right") - 1, reach.item[some]
    away = np.column_stack([lattice.px[node], lattice.py[node]]) - middle[item]
    plane = planes[item]
    step = np.abs(lattice.heights[node] - plane[:, 0] - (away * plane[:, 1:]).sum(axis=1))
    can = np.ones(reach.item.size, bool)
    can[some] = step <= rules.max_grade * reach.far[some] + BRIDGED * rules.max_cut_fill_m
    return reach.kept(can, len(terminals))


def _network(
    case: Case, gate: Gate, known: Floats | None, again: Callable[[Mapping[str, str]], bool] | None
) -> Network:
    """Search, draw, design; go round what has no profile, then give up what still has none."""
    tax = np.ones(case.lattice.px.size) if known is None else known.copy()
    given_up: dict[int, str] = {}
    server = np.zeros(0, np.int64)
    parent = np.zeros(0, np.int64)
    strands, drawing, stations, profile = None, None, None, None
    for turn in range(DETOURS + 1):
        growth = routing.search(
            case.lattice, np.array([gate.node]), reach=case.reach, priority=case.priority,
            max_grade=case.rules.max_grade, tax=tax,
        )  # fmt: skip
        server, (parent, _) = growth.server, routing.uncrossed(case.lattice, growth)
        strands = Strands.of(case, gate, parent, server)
        drawing = draw(case, strands)
        stations = _stations(case, drawing)
        profile, _ = _design(case, drawing, stations)
        bad = profile.excess_m > TOLERANCE_M
        if not bad.any() or turn == DETOURS:
            break
        _avoid(case.lattice, tax, stations.xy[bad])
    assert strands and drawing and stations and profile  # noqa: PT018, S101 (the loop ran)
    server = server.copy()
    while True:
        profile, pinned = _design(case, drawing, stations)
        out = _crossing(drawing) or _too_deep(case, drawing, stations, profile) or _unpinned(drawing, profile, pinned)
        if not out:
            break
        for t, reason in out.items():
            given_up[t] = reason.format(grade=100 * case.rules.max_grade, depth=case.rules.max_cut_fill_m)
            server[t] = -1
        strands = Strands.of(case, gate, parent, server)
        drawing = draw(case, strands)
        stations = _stations(case, drawing)
    missing = set(range(len(case.terminals))) - set(drawing.line_of)
    if missing and again is not None:
        why = reasons(case, gate, missing, given_up)
        if again(why):
            return Network((), Point(gate.point), {}, why, tax=tax)
    best = _eased(case, strands) or (drawing, stations, profile)
    less = case.yields if len(case.terminals) > MOST_BENT else bending(case, best[0])
    if less.count:
        smaller = _given(case, less)
        server[less.who[less.left <= 0]] = -1
        tried = _eased(smaller, Strands.of(smaller, gate, parent, server))
        if tried is not None and _faults(smaller, tried[0]) < _faults(case, best[0]):
            case, best = smaller, tried
    drawing, stations, profile = _mended(case, best)
    return finished(case, gate, drawing, stations=stations, profile=profile, given_up=given_up)


def _given(case: Case, less: Yields) -> Case:
    """Case in which terminals are as short as what they give up leaves them."""
    terminals = list(case.terminals)
    rects = less.rects()
    for k in np.flatnonzero((less.cut.sum(axis=1) > 0) & (less.left > 0)).tolist():
        t = int(less.who[k])
        terminals[t] = replace(terminals[t], footprint=box(*rects[k]))
    shapes = routing.Shapes.of([t.footprint for t in terminals])
    return replace(
        case, terminals=terminals, shapes=shapes, lattice=less.lattice(), yields=less, pulled={}, eased=Eased()
    )


def _faults(case: Case, drawing: Drawing) -> int:
    """Bends and turns tighter than the rule."""
    sizes = case.sizes_of(drawing)
    return len(tight_bends(drawing.lines, sizes)[1]) + len(tight_turns(case, drawing.straight, drawing.ups, sizes)[1])


def _eased(case: Case, strands: Strands) -> tuple[Drawing, Stations, Profile] | None:
    """Lines with room for their bends, and their profile; None where that would leave none."""
    keep = NOTHING
    for _ in range(EASINGS):
        drawing = draw(case, strands, keep=keep)
        stations = _stations(case, drawing)
        profile, pinned = _design(case, drawing, stations)
        bad = _bad(profile, pinned)
        if not bad.any() and not drawing.crossing:
            return drawing, stations, profile
        keep = keep.wider(stations.xy[bad & (profile.excess_m >= WORST * _worst(stations, profile))], EASED_APART_M)
    return None


def _mended(case: Case, best: tuple[Drawing, Stations, Profile]) -> tuple[Drawing, Stations, Profile]:
    """Lines with drivable curves at tight places, as far as these leave a profile."""
    grade = case.rules.max_grade - case.rules.grade_margin

    def limits(drawing: Drawing, some: Sequence[int]) -> tuple[Stations, Floats, list[tuple[int, Pin]]]:
        stations = _stations(case, drawing)
        part = replace(drawing, line_of={t: drawing.line_of[t] for t in some})
        return stations, grade * _sure(case, stations), _pins(case, part, stations)

    leeway, keep = Leeway(case, limits), NOTHING
    for _ in range(MENDINGS if leeway.holds(best[0]) else 0):
        drawing = mended(case, best[0], keep=keep, leeway=leeway)
        if drawing is best[0]:
            break
        stations = _stations(case, drawing)
        profile, pinned = _design(case, drawing, stations)
        bad = _bad(profile, pinned)
        if not bad.any():
            return drawing, stations, profile
        keep = keep.wider(stations.xy[bad], EASED_APART_M)
        leeway.holds(best[0])
    return best


def _worst(stations: Stations, profile: Profile) -> Floats:
    """Most that any station of the same line lacks, of each station [m]."""
    most = np.zeros(int(stations.line.max(initial=0)) + 1)
    np.maximum.at(most, stations.line, profile.excess_m)
    return most[stations.line]


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
    pins = _pins(case, drawing, stations)
    profile = design_heights(
        stations.parent, _sure(case, stations), stations.ground, stations.weight,
        max_grade=case.rules.max_grade - case.rules.grade_margin, max_depth_m=case.rules.max_cut_fill_m,
        pins=[pin for _, pin in pins],
    )  # fmt: skip
    return profile, pins


def _sure(case: Case, stations: Stations) -> Floats:
    """Distance between stations less what rounding may take: it must not make a short piece steeper than the limit."""
    grade = case.rules.max_grade - case.rules.grade_margin
    return np.maximum(stations.distance - ROUNDING_M - ROUNDING_M / 2 / grade, 0.0)


def _bad(profile: Profile, pinned: list[tuple[int, Pin]]) -> NDArray[np.bool_]:
    """Stations that lack a height within the limits."""
    bad = profile.excess_m > TOLERANCE_M
    bad[[pin.station for (_, pin), miss in zip(pinned, profile.pin_excess_m, strict=True) if miss > TOLERANCE_M]] = True
    return bad


def _pins(case: Case, drawing: Drawing, stations: Stations) -> list[tuple[int, Pin]]:
    """Heights that pads set beside their roads, with their terminals."""
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
    return pins


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
