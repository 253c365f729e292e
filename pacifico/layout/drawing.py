"""From a tree of moves to lines: pulled tight, bends rounded, still serving what they are to serve."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout import _kernels, routing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pacifico.grid import Ground
    from pacifico.layout.entry import Gate
    from pacifico.layout.roads import RoadRules, Terminal

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TOLERANCE_M = 0.005


@dataclass(frozen=True)
class Case:
    """What stays the same while a network is sought."""

    ground: Ground
    terminals: Sequence[Terminal]
    rules: RoadRules
    lattice: routing.Lattice
    shapes: routing.Shapes
    pads: routing.Shapes
    reach_m: Floats
    reach: routing.Reach
    priority: Ints
    pulled: dict[bytes, Floats] = field(default_factory=dict)
    """Paths pulled so far, by nodes and bound terminals: rounds share most of them."""


@dataclass(frozen=True)
class Drawing:
    """A network in plan: lines that lead away from the entry, and what each serves."""

    lines: list[Floats]
    ups: list[int]
    ends_at: list[int]
    """Road position at each line's end."""
    line_of: dict[int, int]
    """Line that serves each terminal."""
    tight: int


def draw(case: Case, gate: Gate, parent: Ints, server: Ints) -> Drawing:
    """Lines of the tree from the gate to all servers: pulled tight, bends rounded, none crossing another."""
    lattice = case.lattice
    chains = routing.chains_of(parent, gate.node, server[server >= 0])
    at_root = [c for c, chain in enumerate(chains) if chain.up < 0]
    lead = float(np.hypot(lattice.px[gate.node] - gate.point[0], lattice.py[gate.node] - gate.point[1])) > TOLERANCE_M
    raw: list[Floats] = []
    place: dict[int, tuple[int, int]] = {}
    ups = [c.up for c in chains]
    ends = [int(c.nodes[-1]) for c in chains]
    shift = 0
    if lead and len(at_root) != 1 and (server >= 0).any():  # a stretch of its own from the entry to the first junction
        raw.append(np.array([gate.point, [lattice.px[gate.node], lattice.py[gate.node]]]))
        ups, ends, shift = [-1, *(u + 1 for u in ups)], [gate.node, *ends], 1
        place[gate.node] = (0, 1)
    for c, chain in enumerate(chains):
        xy = np.column_stack([lattice.px[chain.nodes], lattice.py[chain.nodes]])
        first = 1
        if lead and not shift and chain.up < 0:
            xy = np.vstack([gate.point, xy])
            first = 2
            place[gate.node] = (c, 1)
        elif not shift and chain.up < 0 and gate.node not in place:
            place[gate.node] = (c, 0)
        raw.append(xy)
        for k, n in enumerate(chain.nodes[1:].tolist()):
            place[n] = (c + shift, k + first)
    line_of = {int(t): place[int(server[t])][0] for t in np.flatnonzero(server >= 0)} if raw else {}
    bound: list[list[tuple[int, int]]] = [[] for _ in raw]
    for t, c in line_of.items():
        bound[c].append((place[int(server[t])][1], t))

    lines: list[Floats] = []
    pulled: list[Floats] = []
    tight = []
    for c, xy in enumerate(raw):
        straight = _pulled(case, xy, bound[c])
        pulled.append(straight)
        line, sharp = routing.round_bends(lattice, straight, radius_m=case.rules.min_radius_m + case.rules.width_m / 2)
        if not _serves(case, line, [t for _, t in bound[c]]):
            line, sharp = straight, max(len(straight) - 2, 0)
        lines.append(line)
        tight.append(sharp)
    state = [0] * len(lines)
    while True:  # lines that touch elsewhere than at their ends go back, step by step, to the paths that do not
        back = [c for c in _touching(lines, ups) if state[c] < 2]
        if not back:
            break
        for c in back:
            state[c] += 1
            lines[c] = pulled[c] if state[c] == 1 else raw[c]
            tight[c] = max(len(pulled[c]) - 2, 0)
    return Drawing(lines, ups, ends, line_of, sum(tight))


def _pulled(case: Case, xy: Floats, bound: list[tuple[int, int]]) -> Floats:
    ordered = sorted(bound)
    at = np.array([k for k, _ in ordered], dtype=np.int64)
    who = np.array([t for _, t in ordered], dtype=np.int64)
    key = xy.tobytes() + b"|" + at.tobytes() + who.tobytes()
    if key not in case.pulled:
        case.pulled[key] = routing.pull(
            case.lattice,
            xy,
            bound_at=at,
            bound=who,
            shapes=case.shapes,
            reach=case.reach_m,
            max_grade=case.rules.max_grade,
        )
    return case.pulled[key]


def _serves(case: Case, line: Floats, who: list[int]) -> bool:
    """Whether a line comes within reach of all it is to serve."""
    s = case.shapes
    return all(_kernels.nearest_on_line(s.coords, s.start[t], s.start[t + 1], line)[0] <= case.reach_m[t] for t in who)


def _touching(lines: list[Floats], ups: list[int]) -> list[int]:
    """Lines that meet another elsewhere than where one continues the other."""
    if len(lines) < 2:
        return []
    of_line = np.repeat(np.arange(len(lines)), [len(x) for x in lines])
    shapes = np.asarray(shapely.linestrings(np.concatenate(lines), indices=of_line), dtype=object)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    keep = first < second
    first, second = first[keep], second[keep]
    common = np.asarray(shapely.intersection(shapes[first], shapes[second]), dtype=object)
    found: set[int] = set()
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
