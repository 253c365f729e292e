"""Take the units off arrays that had to give room to roads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pacifico.layout.placement.draft import of_units, unit_of, units_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.layout.criteria.asset_types import SolarUnit
    from pacifico.layout.model.assets import Item
    from pacifico.layout.model.roads import Network


def remove_units(array: Item, unit: SolarUnit, west: int, east: int) -> Item:
    """Array with units removed at its ends.

    Parameters
    ----------
    array : Item
        Solar array.
    unit : SolarUnit
        Unit that it is made of.
    west, east : int
        Units to remove at each end.
    """
    x0, y0, x1, y1 = array.rect
    rect = (x0 + west * unit.pitch_x_m, y0, x1 - east * unit.pitch_x_m, y1)
    return of_units(array, rect, units_of(array, unit) - west - east, unit)


def removed_rect(item: Item, removed: tuple[int, int], units: Sequence[SolarUnit]) -> tuple[float, float, float, float]:
    """Rectangle that an item frees at one of its ends.

    If units are removed at both ends it is the whole pad.

    Parameters
    ----------
    item : Item
        Item at its full length.
    removed : (int, int)
        Units removed in the west and in the east.
    units : sequence of SolarUnit
        Units that arrays may be made of.
    """
    unit = unit_of(item, units)
    west, east = removed
    x0, south, x1, north = item.rect
    if unit is None or (west and east):
        return item.pad_rect
    x0, x1 = (x0, x0 + west * unit.pitch_x_m) if west else (x1 - east * unit.pitch_x_m, x1)
    return max(x0, item.rect[0]), south, min(x1, item.rect[2]), north


def shorten_items(items: Sequence[Item], network: Network, units: Sequence[SolarUnit]) -> tuple[list[Item], Network]:
    """Items and network without the units that roads removed.

    Skids whose arrays are all removed go too.
    """
    left = _shortened(items, network.removed_units, units)
    blocks = {i.block for i in items if i.kind == "solar_array"}
    blocks -= {i.block for i in left.values() if i.kind == "solar_array"}
    out: list[Item] = []
    served: dict[int, str] = {}
    for k, item in left.items():
        if item.kind == "inverter_skid" and item.block in blocks:
            continue
        served[len(out)] = network.served[k]
        out.append(item)
    return out, replace(network, served=served, removed_units={})


def _shortened(
    items: Sequence[Item], removed_units: Mapping[int, tuple[int, int]], units: Sequence[SolarUnit]
) -> dict[int, Item]:
    """Items that are left, shortened, by number."""
    out: dict[int, Item] = {}
    for k, item in enumerate(items):
        unit = unit_of(item, units)
        west, east = removed_units.get(k, (0, 0))
        if not west + east:
            out[k] = item
        elif unit is not None and units_of(item, unit) - west - east >= unit.least_units:
            out[k] = remove_units(item, unit, west, east)
    return out
