"""Power blocks that are incomplete without what no road reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.layout.model.unreached import Unreached, UnreachedCause
from pacifico.layout.placement.skids import block_loads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.layout.model.assets import Item


def incomplete_blocks(
    items: Sequence[Item], unreached: Mapping[int, Unreached], least_kw: float = 0.0
) -> dict[int, Unreached]:
    """Arrays without their skid and skids with too few arrays, by number.

    Parameters
    ----------
    items : sequence of Item
        Items of a layout.
    unreached : mapping
        Why roads don't reach some of them, by number.
    least_kw : float
        Smallest capacity of a power block beside larger ones [kW].
    """
    skids = {i.block: k for k, i in enumerate(items) if i.kind == "inverter_skid"}
    before_kw, load_kw = block_loads(items), block_loads(i for k, i in enumerate(items) if k not in unreached)
    large = {b for b, kw in load_kw.items() if kw >= least_kw or kw == before_kw[b]}
    out = {}
    for k, item in enumerate(items):
        if k in unreached or item.block < 0:
            continue
        if item.kind == "solar_array" and skids[item.block] in unreached:
            out[k] = _incomplete(f"its inverter skid is not reached: {unreached[skids[item.block]].message}")
        elif item.block not in load_kw:
            out[k] = _incomplete("no array of its power block is reached")
        elif large and item.block not in large:
            out[k] = _incomplete(f"what is reached of its power block is less than {least_kw:,.0f} kW")
    return out


def _incomplete(message: str) -> Unreached:
    """Reason for an item that is useless without the rest of its power block."""
    return Unreached(UnreachedCause.BLOCK_INCOMPLETE, message)
