"""Vertical curves: heights of least earthwork without sharp grade breaks, over a whole network.

Grades change at points some 5 m apart. The sum of changes within any 10 m stays below the grade break for which a
vertical curve of that length is long enough. Roads that continue each other straight on are one through road, also across a
junction; another road may start there at any grade. Limits of grade, depth and pads are kept as they are in the heights
given. Earthwork is weighed with side slopes: width x depth + run of the side slope x depth², for each metre of road.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment.vertical import mean_ground
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA as EARTHWORK
from pacifico.layout.grade_lines import _height_solver_kernels as kernels
from pacifico.layout.grade_lines.side_slopes import toe_limits
from pacifico.layout.grade_lines.through_roads import CURVE_WITHIN_M, make_nodes, make_through_roads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground
    from pacifico.layout.grade_lines.side_slopes import ToeLimits
    from pacifico.layout.grade_lines.through_roads import RoadNodes, ThroughRoad
    from pacifico.layout.model.roads import RoadCriteria

ROUNDING_PCT = 0.05
"""Part of the allowed grade break that is left unused, for rounded coordinates [%]."""
TOLERATED_PCT = 0.1
"""A grade break above the allowed one by no more than this counts as kept [%]."""
HEIGHT_SLACK_M = 0.002
"""Slack of depth limits and pads, below their tolerance [m]."""
SLACK_OF_RISE_M = 1e-6
"""Slack of the grade limit between two nodes [m]."""
TOE_FACTOR = 100.0
"""Cost of one metre of height that a side slope needs beyond an edge, over the area of its road [-].

