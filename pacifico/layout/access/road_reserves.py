"""Ground that drafts leave free of arrays for roads: ways out for what they would fence in, and the ways to turbines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiLineString, box

from pacifico.layout.criteria.asset_types import PAD_APRON_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString

    from pacifico.array_types import FloatArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.model.assets import Item

WIDE_M, STEP_M = 16.0, 4.0
"""Width of a way out, a lane's with its turns, or to a turbine, and the distance between the squares that it is covered by."""
OF_ARRAYS = ("solar_array", "inverter_skid")


def others(items: Sequence[Item]) -> list[Item]:
    """What is neither array nor part of its block."""
    return [i for i in items if i.kind not in OF_ARRAYS]


def enclosed_items(items: Sequence[Item], served: ServedLayout) -> list[Item]:
    """Items of a draft, no arrays, to which no road found a way between what stands: arrays, where there are any."""
    if not any(i.kind == "solar_array" for i in served.items):
        return []
    stands = {*served.items, *served.gave}
    shut = {u.kind for u in served.lost if u.reason.startswith("no legal route")}
    return [i for i in others(items) if i not in stands and i.kind in shut]


def exit_strips(fenced: Sequence[Item], served: ServedLayout, items: Sequence[Item]) -> FloatArray:
    """Squares along the shortest way from each fenced item to a road, off all that is to stay, shape (n, 4)."""
    roads = MultiLineString([r.line for r in served.network.roads])
    return _along([shapely.shortest_line(box(*item.rect), roads) for item in fenced], others(items))


def approach_strips(served: ServedLayout) -> FloatArray:
    """Squares along the roads to turbines that are alone on a site, off these, shape (n, 4)."""
    return _along([shapely.force_2d(r.line) for r in served.network.roads], served.items)


def _along(lines: Sequence[LineString], stays: Sequence[Item]) -> FloatArray:
    out = [np.empty((0, 4))]
    for line in lines:
        at = shapely.get_coordinates(shapely.line_interpolate_point(line, np.arange(0.0, line.length + STEP_M, STEP_M)))
        out.append(np.hstack([at - WIDE_M / 2, at + WIDE_M / 2]))
    squares = np.concatenate(out)
    tree = shapely.STRtree([box(*i.rect).buffer(PAD_APRON_M, join_style="mitre") for i in stays])
    hit = tree.query(shapely.box(*squares.T), "intersects")[0]
    return np.asarray(np.delete(squares, np.unique(hit), axis=0))
