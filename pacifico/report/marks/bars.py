"""Colour bar of a map, drawn beside it without axes of its own.

matplotlib's colour bar makes two axes with all their ticks, which takes as long as the rest of a map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.image import AxesImage
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator

from pacifico.report.marks.orientation import on_paper, size_pt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pacifico.array_types import FloatArray

LEFT_PT, WIDE_PT = 11.5, 13.0
"""Distance of the bar from the map, and its width [pt]."""
TICK_PT, PAD_PT = 3.5, 3.5
"""Length of a tick, and distance of what is written [pt]."""
NUMBER_PT, LABEL_PT = 8.0, 8.5
"""Size of the numbers and of the label [pt]."""
END_SHARE = 0.05
"""Height of a pointed end, which stands for all values beyond, as a share of the bar."""
_COLOURS = 256
_DIGIT_EM = 0.64
"""Width of a digit of DejaVu Sans as a share of the font's size."""


def colour_bar(
    ax: Axes,
    shown: Any,
    label: str,
    *,
    low: float,
    high: float,
    extend: Literal["both", "neither"] = "neither",
) -> None:
    """Draw a colour bar beside the map.

    Parameters
    ----------
    ax : Axes
        Map.
    shown : artist
        Image, dots or polygons whose colours the bar explains; their scale is linear.
    label : str
        Quantity and unit.
    low, high : float
        Lower and upper end, as a share of the map's height [0-1].
    extend : {"both", "neither"}
        Whether the ends are pointed, because values lie beyond them.
    """
    wide, tall = size_pt(ax)
    left, right, bottom, top = wide + LEFT_PT, wide + LEFT_PT + WIDE_PT, low * tall, high * tall
    point = (top - bottom) * END_SHARE / (1 + 2 * END_SHARE) if extend == "both" else 0.0
    bottom, top = bottom + point, top - point
    first, last = shown.get_clim()
    colours = shown.cmap(np.linspace(0.0, 1.0, _COLOURS), bytes=True)
    _draw_colours(ax, colours, (left, right, bottom, top), point)

    values, numbers = _numbers(first, last, top - bottom)
    at = bottom + (values - first) / (last - first) * (top - bottom)
    look: dict[str, Any] = {"transform": on_paper(ax), "clip_on": False}
    ticks = [[(right, y), (right + TICK_PT, y)] for y in at.tolist()]
    ax.add_collection(LineCollection(ticks, colors="black", linewidths=0.8, **look), autolim=False)
    beside = right + TICK_PT + PAD_PT
    for y, number in zip(at.tolist(), numbers, strict=True):
        ax.text(beside, y, number, fontsize=NUMBER_PT, va="center_baseline", parse_math=False, **look)
    beside += _DIGIT_EM * NUMBER_PT * max(len(number) for number in numbers) + PAD_PT
    ax.text(
        beside, (bottom + top) / 2, label, fontsize=LABEL_PT, rotation=90, va="center", ha="left", ma="center", **look
    )


def _draw_colours(ax: Axes, colours: Any, box: tuple[float, float, float, float], point: float) -> None:
    """Draw the colours, their pointed ends and the outline.

    Parameters
    ----------
    ax : Axes
        Map.
    colours : (n, 4) uint8
        Colours from low to high.
    box : (float, float, float, float)
        Left, right, bottom and top of the colours on paper [pt].
    point : float
        Height of a pointed end [pt]; 0: none.
    """
    left, right, bottom, top = box
    look: dict[str, Any] = {"transform": on_paper(ax), "clip_on": False}
    image = AxesImage(ax, extent=box, origin="lower", interpolation="nearest", zorder=2)
    image.set_data(colours[:, None])
    image.set_transform(on_paper(ax))
    ax.add_artist(image)
    image.set_clip_on(False)
    middle = (left + right) / 2
    outline = [(left, bottom), (right, bottom), (right, top), (left, top)]
    if point:
        for y, tip, colour in ((bottom, bottom - point, colours[0]), (top, top + point, colours[-1])):
            ax.add_artist(Polygon([(left, y), (right, y), (middle, tip)], facecolor=colour / 255, linewidth=0, **look))
        outline = [
            (left, bottom),
            (middle, bottom - point),
            (right, bottom),
            (right, top),
            (middle, top + point),
            (left, top),
        ]
    ax.add_artist(Polygon(outline, fill=False, edgecolor="black", linewidth=0.8, zorder=3, **look))


def _numbers(first: float, last: float, length_pt: float) -> tuple[FloatArray, list[str]]:
    """Round values between two ends, as many as have room, and how they are written.

    Parameters
    ----------
    first, last : float
        Values at the ends.
    length_pt : float
        Length of the bar [pt].
    """
    most = min(max(int(length_pt / (2 * NUMBER_PT)), 1), 9)
    found: FloatArray = np.asarray(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(first, last))
    margin = 1e-9 * (last - first)
    values = found[(found >= first - margin) & (found <= last + margin)]
    decimals = next(
        (d for d in range(9) if np.allclose(np.round(found, d), found, rtol=0.0, atol=1e-6 * (last - first))), 9
    )
    return values, [f"{value + 0.0:.{decimals}f}".replace("-", "\u2212") for value in values.tolist()]
