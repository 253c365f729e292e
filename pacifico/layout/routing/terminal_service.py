"""Service of terminals: which lines come within reach of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import STRtree

    from pacifico.array_types import FloatArray
    from pacifico.layout.routing.problem import RoutingProblem


def serves(problem: RoutingProblem, line: FloatArray, terminal: int) -> bool:
    """Whether a line comes within reach of a terminal."""
    return bool(problem.shapes.nearest(terminal, line)[0] <= problem.reach_m[terminal])


def other_server(
    problem: RoutingProblem,
    terminal: int,
    lines: Sequence[FloatArray | None],
    radii: Sequence[float] | FloatArray,
    index: STRtree,
    *,
    pads: bool = False,
) -> int:
    """Another line that serves a terminal; -1 without one.

    Parameters
    ----------
    problem : RoutingProblem
        Terminals, with their reach and the radius that they need.
    terminal : int
        Terminal that its own line no longer serves.
    lines : sequence of (k, 2) float or None
        Lines as changed; None for one that was removed.
    radii : sequence of float
        Centreline radius that each line keeps [m].
    index : STRtree
        Spatial index of the lines before the change; these must contain the changed lines or be near them.
    pads : bool
        Whether a terminal on a pad may change its line. The heights of its pad fit its own line, so this is only
        possible where heights are designed again.
    """
    one = problem.terminals[terminal]
    if one.pad is not None and not pads:
        return -1
    for k in np.sort(index.query(one.footprint, "dwithin", problem.reach_m[terminal])).tolist():
        line = lines[k]
        if line is not None and radii[k] >= problem.radius_m[terminal] and serves(problem, line, terminal):
            return int(k)
    return -1
