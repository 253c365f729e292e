"""The site plan as a drawn sheet: A3, to scale, in vectors, the same bytes each time."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib import rc_context, style
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle

from pacifico.crs import LONLAT, reproject
from pacifico.errors import CRSMismatchError
from pacifico.export.layout_file import parts_of
from pacifico.export.written import plain, whole
from pacifico.grid import Grid
from pacifico.report import mapframe as frame
from pacifico.report import tables
from pacifico.report.stored import StoredLayout
from pacifico.run import legend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from shapely.geometry.base import BaseGeometry

SHEET_MM = (420.0, 297.0)
FRAME_MM = (10.0, 8.0, 410.0, 289.0)
"""West, south, east, north of the frame, from the sheet's lower left corner."""
MAP_MM = (18.0, 16.0, 294.0, 281.0)
COLUMN_MM = (306.0, 406.0)
"""Left and right end of the text beside the map."""
BLOCK_MM = 62.0
"""Top of the title block."""
RATIOS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.5, 8.0)
CELLS = 700
"""Cells along a side that contours are drawn from at most: finer ones are lost in print."""
LEAST_ROAD_PT = 1.8
LINE_ROAD_PT = {"spine": 1.5, "secondary": 1.2, "spur": 0.9}
GREY, PALE = "#5d6764", "#9aa39e"
FONT = "DejaVu Sans"
PROFILES = {
    "solar_farm": "Solar farm",
    "gas_bess": "Gas generation and battery storage",
    "wind_hybrid": "Wind hybrid",
    "hybrid": "Solar, wind and battery storage",
    "bess": "Battery storage",
}
"""The layout's profile in words."""
_NAMED = frozenset({"substation", "control_center", "wind_turbine", "gas_turbine", "battery", "generator"})
_MOST_NAMED = 24


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
    name = parts_of(layout).name or "Unnamed site"
    stored = StoredLayout.of(layout)
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

    parts = parts_of(layout)
    boundary = shapely.union_all([p.geometry for p in parts.of_kind("boundary")])
    return open_dem(Site(parts.name, parts.crs, boundary), source)


