"""Balanced grading: solutions at several prices of imbalance, and the mix of them with the least volume.

A price on the imbalance of each group leaves the parts of the linear program apart: cut and fill only cost differently.
Solutions at several prices are all feasible, and so is every mix of them. A small linear program finds, part by part, the
cheapest mix that is balanced; its dual solution has the next prices. That is the decomposition of Dantzig and Wolfe (1960).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, eye_array, hstack, vstack

from pacifico.errors import InternalError
from pacifico.layout.racking.grading_lp import EXCESS_M3_PER_M, dual_value, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.racking.grading_lp import GradingProgram, KnownParts

MAX_PRICES = (0.25, 1.1, 2.0)
"""Most grading that a cubic metre of imbalance is worth, in turn until none remains [m³/m³].

Prices start low, as high ones grade all ground there is. Fill alone, of ground that is only cut otherwise, has the price 1;
more than 2 is grading whose only use is the balance.
"""
MAX_SOLVES = 40
"""Most prices that are tried."""
MAX_REPEATS = 8
"""Most mixes that are used again as solutions."""
SMALL_REST = 1e-4
"""Part of the volume below which volume and imbalance aren't improved [-]."""
SMALL_REST_M3 = 0.01
"""Volume below which nothing is improved [m³]."""
LEAST_COST = 1e-6
"""Least cost of cut or fill for a bound [m³/m³]: ground outside the program must not be worth grading."""


@dataclass(frozen=True)
class GroupedProgram:
    """Linear program of grading with the group that each of its nodes is balanced in."""

    program: GradingProgram
    group: IntArray


@dataclass(frozen=True)
class BalancedCorrections:
    """Corrections that balance cut and fill, with the bound of their volume."""

    corrections: tuple[FloatArray, ...]
    """Correction of each node of each program [m]."""
    imbalance_m3: FloatArray
    """Cut x (1 - shrink) - fill of each group [m³]."""
    bound_m3: float
    """Cut plus fill that no balanced grading goes below [m³]."""
    worth: tuple[FloatArray, ...]
    """Price of each node of each program over its cost, at the last prices of imbalance [-]."""


@dataclass(frozen=True)
class _Column:
    """Feasible corrections of all programs, part by part."""

    corrections: tuple[FloatArray, ...]
    excess: FloatArray
    """Sum of what stays outside the window or over limits in each part [m]."""
    cost: FloatArray
    """Cut plus fill, and what the excess counts as, of each part [m³]."""
    imbalance: csr_array
    """Cut x (1 - shrink) - fill, shape (groups, parts) [m³]."""


@dataclass(frozen=True)
class _Mix:
    """Cheapest balanced mix of columns."""

    weights: FloatArray
    """Weight of each column in each part, shape (columns, parts)."""
    prices: FloatArray
    """Price of imbalance of each group [m³/m³]."""
    objective: float
    """Cost, with that of the imbalance that remains [m³]."""
    rest_m3: float
    """Largest imbalance that remains [m³]."""


def _small(rest_m3: float, column: _Column) -> bool:
    """Whether a volume is small beside that of a solution."""
    volume = float((column.cost - EXCESS_M3_PER_M * column.excess).sum())
    return rest_m3 <= SMALL_REST * volume + SMALL_REST_M3


