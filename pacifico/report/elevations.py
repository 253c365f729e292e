"""Design heights of a stored layout against the ground."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.grid import Ground

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.array_types import FloatArray
    from pacifico.layout.files.stored import StoredLayout


def height_change(
    layout: StoredLayout, dem: xr.DataArray, *, step_m: float = 3.0
) -> list[tuple[FloatArray, FloatArray]]:
    """Design minus ground, sampled under each pad and along each road.

    Parameters
    ----------
    layout : StoredLayout
        Layout with pads and roads.
    dem : DataArray
        Ground.
    step_m : float
        Spacing of the samples [m].

    Returns
    -------
    list of (xy, dz)
        Points, shape (n, 2), and height differences, shape (n,) [m]. Points at nodata are left out.
    """
    ground = Ground.finest_of(dem)
    changes = []
    for pad in layout.of_kind("pad"):
        west, south, east, north = pad.geometry.bounds
        x, y = np.meshgrid(_samples(west, east, step_m), _samples(south, north, step_m))
        inside = shapely.contains_xy(pad.geometry, x, y)
        x, y = x[inside], y[inside]
        centre = pad.geometry.centroid
        design = pad["elevation_m"] + pad["grade_east"] * (x - centre.x) + pad["grade_north"] * (y - centre.y)
        changes.append((np.column_stack([x, y]), design - ground.at(x, y)))
    for road in layout.of_kind("road"):
        line = densified(shapely.get_coordinates(road.geometry, include_z=True), step_m)
        half = 0.5 * float(road["width_m"])
        along = np.gradient(line[:, :2], axis=0)
        across = np.column_stack([-along[:, 1], along[:, 0]]) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
        for offset in _samples(-half, half, step_m):
            xy = line[:, :2] + offset * across
            changes.append((xy, line[:, 2] - ground.at(xy[:, 0], xy[:, 1])))
    return [(xy[np.isfinite(dz)], dz[np.isfinite(dz)]) for xy, dz in changes]


def _samples(low: float, high: float, step: float) -> FloatArray:
    """Midpoints of equal pieces that are no longer than a step."""
    count = max(int(np.ceil((high - low) / step)), 1)
    return low + (high - low) * (np.arange(count) + 0.5) / count


@dataclass(frozen=True)
class RoadProfile:
    """Ground and design heights along a route through the roads."""

    station_m: FloatArray
    """Distance from the entry [m]."""
    design_m: FloatArray
    """Design height [m]."""
    ground_m: FloatArray
    """Ground under the centreline [m], NaN at nodata."""
    grade_pct: FloatArray
    """Grade between two stations, positive uphill from the entry [%]; one fewer than the stations."""


def farthest_route(layout: StoredLayout) -> FloatArray:
    """Route from the entry to the farthest road vertex, shape (n, 3).

    It is the shortest one there [m]. The shape is (0, 3) without roads.
    """
    links: dict[tuple[float, float], dict[tuple[float, float], float]] = {}
    heights: dict[tuple[float, float], float] = {}
    for road in layout.of_kind("road"):
        xyz = shapely.get_coordinates(road.geometry, include_z=True)
        keys = [(round(float(x), 3), round(float(y), 3)) for x, y, _ in xyz]
        heights.update(zip(keys, (float(z) for z in xyz[:, 2]), strict=True))
        for a, b in itertools.pairwise(keys):
            length = float(np.hypot(a[0] - b[0], a[1] - b[1]))
            links.setdefault(a, {})[b] = length
            links.setdefault(b, {})[a] = length
    entries = layout.of_kind("entry")
    if not links or not entries:
        return np.empty((0, 3))
    x, y = shapely.get_coordinates(entries[0].geometry)[0]
    start = min(links, key=lambda p: (np.hypot(p[0] - x, p[1] - y), p))
    distance, before = {start: 0.0}, {start: start}
    queue = [(0.0, start)]
    while queue:
        length_m, at = heapq.heappop(queue)
        if length_m > distance[at]:
            continue
        for to, length in sorted(links[at].items()):
            if length_m + length < distance.get(to, np.inf):
                distance[to], before[to] = length_m + length, at
                heapq.heappush(queue, (length_m + length, to))
    end = max(distance, key=lambda p: (distance[p], p))
    route = [end]
    while route[-1] != start:
        route.append(before[route[-1]])
    return np.array([(x, y, heights[x, y]) for x, y in reversed(route)])


def road_profile(layout: StoredLayout, dem: xr.DataArray) -> RoadProfile | None:
    """Profile of the route to the farthest road vertex; None without roads."""
    route = farthest_route(layout)
    if len(route) < 2:
        return None
    line = densified(route, 2.0)
    station = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line[:, :2], axis=0).T))])
    ground = Ground.finest_of(dem).at(line[:, 0], line[:, 1])
    return RoadProfile(station, line[:, 2], ground, 100 * np.diff(line[:, 2]) / np.diff(station))


def densified(xyz: FloatArray, step: float) -> FloatArray:
    """Line with points at most a step apart [m].

    All vertices stay, and heights between them are interpolated.
    """
    pieces = [xyz[:1]]
    for a, b in itertools.pairwise(xyz):
        length = float(np.hypot(*(b - a)[:2]))
        if length < 1e-6:
            continue
        count = max(int(np.ceil(length / step)), 1)
        pieces.append(a + (b - a) * (np.arange(1, count + 1) / count)[:, None])
    return np.concatenate(pieces)
