"""The site plan as a drawn sheet: A3, to scale, in vectors, the same bytes each time."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib import rc_context, style
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pacifico import legend
from pacifico.crs import LONLAT, transformer
from pacifico.errors import CRSMismatchError
from pacifico.export.written import plain, whole
from pacifico.grid import Grid
from pacifico.layout.files.stored import StoredLayout
from pacifico.report import mapframe as frame
from pacifico.report import tables
from pacifico.report.paper import (
    BLOCK_MM,
    COLUMN_MM,
    FONT,
    FRAME_MM,
    GREY,
    MAP_MM,
    PALE,
    SHEET_MM,
    box,
    drawable,
    north_arrow,
    rule,
    scale_bar,
    wrapped,
    write,
    write_legend,
    write_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from shapely.geometry.base import BaseGeometry

RATIOS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.5, 8.0)
CELLS = 700
"""Cells along a side that contours are drawn from at most: finer ones are lost in print."""
LEAST_ROAD_PT = 1.8
LINE_ROAD_PT = {"spine": 1.5, "secondary": 1.2, "spur": 0.9}
PROFILES = {
    "solar_farm": "Solar farm",
    "gas_bess": "Gas generation and battery storage",
    "wind_hybrid": "Wind hybrid",
    "hybrid": "Solar, wind and battery storage",
    "bess": "Battery storage",
}
"""The layout's profile in words."""
DEAR = "#7a5195"
MOST_NAMED = {"substation": 8, "control_center": 8, "gas_turbine": 8, "generator": 8, "battery": 8, "wind_turbine": 60}
"""Up to how many assets of a type are named on the map; of other types none."""


def write_sheet(layout: Mapping[str, Any], dem: xr.DataArray | None, path: str | Path) -> Path:
    """Write the site plan as PDF.

    Parameters
    ----------
    layout : mapping
        Content of a layout.geojson.
    dem : DataArray or None
        Ground to draw contours of, as `open_dem` gives it, in the layout's working CRS; None for no contours.
    path : str or Path
        File to write; it appears whole or not at all.

    Returns
    -------
    Path
        The file. The same input gives the same bytes with the same matplotlib.

    Raises
    ------
    InputError
        It is no layout, or the file's folder is missing.
    CRSMismatchError
        The ground is in another CRS.
    """
    path = Path(path)
    stored = StoredLayout.of(layout)
    name = stored.name or "Unnamed site"
    if dem is not None and Grid.of(dem).crs != stored.crs:
        raise CRSMismatchError(
            f"the ground is in {Grid.of(dem).crs.name}, the layout in {stored.crs.name}; read it for the layout's site"
        )
    # Nobody's own settings of matplotlib, nor a notebook's, change the sheet.
    with style.context("default"), rc_context({"pdf.fonttype": 42, "font.family": [FONT], "hatch.linewidth": 0.5}):
        figure = draw_sheet(stored, dem, name=name)
        said = {"Title": plain(name), "Creator": "pacifico", "Producer": None, "CreationDate": None}
        with whole(path) as (part,):
            figure.savefig(part, format="pdf", metadata=said)
    return path


def contour_ground(layout: Mapping[str, Any], source: str) -> xr.DataArray:
    """Ground of a layout's site for its contours.

    Parameters
    ----------
    source : str
        As for `open_dem`.

    Raises
    ------
    InputError, OutsideServiceError
        It is no layout, or the ground can't be had.
    """
    from pacifico.site.model import Site  # noqa: PLC0415 (for the command line alone)
    from pacifico.terrain.dem import open_dem  # noqa: PLC0415

    parts = StoredLayout.of(layout)
    boundary: Any = shapely.union_all([p.geometry for p in parts.of_kind("boundary")])
    return open_dem(Site(parts.name, parts.crs, boundary), source)


def draw_sheet(layout: StoredLayout, dem: xr.DataArray | None, *, name: str) -> Figure:
    """Sheet as a figure, at the size of the paper."""
    fig = frame.Picture(figsize=(SHEET_MM[0] / 25.4, SHEET_MM[1] / 25.4), facecolor="white")
    west, south, east, north = FRAME_MM
    box(fig, west, south, east, north, linewidth=1.2)
    box(fig, COLUMN_MM[0] - 4, south, east, north, linewidth=0.8)
    ratio = map_ratio(layout.boundary)
    ax = _map_axes(fig, layout.boundary, ratio)
    step = _contours(ax, dem, layout.boundary) if dem is not None else None
    handles = _draw(ax, layout, ratio)
    if step:
        handles.append(Line2D([], [], color="#5b4636", lw=0.7, label=f"Contours every {step:g} m"))
    scale_bar(ax, ratio)
    north_arrow(ax)
    y = write_legend(fig, handles, north - 4)
    y = write_rows(
        fig, "Quantities", [], [(a, f"{b} {c}".strip()) for a, b, c in tables.headline(layout).rows], y, [0, 100]
    )
    assets = tables.assets_by_type(layout)
    kept = [0, 1, 2, 3, 5, 6]
    y = write_rows(
        fig,
        "Assets",
        ["", "No.", "AC MW", "MWh", "ha", "max slope °"],
        [tuple(row[k] for k in kept) for row in assets.rows],
        y,
        [0, 38, 53, 66, 78, 100],
    )
    _notes(fig, layout, y)
    _title_block(fig, layout, name, ratio)
    return fig


