"""Site plan as a drawn A3 sheet, to scale."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
from matplotlib import rc_context, style
from matplotlib.lines import Line2D

from pacifico.analysis.headline import stored_headline
from pacifico.crs import LONLAT, transformer
from pacifico.errors import CRSMismatchError
from pacifico.escaping import single_line
from pacifico.grid import Grid
from pacifico.layout.files.stored import StoredLayout
from pacifico.layout.files.versions import source_cell_m
from pacifico.output_files import atomic_files
from pacifico.report import mapframe as frame
from pacifico.report import tables
from pacifico.report.paper import (
    BLOCK_MM,
    COLUMN_MM,
    FONT,
    FRAME_MM,
    GREY,
    SHEET_MM,
    box,
    drawable,
    north_arrow,
    plain_fonts,
    rule,
    scale_bar,
    wrapped,
    write,
    write_legend,
    write_rows,
)
from pacifico.report.sheet_map import draw_contours, draw_layout, map_axes, map_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from matplotlib.figure import Figure

ANSWER_LETTERS, ANSWER_LINES = 66, 4
"""Letters a line and most lines of an answer in the headline: what the text column holds."""
ALARM = "#b3201f"
"""Colour of an answer that needs attention."""

PROFILES = {
    "solar_farm": "Solar farm",
    "gas_bess": "Gas generation and battery storage",
    "wind_hybrid": "Wind hybrid",
    "hybrid": "Solar, wind and battery storage",
    "bess": "Battery storage",
}
"""Profiles in words."""


def export_sheet(layout: Mapping[str, Any] | StoredLayout, path: Path, *, ground: xr.DataArray | None = None) -> Path:
    """Write the site plan as PDF: `write_sheet` as `pacifico.export` calls it."""
    return write_sheet(layout, ground, path)


def write_sheet(layout: Mapping[str, Any] | StoredLayout, dem: xr.DataArray | None, path: str | Path) -> Path:
    """Write the site plan as PDF.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    dem : DataArray or None
        DEM as `open_dem` returns it, in the working CRS of the layout, for contours; None for none.
    path : str or Path
        PDF to write.

    Returns
    -------
    Path
        The file. The same input gives the same bytes with the same version of matplotlib.

    Raises
    ------
    InputError
        The layout is invalid, or the folder does not exist.
    CRSMismatchError
        The DEM is in another CRS.
    """
    path = Path(path)
    stored = StoredLayout.of(layout)
    name = stored.name or "Unnamed site"
    if dem is not None and Grid.of(dem).crs != stored.crs:
        raise CRSMismatchError(
            f"the ground is in {Grid.of(dem).crs.name}, the layout in {stored.crs.name}; read it for the layout's site"
        )
    # the user's and the notebook's settings of matplotlib must not change the sheet
    with style.context("default"), rc_context({"pdf.fonttype": 42, "font.family": [FONT], "hatch.linewidth": 0.5}):
        figure = draw_sheet(stored, dem, name=name)
        metadata = {"Title": single_line(name), "Creator": "pacifico", "Producer": None, "CreationDate": None}
        with atomic_files(path) as (part,), plain_fonts():
            figure.savefig(part, format="pdf", metadata=metadata)
    return path


def contour_ground(layout: Mapping[str, Any] | StoredLayout, source: str) -> xr.DataArray:
    """DEM of a stored layout's site.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    source : str
        As for `open_dem`.

    Raises
    ------
    InputError, OutsideServiceError
        The layout is invalid, or the DEM can't be read.
    """
    from pacifico.site.model import Site  # noqa: PLC0415 (only the command line needs it)
    from pacifico.terrain.dem import open_dem  # noqa: PLC0415

    parts = StoredLayout.of(layout)
    boundary: Any = shapely.union_all([p.geometry for p in parts.of_kind("boundary")])
    return open_dem(Site(parts.name, parts.crs, boundary), source)


def draw_sheet(layout: StoredLayout, dem: xr.DataArray | None, *, name: str) -> Figure:
    """Sheet as a figure, at paper size."""
    fig = frame.Picture(figsize=(SHEET_MM[0] / 25.4, SHEET_MM[1] / 25.4), facecolor="white")
    west, south, east, north = FRAME_MM
    box(fig, west, south, east, north, linewidth=1.2)
    box(fig, COLUMN_MM[0] - 4, south, east, north, linewidth=0.8)
    ratio = map_ratio(layout.boundary)
    ax = map_axes(fig, layout.boundary, ratio)
    step = draw_contours(ax, dem, layout.boundary) if dem is not None else None
    handles = draw_layout(ax, layout, ratio)
    if step:
        handles.append(Line2D([], [], color="#5b4636", lw=0.7, label=f"Contours every {step:g} m"))
    scale_bar(ax, ratio)
    north_arrow(ax)
    y = _headline(fig, layout, north - 4)
    y = write_legend(fig, handles, y)
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


def _headline(fig: Figure, layout: StoredLayout, y: float) -> float:
    """Write the headline; return its lower end [mm]."""
    for answer in stored_headline(layout.about):
        write(fig, COLUMN_MM[0], y, answer.label, fontsize=6.8, color=GREY)
        for line in wrapped(answer.text, ANSWER_LETTERS, ANSWER_LINES):
            write(fig, COLUMN_MM[0] + 18, y, line, color=ALARM if answer.alarm else frame.INK)
            y -= 3.3
        y -= 0.8
    return y - 2


def _notes(fig: Figure, layout: StoredLayout, y: float) -> None:
    """Write notes as far as they fit above the title block."""
    notes = ["Preliminary: for early decisions, not for construction. No survey, no geotechnical data."]
    if layout.coarse:
        cell = source_cell_m(layout.about["dem"])
        notes.append(f"Cells of {cell:.3g} m: too coarse for statements about grading; volumes and grades are orders of magnitude.")  # fmt: skip
    notes += [f"Unplaced: {u['count']} {u['asset_type']}: {u['reason']}" for u in layout.about.get("unplaced", ())]
    notes += list(layout.about.get("warnings", ()))
    write(fig, COLUMN_MM[0], y, "Notes", fontsize=8.5, fontweight="bold")
    y -= 5
    for k, note in enumerate(notes):
        lines = textwrap.wrap(f"{k + 1}. {drawable(note, most=300)}", 82, subsequent_indent="    ")
        more = k < len(notes) - 1
        if y - 2.9 * (len(lines) + more) < BLOCK_MM + 2:
            write(fig, COLUMN_MM[0], y, f"... and {len(notes) - k} more, in the layout's own list.", fontsize=6)
            return
        for line in lines:
            write(fig, COLUMN_MM[0], y, line, fontsize=6)
            y -= 2.9


def _title_block(fig: Figure, layout: StoredLayout, name: str, ratio: float) -> None:
    """Write the title block: name, scale, coordinates and ground.

    Parameters
    ----------
    fig : Figure
        Sheet.
    layout : StoredLayout
        Layout shown.
    name : str
        Name of the site.
    ratio : float
        Scale ratio.
    """
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
        ("Ground", drawable(f"{single_line(dem['source'], most=80)}{hashed}")),
        ("", drawable(f"cells {dem['resolution_m']:g} m; heights in metres ({single_line(dem['units'], most=60)})")),
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
    """Angle with the letter of its hemisphere."""
    return f"{abs(value):.4f}° {positive if value >= 0 else negative}"