class Balance:
    """Search for balanced corrections.

    Parameters
    ----------
    programs : sequence of GroupedProgram
        Programs with the group of each node, numbered from 0.
    groups : int
        Number of groups.
    shrink : float
        Bank volume lost when cut is compacted as fill [-].
    known : dict
        Parts that were solved before, which aren't solved again; grows.
    """

    def __init__(self, programs: Sequence[GroupedProgram], groups: int, shrink: float, known: KnownParts) -> None:
        self._programs = programs
        self._groups = groups
        self._shrink = shrink
        self._known = known
        self._parts: list[IntArray] = []
        self._bound = -np.inf
        self._worth: tuple[FloatArray, ...] = ()

    def corrections(self) -> BalancedCorrections:
        """Corrections of least volume that balance each group as far as limits allow."""
        column, best = self._solve(np.zeros(self._groups))
        columns, least = [column], column
        for most in MAX_PRICES:
            mix = self._cheapest_mix(columns, most)
            while len(columns) < MAX_SOLVES and not _small(mix.objective - best, least):
                column, value = self._solve(mix.prices)
                columns.append(column)
                best = max(best, value)
                mix = self._cheapest_mix(columns, most)
            if _small(mix.rest_m3, least):
                break
        mixed = self._mixed(columns, mix)
        for _ in range(MAX_REPEATS):
            if _small(float(np.abs(mixed.imbalance.sum(axis=1)).max()), least):
                break
            columns.append(mixed)  # cut of one and fill of another solution at the same node cancel
            mixed = self._mixed(columns, self._cheapest_mix(columns, most))
        bound = self._bound - EXCESS_M3_PER_M * float(mixed.excess.sum())
        return BalancedCorrections(mixed.corrections, mixed.imbalance.sum(axis=1), max(bound, 0.0), self._worth)

    def _unit_costs(self, prices: FloatArray, group: IntArray) -> FloatArray:
        """Cost of fill and of cut at nodes under prices of imbalance [m³/m³]."""
        price = prices[group]
        return np.column_stack([1.0 - price, 1.0 + (1.0 - self._shrink) * price])

    def _solve(self, prices: FloatArray) -> tuple[_Column, float]:
        """Best solution under prices of imbalance, and its objective under them [m³]; improves the bound."""
        corrections, excess, parts, worth, bound, before = [], [], [], [], 0.0, 0
        kept = np.clip(prices, -(1.0 - LEAST_COST) / (1.0 - self._shrink), 1.0 - LEAST_COST)
        for p in self._programs:
            found = solve(p.program, self._known, self._unit_costs(prices, p.group))
            value, price = dual_value(p.program, found.prices, self._unit_costs(kept, p.group))
            corrections.append(found.correction)
            excess.append(found.excess_of)
            parts.append(np.where(found.part >= 0, found.part + before, -1))
            worth.append(price)
            bound += value
            before += len(found.excess_of)
        self._parts = parts
        self._bound, self._worth = max(self._bound, bound), tuple(worth)
        column = self._column(corrections, np.concatenate([np.zeros(0), *excess]))
        return column, float(column.cost.sum() + prices @ column.imbalance.sum(axis=1))

    def _column(self, corrections: Sequence[FloatArray], excess: FloatArray) -> _Column:
        """Column of some corrections."""
        cost = EXCESS_M3_PER_M * excess
        rows, columns, data = [], [], []
        for p, part, correction in zip(self._programs, self._parts, corrections, strict=True):
            used = np.flatnonzero(correction)
            volume = correction[used] * p.program.area_m2
            cost += np.bincount(part[used], weights=np.abs(volume), minlength=len(cost))
            rows.append(p.group[used])
            columns.append(part[used])
            data.append(np.where(volume < 0, -(1.0 - self._shrink) * volume, -volume))
        entries = np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))
        imbalance = coo_array(entries, shape=(self._groups, len(cost))).tocsr()
        return _Column(tuple(corrections), excess, cost, imbalance)

    def _cheapest_mix(self, columns: Sequence[_Column], price: float) -> _Mix:
        """Cheapest mix of columns; imbalance that remains has a price [m³/m³]."""
        parts, groups = len(columns[0].cost), self._groups
        eye = eye_array(groups)
        balance = hstack([*(c.imbalance for c in columns), -eye, eye])
        whole = hstack([*[eye_array(parts)] * len(columns), csr_array((parts, 2 * groups))])
        found = linprog(
            np.concatenate([*(c.cost for c in columns), np.full(2 * groups, price)]),
            A_eq=vstack([balance, whole], format="csc"),
            b_eq=np.concatenate([np.zeros(groups), np.ones(parts)]),
            method="highs",
        )
        if found.x is None:
            raise InternalError(f"the linear program of balance has no solution: {found.message}")
        weights = found.x[: len(columns) * parts].reshape(len(columns), parts)
        rest = found.x[len(columns) * parts :]
        return _Mix(weights / weights.sum(axis=0), -found.eqlin.marginals[:groups], float(found.fun), float(rest.max()))

    def _mixed(self, columns: Sequence[_Column], mix: _Mix) -> _Column:
        """Column that mixes others."""
        excess = np.sum([w * c.excess for w, c in zip(mix.weights, columns, strict=True)], axis=0)
        corrections = []
        for k, part in enumerate(self._parts):
            weights = np.where(part >= 0, mix.weights[:, part], 0.0)
            found = np.sum([w * c.corrections[k] for w, c in zip(weights, columns, strict=True)], axis=0)
            corrections.append(np.where(np.abs(found) < 1e-7, 0.0, found))
        return self._column(corrections, excess)