def map_ratio(area: BaseGeometry) -> float:
    """Smallest usual ratio of scale at which an area, with a margin of 4 %, fits the map."""
    west, south, east, north = area.bounds
    wide, tall = (MAP_MM[2] - MAP_MM[0]) / 1000, (MAP_MM[3] - MAP_MM[1]) / 1000
    least = 1.08 * max((east - west) / wide, (north - south) / tall, 0.1)
    power = 10.0 ** math.floor(math.log10(least))
    return next(r * power for r in (*RATIOS, 10.0) if r * power >= least)


def _map_axes(fig: Figure, area: BaseGeometry, ratio: float) -> Axes:
    """Axes at a scale, the area in their middle, with the grid of the working CRS."""
    left, low, right, high = MAP_MM
    ax = fig.add_axes((left / SHEET_MM[0], low / SHEET_MM[1], (right - left) / SHEET_MM[0], (high - low) / SHEET_MM[1]))
    west, south, east, north = area.bounds
    x, y = (west + east) / 2, (south + north) / 2
    half_x, half_y = ratio * (right - left) / 2000, ratio * (high - low) / 2000
    ax.set(xlim=(x - half_x, x + half_x), ylim=(y - half_y, y + half_y))
    step = frame.nice_above(half_x / 3.5)
    grid = [np.arange(math.ceil((c - h) / step), math.floor((c + h) / step) + 1) * step for c, h in ((x, half_x), (y, half_y))]  # fmt: skip
    ax.set_xticks(grid[0], [f"{v:.0f} E" for v in grid[0]])
    ax.set_yticks(grid[1], [f"{v:.0f} N" for v in grid[1]], rotation=90, va="center")
    ax.tick_params(labelsize=5.5, length=3, pad=1.5, colors=GREY, top=True, right=True)
    at = np.array([(px, py) for px in grid[0] for py in grid[1]]).reshape(-1, 2)
    ax.plot(at[:, 0], at[:, 1], "+", ms=6, mew=0.4, color=PALE, zorder=1.5)
    for side in ax.spines.values():
        side.set(color=frame.INK, linewidth=0.8)
    return ax


def _contours(ax: Axes, dem: xr.DataArray, area: BaseGeometry) -> float | None:
    """Contours, every fifth strong and labelled; their interval [m], None on level ground."""
    (low_x, high_x), (low_y, high_y) = ax.get_xlim(), ax.get_ylim()
    own = frame_of(dem, low_x, low_y, high_x, high_y)
    near = frame_of(dem, *area.bounds).values
    if min(own.shape) < 2 or not np.isfinite(near).any():
        return None
    relief = float(np.nanmax(near) - np.nanmin(near))
    if relief < 0.5:
        return None
    step = frame.nice_above(relief / 25)
    stride = max(math.ceil(max(own.shape) / CELLS), 1)
    thin = own[::stride, ::stride]
    first, last = math.ceil(float(np.nanmin(thin)) / step), math.floor(float(np.nanmax(thin)) / step)
    for strong in (False, True):
        levels = [k * step for k in range(first, last + 1) if (k % 5 == 0) == strong]
        # Cliffs far off the site may hold more lines than ink.
        if levels and len(levels) <= 400 and min(thin.shape) >= 2:
            drawn = ax.contour(
                thin.x, thin.y, thin.values, levels, colors="#8a6d55", linewidths=0.6 if strong else 0.25, zorder=2
            )
            if strong:
                ax.clabel(drawn, fmt="%g", fontsize=5.5, inline_spacing=2)
    return step


def frame_of(dem: xr.DataArray, west: float, south: float, east: float, north: float) -> xr.DataArray:
    """Cells whose centres lie within bounds, and one more on each side."""
    columns = np.flatnonzero((dem.x.values >= west) & (dem.x.values <= east))
    rows = np.flatnonzero((dem.y.values >= south) & (dem.y.values <= north))
    if not columns.size or not rows.size:
        return dem[:0, :0]
    return dem[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]