def draw_sheet(layout: StoredLayout, dem: xr.DataArray | None, *, name: str) -> Figure:
    """Sheet as a figure, at the size of the paper."""
    fig = frame.Picture(figsize=(SHEET_MM[0] / 25.4, SHEET_MM[1] / 25.4), facecolor="white")
    west, south, east, north = FRAME_MM
    _box(fig, west, south, east, north, linewidth=1.2)
    _box(fig, COLUMN_MM[0] - 4, south, east, north, linewidth=0.8)
    ratio = map_ratio(layout.boundary)
    ax = _map_axes(fig, layout.boundary, ratio)
    step = _contours(ax, dem, layout.boundary) if dem is not None else None
    handles = _draw(ax, layout, ratio)
    if step:
        handles.append(Line2D([], [], color="#5b4636", lw=0.7, label=f"Contours every {step:g} m"))
    _scale_bar(ax, ratio)
    _north_arrow(ax)
    y = _legend(fig, handles, north - 4)
    y = _rows(fig, "Quantities", [], [(a, f"{b} {c}".strip()) for a, b, c in tables.headline(layout).rows], y, [0, 100])
    assets = tables.assets_by_type(layout)
    kept = [0, 1, 2, 3, 5, 6]
    y = _rows(
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


def drawable(text: object, *, most: int = 200) -> str:
    """Text on one line in which every character that the sheet's font lacks is an empty box."""
    font = get_font(findfont(FONT))
    return "".join(c if font.get_char_index(ord(c)) else "□" for c in plain(text, most=most))


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
    if zones := [s.geometry for s in layout.of_kind("exclusion")]:
        frame.area_patch(ax, zones, facecolor="none", edgecolor=legend.EXCLUSION, hatch="////", lw=0.7, zorder=3)
        handles.append(Patch(facecolor="none", edgecolor=legend.EXCLUSION, hatch="////", lw=0.7, label="Exclusion"))
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
        label = "Road, to its width" if drawn else "Road (line, not to width)"
        handles.append(Line2D([], [], color=legend.ROAD_EDGE, lw=1.4, label=label))
    if cables := [s.geometry for s in layout.of_kind("cable")]:
        frame.lines(ax, cables, color=legend.CABLE, lw=0.7, linestyles="dashed", zorder=9)
        handles.append(Line2D([], [], color=legend.CABLE, lw=0.8, ls="--", label="Cable"))
    for entry in layout.of_kind("entry"):
        x, y = shapely.get_coordinates(entry.geometry)[0]
        ax.plot(x, y, "D", ms=5, mfc=legend.ENTRY, mec="white", mew=0.8, zorder=12)
        _name(ax, x, y, "Entry")
    handles.append(Line2D([], [], marker="D", ls="", ms=5, mfc=legend.ENTRY, mec="white", label="Entry"))
    named = [a for a in assets if a["asset_type"] in _NAMED]
    if len(named) <= _MOST_NAMED:
        for asset in named:
            centre = asset.geometry.centroid
            _name(ax, centre.x, centre.y, drawable(asset["name"] or asset["asset_id"], most=28))
    return handles


def _name(ax: Axes, x: float, y: float, text: str) -> None:
    """Name beside a place, with a line to it, on white."""
    ax.annotate(
        text,
        (x, y),
        xytext=(13, 13),
        textcoords="offset points",
        fontsize=6.5,
        fontweight="bold",
        color=frame.INK,
        zorder=15,
        parse_math=False,
        arrowprops={"arrowstyle": "-", "lw": 0.5, "color": frame.INK, "shrinkA": 0, "shrinkB": 2},
        bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": PALE, "lw": 0.3},
    )


def _scale_bar(ax: Axes, ratio: float) -> None:
    """Four pieces, black and white, in the lower left corner of the map."""
    mm = ratio / 1000
    x, y = ax.get_xlim()[0] + 8 * mm, ax.get_ylim()[0] + 8 * mm
    piece = frame.nice(17 * mm)
    unit, factor = ("km", 1e-3) if 4 * piece >= 2000 else ("m", 1.0)
    ax.add_patch(Rectangle((x - 4 * mm, y - 4 * mm), 4 * piece + 14 * mm, 13 * mm, fc="white", ec=PALE, lw=0.4, zorder=19))  # fmt: skip
    for k in range(4):
        fill = frame.INK if k % 2 == 0 else "white"
        ax.add_patch(Rectangle((x + k * piece, y), piece, 2 * mm, fc=fill, ec=frame.INK, lw=0.6, zorder=20))
    for k in (0, 1, 2, 4):
        text = f"{k * piece * factor:g}" + (f" {unit}" if k == 4 else "")
        ax.text(x + k * piece, y + 3 * mm, text, fontsize=6.5, ha="center", va="bottom", color=frame.INK, zorder=20)


def _north_arrow(ax: Axes) -> None:
    """Arrow to grid north in the upper right corner of the map."""
    (low, high), top = ax.get_xlim(), ax.get_ylim()[1]
    mm = (high - low) / (MAP_MM[2] - MAP_MM[0])
    x, y = high - 13 * mm, top - 27 * mm
    ax.add_patch(Rectangle((x - 9 * mm, y - 7 * mm), 18 * mm, 30 * mm, fc="white", ec=PALE, lw=0.4, zorder=19))
    for side, fill in ((-1, "white"), (1, frame.INK)):
        corners = [(x, y + 14 * mm), (x, y + 3 * mm), (x + side * 4 * mm, y)]
        ax.add_patch(Polygon(corners, closed=True, fc=fill, ec=frame.INK, lw=0.7, joinstyle="miter", zorder=20))
    ax.text(x, y + 15 * mm, "N", fontsize=12, fontweight="bold", ha="center", va="bottom", color=frame.INK, zorder=20)
    ax.text(x, y - 5 * mm, "grid north", fontsize=5.5, ha="center", va="bottom", color=GREY, zorder=20)


def _box(fig: Figure, west: float, south: float, east: float, north: float, *, linewidth: float) -> None:
    wide, tall = SHEET_MM
    fig.add_artist(
        Rectangle((west / wide, south / tall), (east - west) / wide, (north - south) / tall, fill=False, ec=frame.INK, lw=linewidth)
    )  # fmt: skip


def _line(fig: Figure, y: float, *, linewidth: float = 0.3, colour: str = PALE) -> None:
    wide, tall = SHEET_MM
    fig.add_artist(Line2D([COLUMN_MM[0] / wide, COLUMN_MM[1] / wide], [y / tall, y / tall], color=colour, lw=linewidth))


def _write(fig: Figure, x: float, y: float, text: str, **look: Any) -> None:
    """Words at a place on the sheet [mm], their top there."""
    look = {"fontsize": 6.8, "color": frame.INK, "va": "top", **look}
    fig.text(x / SHEET_MM[0], y / SHEET_MM[1], text, parse_math=False, **look)


def _legend(fig: Figure, handles: Sequence[Any], y: float) -> float:
    """Legend in two columns; the height [mm] at which it ends."""
    _write(fig, COLUMN_MM[0], y, "Legend", fontsize=8.5, fontweight="bold")
    fig.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(COLUMN_MM[0] / SHEET_MM[0], (y - 5) / SHEET_MM[1]),
        borderaxespad=0.0,
        borderpad=0.0,
        frameon=False,
        fontsize=6.8,
        ncols=2,
        columnspacing=1.5,
        labelspacing=0.7,
        handlelength=2.4,
    )
    return y - 5 - 4.2 * math.ceil(len(handles) / 2) - 4


