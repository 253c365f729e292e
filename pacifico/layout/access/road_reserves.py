"""Ground that drafts keep free of arrays for roads.

Strips lead out of places that arrays would enclose, and along the roads to turbines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiLineString, box

from pacifico.layout.criteria.asset_types import PAD_APRON_M, POWER_BLOCK_KINDS
from pacifico.layout.model.unreached import UnreachedCause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString

    from pacifico.array_types import FloatArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.model.assets import Item

STRIP_WIDTH_M, SQUARE_STEP_M = 16.0, 4.0
"""Width of a strip, a lane with room to turn, and the distance between the squares that cover it [m]."""


def others(items: Sequence[Item]) -> list[Item]:
    """Items that are not part of a power block of arrays."""
    return [i for i in items if i.kind not in POWER_BLOCK_KINDS]


def enclosed_items(items: Sequence[Item], served: ServedLayout) -> list[Item]:
    """Items of a draft that arrays cut off from all roads."""
    if not any(i.kind == "solar_array" for i in served.items):
        return []
    stays = {*served.items, *served.shortened}
    cut_off = {u.kind for u in served.lost if u.cause is UnreachedCause.NO_ROUTE}
    return [i for i in others(items) if i not in stays and i.kind in cut_off]


def exit_strips(enclosed: Sequence[Item], served: ServedLayout, items: Sequence[Item]) -> FloatArray:
    """Squares from enclosed items to the nearest road, shape (n, 4) [m].

    Squares that touch items other than arrays are left out.
    """
    roads = MultiLineString([r.line for r in served.network.roads])
    return _squares_along([shapely.shortest_line(box(*item.rect), roads) for item in enclosed], others(items))


def approach_strips(served: ServedLayout) -> FloatArray:
    """Squares along the roads to turbines, shape (n, 4) [m].

    The layout holds turbines and substations alone.
    """
    return _squares_along([shapely.force_2d(r.line) for r in served.network.roads], served.items)


def _squares_along(lines: Sequence[LineString], fixed: Sequence[Item]) -> FloatArray:
    """Squares along lines, off the pads of items, shape (n, 4) [m]."""
    out = [np.empty((0, 4))]
    for line in lines:
        at = shapely.get_coordinates(
            shapely.line_interpolate_point(line, np.arange(0.0, line.length + SQUARE_STEP_M, SQUARE_STEP_M))
        )
        out.append(np.hstack([at - STRIP_WIDTH_M / 2, at + STRIP_WIDTH_M / 2]))
    squares = np.concatenate(out)
    tree = shapely.STRtree([box(*i.rect).buffer(PAD_APRON_M, join_style="mitre") for i in fixed])
    hit = tree.query(shapely.box(*squares.T), "intersects")[0]
    return np.asarray(np.delete(squares, np.unique(hit), axis=0))
