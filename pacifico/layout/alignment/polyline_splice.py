"""Splicing of polylines: cut them where they run smoothly, and put curves into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

from pacifico.polyline import cumulative_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.alignment.drivable_curves import Curve


NEAR_VERTEX_M = 1.0
"""A line is cut at a vertex instead of this near to it [m]."""
SMOOTH_TURN = 0.25
"""Largest turn of a vertex at which a line is cut [rad]."""
SAME_HEADING = 0.05
"""Headings that differ by less are the same [rad]."""
MIN_TURN, MIN_LEG_M = 1e-3, 0.01
"""Corners that turn less [rad], or whose leg is shorter [m], are dropped."""
CHORD_SPARE_M = 0.3
"""Distance by which chords may come nearer than their arcs [m]."""


@dataclass(frozen=True)
class ChangedLine:
    """Line with a curve spliced in."""

    xy: FloatArray
    """Vertices, arcs as chords [m]."""
    corners: FloatArray
    """Corners before bends are rounded [m]."""
    new: slice
    """Vertices of the curve."""


@dataclass(frozen=True)
class Cut:
    """Place where a line is cut, and the pose of a vehicle there."""

    distance_m: float
    """Distance along the line [m]."""
    pose: FloatArray
    """Easting, northing [m], and heading counterclockwise from east [rad]."""

    @property
    def key(self) -> tuple[float, float]:
        """Distance and heading, to tell cuts apart."""
        return self.distance_m, float(self.pose[2])


def doubles_back(line: ChangedLine, radius_m: float) -> bool:
    """Whether a line comes back to its new part.

    It does where it is nearer than twice the radius to a place 1 to 1.5 half circles before or after.
    """
    run = cumulative_length(line.xy)
    along = np.abs(run[None, :] - run[line.new, None])
    off = line.xy[None, :, :] - line.xy[line.new, None, :]
    apart = np.hypot(off[..., 0], off[..., 1])
    near = apart < 2 * radius_m - CHORD_SPARE_M
    return bool(((along > np.pi * radius_m) & (along < 1.5 * np.pi * radius_m) & near).any())


def heading(a: FloatArray, b: FloatArray) -> float:
    """Heading from a to b, counterclockwise from east [rad]."""
    return float(np.arctan2(b[1] - a[1], b[0] - a[0]))


def turn_between(a: float, b: float) -> float:
    """Turn between headings, anticlockwise, -pi to pi [rad]."""
    return float(np.arctan2(np.sin(b - a), np.cos(b - a)))


def distinct_cuts(cut: Cut, headings: Sequence[float]) -> list[Cut]:
    """Cuts at one place, one per distinct heading."""
    out: list[float] = []
    for h in headings:
        if all(abs(turn_between(h, other)) > SAME_HEADING for other in out):
            out.append(h)
    return [Cut(cut.distance_m, np.array([*cut.pose[:2], h])) for h in out]


def cut_at(line: FloatArray, distance_m: float) -> Cut:
    """Cut near a distance along a line."""
    run = cumulative_length(line)
    if distance_m <= NEAR_VERTEX_M:
        return Cut(0.0, np.array([*line[0], heading(line[0], line[1])]))
    if distance_m >= run[-1] - NEAR_VERTEX_M:
        return Cut(float(run[-1]), np.array([*line[-1], heading(line[-2], line[-1])]))
    k = int(np.searchsorted(run, distance_m)) - 1
    direction = heading(line[k], line[k + 1])
    if min(distance_m - run[k], run[k + 1] - distance_m) >= NEAR_VERTEX_M:
        x, y = line[k] + (line[k + 1] - line[k]) * (distance_m - run[k]) / (run[k + 1] - run[k])
        return Cut(distance_m, np.array([x, y, direction]))
    for v in sorted((k, k + 1), key=lambda v: abs(run[v] - distance_m)):
        if not 0 < v < len(line) - 1:
            continue
        before, after = heading(line[v - 1], line[v]), heading(line[v], line[v + 1])
        if abs(turn_between(before, after)) <= SMOOTH_TURN:
            return Cut(float(run[v]), np.array([*line[v], before + turn_between(before, after) / 2]))
    middle = (run[k] + run[k + 1]) / 2
    return Cut(float(middle), np.array([*(line[k] + line[k + 1]) / 2, direction]))


def spliced(line: FloatArray, start: float, end: float, new: FloatArray) -> FloatArray:
    """Line with new vertices between two distances along it.

    Parameters
    ----------
    line : (n, 2) float
        Vertices [m].
    start, end : float
        Distances along the line between which it is replaced [m].
    new : (k, 2) float
        Vertices from the one place to the other [m].
    """
    run = cumulative_length(line)
    out = np.vstack([line[run < start - 1e-9], new, line[run > end + 1e-9]])
    out[0], out[-1] = line[0], line[-1]
    return np.ascontiguousarray(out)


def corner_distances(line: FloatArray, corners: FloatArray) -> FloatArray:
    """Distances along a line of its original corners [m]."""
    shape = LineString(line)
    at = np.maximum.accumulate(shapely.line_locate_point(shape, shapely.points(corners)))
    at[0], at[-1] = 0.0, shape.length
    return np.asarray(at)


def spliced_corners(corners: FloatArray, at: FloatArray, start: float, end: float, curve: Curve) -> FloatArray:
    """Corners of a line with those of a curve between two distances along it.

    Parameters
    ----------
    corners : (n, 2) float
        Corners before the change [m].
    at : (n,) float
        Distance of each corner along the line [m].
    start, end : float
        Distances between which the curve replaces the line [m].
    curve : Curve
        Curve with its corners.
    """
    out = np.vstack([corners[at < start - 1e-6], curve.corners, corners[at > end + 1e-6]])
    leg = np.diff(out, axis=0)
    out = out[np.concatenate([[True], np.hypot(*leg[:-1].T) > MIN_LEG_M, [True]])]
    leg = np.diff(out, axis=0)
    cross = leg[:-1, 0] * leg[1:, 1] - leg[:-1, 1] * leg[1:, 0]
    keep = np.abs(cross) > MIN_TURN * np.hypot(*leg[:-1].T) * np.hypot(*leg[1:].T)
    return np.ascontiguousarray(out[np.concatenate([[True], keep, [True]])])


def differing_parts(old: FloatArray, new: FloatArray, margin_m: float) -> tuple[FloatArray, FloatArray]:
    """Differing parts of two lines, with a margin [m]."""
    n = min(len(old), len(new))
    apart = (old[:n] != new[:n]).any(axis=1)
    begin = int(np.argmax(apart)) if apart.any() else n
    apart = (old[-n:] != new[-n:]).any(axis=1)[::-1]
    tail = min(int(np.argmax(apart)) if apart.any() else n, n - begin)
    run = cumulative_length(old)
    begin = max(int(np.searchsorted(run, run[max(begin - 1, 0)] - margin_m)) - 1, 0)
    last = run[max(len(old) - tail, 0)] if tail else run[-1]
    tail = max(len(old) - int(np.searchsorted(run, last + margin_m)) - 1, 0)
    return old[begin : len(old) - tail], new[begin : len(new) - tail]
