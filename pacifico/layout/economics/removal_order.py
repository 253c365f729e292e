"""Order in which units would be left out, the dearest branch first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pacifico.array_types import BoolArray, FloatArray
    from pacifico.layout.economics.civil_costs import CivilWorks


@dataclass(frozen=True)
class Removal:
    """Units that are left out together, and what goes with them."""

    units: tuple[int, ...]
    """Indices of the units."""
    kw: float
    """Their capacity [kW]."""
    usd: float
    """Civil works that no remaining unit needs [USD]."""

    @property
    def usd_per_kw(self) -> float:
        """Marginal cost of their capacity [USD/kW]."""
        return self.usd / self.kw

    @classmethod
    def of_rest(cls, works: CivilWorks, removals: Sequence[Removal]) -> Removal:
        """Units that remain after some removals, with all works that they need.

        Parameters
        ----------
        works : CivilWorks
            Civil works of the plan.
        removals : sequence of Removal
            What is left out.
        """
        gone = {u for removal in removals for u in removal.units}
        left = tuple(k for k in range(len(works.units)) if k not in gone)
        return cls(left, sum(works.units[k].kw for k in left), works.usd - sum(r.usd for r in removals))


def removal_order(works: CivilWorks) -> Iterator[Removal]:
    """Removals until one unit remains, the dearest first.

    Each takes the branch or unit with the largest cost per kW of what goes away with it; the costs of the others are
    then found again. The order depends on no limit: a higher limit only ends it earlier.

    Parameters
    ----------
    works : CivilWorks
        Civil works of a plan.
    """
    count = len(works.units)
    needs, usd = _table([p.needs for p in works.parts], count), np.array([p.usd for p in works.parts])
    kw = np.array([u.kw for u in works.units])
    branches = _branches(works, count)
    alive = np.ones(count, dtype=bool)
    # units that need a part and are not on a branch: where there are none, the part goes with the branch
    others = needs.astype(np.int32) @ (~branches).T.astype(np.int32)
    while alive.sum() > 1:
        best = _dearest(branches, alive, kw, np.where(needs[:, alive].any(axis=1), usd, 0.0), others)
        gone = branches[best] & alive
        part_cost = usd[needs[:, alive].any(axis=1) & (others[:, best] == 0)]
        yield Removal(tuple(np.flatnonzero(gone).tolist()), float(kw[gone].sum()), float(part_cost.sum()))
        others -= needs[:, gone].astype(np.int32) @ (~branches[:, gone]).T.astype(np.int32)
        alive &= ~gone
        keep = (branches & alive).any(axis=1)
        branches, others = branches[keep], others[:, keep]


def _dearest(branches: BoolArray, alive: BoolArray, kw: FloatArray, usd: FloatArray, others: np.ndarray) -> int:
    """Branch with the largest cost per kW, of those that leave a unit.

    Parameters
    ----------
    branches : (b, n) bool
        Units of each branch.
    alive : (n,) bool
        Units that remain.
    kw : (n,) float
        Capacity of each unit [kW].
    usd : (p,) float
        Cost of each part that is still needed [USD].
    others : (p, b) int
        Remaining units that need each part and are not on each branch.
    """
    on = branches & alive
    cost = usd @ (others == 0)
    able = on.any(axis=1) & (on.sum(axis=1) < alive.sum())
    return int(np.argmax(np.where(able, cost / np.maximum(on @ kw, 1e-9), -np.inf)))


def _branches(works: CivilWorks, count: int) -> BoolArray:
    """Units of each branch.

    A branch is what a road or cable serves, unless all need it, and each unit alone.
    """
    everything = (1 << count) - 1
    masks = {p.needs for p in works.parts} | {1 << k for k in range(count)}
    return _table(sorted(masks - {0, everything} if count > 1 else masks), count)


def _table(masks: Sequence[int], count: int) -> BoolArray:
    """Bits of integers as rows of a table."""
    return np.array([[mask >> k & 1 for k in range(count)] for mask in masks], dtype=bool).reshape(-1, count)