def _rows(
    fig: Figure, title: str, head: Sequence[str], rows: Sequence[Sequence[str]], y: float, ends: Sequence[float]
) -> float:
    """Table of words on the left and numbers that end at places from the column's left [mm]; the height it ends at."""
    _write(fig, COLUMN_MM[0], y, title, fontsize=8.5, fontweight="bold")
    y -= 5
    lines: list[tuple[Sequence[str], str]] = [*([(head, GREY)] if head else []), *((row, frame.INK) for row in rows)]
    for row, colour in lines:
        for k, (cell, end) in enumerate(zip(row, ends, strict=True)):
            _write(fig, COLUMN_MM[0] + end, y, cell, fontsize=6.6, ha="right" if k else "left", color=colour)
        _line(fig, y - 3.2)
        y -= 4.1
    return y - 3


def _notes(fig: Figure, layout: StoredLayout, y: float) -> None:
    """What the reader must know, as far as there is room above the title block."""
    said = ["Preliminary: for early decisions, not for construction. No survey, no geotechnical data."]
    if layout.coarse:
        cell = layout.about["dem"]["resolution_m"]
        said.append(f"Cells of {cell:g} m: too coarse for statements about grading; volumes and grades are orders of magnitude.")  # fmt: skip
    said += [f"Unplaced: {u['count']} {u['asset_type']}: {u['reason']}" for u in layout.about.get("unplaced", ())]
    said += list(layout.about.get("warnings", ()))
    _write(fig, COLUMN_MM[0], y, "Notes", fontsize=8.5, fontweight="bold")
    y -= 5
    for k, note in enumerate(said):
        lines = textwrap.wrap(f"{k + 1}. {drawable(note, most=300)}", 82, subsequent_indent="    ")
        more = k < len(said) - 1
        if y - 2.9 * (len(lines) + more) < BLOCK_MM + 2:
            _write(fig, COLUMN_MM[0], y, f"... and {len(said) - k} more, in the layout's own list.", fontsize=6)
            return
        for line in lines:
            _write(fig, COLUMN_MM[0], y, line, fontsize=6)
            y -= 2.9


def _title_block(fig: Figure, layout: StoredLayout, name: str, ratio: float) -> None:
    """Name, scale, coordinates and ground in the lower right corner."""
    left, y = COLUMN_MM[0], BLOCK_MM
    _box(fig, left - 4, FRAME_MM[1], FRAME_MM[2], y, linewidth=1.2)
    y -= 3.5
    for line in _wrapped(name, 40, 2):
        _write(fig, left, y, line, fontsize=11, fontweight="bold")
        y -= 5.2
    about = layout.about
    _write(fig, left, y - 0.5, f"Site plan: {PROFILES.get(about['profile'], drawable(about['profile'], most=40))}", fontsize=8.5)  # fmt: skip
    y -= 6.5
    dem = about["dem"]
    hashed = f", SHA-256 {str(dem['sha256'])[:12]}" if dem.get("sha256") else ""
    centre = reproject(layout.boundary.centroid, layout.crs, LONLAT)
    fields = [
        ("Scale", f"1:{ratio:,.0f} at A3"),
        ("Strategy", drawable(str(about["strategy"]).replace("_", " "), most=40)),
        ("Coordinates", drawable(f"{about['crs']}, {layout.crs.name}; metres")),
        ("Centre of site", f"{_degrees(centre.y, 'N', 'S')}, {_degrees(centre.x, 'E', 'W')}"),
        ("Ground", drawable(f"{plain(dem['source'], most=80)}{hashed}")),
        ("", drawable(f"cells {dem['resolution_m']:g} m; heights in metres ({plain(dem['units'], most=60)})")),
        ("Status", "Preliminary, not for construction"),
    ]
    for label, value in fields:
        if label:
            _line(fig, y + 0.8)
        _write(fig, left, y, label, fontsize=6, color=GREY)
        for line in _wrapped(value, 64, 2):
            _write(fig, left + 18, y, line, fontsize=6.8)
            y -= 3.4
        y -= 1.1
    _write(fig, left, FRAME_MM[1] + 4, "pacifico", fontsize=6, color=GREY)
    _write(fig, COLUMN_MM[1], FRAME_MM[1] + 4, "sheet 1 of 1", fontsize=6, color=GREY, ha="right")


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):.4f}° {positive if value >= 0 else negative}"


def _wrapped(text: str, width: int, most: int) -> list[str]:
    """Text in lines, the last one cut where there would be more."""
    return textwrap.wrap(drawable(text), width, max_lines=most, placeholder=" …")