Arrays lose rows there: a metre of road beside them is worth as much as 500 m³ of earthwork or more, a square metre of
retaining wall 40 to 120 m³ (engineering judgement).
"""
LEAST_COST = 1e-6
"""Least usual cost of a metre beyond a bound, so that the method has a scale where nothing costs [-]."""
BREAK_FACTOR = 1000.0
"""Cost of one metre of grade break over 10 m, over the area of all roads: more than any earthwork saves [-]."""


@dataclass(frozen=True)
class ProfileLimits:
    """Limits of the profile of a network."""

    width_m: float
    """Width of the roads [m]."""
    max_grade: float
    """Largest rise over run [-]."""
    max_depth_m: float
    """Largest cut or fill, averaged over the width [m]."""
    curve_m_per_pct: float
    """Least length of a vertical curve for each per cent that the grade changes by [m]."""
    side_slope: float = EARTHWORK.side_slope
    """Horizontal run of a side slope for one metre of height [-]."""

    @classmethod
    def of(cls, criteria: RoadCriteria) -> ProfileLimits:
        """Limits of road criteria."""
        return cls(
            criteria.width_m,
            criteria.max_grade - criteria.grade_margin,
            criteria.max_cut_fill_m,
            criteria.vertical_curve_m_per_pct,
        )

    @property
    def max_break_pct(self) -> float:
        """Largest grade break over 10 m [%]."""
        return CURVE_WITHIN_M / self.curve_m_per_pct


@dataclass(frozen=True)
class Level:
    """Range of heights for a vertex, set by a pad."""

    xy: tuple[float, float]
    """The vertex [m]."""
    low: float
    high: float


@dataclass(frozen=True)
class SmoothProfile:
    """Roads with smooth grades."""

    lines: list[FloatArray]
    """Vertices of each road with their heights, shape (k, 3) [m]."""
    breaks_pct: FloatArray
    """Grade break over 10 m of each place where it is too sharp for a vertical curve [%]."""


def smooth_profile(
    lines: Sequence[FloatArray],
    ground: Ground,
    limits: ProfileLimits,
    levels: Sequence[Level] = (),
    edges: FloatArray | None = None,
) -> SmoothProfile:
    """Roads with least earthwork whose grade breaks fit vertical curves.

    Parameters
    ----------
    lines : sequence of (k, 3) float
        Roads, parents first, with heights within the limits of grade, depth and pads [m]. They meet at their ends only.
    ground : Ground
        Heights to follow.
    limits : ProfileLimits
        Limits of grade and depth; where the given heights exceed them, they are kept no worse.
    levels : sequence of Level
        Heights that pads set.
    edges : (m, 4) float, optional
        Edges of arrays, pads and the site before which side slopes should end: x, y, x, y [m].

    Returns
    -------
    SmoothProfile
        Where no heights without sharp breaks exist, the breaks are as small as possible.
    """
    if not lines:
        return SmoothProfile([], np.zeros(0))
    network = make_nodes(lines, limits.max_grade, {level.xy for level in levels})
    through = make_through_roads(lines, network)
    sections = _sections(network)
    toes = toe_limits(
        (network.xyz[:, :2], sections.direction),
        ground,
        np.zeros((0, 4)) if edges is None else edges,
        width_m=limits.width_m,
        side_slope=limits.side_slope,
    )
    rows = [
        *_ground_rows(network, sections, ground, limits),
        _level_rows(network, levels),
        _toe_rows(sections, toes, limits.width_m),
    ]
    z = _least_cost(network, through, rows, limits)
    xyz = np.column_stack([network.xyz[:, :2], network.heights(z)])
    return SmoothProfile(
        [xyz[a:b] for a, b in itertools.pairwise(network.first.tolist())],
        np.concatenate([_sharp_breaks(road, z, limits.max_break_pct) for road in through]),
    )


def _least_cost(
    network: RoadNodes, through: list[ThroughRoad], rows: list[kernels.Rows], limits: ProfileLimits
) -> FloatArray:
    """Heights of nodes with least earthwork.

    Parameters
    ----------
    network : RoadNodes
        Vertices and nodes.
    through : list of ThroughRoad
        Roads that continue each other.
    rows : list of Rows
        Costs of earthwork, and limits of depth, pads and side slopes.
    limits : ProfileLimits
        Limits of grade and of its breaks.
    """
    given = network.given
    area = max(float(np.diff(network.chainage_m).clip(0).sum()) * limits.width_m, 1.0)
    blocks = [
        *rows,
        _grade_rows(network, limits),
        *(_break_rows(road, limits.max_break_pct - ROUNDING_PCT, BREAK_FACTOR * area) for road in through),
    ]
    table = kernels.Rows(*(np.concatenate(column) for column in zip(*blocks, strict=True)))
    costs = table.cost[np.isfinite(table.cost)]
    usual = max(float(np.median(costs)), LEAST_COST) if costs.size else LEAST_COST
    z, converged = kernels.least_cost_heights(table, _pattern(table.node, network.count), given, usual)
    # without a solution the given heights stay, whose breaks are counted
    return z if converged else given


def _rows(
    nodes: IntArray, factors: FloatArray, bounds: tuple[FloatArray, FloatArray], cost: FloatArray
) -> kernels.Rows:
    """Rows of one kind, filled up to four places.

    Parameters
    ----------
    nodes, factors : (r, k) array
        Nodes of each row, and their factors.
    bounds : two of (r,) float
        Lower and upper bounds [m].
    cost : (r,) float
        Cost of each metre beyond them.
    """
    r, k = nodes.shape
    node = np.column_stack([nodes, np.repeat(nodes[:, :1], 4 - k, axis=1)]).astype(np.int64)
    factor = np.column_stack([factors, np.zeros((r, 4 - k))])
    return kernels.Rows(node, factor, *bounds, cost, np.zeros(r))


@dataclass(frozen=True)
class _Sections:
    """Cross-sections at all vertices."""

    direction: FloatArray
    """Direction of the road, of any length."""
    length_m: FloatArray
    """Length of road that each stands for [m]."""
    nodes: IntArray
    """Nodes before and after each vertex, shape (n, 2)."""
    factors: FloatArray
    """Shares of their heights, shape (n, 2) [-]."""


def _sections(network: RoadNodes) -> _Sections:
    """Cross-sections of all roads."""
    xy, last = network.xyz[:, :2], network.first[1:] - 1
    inner = np.ones(len(xy), bool)
    inner[last] = False
    ahead = np.flatnonzero(inner)
    direction, length = np.zeros_like(xy), np.zeros(len(xy))
    direction[ahead] = xy[ahead + 1] - xy[ahead]
    direction[last] = direction[last - 1]
    half = np.hypot(direction[ahead, 0], direction[ahead, 1]) / 2
    np.add.at(length, ahead, half)
    np.add.at(length, ahead + 1, half)
    nodes = np.column_stack([network.node[network.before], network.node[network.after]])
    return _Sections(direction, length, nodes, np.column_stack([1 - network.share, network.share]))


def _ground_rows(
    network: RoadNodes, sections: _Sections, ground: Ground, limits: ProfileLimits
) -> tuple[kernels.Rows, kernels.Rows]:
    """Rows of earthwork and of depth, one for each vertex.

    Parameters
    ----------
    network : RoadNodes
        Vertices and nodes.
    sections : _Sections
        Cross-sections at all vertices.
    ground : Ground
        Heights to follow.
    limits : ProfileLimits
        Width, depth and side slope.
    """
    height = mean_ground(ground, network.xyz[:, :2], sections.direction, limits.width_m)
    depth = np.maximum(np.abs(network.heights(network.given) - height), limits.max_depth_m) + HEIGHT_SLACK_M
    nodes, factors = sections.nodes, sections.factors
    costs = _rows(nodes, factors, (height, height), sections.length_m * limits.width_m + 1e-6)
    never = np.full(len(height), np.inf)
    kept = _rows(nodes, factors, (height - depth, height + depth), never)
    return costs._replace(square=sections.length_m * limits.side_slope), kept


def _toe_rows(sections: _Sections, toes: ToeLimits, width_m: float) -> kernels.Rows:
    """Rows of side slopes that should end before an edge."""
    cost = TOE_FACTOR * width_m * sections.length_m[toes.vertex] + 1e-6
    return _rows(sections.nodes[toes.vertex], sections.factors[toes.vertex], (toes.low, toes.high), cost)


def _level_rows(network: RoadNodes, levels: Sequence[Level]) -> kernels.Rows:
    """Rows of the heights that pads set."""
    vertex = {(x, y): k for k, (x, y) in enumerate(network.xyz[:, :2].tolist())}
    at = np.array([vertex[level.xy] for level in levels], dtype=np.int64)
    z = network.xyz[at, 2]
    low = np.minimum(np.array([level.low for level in levels]), z) - HEIGHT_SLACK_M
    high = np.maximum(np.array([level.high for level in levels]), z) + HEIGHT_SLACK_M
    nodes = network.node[at][:, None]
    return _rows(nodes, np.ones((at.size, 1)), (low, high), np.full(at.size, np.inf))


def _grade_rows(network: RoadNodes, limits: ProfileLimits) -> kernels.Rows:
    """Rows of the grade limit, one for each piece between two nodes."""
    start = np.flatnonzero(network.node >= 0)[:-1]
    end = np.flatnonzero(network.node >= 0)[1:]
    same = ~np.isin(end, network.first)
    start, end = start[same], end[same]
    rise = np.abs(network.xyz[end, 2] - network.xyz[start, 2])
    most = np.maximum(limits.max_grade * (network.run_m[end] - network.run_m[start]), rise) + SLACK_OF_RISE_M
    nodes = np.column_stack([network.node[start], network.node[end]])
    return _rows(nodes, np.tile([-1.0, 1.0], (len(nodes), 1)), (-most, most), np.full(len(nodes), np.inf))


def _break_rows(road: ThroughRoad, max_break_pct: float, cost: float) -> kernels.Rows:
    """Rows of the grade breaks of a through road over 10 m."""
    one, other = road.windows()
    length = np.diff(road.at_m)
    first, second = CURVE_WITHIN_M / length[one], CURVE_WITHIN_M / length[other]
    next_to = other == one + 1
    nodes = np.column_stack([road.nodes[one], road.nodes[one + 1], road.nodes[other], road.nodes[other + 1]])
    # neighbouring pieces share a node
    factors = np.column_stack(
        [first, np.where(next_to, -first - second, -first), np.where(next_to, 0.0, -second), second]
    )
    most = np.full(one.size, CURVE_WITHIN_M * max_break_pct / 100)
    return _rows(nodes, factors, (-most, most), np.full(one.size, cost))


def _sharp_breaks(road: ThroughRoad, z: FloatArray, max_break_pct: float) -> FloatArray:
    """Largest grade break of each place of a through road where it is too sharp [%]."""
    one, other = road.windows()
    grade = 100 * road.grades(z)
    most = np.zeros(grade.size + 1)
    np.maximum.at(most, one, np.abs(grade[other] - grade[one]))
    sharp = most > max_break_pct + TOLERATED_PCT
    place = np.cumsum(sharp & ~np.concatenate([[False], sharp[:-1]]))
    out = np.zeros(int(place.max(initial=0)))
    np.maximum.at(out, place[sharp] - 1, most[sharp])
    return out


def _pattern(node: IntArray, count: int) -> kernels.Pattern:
    """Places of the nonzeros that rows give to the normal equations."""
    a, b = np.triu_indices(4)
    one, other = node[:, a], node[:, b]
    key = np.maximum(one, other) * count + np.minimum(one, other)
    diagonal = np.arange(count) * (count + 1)
    places, slot = np.unique(np.concatenate([key.ravel(), diagonal]), return_inverse=True)
    start = np.searchsorted(places, np.arange(count + 1) * count)
    return kernels.Pattern(
        start.astype(np.int64), (places % count).astype(np.int64), slot[: key.size].reshape(key.shape).astype(np.int64)
    )
