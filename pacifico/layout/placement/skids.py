"""Ratings of inverter skids, and the capacity that they have left for more arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.assets import Item

ROUNDING = 1e-6
"""Part of a module that is rounding."""
SMALL_SKIDS_KVA = (150.0, 300.0, 500.0)
"""Ratings of skids smaller than one module, for string inverters on a pad-mounted transformer [kVA].

Standard ratings of IEEE C57.12.34.
"""


def least_block_kw(spec: Spec) -> float:
    """Smallest AC capacity that is worth an inverter skid [kW]."""
    module_kva = spec.number("inverter_skid", "rating_kva") / spec.number("inverter_skid", "modules")
    return spec.number("inverter_skid", "min_load_pct") / 100 * module_kva


def block_loads(items: Iterable[Item]) -> dict[int, float]:
    """AC capacity of the arrays of each power block [kW]."""
    out: dict[int, float] = {}
    for i in items:
        if i.kind == "solar_array":
            out[i.block] = out.get(i.block, 0.0) + i.capacity_kw
    return out


def with_sized_skids(items: Sequence[Item], spec: Spec) -> tuple[Item, ...]:
    """Items whose inverter skids are as large as their arrays need."""
    load_kw = block_loads(items)
    return tuple(
        replace(i, rating_kva=skid_rating(load_kw.get(i.block, 0.0), spec)) if i.kind == "inverter_skid" else i
        for i in items
    )


def skid_rating(load_kw: float, spec: Spec) -> float:
    """Rating of the smallest skid that carries a load [kVA]."""
    largest, modules = spec.number("inverter_skid", "rating_kva"), int(spec.number("inverter_skid", "modules"))
    module_kva = largest / modules
    small = [kva for kva in SMALL_SKIDS_KVA if load_kw <= kva < module_kva]
    if small:
        return small[0]
    count = math.ceil(load_kw / module_kva - ROUNDING)
    return module_kva * min(max(count, 1), modules)


@dataclass
class SkidCapacity:
    """Inverter skids of a layout and the capacity that each has left."""

    blocks: IntArray
    """Power block of each skid."""
    centres: FloatArray
    """Centre of each skid, shape (n, 2) [m]."""
    left_kw: dict[int, float]
    """Capacity left in each power block [kW]."""

    @classmethod
    def of(cls, items: Sequence[Item], rating_kva: float) -> SkidCapacity:
        """Skids among some items, less the arrays that they serve."""
        skids = [i for i in items if i.kind == "inverter_skid"]
        out = cls(
            np.array([i.block for i in skids], dtype=np.int64),
            np.array([i.centre for i in skids]).reshape(-1, 2),
            {i.block: rating_kva for i in skids},
        )
        for i in items:
            if i.block in out.left_kw:
                out.take(i)
        return out

    def take(self, item: Item) -> None:
        """Use capacity of an item's power block for it."""
        self.left_kw[item.block] -= item.capacity_kw

    def nearest(self, x: float, y: float) -> list[int]:
        """Power blocks whose skid is within reach of a place, nearest first."""
        distance = np.hypot(*(self.centres - (x, y)).T)
        near = np.flatnonzero(distance <= BLOCK_REACH_M)
        blocks: list[int] = self.blocks[near[np.lexsort((self.blocks[near], distance[near]))]].tolist()
        return blocks

    def block_for(self, rect: FloatArray, kw: float) -> int | None:
        """Power block of the nearest skid with capacity, or None.

        Parameters
        ----------
        rect : (4,) float
            West, south, east, north of the array [m].
        kw : float
            Its capacity [kW].
        """
        x, y = (rect[:2] + rect[2:]) / 2
        return next((block for block in self.nearest(x, y) if self.left_kw[block] >= kw), None)
