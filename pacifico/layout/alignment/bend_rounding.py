"""Bend rounding: arcs at the corners of a line that still serves its terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment import _state_hash_kernels, lines
from pacifico.layout.alignment.smoothing import EVERYWHERE, READ_WITHIN_M
from pacifico.layout.routing.terminal_service import serves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.alignment.smoothing import FrozenAreas
    from pacifico.layout.routing.problem import RoutingProblem


MAX_ROUNDS = 8
"""Most attempts to round a line; each one shifts corners or shrinks arcs that miss a terminal."""
SHRINK, SMALLEST = 0.6, 1e-3
"""Factor of an arc's radius in each attempt, and in the last two [-]."""
HALF_MIN_ANGLE = np.radians(35)
"""Half the smallest angle between the legs of a corner that is shifted outwards [rad]."""
SHIFT_FACTOR = 1.1
"""Shift of a corner, over the distance by which its arc cuts the corner [-]."""


def round_line(
    problem: RoutingProblem, line: FloatArray, bound: Sequence[int], radius_m: float, frozen: FrozenAreas
) -> FloatArray:
    """Line with arcs at its corners.

    Where an arc would miss a terminal, its corner is shifted outwards, or else the arc is smaller. A line that still
    misses one stays as it is. Results are kept in the problem's smoothing memo.

    Parameters
    ----------
    problem : RoutingProblem
        Clearance of roads, and terminals.
    line : (n, 2) float
        Corners of the line [m].
    bound : sequence of int
        Terminals that it serves.
    radius_m : float
        Centreline radius [m].
    frozen : FrozenAreas
        Places where corners aren't shifted, and arcs take half a leg at most. Where everything is frozen there is only
        one attempt.
    """
    covered, shapes = frozen.covers(line), problem.shapes
    boxes, version = problem.shortenable.changed(READ_WITHIN_M + radius_m)
    version_here = version if _state_hash_kernels.line_meets(boxes, line) else np.uint64(0)
    full = frozen is not EVERYWHERE
    parts = [line, np.array([radius_m, full]), version_here, covered, *(shapes.ring(t) for t in bound)]
    key = b"|".join(p.tobytes() for p in parts)
    memo = problem.smoothing_memo.arcs
    if key not in memo:
        memo[key] = _rounded(problem, line, bound, radius_m, np.where(covered, -1.0, 1.0), full=full)
    return memo[key]


def _rounded(
    problem: RoutingProblem, line: FloatArray, bound: Sequence[int], radius_m: float, share: FloatArray, *, full: bool
) -> FloatArray:
    """Line with arcs, or unchanged where it would miss a terminal.

    Parameters
    ----------
    problem, line, bound, radius_m
        As for `round_line`.
    share : (n,) float
        Share of the radius that is tried first at each corner [-]; negative at corners that aren't shifted.
    full : bool
        Whether arcs share legs as they need, and are adjusted in several attempts.
    """
    share = share.copy()
    done = set(np.flatnonzero(share < 0).tolist())
    corners = line
    for attempt in range(MAX_ROUNDS if full else 1):
        rounded, _ = lines.round_bends(problem.road_grid, corners, radius_m=radius_m, full=full, share=share)
        missed = [t for t in bound if not serves(problem, rounded, t)]
        if not missed:
            return rounded
        for k in sorted({problem.shapes.nearest(t, corners)[1] for t in missed}):
            shifted = _with_corner_outwards(problem, corners, k, radius_m) if k not in done else None
            done.add(k)
            if shifted is not None:
                corners = shifted
            else:
                share[k] *= SHRINK if attempt < MAX_ROUNDS - 2 else SMALLEST
    return line


def _with_corner_outwards(problem: RoutingProblem, line: FloatArray, k: int, radius_m: float) -> FloatArray | None:
    """Line with a corner moved out beyond its arc.

    None where that is not legal, or where the corner is straight or a hairpin.

    Parameters
    ----------
    problem : RoutingProblem
        Clearance of roads.
    line : (n, 2) float
        Corners of the line [m].
    k : int
        Corner to shift.
    radius_m : float
        Centreline radius [m].
    """
    if not 0 < k < len(line) - 1:
        return None
    before, here, after = line[k - 1], line[k], line[k + 1]
    u, v = (before - here) / np.hypot(*(before - here)), (after - here) / np.hypot(*(after - here))
    inwards = float(np.hypot(*(u + v)))
    if inwards < 1e-3 or inwards > 2 * np.cos(HALF_MIN_ANGLE):
        return None
    there = here - (u + v) / inwards * radius_m * (2.0 / np.sqrt(4.0 - inwards**2) - 1.0) * SHIFT_FACTOR
    grid = problem.road_grid
    for end in (before, after):
        if not grid.clearance_index.clear(there, end) or grid.nodata_mask.crossed(there, end):
            return None
    out = line.copy()
    out[k] = there
    return out