def _draw(ax: Axes, layout: StoredLayout, ratio: float) -> list[Any]:
    """Everything of the layout, and the handles of its legend."""
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
    if dear := [s.geometry for s in exclusions if s["zone_type"] == "cost"]:
        frame.area_patch(ax, dear, facecolor="none", edgecolor=DEAR, hatch="..", lw=0.5, zorder=3)
        handles.append(Patch(facecolor="none", edgecolor=DEAR, hatch="..", lw=0.5, label="Dear to cross"))
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
    # Two edges need some room between them: narrower roads are one line.
    drawn = min(widths, default=0.0) >= LEAST_ROAD_PT
    for road, width in zip(roads, widths, strict=True):
        line = width if drawn else LINE_ROAD_PT.get(road["road_class"], 1.0)
        frame.lines(ax, [road.geometry], color=legend.ROAD_EDGE, lw=line, zorder=7)
        if drawn:
            frame.lines(ax, [road.geometry], color=legend.ROAD, lw=width - 0.8, zorder=8)
    if roads:
        handles.append(
            Patch(facecolor=legend.ROAD, edgecolor=legend.ROAD_EDGE, lw=0.5, label="Road, to its width")
            if drawn
            else Line2D([], [], color=legend.ROAD_EDGE, lw=1.4, label="Road (line, not to width)")
        )
    if cables := [s.geometry for s in layout.of_kind("cable")]:
        frame.lines(ax, cables, color=legend.CABLE, lw=0.7, linestyles="dashed", zorder=9)
        handles.append(Line2D([], [], color=legend.CABLE, lw=0.8, ls="--", label="Cable"))
    for entry in layout.of_kind("entry"):
        x, y = shapely.get_coordinates(entry.geometry)[0]
        ax.plot(x, y, "D", ms=5, mfc=legend.ENTRY, mec="white", mew=0.8, zorder=12)
    handles.append(Line2D([], [], marker="D", ls="", ms=5, mfc=legend.ENTRY, mec="white", label="Entry"))
    _names(ax, layout, ratio)
    return handles


def _names(ax: Axes, layout: StoredLayout, ratio: float) -> None:
    """Names of the entry and of the assets that stand alone, where there is room for them."""
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
    return bool(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def _name(ax: Axes, text: str, geometry: BaseGeometry, at: tuple[float, float]) -> None:
    """Name on white, its middle at a place, with a line to what it names."""
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


def _notes(fig: Figure, layout: StoredLayout, y: float) -> None:
    """What the reader must know, as far as there is room above the title block."""
    said = ["Preliminary: for early decisions, not for construction. No survey, no geotechnical data."]
    if layout.coarse:
        cell = layout.about["dem"]["resolution_m"]
        said.append(f"Cells of {cell:g} m: too coarse for statements about grading; volumes and grades are orders of magnitude.")  # fmt: skip
    said += [f"Unplaced: {u['count']} {u['asset_type']}: {u['reason']}" for u in layout.about.get("unplaced", ())]
    said += list(layout.about.get("warnings", ()))
    write(fig, COLUMN_MM[0], y, "Notes", fontsize=8.5, fontweight="bold")
    y -= 5
    for k, note in enumerate(said):
        lines = textwrap.wrap(f"{k + 1}. {drawable(note, most=300)}", 82, subsequent_indent="    ")
        more = k < len(said) - 1
        if y - 2.9 * (len(lines) + more) < BLOCK_MM + 2:
            write(fig, COLUMN_MM[0], y, f"... and {len(said) - k} more, in the layout's own list.", fontsize=6)
            return
        for line in lines:
            write(fig, COLUMN_MM[0], y, line, fontsize=6)
            y -= 2.9


def _title_block(fig: Figure, layout: StoredLayout, name: str, ratio: float) -> None:
    """Name, scale, coordinates and ground in the lower right corner."""
    left, y = COLUMN_MM[0], BLOCK_MM
    box(fig, left - 4, FRAME_MM[1], FRAME_MM[2], y, linewidth=1.2)
    y -= 3.5
    for line in wrapped(name, 40, 2):
        write(fig, left, y, line, fontsize=11, fontweight="bold")
        y -= 5.2
    about = layout.about
    write(fig, left, y - 0.5, f"Site plan: {PROFILES.get(about['profile'], drawable(about['profile'], most=40))}", fontsize=8.5)  # fmt: skip
    y -= 6.5
    dem = about["dem"]
    hashed = f", SHA-256 {str(dem['sha256'])[:12]}" if dem.get("sha256") else ""
    x, y_ = layout.boundary.centroid.coords[0][:2]
    lon, lat = transformer(layout.crs, LONLAT).transform(x, y_)
    fields = [
        ("Scale", f"1:{ratio:,.0f} at A3"),
        ("Strategy", drawable(str(about["strategy"]).replace("_", " "), most=40)),
        ("Coordinates", drawable(f"{about['crs']}, {layout.crs.name}; metres")),
        ("Centre of site", f"{_degrees(lat, 'N', 'S')}, {_degrees(lon, 'E', 'W')}"),
        ("Ground", drawable(f"{plain(dem['source'], most=80)}{hashed}")),
        ("", drawable(f"cells {dem['resolution_m']:g} m; heights in metres ({plain(dem['units'], most=60)})")),
    ]
    for label, value in fields:
        if label:
            rule(fig, y + 0.8)
        write(fig, left, y, label, fontsize=6, color=GREY)
        for line in wrapped(value, 64, 2):
            write(fig, left + 18, y, line, fontsize=6.8)
            y -= 3.4
        y -= 1.1
    write(fig, left, FRAME_MM[1] + 4, "pacifico; preliminary, not for construction", fontsize=6, color=GREY)
    write(fig, COLUMN_MM[1], FRAME_MM[1] + 4, "sheet 1 of 1", fontsize=6, color=GREY, ha="right")


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):.4f}° {positive if value >= 0 else negative}"
