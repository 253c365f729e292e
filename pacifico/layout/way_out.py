"""Ways out for what arrays fence in: ground that the next draft leaves free of them, so that a road can pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiLineString, box

from pacifico.layout.catalog import PAD_APRON_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.buildable import Floats
    from pacifico.layout.draft import Item
    from pacifico.layout.serve import Served

WIDE_M, STEP_M = 16.0, 4.0
"""Width of a way out, a lane's with its turns, and the distance between the squares that it is covered by."""
OF_ARRAYS = ("solar_array", "inverter_skid")


def others(items: Sequence[Item]) -> list[Item]:
    """What is neither array nor part of its block."""
    return [i for i in items if i.kind not in OF_ARRAYS]


def fenced_in(items: Sequence[Item], served: Served) -> list[Item]:
    """Items of a draft, no arrays, to which no road found a way between what stands: arrays, where there are any."""
    if not any(i.kind == "solar_array" for i in served.items):
        return []
    stands = set(served.items)
    shut = {u.kind for u in served.lost if u.reason.startswith("no legal route")}
    return [i for i in others(items) if i not in stands and i.kind in shut]


def ways_out(fenced: Sequence[Item], served: Served, items: Sequence[Item]) -> Floats:
    """Squares along the shortest way from each fenced item to a road, off all that is to stay, shape (n, 4)."""
    roads = MultiLineString([r.line for r in served.network.roads])
    out = []
    for item in fenced:
        way = shapely.shortest_line(box(*item.rect), roads)
        at = shapely.get_coordinates(shapely.line_interpolate_point(way, np.arange(0.0, way.length + STEP_M, STEP_M)))
        out.append(np.hstack([at - WIDE_M / 2, at + WIDE_M / 2]))
    squares = np.concatenate(out)
    stays = shapely.STRtree([box(*i.rect).buffer(PAD_APRON_M, join_style="mitre") for i in others(items)])
    hit = stays.query(shapely.box(*squares.T), "intersects")[0]
    return np.asarray(np.delete(squares, np.unique(hit), axis=0))
