"""Straights and arcs of a road's centreline, recovered from its vertices.

Layouts store centrelines as polylines: arcs are drawn as short chords. Road design programs want the arcs themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray

TOLERANCE_M = 0.01
"""Largest distance of a vertex from its straight or arc [m]; stored coordinates are rounded to about 1 mm."""
LARGEST_RADIUS_M = 1000.0
"""Largest radius of an arc [m]; flatter runs of vertices are straights within the tolerance, or chords."""
LARGEST_STEP_RAD = 0.5
"""Largest turn between two chords of one arc [rad]; engines draw arcs in steps of about 0.19."""
FEWEST_CHORDS = 3
"""Chords from which a run counts as an arc: any two chords lie on some circle."""


@dataclass(frozen=True)
class Element:
    """Straight or arc of an alignment."""

    first: int
    """Index of its first vertex."""
    last: int
    """Index of its last vertex."""
    length_m: float
    """Length along the element [m]."""
    centre: tuple[float, float] | None = None
    """Centre of an arc in the working CRS [m]; None for a straight."""
    radius_m: float = 0.0
    """Radius of an arc [m]; 0 for a straight."""
    clockwise: bool = False
    """Whether an arc turns right."""


def alignment_elements(xy: FloatArray) -> list[Element]:
    """Straights and arcs through the vertices of a centreline.

    Every vertex lies within `TOLERANCE_M` of its element, and elements start and end at vertices.

    Parameters
    ----------
    xy : (n, 2) float
        Vertices in the working CRS [m]; no two in a row are the same.
    """
    elements: list[Element] = []
    at, last = 0, len(xy) - 1
    while at < last:
        straight_to, arc = _straight_end(xy, at), _longest_arc(xy, at)
        if arc is not None and arc.last > straight_to:
            elements.append(arc)
        else:
            length = float(np.hypot(*(xy[straight_to] - xy[at])))
            elements.append(Element(at, straight_to, length))
        at = elements[-1].last
    return elements


def stations_of_vertices(xy: FloatArray, elements: list[Element]) -> FloatArray:
    """Station of each vertex along straights and arcs [m].

    Parameters
    ----------
    xy : (n, 2) float
        Vertices in the working CRS [m].
    elements : list of Element
        Elements through the vertices.
    """
    stations = np.zeros(len(xy))
    for e in elements:
        legs = np.hypot(*np.diff(xy[e.first : e.last + 1], axis=0).T)
        if e.centre is not None:
            legs = 2.0 * np.arcsin(np.minimum(legs / (2.0 * e.radius_m), 1.0))
        along = np.cumsum(legs)
        stations[e.first + 1 : e.last + 1] = stations[e.first] + along / along[-1] * e.length_m
    return stations


def _straight_end(xy: FloatArray, first: int) -> int:
    """Last vertex of the longest straight from a vertex."""
    end = first + 1
    while end + 1 < len(xy):
        chord = xy[end + 1] - xy[first]
        size = float(np.hypot(*chord))
        away = xy[first + 1 : end + 1] - xy[first]
        along = away @ chord / max(size, TOLERANCE_M)
        off = np.abs(away[:, 0] * chord[1] - away[:, 1] * chord[0]) / max(size, TOLERANCE_M)
        # a road that turns back leaves its chord's ends
        if size < TOLERANCE_M or off.max() > TOLERANCE_M or along.min() < 0 or along.max() > size:
            break
        end += 1
    return end


def _longest_arc(xy: FloatArray, first: int) -> Element | None:
    """Longest arc from a vertex; None where its chords are on no circle."""
    found, end = None, first + FEWEST_CHORDS
    while end < len(xy) and (arc := _arc(xy, first, end)) is not None:
        found, end = arc, end + 1
    return found


def _arc(xy: FloatArray, first: int, last: int) -> Element | None:
    """Arc through a run of vertices; None where they are on no circle within the limits."""
    run = xy[first : last + 1]
    circle = _circle(run[0], run[len(run) // 2], run[-1])
    if circle is None:
        return None
    centre, radius = circle
    away = run - centre
    if radius > LARGEST_RADIUS_M or np.abs(np.hypot(*away.T) - radius).max() > TOLERANCE_M:
        return None
    a, b = away[:-1], away[1:]
    turns = np.arctan2(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (a * b).sum(axis=1))
    total = float(turns.sum())
    same_way = bool((turns > 0).all() or (turns < 0).all())
    if not same_way or np.abs(turns).max() > LARGEST_STEP_RAD or abs(total) >= np.pi:
        return None
    return Element(first, last, abs(total) * radius, (float(centre[0]), float(centre[1])), radius, total < 0)


def _circle(a: FloatArray, b: FloatArray, c: FloatArray) -> tuple[FloatArray, float] | None:
    """Centre and radius of the circle through three points [m]; None for points in a line."""
    (bx, by), (cx, cy) = b - a, c - a
    d = 2.0 * (bx * cy - by * cx)
    if abs(d) < 1e-9:
        return None
    b2, c2 = bx * bx + by * by, cx * cx + cy * cy
    centre = np.array([(cy * b2 - by * c2) / d, (bx * c2 - cx * b2) / d])
    return a + centre, float(np.hypot(*centre))
