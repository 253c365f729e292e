"""Short names on the features of a map."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from pacifico.report.marks.orientation import INK, metres_per_point

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

EDGE_PT = 1.9
"""Width of the white line around letters [pt]: half of it is behind them."""


def write_names(ax: Axes, places: Mapping[str, BaseGeometry], *, size_pt: float) -> None:
    """Write short names on points of a map.

    Parameters
    ----------
    ax : Axes
        Map; the shape is not drawn anew at another scale.
    places : mapping
        Points by name [m].
    size_pt : float
        Size of the letters [pt].
    """
    if not places:
        return
    letters = []
    for name, point in places.items():
        outline = _letters(name)
        letters.append(
            Path(np.asarray(outline.vertices) * (size_pt * metres_per_point(ax)) + (point.x, point.y), outline.codes)
        )
    shape = Path.make_compound_path(*letters)
    ax.add_artist(PathPatch(shape, facecolor="white", edgecolor="white", lw=EDGE_PT, joinstyle="round", zorder=9))
    ax.add_artist(PathPatch(shape, facecolor=INK, lw=0, zorder=9, gid=" ".join(places)))


@functools.lru_cache(1024)
def _letters(name: str) -> Path:
    """Outline of a name at size 1, its middle at the origin."""
    outline = TextPath((0.0, 0.0), name, size=100)
    middle = outline.get_extents().get_points().mean(axis=0)
    return Path((np.asarray(outline.vertices) - middle) / 100, outline.codes)
