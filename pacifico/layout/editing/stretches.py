"""Stretches of roads that stay when a zone cuts them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

from pacifico.layout.editing.road_graph import SLACK_M
from pacifico.layout.model.roads import make_road

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray
    from pacifico.layout.editing.road_graph import RoadConstraints, RoadGraph, RoadTarget
    from pacifico.layout.model.roads import Road


@dataclass(frozen=True)
class Detour:
    """Ground to lead roads around, and the assets to serve."""

    area: BaseGeometry
    """Ground of the zone, its buffer included."""
    targets: Mapping[str, RoadTarget]
    """Every asset, by asset_id."""
    constraints: RoadConstraints


def split_by(roads: RoadGraph, area: BaseGeometry) -> tuple[list[Road], list[Road]]:
    """Roads clear of an area, and roads on it."""
    distance = shapely.distance(roads.lines, area)
    on_area = distance < np.array([r.width_m / 2 for r in roads.roads])
    clear = [r for r, on in zip(roads.roads, on_area, strict=True) if not on]
    return clear, [r for r, on in zip(roads.roads, on_area, strict=True) if on]


@dataclass(frozen=True)
class _Run:
    """Stretch of a road clear of an area."""

    road: Road
    xyz: FloatArray
    cut_at_start: bool
    cut_at_end: bool


def pieces_clear_of(
    roads: RoadGraph, cut: Sequence[Road], detour: Detour, served: Mapping[str, str], first_number: int
) -> list[Road]:
    """Clear stretches of cut roads, shortened to where they are needed.

    Parameters
    ----------
    roads : RoadGraph
        Roads before.
    cut : sequence of Road
        Those on the area.
    detour : Detour
        Ground to avoid and assets to serve.
    served : mapping
        Road that serves each asset before.
    first_number : int
        Number of the first stretch.
    """
    runs = [run for road in cut for run in _clear_runs(road, detour.area)]
    cut_ids = {r.road_id for r in cut}
    joints = Counter((x, y) for r in roads.roads if r.road_id not in cut_ids for x, y, _ in r.line.coords)
    joints.update({(x, y) for run in runs for x, y in run.xyz[:, :2].tolist()})
    joints.update(dict.fromkeys(roads.entries, 2))
    stops = _stops(runs, detour, served)
    found: list[Road] = []
    for k, run in enumerate(runs):
        at = stops[k] | {i for i, (x, y) in enumerate(run.xyz[:, :2].tolist()) if joints[x, y] > 1}
        if not at:
            continue
        first = min(at) if run.cut_at_start else 0
        last = max(at) if run.cut_at_end else len(run.xyz) - 1
        if last > first:
            found.append(road_like(run.road, first_number + len(found), run.xyz[first : last + 1]))
    return found


def _stops(runs: Sequence[_Run], detour: Detour, served: Mapping[str, str]) -> list[set[int]]:
    """Vertices of each stretch between which it serves an asset."""
    stops: list[set[int]] = [set() for _ in runs]
    lines = np.array([LineString(run.xyz) for run in runs], dtype=object)
    for asset_id, road_id in served.items():
        own = [k for k, run in enumerate(runs) if run.road.road_id == road_id]
        if own:
            target = detour.targets[asset_id]
            distance = shapely.distance(lines[own], target.footprint)
            if distance.min() <= target.reach_m - SLACK_M:
                k = own[int(np.argmin(distance))]
                stops[k] |= _around(runs[k].xyz, lines[k], target)
    return stops


def _clear_runs(road: Road, area: BaseGeometry) -> list[_Run]:
    """Stretches of a road clear of an area."""
    xyz = shapely.get_coordinates(road.line, include_z=True)
    steps = shapely.linestrings(np.stack([xyz[:-1, :2], xyz[1:, :2]], axis=1))
    clear = np.atleast_1d(shapely.distance(steps, area) >= road.width_m / 2)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], clear, [False]]).astype(np.int8)))
    return [
        _Run(road, xyz[a : b + 1], bool(a > 0), bool(b < len(clear)))
        for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]


def _around(xyz: FloatArray, line: LineString, target: RoadTarget) -> set[int]:
    """Vertices around the point of a line nearest to an asset."""
    at = line.project(shapely.shortest_line(line, target.footprint).boundary.geoms[0]) if line.length else 0.0
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))])
    k = int(np.clip(np.searchsorted(along, at), 1, len(xyz) - 1))
    return {k - 1, k}


def road_like(road: Road, number: int, xyz: FloatArray) -> Road:
    """New road with the class and width of another."""
    return make_road(f"R{number:03d}", road.road_class, xyz, road.width_m)
