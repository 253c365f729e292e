"""Map of the drawn sheet: scale, contours, layout and names."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pacifico import legend
from pacifico.report import mapframe as frame
from pacifico.report.marks.orientation import nice_above
from pacifico.report.paper import GREY, MAP_MM, PALE, SHEET_MM, drawable

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.files.stored import StoredLayout

RATIOS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.5, 8.0)
"""Usual scale ratios of plans, times powers of ten."""
CELLS = 700
"""Most DEM cells along a side to draw contours from; finer detail is lost in print."""
LEAST_ROAD_PT = 1.8
"""Width at which a road is drawn with two edges [pt]; narrower roads are one line."""
LINE_ROAD_PT = {"spine": 1.5, "secondary": 1.2, "spur": 0.9}
"""Line width of a road drawn as one line [pt]."""
MOST_CONTOURS = 400
"""Most contour levels to draw; cliffs far from the site may hold more."""
COST_COLOUR = "#7a5195"
"""Colour of zones that are costly to cross."""
MOST_NAMED = {"substation": 8, "control_center": 8, "gas_turbine": 8, "generator": 8, "battery": 8, "wind_turbine": 60}
"""Largest number of assets of a type that are named on the map; other types are not named."""


def map_ratio(area: BaseGeometry) -> float:
    """Smallest usual scale ratio at which an area fits the map.

    A margin of 4 % is left on each side.
    """
    west, south, east, north = area.bounds
    wide, tall = (MAP_MM[2] - MAP_MM[0]) / 1000, (MAP_MM[3] - MAP_MM[1]) / 1000
    least = 1.08 * max((east - west) / wide, (north - south) / tall, 0.1)
    power = 10.0 ** math.floor(math.log10(least))
    return next(r * power for r in (*RATIOS, 10.0) if r * power >= least)


def map_axes(fig: Figure, area: BaseGeometry, ratio: float) -> Axes:
    """Axes at a scale, with the grid of the working CRS."""
    left, low, right, high = MAP_MM
    ax = fig.add_axes((left / SHEET_MM[0], low / SHEET_MM[1], (right - left) / SHEET_MM[0], (high - low) / SHEET_MM[1]))
    west, south, east, north = area.bounds
    x, y = (west + east) / 2, (south + north) / 2
    half_x, half_y = ratio * (right - left) / 2000, ratio * (high - low) / 2000
    ax.set(xlim=(x - half_x, x + half_x), ylim=(y - half_y, y + half_y))
    step = nice_above(half_x / 3.5)
    grid = [np.arange(math.ceil((c - h) / step), math.floor((c + h) / step) + 1) * step for c, h in ((x, half_x), (y, half_y))]  # fmt: skip
    ax.set_xticks(grid[0], [f"{v:.0f} E" for v in grid[0]])
    ax.set_yticks(grid[1], [f"{v:.0f} N" for v in grid[1]], rotation=90, va="center")
    ax.tick_params(labelsize=5.5, length=3, pad=1.5, colors=GREY, top=True, right=True)
    at = np.array([(px, py) for px in grid[0] for py in grid[1]]).reshape(-1, 2)
    ax.plot(at[:, 0], at[:, 1], "+", ms=6, mew=0.4, color=PALE, zorder=1.5)
    for side in ax.spines.values():
        side.set(color=frame.INK, linewidth=0.8)
    return ax


def draw_contours(ax: Axes, dem: xr.DataArray, area: BaseGeometry) -> float | None:
    """Draw contours, every fifth one strong and labelled.

    Returns the interval [m], or None on level ground.
    """
    (low_x, high_x), (low_y, high_y) = ax.get_xlim(), ax.get_ylim()
    shown = frame_of(dem, low_x, low_y, high_x, high_y)
    near = frame_of(dem, *area.bounds).values
    if min(shown.shape) < 2 or not np.isfinite(near).any():
        return None
    relief = float(np.nanmax(near) - np.nanmin(near))
    if relief < 0.5:
        return None
    step = nice_above(relief / 25)
    stride = max(math.ceil(max(shown.shape) / CELLS), 1)
    thin = shown[::stride, ::stride]
    first, last = math.ceil(float(np.nanmin(thin)) / step), math.floor(float(np.nanmax(thin)) / step)
    for strong in (False, True):
        levels = [k * step for k in range(first, last + 1) if (k % 5 == 0) == strong]
        if levels and len(levels) <= MOST_CONTOURS and min(thin.shape) >= 2:
            drawn = ax.contour(
                thin.x, thin.y, thin.values, levels, colors="#8a6d55", linewidths=0.6 if strong else 0.25, zorder=2
            )
            if strong:
                ax.clabel(drawn, fmt="%g", fontsize=5.5, inline_spacing=2)
    return step


def frame_of(dem: xr.DataArray, west: float, south: float, east: float, north: float) -> xr.DataArray:
    """Part of a DEM within bounds, one cell wider on each side.

    Parameters
    ----------
    dem : DataArray
        DEM.
    west, south, east, north : float
        Bounds [m].
    """
    columns = np.flatnonzero((dem.x.values >= west) & (dem.x.values <= east))
    rows = np.flatnonzero((dem.y.values >= south) & (dem.y.values <= north))
    if not columns.size or not rows.size:
        return dem[:0, :0]
    return dem[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]


def draw_layout(ax: Axes, layout: StoredLayout, ratio: float) -> list[Any]:
    """Draw the layout; return the handles of its legend."""
    handles: list[Any] = [Line2D([], [], color=legend.BOUNDARY, lw=1.6, ls=(0, (9, 2, 2, 2)), label="Site boundary")]
    frame.area_patch(ax, [layout.boundary], facecolor="none", edgecolor=legend.BOUNDARY, lw=1.6, ls=(0, (9, 2, 2, 2)), zorder=10)  # fmt: skip
    if buildable := [s.geometry for s in layout.of_kind("buildable")]:
        frame.area_patch(ax, buildable, facecolor="#f1f7ef", edgecolor=legend.BUILDABLE, lw=0.35, zorder=0.5)
        handles.append(Patch(facecolor="#f1f7ef", edgecolor=legend.BUILDABLE, lw=0.5, label="Buildable ground"))
    exclusions = layout.of_kind("exclusion")
    if zones := [s.geometry for s in exclusions if s["zone_type"] != "cost"]:
        frame.area_patch(ax, zones, facecolor="none", edgecolor=legend.EXCLUSION, hatch="////", lw=0.7, zorder=3)
        handles.append(Patch(facecolor="none", edgecolor=legend.EXCLUSION, hatch="////", lw=0.7, label="Exclusion"))
    if kept := [s.geometry.buffer(s["buffer_m"]) for s in exclusions if s["zone_type"] != "cost" and s["buffer_m"]]:
        frame.area_patch(ax, kept, facecolor="none", edgecolor=legend.EXCLUSION, lw=0.5, ls="--", zorder=3)
        handles.append(Line2D([], [], color=legend.EXCLUSION, lw=0.5, ls="--", label="Its setback"))
    if costly := [s.geometry for s in exclusions if s["zone_type"] == "cost"]:
        frame.area_patch(ax, costly, facecolor="none", edgecolor=COST_COLOUR, hatch="..", lw=0.5, zorder=3)
        handles.append(Patch(facecolor="none", edgecolor=COST_COLOUR, hatch="..", lw=0.5, label="Costly to cross"))
    if pads := [s.geometry for s in layout.of_kind("pad")]:
        frame.area_patch(ax, pads, facecolor="#e3d8cb", edgecolor=legend.PAD, lw=0.4, zorder=5)
        handles.append(Patch(facecolor="#e3d8cb", edgecolor=legend.PAD, lw=0.5, label=f"Pad: {len(pads)}"))
    assets = layout.of_kind("asset")
    for kind, (name, colour) in legend.ASSETS.items():
        if own := [a.geometry for a in assets if a["asset_type"] == kind]:
            frame.area_patch(ax, own, facecolor=colour, edgecolor="#222222", lw=0.25, zorder=6)
            handles.append(Patch(facecolor=colour, edgecolor="#222222", lw=0.3, label=f"{name}: {len(own)}"))
    roads = layout.of_kind("road")
    widths = [float(road["width_m"]) / ratio * 1000 / 25.4 * 72 for road in roads]
    two_edges = min(widths, default=0.0) >= LEAST_ROAD_PT
    for road, width in zip(roads, widths, strict=True):
        line = width if two_edges else LINE_ROAD_PT.get(road["road_class"], 1.0)
        frame.lines(ax, [road.geometry], color=legend.ROAD_EDGE, lw=line, zorder=7)
        if two_edges:
            frame.lines(ax, [road.geometry], color=legend.ROAD, lw=width - 0.8, zorder=8)
    if roads:
        handles.append(
            Patch(facecolor=legend.ROAD, edgecolor=legend.ROAD_EDGE, lw=0.5, label="Road, to its width")
            if two_edges
            else Line2D([], [], color=legend.ROAD_EDGE, lw=1.4, label="Road (line, not to width)")
        )
    if cables := [s.geometry for s in layout.of_kind("cable")]:
        frame.lines(ax, cables, color=legend.CABLE, lw=0.7, linestyles="dashed", zorder=9)
        handles.append(Line2D([], [], color=legend.CABLE, lw=0.8, ls="--", label="Cable"))
    if crossings := [s.geometry for s in layout.of_kind("crossing")]:
        frame.lines(ax, crossings, color=legend.CROSSING, lw=2.5, zorder=9)
        handles.append(Line2D([], [], color=legend.CROSSING, lw=2.5, label=f"Crossing: {len(crossings)}"))
    if fences := [s.geometry for s in layout.of_kind("fence")]:
        frame.lines(ax, fences, color=legend.FENCE, lw=0.6, linestyles="dashdot", zorder=9)
        handles.append(Line2D([], [], color=legend.FENCE, lw=0.8, ls="-.", label="Fence"))
    for entry in layout.of_kind("entry"):
        x, y = shapely.get_coordinates(entry.geometry)[0]
        ax.plot(x, y, "D", ms=5, mfc=legend.ENTRY, mec="white", mew=0.8, zorder=12)
    handles.append(Line2D([], [], marker="D", ls="", ms=5, mfc=legend.ENTRY, mec="white", label="Entry"))
    _names(ax, layout, ratio)
    return handles


def _names(ax: Axes, layout: StoredLayout, ratio: float) -> None:
    """Name the entry and assets of small groups where there is room."""
    mm = ratio / 1000
    assets = layout.of_kind("asset")
    count = Counter(a["asset_type"] for a in assets)
    single = [a for a in assets if count[a["asset_type"]] <= MOST_NAMED.get(a["asset_type"], 0)]
    taken = [a.geometry.bounds for a in assets if a["asset_type"] != "solar_array"]
    named = [(drawable(a["name"] or a["asset_id"], most=28), a.geometry) for a in single]
    entries = [("Entry", entry.geometry) for entry in layout.of_kind("entry")]
    for text, geometry in [*entries, *named]:
        west, south, east, north = geometry.bounds
        wide, tall, gap = (1.75 * len(text) + 2) * mm, 4 * mm, 3 * mm
        corners = ((east + gap, north + gap), (west - gap - wide, north + gap), (east + gap, south - gap - tall), (west - gap - wide, south - gap - tall))  # fmt: skip
        for x, y in corners:
            label = (x, y, x + wide, y + tall)
            if not any(_overlap(label, other) for other in taken):
                taken.append(label)
                _name(ax, text, geometry, (x + wide / 2, y + tall / 2))
                break


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Whether two boxes (west, south, east, north) overlap."""
    return bool(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def _name(ax: Axes, text: str, geometry: BaseGeometry, at: tuple[float, float]) -> None:
    """Write a name on white with a line to the feature.

    Parameters
    ----------
    ax : Axes
        Map.
    text : str
        Name.
    geometry : geometry
        Feature to name.
    at : (float, float)
        Centre of the text [m].
    """
    centre = shapely.get_coordinates(geometry.centroid)[0]
    ax.annotate(
        text,
        tuple(centre),
        xytext=at,
        fontsize=6.5,
        fontweight="bold",
        color=frame.INK,
        ha="center",
        va="center",
        zorder=15,
        parse_math=False,
        arrowprops={"arrowstyle": "-", "lw": 0.5, "color": frame.INK, "shrinkA": 0, "shrinkB": 2},
        bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": PALE, "lw": 0.3},
    )
