"""Balance of cut and fill under arrays within the power block or the site."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.racking.balance_master import Balance, GroupedProgram
from pacifico.layout.racking.grading import SMALL_GAP, WORTH_MORE, grade, greatest_correction, with_beside
from pacifico.layout.racking.grading_lp import TUBE_RANGE_M, make_program
from pacifico.layout.racking.piles import tube_heights
from pacifico.layout.racking.row_steps import over_step, stepped_tubes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.racking.balance_master import BalancedCorrections
    from pacifico.layout.racking.grading import Grading
    from pacifico.layout.racking.grading_lp import KnownParts
    from pacifico.layout.racking.grading_problem import GradingProblem

BALANCE_TOLERANCE = 0.01
"""Difference of cut x (1 - shrink) and fill, over the larger, that counts as balanced [-]: far below what surveys of volume tell."""
SAME_VOLUME_M3 = 0.1
"""Difference of volumes that is rounding [m³]."""
MAX_ROUNDS = 6
"""Most times that ground is added."""


@dataclass(frozen=True)
class BalanceGroups:
    """Groups of arrays within which cut and fill are balanced."""

    of_array: Mapping[str, int]
    """Group of each array by its name, numbered from 0."""
    shrink: float
    """Bank volume lost when cut is compacted as fill [-]."""

    @property
    def count(self) -> int:
        """Number of groups."""
        return max(self.of_array.values()) + 1

    def of_nodes(self, problem: GradingProblem, nodes: IntArray) -> IntArray:
        """Group of each node: that of the nearest array."""
        rows = problem.rows
        group = np.array([self.of_array[a.array_id] for a in rows.arrays])
        tree = shapely.STRtree(shapely.box(*rows.array_bounds.T))
        places = shapely.points(*problem.lattice.places(nodes))
        nearest = tree.query_nearest(places, all_matches=False)[1]
        found: IntArray = group[nearest]
        return found


@dataclass(frozen=True)
class BalancedGradings:
    """Gradings that are balanced together."""

    gradings: tuple[Grading, ...]
    bound_m3: float
    """Cut plus fill that no balanced grading goes below [m³]."""
    cut_m3: FloatArray
    """Cut of each group [m³]."""
    fill_m3: FloatArray
    """Fill of each group [m³]."""
    shrink: float
    """Bank volume lost when cut is compacted as fill [-]."""

    @property
    def unbalanced(self) -> IntArray:
        """Groups whose cut and fill don't balance: limits forbid it."""
        cut = self.cut_m3 * (1.0 - self.shrink)
        return np.flatnonzero(over_tolerance(cut - self.fill_m3, np.maximum(cut, self.fill_m3)))


def over_tolerance(imbalance_m3: FloatArray, volume_m3: FloatArray) -> BoolArray:
    """Whether imbalances are over the tolerance of their volumes."""
    over: BoolArray = np.abs(imbalance_m3) > BALANCE_TOLERANCE * volume_m3 + SAME_VOLUME_M3
    return over


def balanced(found: Sequence[Grading], groups: BalanceGroups, known: KnownParts) -> BalancedGradings:
    """Least cut plus fill that also balances: cut x (1 - shrink) = fill in each group.

    Cut and fill are balanced as far as slopes, windows and kept ground allow.

    Parameters
    ----------
    found : sequence of Grading
        Least gradings without balance, one for each azimuth of rows.
    groups : BalanceGroups
        Groups of arrays that are balanced.
    known : dict
        Parts of linear programs that were solved before, which aren't solved again; grows.
    """
    gradings = list(found)
    bound = sum(g.bound_m3 for g in found)
    while any(len(g.nodes) for g in gradings):
        changed = [k for k, g in enumerate(gradings) if len(g.nodes)]
        ground = [_Ground.of(gradings[k]) for k in changed]
        programs, result = _corrections(ground, groups, known)
        bound = max(sum(g.bound_m3 for g in found), result.bound_m3)
        new_steps = False
        for k, p, correction in zip(changed, programs, result.corrections, strict=True):
            problem = gradings[k].problem
            gradings[k] = _graded(problem, p.program.nodes, correction)
            over = over_step(problem, gradings[k].tube) & ~problem.stepped
            if over.any():
                new_steps = True
                gradings[k] = replace(gradings[k], problem=replace(problem, stepped=problem.stepped | over))
        if not new_steps:
            break
    cut, fill = _volumes(gradings, groups)
    return BalancedGradings(tuple(gradings), bound, cut, fill, groups.shrink)


