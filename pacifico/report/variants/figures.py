"""Figures of variants: road, earthwork and density, and small maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import shapely
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pacifico import legend
from pacifico.report import mapframe as frame
from pacifico.report.variants.measure import DENSITY, EARTH, ROAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pacifico.layout.files.stored import StoredLayout
    from pacifico.report.variants.measure import Measure
    from pacifico.report.variants.result import Variants

MARKS: dict[str, tuple[str, str]] = {
    "balanced": ("o", "#0072b2"),
    "density": ("s", "#d55e00"),
    "low_earthwork": ("D", "#009e73"),
    "clustered": ("^", "#7a5195"),
}
"""Marker and colour of each strategy, after Okabe and Ito. Shapes differ, so that colour is never needed."""
_OTHER = ("P", "#666666")


def front_figure(variants: Variants) -> Figure:
    """Road against earthwork and density against earthwork, with the Pareto front filled."""
    fig = frame.Picture(figsize=(frame.WIDTH_IN, 4.1), dpi=frame.DPI, facecolor="white")
    left = fig.add_axes((0.075, 0.2, 0.4, 0.62))
    right = fig.add_axes((0.575, 0.2, 0.4, 0.62))
    fig.text(0.008, 0.955, "What each variant costs", fontsize=12.5, fontweight="bold", color=frame.INK, va="center")
    _scatter(left, variants, ROAD, EARTH)
    _scatter(right, variants, DENSITY, EARTH)
    marks = [_mark(name, filled=name in variants.front) for name in variants.rows]
    fig.legend(handles=marks, loc="upper right", ncols=len(marks), frameon=False, fontsize=8.8, handletextpad=0.2)
    note = (
        "Filled: on the Pareto front (none that places as much is at least as good in road, earthwork and density). "
        "Bars: P10 to P90."
    )
    fig.text(0.008, 0.025, note, fontsize=7.8, color="#5d6764", va="center")
    return fig


def _mark(name: str, *, filled: bool) -> Line2D:
    """Legend handle of a strategy."""
    marker, colour = MARKS.get(name, _OTHER)
    fill = colour if filled else "white"
    return Line2D([], [], marker=marker, ls="", ms=8, mfc=fill, mec=colour, mew=1.8, label=name.replace("_", " "))


def _scatter(ax: Axes, variants: Variants, across: Measure, up: Measure) -> None:
    """Draw one measure against another.

    Parameters
    ----------
    ax : Axes
        Axes to draw on.
    variants : Variants
        Variants to draw.
    across, up : Measure
        Measures of the two axes.
    """
    for name, row in variants.rows.items():
        marker, colour = MARKS.get(name, _OTHER)
        x, y = row[across.key], row[up.key]
        if x is None or y is None:
            continue
        x, y = x * across.scale, y * up.scale / 1000
        low, high = row["earthwork_p10_m3"], row["earthwork_p90_m3"]
        if low is not None:
            ax.plot([x, x], [low / 1000, high / 1000], color=colour, lw=1.1, alpha=0.55, zorder=2)
        filled = name in variants.front
        ax.plot(x, y, marker, ms=9, mfc=colour if filled else "white", mec=colour, mew=1.8, zorder=3)
    better = {"less": "less is better", "more": "more is better"}
    name = across.label.partition(":")[0]
    ax.set_xlabel(f"{name} [{across.unit}], {better[across.better or 'less']}", fontsize=8.5)
    ax.set_ylabel("Earthwork [1000 m³], less is better", fontsize=8.5)
    ax.margins(0.16)
    ax.set_ylim(bottom=max(ax.get_ylim()[0], 0.0))
    ax.tick_params(labelsize=8)
    ax.grid(color="#e3e7e4", lw=0.7, zorder=0)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def maps_figure(layouts: Mapping[str, StoredLayout]) -> Figure:
    """Layouts at one scale, two in a row."""
    any_layout = next(iter(layouts.values()))
    west, south, east, north = any_layout.boundary.bounds
    pad = 0.03 * max(east - west, north - south)
    columns = min(len(layouts), 2)
    rows = math.ceil(len(layouts) / columns)
    wide = (frame.WIDTH_IN - 0.2) / 2 - 0.1
    tall = min(max(wide * (north - south + 2 * pad) / (east - west + 2 * pad), 1.6), 6.5)
    scale = max((east - west + 2 * pad) / wide, (north - south + 2 * pad) / tall)  # metres to an inch
    height = rows * (tall + 0.35) + 0.55
    fig = frame.Picture(figsize=(frame.WIDTH_IN, height), dpi=frame.DPI, facecolor="white")
    seen: dict[str, Patch] = {}
    for k, (name, layout) in enumerate(layouts.items()):
        row, column = divmod(k, columns)
        left, bottom = 0.1 + column * (wide + 0.2), height - (row + 1) * (tall + 0.35) + 0.05
        ax = fig.add_axes((left / frame.WIDTH_IN, bottom / height, wide / frame.WIDTH_IN, tall / height))
        xlim, ylim = _around((west + east) / 2, scale * wide), _around((south + north) / 2, scale * tall)
        ax.set(xlim=xlim, ylim=ylim, xticks=[], yticks=[])
        ax.set_facecolor("#f6f7f4")
        for side in ax.spines.values():
            side.set(color="#9aa39e", linewidth=0.8)
        ax.set_title(name.replace("_", " "), fontsize=9.5, loc="left", color=MARKS.get(name, _OTHER)[1], pad=3)
        seen |= _draw(ax, layout)
    fig.legend(
        handles=list(seen.values()),
        loc="lower left",
        ncols=min(len(seen), 6),
        frameon=False,
        fontsize=7.8,
        borderaxespad=0.4,
    )
    return fig


def _around(middle: float, length: float) -> tuple[float, float]:
    """Limits of a length around its middle."""
    return middle - length / 2, middle + length / 2


def _draw(ax: Axes, layout: StoredLayout) -> dict[str, Patch]:
    """Draw one small map; return its legend handles."""
    seen: dict[str, Patch] = {}
    buildable = [s.geometry for s in layout.of_kind("buildable")]
    frame.area_patch(ax, buildable, facecolor=legend.BUILDABLE, alpha=0.3, lw=0, zorder=1)
    zones = [s.geometry for s in layout.of_kind("exclusion")]
    frame.area_patch(ax, zones, facecolor=legend.EXCLUSION, alpha=0.3, lw=0, zorder=2)
    roads = [s.geometry for s in layout.of_kind("road")]
    frame.lines(ax, roads, color=legend.ROAD_EDGE, lw=1.0, zorder=4)
    for kind, (name, colour) in legend.ASSETS.items():
        own = [s.geometry for s in layout.of_kind("asset") if s["asset_type"] == kind]
        if own:
            # an edge of the same colour keeps assets smaller than a pixel visible
            frame.area_patch(ax, own, facecolor=colour, edgecolor=colour, lw=0.5, zorder=5)
            seen[kind] = Patch(facecolor=colour, label=name)
    frame.area_patch(ax, [layout.boundary], facecolor="none", edgecolor=legend.BOUNDARY, lw=1.2, zorder=6)
    for entry in layout.of_kind("entry"):
        x, y = shapely.get_coordinates(entry.geometry)[0]
        ax.plot(x, y, "o", ms=5, mfc=legend.ENTRY, mec="white", mew=0.8, zorder=7)
    if roads:
        seen["road"] = Patch(facecolor=legend.ROAD_EDGE, label="Road")
    if zones:
        seen["zone"] = Patch(facecolor=legend.EXCLUSION, alpha=0.3, label="Exclusion")
    seen["buildable"] = Patch(facecolor=legend.BUILDABLE, alpha=0.3, label="Buildable")
    return seen
