"""Local search move: drop an expensive road branch and re-place its arrays beside the remaining roads."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.ground.rects import touching
from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.solar_arrays import CLEAR_OF_BLOCKS_M, add_solar, solar_grounds
from pacifico.layout.search.exchange_arrays import free_places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.spec import Spec, Strategy
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.placement.seed_area import SeedArea


NODE_M = 6.0
"""Largest distance between the nodes of a road [m]."""
LARGEST_SHARE = 0.35
"""Largest share of the arrays that one move relocates."""
MOST_MOVES = 24
"""Number of moves that are evaluated."""
BESIDE_M = 30.0
"""Estimated road length to an array beside a reached one [m]."""
LEAST_GAIN = 0.002
"""Smallest promised gain of a move [share of the objective]."""
SPARED_REACH_M = 2.0
"""Part of the road reach kept in reserve: a new search runs the road slightly differently [m]."""
OFF_STRIP_M = 0.3
UNKNOWN = -1


@dataclass(frozen=True)
class Movable:
    """Arrays or blocks that may be relocated, and free places for them."""

    rects: FloatArray
    """Rectangles of current assets and free places, shape (n, 4) [m]."""
    units: IntArray
    chosen: BoolArray
    """Whether each rectangle is in use."""
    free: BoolArray
    reach_m: float
    """Distance within which a road serves any of them [m]."""
    fixed: FloatArray
    """Rectangles of assets that stay, shape (m, 4) [m]."""
    built: Callable[[BoolArray], Draft]
    """Builds the draft of a choice of rectangles."""


def movable_arrays(
    field: Field, spec: Spec, draft: Draft, served: ServedLayout, seed_area: SeedArea, target_kw: float
) -> Movable | None:
    """Arrays of a draft up to `target_kw`, with free places beside its roads; None without any."""
    ground = solar_grounds(field, spec, seed_area.scheme)[0]
    items = list(served.untrimmed)
    others = [i for i in items if i.kind not in ("solar_array", "inverter_skid")]
    arrays = np.array([i.rect for i in items if i.kind == "solar_array"]).reshape(-1, 4)
    runs = ground.runs(Draft(others).blocked(CLEAR_OF_BLOCKS_M))
    chosen = touching(runs.rects + np.array([1.0, 1.0, -1.0, -1.0]), arrays)
    free = ~touching(runs.rects, arrays) & np.isin(_keys(runs.rects), _keys(free_places(ground, items).rects))
    lines = shapely.union_all([r.line for r in served.network.roads])
    shapely.prepare(lines)
    free &= ~shapely.dwithin(shapely.box(*runs.rects.T), lines, spec.number("road", "width_m") / 2 + OFF_STRIP_M)
    if not free.any():
        return None

    def built(mask: BoolArray) -> Draft:
        out = Draft(
            list(others), [u for u in draft.unplaced if u.kind not in ("solar_array", "inverter_skid")], draft.banned
        )
        add_solar(field, spec, ground, out, runs.take(np.flatnonzero(mask)), target_kw, seed_area=seed_area)
        return out

    fixed = np.array([i.rect for i in others]).reshape(-1, 4)
    reach = spec.number("site", "array_reach_m") - SPARED_REACH_M
    return Movable(runs.rects, runs.units, chosen, free, reach, fixed, built)


def relocate_branch(
    field: Field, spec: Spec, what: Movable, served: ServedLayout, strategy: Strategy
) -> Iterator[Draft]:
    """Drafts with one branch's assets relocated, most promising first.

    Parameters
    ----------
    field : Field
    spec : Spec
    what : Movable
        Of what was asked for.
    served : Served
        The same with its roads.
    strategy : str
        'clustered' saves length, any other cut and fill.
    """
    tree = _tree(field, served, spec, strategy)
    if tree is None:
        return
    at, up, weight, rate = tree
    rects, chosen, free, reach = what.rects, what.chosen, what.free, what.reach_m
    depth = _depth(up, at)
    # each asset belongs to the first node from the entry within its reach
    hangs = _hangs(_far(rects, at), reach, depth)
    fixed_at = _hangs(_far(what.fixed, at), spec.number("site", "road_reach_m") - 1.0, depth)
    units = np.where(chosen, what.units, 0)
    order = np.argsort(-depth, kind="stable")
    n = len(at)
    below, held, used = np.zeros(n), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for i in np.flatnonzero(chosen & (hangs >= 0)).tolist():
        below[hangs[i]] += units[i]
        used[hangs[i]] = True
    held[fixed_at[fixed_at >= 0]] = True
    saves = np.zeros(n)
    for v in order.tolist():
        if up[v] < 0:
            continue
        saves[v] += weight[v] if used[v] or held[v] else 0.0
        below[up[v]] += below[v]
        held[up[v]] |= held[v]
        used[up[v]] |= used[v]
        saves[up[v]] += saves[v]
    total = float(units.sum())
    whole = float(weight[used | held].sum())
    able = np.flatnonzero(~held & (below > 0) & (below <= LARGEST_SHARE * total) & (up >= 0))
    # of nodes that serve the same assets, keep the one nearest the entry
    top = able[(below[up[able]] > below[able]) | held[up[able]]]
    ranked = top[np.argsort(-saves[top] / np.sqrt(below[top]), kind="stable")][:MOST_MOVES]
    moves: list[tuple[float, BoolArray]] = []
    for v in ranked.tolist():
        gone = _under(v, up, order)
        leaves = chosen & (hangs >= 0) & gone[np.maximum(hangs, 0)]
        stays = np.flatnonzero((used | held) & ~gone)
        price, taken = _elsewhere(rects, what.units, free, at[stays], reach, int(what.units[leaves].sum()), rate)
        if taken is None or saves[v] - price < LEAST_GAIN * whole:
            continue
        moves.append((saves[v] - price, (chosen & ~leaves) | taken))
    for _, mask in sorted(moves, key=lambda m: -m[0]):
        yield what.built(mask)


def _keys(rects: FloatArray) -> NDArray[np.complex128]:
    out: NDArray[np.complex128] = np.round(rects[:, 0], 2) + 1j * np.round(rects[:, 1], 2)
    return out


def _tree(
    field: Field, served: ServedLayout, spec: Spec, strategy: Strategy
) -> tuple[FloatArray, IntArray, FloatArray, float] | None:
    """Road nodes, their parents (-1: none), the cost of the way to each, and the cost per metre."""
    roads = served.network.roads
    entry = served.network.entry
    if entry is None or not roads:
        return None
    lines = [shapely.force_2d(r.line) for r in roads]
    rates = np.ones(len(roads))
    if strategy != "clustered":
        volumes = corridors(
            field.ground, [r.line for r in roads], [r.width_m for r in roads], criteria=earthwork_criteria(spec)
        )
        length = np.array([max(r.length_m, 1.0) for r in roads])
        rates = np.array([v.cut_m3 + v.fill_m3 for v in volumes]) / length
    index: dict[tuple[float, float], int] = {}
    ways: list[list[tuple[int, float]]] = []
    for line, rate in zip(lines, rates.tolist(), strict=True):
        before = UNKNOWN
        for x, y in shapely.get_coordinates(shapely.segmentize(line, NODE_M)).round(3).tolist():
            k = index.setdefault((x, y), len(index))
            if k == len(ways):
                ways.append([])
            if before not in (UNKNOWN, k):
                ways[k].append((before, rate))
                ways[before].append((k, rate))
            before = k
    at = np.array(list(index))
    root = int(np.argmin(np.hypot(at[:, 0] - entry.x, at[:, 1] - entry.y)))
    up, weight = np.full(len(at), -1), np.zeros(len(at))
    far = np.full(len(at), np.inf)
    far[root] = 0.0
    heap = [(0.0, root)]
    while heap:
        d, v = heapq.heappop(heap)
        if d > far[v]:
            continue
        for w, rate in ways[v]:
            step = float(np.hypot(*(at[v] - at[w])))
            if d + step < far[w]:
                far[w], up[w], weight[w] = d + step, v, step * rate
                heapq.heappush(heap, (far[w], w))
    mean = float(weight.sum() / max(sum(r.length_m for r in roads), 1.0))
    return at, up, weight, mean


def _depth(up: IntArray, at: FloatArray) -> FloatArray:
    """Distance from the entry to each node [m]."""
    out = np.full(len(up), np.nan)
    for v in range(len(up)):
        chain = []
        w = v
        while up[w] >= 0 and np.isnan(out[w]):
            chain.append(w)
            w = int(up[w])
        if np.isnan(out[w]):
            out[w] = 0.0
        for c in reversed(chain):
            out[c] = out[up[c]] + np.hypot(*(at[c] - at[up[c]]))
    return out


def _far(rects: FloatArray, at: FloatArray) -> FloatArray:
    """Distance of rectangles from points, shape (rects, points) [m]."""
    x, y = at[None, :, 0], at[None, :, 1]
    dx = np.maximum(np.maximum(rects[:, :1] - x, x - rects[:, 2:3]), 0.0)
    dy = np.maximum(np.maximum(rects[:, 1:2] - y, y - rects[:, 3:4]), 0.0)
    out: FloatArray = np.hypot(dx, dy)
    return out


def _hangs(far: FloatArray, reach: float, depth: FloatArray) -> IntArray:
    """First node from the entry within reach of each rectangle; the nearest where none is."""
    within = np.where(far <= reach, depth[None, :], np.inf)
    out: IntArray = np.argmin(within, axis=1)
    none = np.isinf(within.min(axis=1)) if within.size else np.zeros(len(out), dtype=bool)
    out[none] = np.argmin(far[none], axis=1)
    return out


def _under(v: int, up: IntArray, order: IntArray) -> BoolArray:
    """Nodes downstream of a node, itself included."""
    out = np.zeros(len(up), dtype=bool)
    out[v] = True
    for w in order[::-1].tolist():
        if up[w] >= 0 and out[up[w]]:
            out[w] = True
    return out


def _elsewhere(
    rects: FloatArray, units: IntArray, free: BoolArray, at: FloatArray, reach: float, needed: int, rate: float
) -> tuple[float, BoolArray | None]:
    """Cost of serving free places from the remaining roads, and their indices; None where too few."""
    taken = np.zeros(len(rects), dtype=bool)
    some = np.flatnonzero(free)
    if not len(at) or units[some].sum() < needed:
        return np.inf, None
    ext = np.maximum(_far(rects[some], at).min(axis=1) - reach, 0.0)
    price = 0.0
    while needed > 0:
        k = int(np.argmin(ext / units[some] + 1e-6 * (units[some] > needed)))
        if not np.isfinite(ext[k]):
            return np.inf, None
        price += float(ext[k]) * rate
        taken[some[k]] = True
        needed -= int(units[some[k]])
        if ext[k] > 0:
            r = rects[some[k]]
            gap = np.hypot(
                np.maximum(np.maximum(rects[some, 0] - r[2], r[0] - rects[some, 2]), 0.0),
                np.maximum(np.maximum(rects[some, 1] - r[3], r[1] - rects[some, 3]), 0.0),
            )
            ext = np.where(np.isfinite(ext), np.minimum(ext, gap + BESIDE_M), np.inf)
        ext[k] = np.inf
    return price, taken