def _volumes(gradings: Sequence[Grading], groups: BalanceGroups) -> FloatArray:
    """Cut and fill of each group, shape (2, groups) [m³]."""
    volumes = np.zeros((2, groups.count))
    for g in gradings:
        group = groups.of_nodes(g.problem, g.nodes)
        volume = g.correction * g.problem.lattice.cell_area_m2
        np.add.at(volumes[0], group, np.maximum(-volume, 0.0))
        np.add.at(volumes[1], group, np.maximum(volume, 0.0))
    return volumes


class _Ground:
    """Ground of one grading problem that may be corrected; it grows."""

    def __init__(self, problem: GradingProblem) -> None:
        self.problem = problem
        self.depth = np.full(len(problem.node_ground), np.nan)
        self.used = np.zeros(len(problem.node_ground), dtype=bool)
        self.nodes = np.zeros(0, dtype=np.int64)

    @classmethod
    def of(cls, grading: Grading) -> _Ground:
        """Ground that is graded, and nodes around it."""
        ground = cls(grading.problem)
        ground.add(grading.nodes)
        return ground

    def add(self, nodes: IntArray) -> bool:
        """Use nodes and those around them; whether that adds any."""
        wanted = self.problem.lattice.around(nodes)
        self._measure(wanted)
        before = np.count_nonzero(self.used)
        self.used[wanted] = self.depth[wanted] > 0
        self.nodes = with_beside(self.problem, self.used)
        self._measure(self.nodes)
        return bool(np.count_nonzero(self.used) > before)

    def _measure(self, nodes: IntArray) -> None:
        """Find the greatest correction of nodes where it is not known."""
        new = nodes[np.isnan(self.depth[nodes])]
        self.depth[new] = greatest_correction(self.problem, new)

    def program(self, groups: BalanceGroups) -> GroupedProgram:
        """Linear program with the group of each node."""
        nodes = self.nodes
        program = make_program(self.problem, nodes, self.used[nodes], np.minimum(self.depth[nodes], TUBE_RANGE_M))
        return GroupedProgram(program, groups.of_nodes(self.problem, nodes))


def _corrections(
    ground: Sequence[_Ground], groups: BalanceGroups, known: KnownParts
) -> tuple[Sequence[GroupedProgram], BalancedCorrections]:
    """Programs with their balanced corrections; ground is added where it lessens them or betters the balance.

    Parameters
    ----------
    ground : sequence of _Ground
        Ground that may be corrected; grows.
    groups : BalanceGroups
        Groups of arrays that are balanced.
    known : dict
        Parts of linear programs that were solved before; grows.
    """
    for _ in range(MAX_ROUNDS):
        programs = [g.program(groups) for g in ground]
        result = Balance(programs, groups.count, groups.shrink, known).corrections()
        total, volume = 0.0, np.zeros(groups.count)
        for p, correction in zip(programs, result.corrections, strict=True):
            moved = np.abs(correction) * p.program.area_m2
            total += float(moved.sum())
            volume += np.bincount(p.group, weights=moved, minlength=groups.count)
        rest = over_tolerance(result.imbalance_m3, volume / 2.0)
        if total <= result.bound_m3 * (1 + SMALL_GAP) and not rest.any():
            break
        more = False
        for g, p, worth in zip(ground, programs, result.worth, strict=True):
            wanted = (worth > 1 + WORTH_MORE) & ~p.program.in_use
            wanted |= rest[p.group] & p.program.in_use
            more |= g.add(g.nodes[wanted])
        if not more:
            break
    return programs, result


def _graded(problem: GradingProblem, nodes: IntArray, correction: FloatArray) -> Grading:
    """Grading of corrections of some nodes, with its tubes."""
    natural = tube_heights(problem.rows, problem.pile_ground, problem.criteria)
    stepped = stepped_tubes(problem, problem.pile_ground, problem.stepped)
    changed = correction != 0
    tube = np.where(np.isnan(stepped), natural, stepped)
    return grade(problem, tube, nodes[changed], correction[changed], 0.0)
