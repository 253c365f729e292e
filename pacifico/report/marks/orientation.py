"""Scale bar and north arrow of a map, and sizes of the map on paper."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Circle, Polygon, Rectangle
from matplotlib.transforms import Affine2D

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

INK = "#1c2321"
"""Colour of text and lines."""
POINTS = 72.0
"""Points in an inch."""


def nice(value: float) -> float:
    """Round number (1, 2 or 5 times a power of ten) below a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (5, 2, 1) if m * power <= value * (1 + 1e-9))


def nice_above(value: float) -> float:
    """Round number (1, 2 or 5 times a power of ten) above a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= value * (1 - 1e-9))


def size_pt(ax: Axes) -> tuple[float, float]:
    """Width and height of a map on paper [pt]."""
    figure, place = ax.get_figure(root=True), ax.get_position()
    if figure is None:
        raise ValueError("the axes belong to no figure")
    return POINTS * figure.get_figwidth() * place.width, POINTS * figure.get_figheight() * place.height


def on_paper(ax: Axes) -> Transform:
    """Transform of places on paper, from the map's lower left corner [pt]."""
    wide, tall = size_pt(ax)
    return Affine2D().scale(1 / wide, 1 / tall) + ax.transAxes


def metres_per_point(ax: Axes) -> float:
    """Ground length of one point (1/72 inch) of a map [m]."""
    low, high = ax.get_xlim()
    return (high - low) / size_pt(ax)[0]


def beside(ax: Axes, inches: float) -> float:
    """Axes coordinate at a distance to the right of the map."""
    return 1 + POINTS * inches / size_pt(ax)[0]


def scale_bar(ax: Axes) -> None:
    """Draw a scale bar in the lower left corner."""
    x0, x1 = ax.get_xlim()
    y0, y1 = ax.get_ylim()
    length = nice((x1 - x0) / 4.2)
    left, low, high = x0 + 0.028 * (x1 - x0), y0 + 0.030 * (y1 - y0), 0.012 * (y1 - y0)
    margin = 0.012 * (x1 - x0)
    ax.add_patch(
        Rectangle(
            (left - margin, low - 1.2 * high),
            length + 2 * margin + 0.05 * (x1 - x0),
            5.0 * high,
            facecolor="white",
            alpha=0.82,
            zorder=19,
            linewidth=0,
        )
    )
    for part, colour in enumerate((INK, "white")):
        ax.add_patch(
            Rectangle(
                (left + part * length / 2, low),
                length / 2,
                high,
                facecolor=colour,
                edgecolor=INK,
                linewidth=0.8,
                zorder=20,
            )
        )
    unit, factor = ("km", 1e-3) if length >= 1000 else ("m", 1.0)
    for at in (0.0, 0.5, 1.0):
        label = f"{length * at * factor:g}" + (f" {unit}" if at == 1.0 else "")
        ax.text(
            left + at * length, low + 1.5 * high, label, fontsize=7.6, ha="center", va="bottom", color=INK, zorder=20
        )


def north_arrow(ax: Axes) -> None:
    """Draw a north arrow in the upper right corner."""
    wide, tall = size_pt(ax)
    x, y, tip = 0.965 * wide, 0.895 * tall, 0.975 * tall - 1.2
    look: dict[str, Any] = {"transform": on_paper(ax), "zorder": 20}
    ax.add_artist(Circle((x, y), 6.9, facecolor="white", alpha=0.82, linewidth=0, **look))
    ax.add_artist(Rectangle((x - 0.8, y + 8.3), 1.6, tip - y - 12.0, facecolor=INK, linewidth=0, **look))
    head = [(x - 4.0, tip - 7.2), (x + 4.0, tip - 7.2), (x, tip)]
    ax.add_artist(Polygon(head, facecolor=INK, linewidth=0, **look))
    ax.text(x, y, "N", ha="center", va="center", fontsize=10, fontweight="bold", color=INK, **look)
