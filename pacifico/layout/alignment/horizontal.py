"""Horizontal alignment: shorten the tree's paths, smooth and round bends, and keep serving terminals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.alignment import _state_hash_kernels, lines, smoothing
from pacifico.layout.alignment.smoothing import ALL
from pacifico.layout.ground import _clearance_kernels
from pacifico.layout.routing import routing_grid, tree_search
from pacifico.layout.routing.problem import TOLERANCE_M, HorizontalAlignment, RoutingProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.alignment.smoothing import FrozenAreas
    from pacifico.layout.routing.site_entry import SiteEntry


STUB_M = 30.0
"""Dead ends up to this length may be merged into their road [m]."""
SHRINKINGS = 8
"""Steps by which an arc is reduced that would miss a terminal."""
MOST_PUSHED = np.radians(35)
"""Half the least angle between the legs of a corner that moves outwards [rad]."""
SURELY = 1.1
"""Factor by which a corner moves out beyond what the arc cuts off."""
HAIRPIN = -0.5
"""Cosine of the sharpest bend that such a move may create."""


@dataclass(frozen=True)
class Strand:
    """A stretch between junctions, as the search found it."""

    xy: FloatArray
    up: int
    """Index of the previous stretch, always lower; -1 at the entry."""
    bound: tuple[tuple[int, int], ...]
    """Served terminals as (point, terminal), by point."""


@dataclass(frozen=True)
class Strands:
    """Stretches of a tree from the entry to all terminals."""

    searched: list[Strand]
    """Stretches as searched."""
    passing: list[Strand]
    """Stretches that pass through short dead ends, out and back."""
    crossed: list[bool] = field(default_factory=lambda: [False])
    """Whether lines of `passing` once crossed: then they are not used again."""

    @classmethod
    def of(cls, problem: RoutingProblem, site_entry: SiteEntry, parent: IntArray, server: IntArray) -> Strands:
        """Stretches to the serving node of each terminal; -1 for one that is left out."""
        strands = _strands(problem.road_grid, site_entry, parent, server)
        return cls(strands, _without_stubs(problem, strands))


def draw_alignment(problem: RoutingProblem, strands: Strands, *, keep: FrozenAreas = ALL) -> HorizontalAlignment:
    """Lines of a tree: shortened, smoothed, rounded, and free of crossings.

    Near places in `keep`, vertices stay where shortening left them.
    """
    alignment = None
    if not strands.crossed[0]:
        alignment = _lined(problem, strands.passing, keep, last_resort=len(strands.passing) == len(strands.searched))
    if alignment is None:
        strands.crossed[0] = True
        alignment = _lined(problem, strands.searched, keep, last_resort=True)
    assert alignment is not None  # noqa: S101 (the last resort always draws)
    return _absorbed(problem, alignment)


def _strands(
    road_grid: routing_grid.RoutingGrid, site_entry: SiteEntry, parent: IntArray, server: IntArray
) -> list[Strand]:
    """Stretches of the tree, with the way from the entry to the first road position."""
    served = np.flatnonzero(server >= 0)
    if served.size == 0:
        return []
    chains = tree_search.chains_of(parent, site_entry.node, server[served])
    start = np.array([road_grid.px[site_entry.node], road_grid.py[site_entry.node]])
    lead = [site_entry.point] if float(np.hypot(*(start - site_entry.point))) > TOLERANCE_M else []
    paths: list[FloatArray] = []
    ups: list[int] = []
    path_of, point_of = np.full(parent.size, -1), np.zeros(parent.size, np.int64)
    if sum(c.up < 0 for c in chains) != 1 and (lead or not chains):
        # a separate stretch from the entry to the first junction
        paths.append(np.array([*lead, start] if lead else [start, *_step_aside(road_grid, site_entry.node)]))
        if len(paths[0]) < 2:
            return []
        ups.append(-1)
        path_of[site_entry.node], point_of[site_entry.node] = 0, len(lead)
        lead = []
    shift = len(paths)
    for c, chain in enumerate(chains):
        points = np.column_stack([road_grid.px[chain.nodes], road_grid.py[chain.nodes]])
        before = lead if chain.up < 0 else []
        fresh = slice(int(path_of[chain.nodes[0]] >= 0), None)
        path_of[chain.nodes[fresh]] = c + shift
        point_of[chain.nodes[fresh]] = np.arange(len(points))[fresh] + len(before)
        paths.append(np.vstack([*before, points]))
        ups.append(chain.up + shift if chain.up >= 0 or shift else -1)
    bound: list[list[tuple[int, int]]] = [[] for _ in paths]
    for t, c, k in zip(
        served.tolist(), path_of[server[served]].tolist(), point_of[server[served]].tolist(), strict=True
    ):
        bound[c].append((k, t))
    return [Strand(p, u, tuple(sorted(b))) for p, u, b in zip(paths, ups, bound, strict=True)]


def _step_aside(road_grid: routing_grid.RoutingGrid, node: int) -> list[FloatArray]:
    """A neighbour that a road may reach, where the entry itself serves everything."""
    here = np.array([road_grid.px[node], road_grid.py[node]])
    for dj, di in routing_grid.MOVES.tolist():
        j, i = node // road_grid.nx + dj, node % road_grid.nx + di
        if 0 <= i < road_grid.nx and 0 <= j < road_grid.ny and road_grid.clear[j * road_grid.nx + i] > 0:
            there = np.array([road_grid.px[j * road_grid.nx + i], road_grid.py[j * road_grid.nx + i]])
            if road_grid.clearance_index.clear(here, there) and not road_grid.nodata_mask.crossed(here, there):
                return [there]
    return []


def _without_stubs(problem: RoutingProblem, strands: list[Strand]) -> list[Strand]:
    """Route a road through a short dead end beside it where that shortens the network.

    The dead end is walked out and back, and the path shortened: its terminals keep the road near.
    """
    alive: dict[int, Strand] = dict(enumerate(strands))
    after: dict[int, list[int]] = {c: [] for c in alive}
    for c, strand in alive.items():
        if strand.up >= 0:
            after[strand.up].append(c)
    for c in range(len(strands)):
        stub = alive.get(c)
        if stub is None or stub.up < 0 or after[c] or len(after[stub.up]) != 2 or _length(stub.xy) > STUB_M:
            continue
        on = next(k for k in after[stub.up] if k != c)
        first, second = alive[stub.up], alive[on]
        there = len(first.xy) - 1
        back = there + 2 * (len(stub.xy) - 1)
        joined = Strand(
            np.vstack([first.xy, stub.xy[1:], stub.xy[-2::-1], second.xy[1:]]),
            first.up,
            (*first.bound, *((k + there, t) for k, t in stub.bound), *((k + back, t) for k, t in second.bound)),
        )
        line = _pulled(problem, joined)
        if _sharpest(line) >= HAIRPIN and _length(line) <= sum(
            _length(_pulled(problem, s)) for s in (first, stub, second)
        ):
            alive[stub.up] = joined
            after[stub.up] = after[on]
            for k in after[on]:
                alive[k] = Strand(alive[k].xy, stub.up, alive[k].bound)
            del alive[c], alive[on]
    number = {k: n for n, k in enumerate(alive)}
    return [Strand(s.xy, number.get(s.up, -1), s.bound) for s in alive.values()]


def _absorbed(problem: RoutingProblem, alignment: HorizontalAlignment) -> HorizontalAlignment:
    """Drop dead ends that run on the strip of another line from the same junction that serves as well."""
    lines, ups = alignment.lines, alignment.ups
    ends = set(range(len(lines))) - set(ups)
    into: dict[int, int] = {}
    beside: dict[int, list[int]] = {}
    for c, up in enumerate(ups):
        beside.setdefault(up, []).append(c)
    bound: dict[int, list[int]] = {}
    for t, c in alignment.line_of.items():
        bound.setdefault(c, []).append(t)
    for c in sorted(ends):
        mine = bound.get(c, [])
        for other in beside[ups[c]] if ups[c] >= 0 else ():
            if other == c or other in into:
                continue
            apart = shapely.distance(shapely.points(lines[c]), shapely.linestrings(lines[other]))
            if apart.max() < problem.criteria.width_m / 2 and all(serves(problem, lines[other], t) for t in mine):
                into[c] = other
                break
    if not into:
        return alignment
    number = {k: n for n, k in enumerate(k for k in range(len(lines)) if k not in into)}
    return HorizontalAlignment(
        [lines[k] for k in number],
        [number.get(ups[k], -1) for k in number],
        {t: number[into.get(c, c)] for t, c in alignment.line_of.items()},
        [alignment.straight[k] for k in number] if len(alignment.straight) else (),
        tuple(number[k] for k in alignment.crossing if k in number),
    )


def _length(xy: FloatArray) -> float:
    return float(np.hypot(*np.diff(xy, axis=0).T).sum())


def _sharpest(xy: FloatArray) -> float:
    """Cosine of the sharpest bend of a line; 1 where it is straight."""
    d = np.diff(xy, axis=0)
    d /= np.hypot(d[:, 0], d[:, 1])[:, None]
    return float((d[1:] * d[:-1]).sum(axis=1).min(initial=1.0))


def _lined(
    problem: RoutingProblem, strands: list[Strand], keep: FrozenAreas, *, last_resort: bool
) -> HorizontalAlignment | None:
    """Lines of strands; None where lines cross unless the last resort, the searched paths, may be used."""
    pulled = [_pulled(problem, strand) for strand in strands]
    ups = [s.up for s in strands]
    bound = [[t for _, t in s.bound] for s in strands]
    sizes = problem.sizes(ups, bound)
    still = set(range(len(strands))) if keep is ALL else set()
    while True:
        straight = smoothing.smooth(problem, pulled, ups, bound, sizes, fixed=still, keep=keep)
        lines = [rounded(problem, x, own, keep, size) for x, own, size in zip(straight, bound, sizes, strict=True)]
        crossing = set(touching(lines, ups))
        if crossing <= still:
            break
        still |= crossing  # lines that touch elsewhere than at their ends are left unsmoothed
    state = [0] * len(lines)
    while any(state[c] < 2 for c in crossing):  # those that still touch go back, step by step, to the searched paths
        if not crossing <= still:
            # shifted ends no longer meet a line that goes back: shift nothing
            still = set(range(len(strands)))
            straight, state = pulled, [0] * len(lines)
            lines = [rounded(problem, x, own, ALL, size) for x, own, size in zip(pulled, bound, sizes, strict=True)]
            crossing = set(touching(lines, ups))
            continue
        for c in sorted(crossing):
            if state[c] == 2:
                continue
            state[c] += 1
            if state[c] == 2 and not last_resort:
                return None
            lines[c] = pulled[c] if state[c] == 1 else strands[c].xy
        crossing = set(touching(lines, ups))
    line_of = {t: c for c, s in enumerate(strands) for _, t in s.bound}
    return HorizontalAlignment(lines, ups, dict(sorted(line_of.items())), straight, tuple(sorted(crossing)))


def rounded(
    problem: RoutingProblem, line: FloatArray, bound: Sequence[int], keep: FrozenAreas, radius: float
) -> FloatArray:
    """Line with arcs at its bends.

    Where an arc would miss a terminal, the corner moves outwards, or the arc shrinks. During the search such a line
    stays as it is.
    """
    covered, shapes = keep.covers(line), problem.shapes
    boxes, version = problem.shortenable.changed(smoothing.ABOUT_M + radius)
    other = version if _state_hash_kernels.meets(boxes, line) else np.uint64(0)
    parts = [line, np.array([radius, keep is ALL]), other, covered, *(shapes.ring(t) for t in bound)]
    key = b"|".join(p.tobytes() for p in parts)
    if key not in problem.eased.arcs:
        problem.eased.arcs[key] = _rounded(problem, line, bound, covered, radius, full=keep is not ALL)
    return problem.eased.arcs[key]


def _rounded(
    problem: RoutingProblem,
    line: FloatArray,
    bound: Sequence[int],
    covered: NDArray[np.bool_],
    radius: float,
    *,
    full: bool,
) -> FloatArray:
    share = np.where(covered, -1.0, 1.0)
    pushed = set(np.flatnonzero(share < 0).tolist())
    corners = line
    for turn in range(SHRINKINGS if full else 1):
        done, _ = lines.round_bends(problem.road_grid, corners, radius_m=radius, full=full, share=share)
        missed = [t for t in bound if not serves(problem, done, t)]
        if not missed:
            return done
        s = problem.shapes
        for k in sorted(
            {_clearance_kernels.nearest_on_line(s.coords, s.start[t], s.start[t + 1], corners)[1] for t in missed}
        ):
            out = _pushed(problem, corners, k, radius) if k not in pushed else None
            pushed.add(k)
            if out is not None:
                corners = out
            else:
                share[k] *= 0.6 if turn < SHRINKINGS - 2 else 1e-3
    return line


def _pushed(problem: RoutingProblem, line: FloatArray, k: int, radius: float) -> FloatArray | None:
    """Line with a corner so far out that the arc passes the old corner; None where not legal."""
    if not 0 < k < len(line) - 1:
        return None
    before, here, after = line[k - 1], line[k], line[k + 1]
    u, v = (before - here) / np.hypot(*(before - here)), (after - here) / np.hypot(*(after - here))
    inwards = float(np.hypot(*(u + v)))
    if inwards < 1e-3 or inwards > 2 * np.cos(MOST_PUSHED):  # straight, or a hairpin
        return None
    there = here - (u + v) / inwards * radius * (2.0 / np.sqrt(4.0 - inwards**2) - 1.0) * SURELY
    lat = problem.road_grid
    if any(not lat.clearance_index.clear(there, end) or lat.nodata_mask.crossed(there, end) for end in (before, after)):
        return None
    out = line.copy()
    out[k] = there
    return out


def serves(problem: RoutingProblem, line: FloatArray, terminal: int) -> bool:
    """Whether a line comes within reach of a terminal."""
    s, t = problem.shapes, terminal
    return bool(_clearance_kernels.nearest_on_line(s.coords, s.start[t], s.start[t + 1], line)[0] <= problem.reach_m[t])


def served_by(
    problem: RoutingProblem,
    terminal: int,
    lines: Sequence[FloatArray | None],
    sizes: Sequence[float] | FloatArray,
    near: shapely.STRtree,
    *,
    pads: bool = False,
) -> int:
    """Another line that serves a terminal with its radius; -1 without one.

    Parameters
    ----------
    terminal : int
    lines : sequence of (k, 2) float or None
        As they would be; None for one that is gone.
    sizes : sequence of float
        Radius of the centreline in bends of each [m].
    near : STRtree
        Lines as they were, of which these are parts, or by where they are.
    pads : bool
        Whether heights are found anew: what stands on a pad hangs on that of its own road, and else is served by no other.
    """
    one = problem.terminals[terminal]
    if one.pad is not None and not pads:
        return -1
    for k in np.sort(near.query(one.footprint, "dwithin", problem.reach_m[terminal])).tolist():
        line = lines[k]
        if line is not None and sizes[k] >= problem.radius_m[terminal] and serves(problem, line, terminal):
            return int(k)
    return -1


def _pulled(problem: RoutingProblem, strand: Strand) -> FloatArray:
    at = np.array([k for k, _ in strand.bound], dtype=np.int64)
    who = np.array([t for _, t in strand.bound], dtype=np.int64)
    key = strand.xy.tobytes() + b"|" + at.tobytes() + who.tobytes()
    if key not in problem.pulled:
        problem.pulled[key] = lines.pull(
            problem.road_grid, np.ascontiguousarray(strand.xy), bound_at=at, bound=who, shapes=problem.shapes,
            reach=problem.reach_m, max_grade=problem.criteria.max_grade,
        )  # fmt: skip
    return problem.pulled[key]


def touching(lines: list[FloatArray], ups: list[int]) -> list[int]:
    """Lines that touch another, or themselves, apart from their joints."""
    if not lines:
        return []
    of_line = np.repeat(np.arange(len(lines)), [len(x) for x in lines])
    shapes = np.asarray(shapely.linestrings(np.concatenate(lines), indices=of_line), dtype=object)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    keep = first < second
    first, second = first[keep], second[keep]
    common = np.asarray(shapely.intersection(shapes[first], shapes[second]), dtype=object)
    found: set[int] = set(np.flatnonzero(~shapely.is_simple(shapes)).tolist())
    for a, b, where in zip(first.tolist(), second.tolist(), common, strict=True):
        if ups[b] == a:
            joint = lines[b][0]
        elif ups[a] == ups[b]:
            joint = lines[a][0]
        else:
            found |= {a, b}
            continue
        xy = shapely.get_coordinates(where)
        if where.length > 0.01 or (np.hypot(*(xy - joint).T) > 0.05).any():
            found |= {a, b}
    return sorted(found)
