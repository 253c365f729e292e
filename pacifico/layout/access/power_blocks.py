"""Power blocks that are incomplete without what no road reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.layout.model.unreached import Unreached, UnreachedCause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.layout.model.assets import Item


def incomplete_blocks(items: Sequence[Item], unreached: Mapping[int, Unreached]) -> dict[int, Unreached]:
    """Arrays without their skid and skids without any array, by number.

    Parameters
    ----------
    items : sequence of Item
        Items of a layout.
    unreached : mapping
        Why roads don't reach some of them, by number.
    """
    skids = {i.block: k for k, i in enumerate(items) if i.kind == "inverter_skid"}
    blocks = {i.block for k, i in enumerate(items) if i.kind == "solar_array" and k not in unreached}
    out = {}
    for k, item in enumerate(items):
        if k in unreached or item.block < 0:
            continue
        if item.kind == "solar_array" and skids[item.block] in unreached:
            out[k] = _incomplete(f"its inverter skid is not reached: {unreached[skids[item.block]].message}")
        elif item.kind == "inverter_skid" and item.block not in blocks:
            out[k] = _incomplete("no array of its power block is reached")
    return out


def _incomplete(message: str) -> Unreached:
    """Reason for an item that is useless without the rest of its power block."""
    return Unreached(UnreachedCause.BLOCK_INCOMPLETE, message)
