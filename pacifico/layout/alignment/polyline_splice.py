"""Cut polylines where they run smoothly, and splice curves into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.alignment.drivable_curves import Curve


APART_M = 1.0
"""A line is cut at a vertex instead of nearer than this to it [m]."""
TANGENT = 0.25
"""A vertex with a larger turn is not cut [rad]."""
SAME = 0.05
"""Directions that differ by less are the same [rad]."""
ALONG, ALONG_M = 1e-3, 0.01
"""Corners that turn less [rad], or lie nearer to the next [m], are dropped."""
NECK_M = 0.3
"""Tolerance for chords, which come nearer than their arcs [m]."""


@dataclass(frozen=True)
class Change:
    """A changed line."""

    xy: FloatArray
    straight: FloatArray
    fresh: slice
    """Indices of its new vertices."""


@dataclass(frozen=True)
class Cut:
    """An end of a stretch to replace: distance along the line, and the pose there."""

    run: float
    pose: FloatArray

    @property
    def key(self) -> tuple[float, float]:
        """Distance and direction."""
        return self.run, float(self.pose[2])


def run_of(line: FloatArray) -> FloatArray:
    """Distance of each vertex from the start [m]."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def returns(change: Change, size: float) -> bool:
    """Whether a line returns to its new part: within twice its radius, within one and a half half-circles."""
    run, new = run_of(change.xy), change.fresh
    far = np.abs(run[None, :] - run[new, None])
    off = change.xy[None, :, :] - change.xy[new, None, :]
    apart = np.hypot(off[..., 0], off[..., 1])
    return bool(((far > np.pi * size) & (far < 1.5 * np.pi * size) & (apart < 2 * size - NECK_M)).any())


def heading(a: FloatArray, b: FloatArray) -> float:
    """Direction from a to b, anticlockwise from east [rad]."""
    return float(np.arctan2(b[1] - a[1], b[0] - a[0]))


def turned(a: float, b: float) -> float:
    """Turn from one direction to another, anticlockwise [rad]."""
    return float(np.arctan2(np.sin(b - a), np.cos(b - a)))


def various(headings: Sequence[float], cut: Cut) -> list[Cut]:
    """Cuts at one place in distinct directions."""
    out: list[float] = []
    for h in headings:
        if all(abs(turned(h, other)) > SAME for other in out):
            out.append(h)
    return [Cut(cut.run, np.array([*cut.pose[:2], h])) for h in out]


def cut_at(line: FloatArray, run: float) -> Cut:
    """Place to cut a line near a distance along it: inside a leg, or at a nearly straight vertex."""
    runs = run_of(line)
    if run <= APART_M:
        return Cut(0.0, np.array([*line[0], heading(line[0], line[1])]))
    if run >= runs[-1] - APART_M:
        return Cut(float(runs[-1]), np.array([*line[-1], heading(line[-2], line[-1])]))
    k = int(np.searchsorted(runs, run)) - 1
    way = heading(line[k], line[k + 1])
    if min(run - runs[k], runs[k + 1] - run) >= APART_M:
        x, y = line[k] + (line[k + 1] - line[k]) * (run - runs[k]) / (runs[k + 1] - runs[k])
        return Cut(run, np.array([x, y, way]))
    for v in sorted((k, k + 1), key=lambda v: abs(runs[v] - run)):
        if not 0 < v < len(line) - 1:
            continue
        before, after = heading(line[v - 1], line[v]), heading(line[v], line[v + 1])
        if abs(turned(before, after)) <= TANGENT:
            return Cut(float(runs[v]), np.array([*line[v], before + turned(before, after) / 2]))
    middle = (runs[k] + runs[k + 1]) / 2
    return Cut(float(middle), np.array([*(line[k] + line[k + 1]) / 2, way]))


def spliced(line: FloatArray, start: float, end: float, new: FloatArray) -> FloatArray:
    """Line with the part between two distances replaced."""
    runs = run_of(line)
    out = np.vstack([line[runs < start - 1e-9], new, line[runs > end + 1e-9]])
    out[0], out[-1] = line[0], line[-1]
    return np.ascontiguousarray(out)


def places_on(line: FloatArray, straight: FloatArray) -> FloatArray:
    """Distances along a line of its original corners [m]."""
    shape = LineString(line)
    at = np.maximum.accumulate(shapely.line_locate_point(shape, shapely.points(straight)))
    at[0], at[-1] = 0.0, shape.length
    return np.asarray(at)


def straightened(straight: FloatArray, at: FloatArray, start: float, end: float, curve: Curve) -> FloatArray:
    """Corners of a line, with those of a curve in place of the replaced part."""
    out = np.vstack([straight[at < start - 1e-6], curve.corners, straight[at > end + 1e-6]])
    leg = np.diff(out, axis=0)
    out = out[np.concatenate([[True], np.hypot(*leg[:-1].T) > ALONG_M, [True]])]
    leg = np.diff(out, axis=0)
    bent = leg[:-1, 0] * leg[1:, 1] - leg[:-1, 1] * leg[1:, 0]
    keep = np.abs(bent) > ALONG * np.hypot(*leg[:-1].T) * np.hypot(*leg[1:].T)
    return np.ascontiguousarray(out[np.concatenate([[True], keep, [True]])])


def differing(old: FloatArray, new: FloatArray, about_m: float) -> tuple[FloatArray, FloatArray]:
    """Parts of two lines around the stretch where they differ."""
    n = min(len(old), len(new))
    apart = (old[:n] != new[:n]).any(axis=1)
    begin = int(np.argmax(apart)) if apart.any() else n
    apart = (old[-n:] != new[-n:]).any(axis=1)[::-1]
    tail = min(int(np.argmax(apart)) if apart.any() else n, n - begin)
    run = run_of(old)
    begin = max(int(np.searchsorted(run, run[max(begin - 1, 0)] - about_m)) - 1, 0)
    last = run[max(len(old) - tail, 0)] if tail else run[-1]
    tail = max(len(old) - int(np.searchsorted(run, last + about_m)) - 1, 0)
    return old[begin : len(old) - tail], new[begin : len(new) - tail]
