"""Short dead ends beside a junction, extended so that a vehicle can back into them and turn.

::

      ----+----+----        ----+----+----
          |            ->       |
                                |  arm (60 ft)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from shapely import LineString, MultiLineString, Point

from pacifico.layout.roads.scene import JOINED_M, Scene, point_before_end, straight_piece
from pacifico.layout.roads.shorten_arrays import SPARE_M
from pacifico.polyline import length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.routing.shortenable import ShortenableObstacles

LEAST_M = 3.0
"""Shortest extension that is built: a shorter one is within the width of the road that is left [m]."""
MAX_UNITS = 3
"""Most units that arrays lose for one extension."""


def extend_short_ends(
    scene: Scene, ends: Sequence[int], shortenable: ShortenableObstacles
) -> tuple[list[FloatArray], ShortenableObstacles]:
    """Extensions of short dead ends, and obstacles shortened for them.

    A dead end stays short where there is no room straight on.

    Parameters
    ----------
    scene : Scene
        Surroundings; its roads lead from junction to junction or to a dead end.
    ends : sequence of int
        Roads with a dead end, which start at a junction.
    shortenable : ShortenableObstacles
        Obstacles as they are now.
    """
    out: list[FloatArray] = []
    for c in ends:
        if scene.criteria.turnaround_arm_m - length(scene.roads.xyz[c]) < LEAST_M:
            continue
        piece, shorter = _extension(scene, c), shortenable
        if piece is None and len(shortenable.table.terminal):
            shorter = _shortened(scene, c, shortenable)
            piece = _extension(replace(scene, road_grid=shorter.road_grid()), c)
        if piece is not None:
            shortenable = shorter
            scene = replace(scene, road_grid=shortenable.road_grid()).with_built([piece])
            out.append(piece)
    return out, shortenable


def _step(scene: Scene, road: FloatArray) -> FloatArray:
    """Step straight on from a dead end that makes it as long as an arm [m]."""
    whole = length(road)
    last = road[-1, :2] - point_before_end(road, min(whole, scene.criteria.width_m))
    step: FloatArray = last / np.hypot(*last) * (scene.criteria.turnaround_arm_m - whole)
    return step


def _extension(scene: Scene, c: int) -> FloatArray | None:
    """Piece that makes a dead end as long as an arm; None without room."""
    road = scene.roads.xyz[c]
    junction, others = Point(road[0, :2]), scene.near(road[-1, :2], c)
    apart = [o for o in others if o.distance(junction) > JOINED_M]
    piece = straight_piece(scene, road, road[-1], _step(scene, road), apart)
    if piece is None:
        return None
    # roads that leave the same junction come near, but the strips must part before the end
    added, tip = LineString(piece[:, :2]), Point(piece[-1, :2])
    for other in others:
        if added.distance(other) < JOINED_M or tip.distance(other) < scene.criteria.width_m:
            return None
    return piece


def _shortened(scene: Scene, c: int, shortenable: ShortenableObstacles) -> ShortenableObstacles:
    """Obstacles with few units removed for an extension; unchanged where it takes more."""
    road = scene.roads.xyz[c]
    ahead = LineString([road[-1, :2], road[-1, :2] + _step(scene, road)])
    others = scene.near(road[-1, :2], c)
    roads = MultiLineString([np.asarray(line.coords)[:, :2] for line in (LineString(road), *others)])
    shorter = shortenable.shortened_for(ahead, scene.road_grid.clearance_index.radius + SPARE_M, roads)
    few = shorter.removed_units - shortenable.removed_units <= MAX_UNITS
    return shorter if few and shorter.removed_terminals == shortenable.removed_terminals else shortenable
