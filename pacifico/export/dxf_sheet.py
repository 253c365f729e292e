"""Paper space of the DXF drawing: the site at a round scale, a frame and a title block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico._version import __version__
from pacifico.escaping import single_line

if TYPE_CHECKING:
    from pacifico.layout.files.stored import StoredLayout

LAYER = "TITLE-BLOCK"
SHEET_MM = (420.0, 297.0)
"""A3, landscape: width and height [mm]."""
_MARGIN_MM, _COLUMN_MM, _ROW_MM, _GAP_MM = 10.0, 80.0, 12.0, 4.0
"""Margin of the frame, width of the title block, height of its rows, and space around the map [mm]."""
SCALES = (250, 500, 1000, 2000, 2500, 5000, 10_000, 12_500, 15_000, 20_000, 25_000, 50_000, 100_000, 200_000)
"""Usual scales of plans; the first that shows the whole site is taken."""
_ROUNDING = 1.05
"""Space around the site on the sheet, times its size."""


def scale_of(width_m: float, height_m: float) -> int:
    """Denominator of the largest usual scale at which an area fits on the map.

    Parameters
    ----------
    width_m, height_m : float
        Size of the area [m].
    """
    wide, tall = _map_size_mm()
    needed = _ROUNDING * max(width_m / wide, height_m / tall) * 1000
    return next((scale for scale in SCALES if scale >= needed), round(needed + 0.5))


def draw_sheet(drawing: Any, parts: StoredLayout) -> None:
    """Draw frame, title block and a view of the model in the drawing's paper space.

    Parameters
    ----------
    drawing : ezdxf.document.Drawing
        Drawing with the model.
    parts : StoredLayout
        Layout.
    """
    paper = drawing.layout("Layout1")
    paper.page_setup(size=SHEET_MM, margins=(0, 0, 0, 0), units="mm")
    wide, tall = SHEET_MM
    left, low, right, top = _MARGIN_MM, _MARGIN_MM, wide - _MARGIN_MM, tall - _MARGIN_MM
    look = {"layer": LAYER}
    _box(paper, (left, low, right, top))
    column = right - _COLUMN_MM
    paper.add_line((column, low), (column, top), dxfattribs=look)
    west, south, east, north = parts.boundary.bounds
    scale = scale_of(east - west, north - south)
    map_wide, map_tall = _map_size_mm()
    paper.add_viewport(
        center=((left + column) / 2, (low + top) / 2),
        size=(map_wide, map_tall),
        view_center_point=((west + east) / 2, (south + north) / 2),
        view_height=map_tall * scale / 1000,
        dxfattribs=look,
    )
    rows = _rows(parts, scale)
    for number, (label, text) in enumerate(reversed(rows)):
        y = low + number * _ROW_MM
        paper.add_line((column, y + _ROW_MM), (right, y + _ROW_MM), dxfattribs=look)
        paper.add_text(label, height=1.8, dxfattribs=look).set_placement((column + 2, y + _ROW_MM - 3.6))
        paper.add_text(text, height=2.5, dxfattribs=look).set_placement((column + 2, y + 2.6))


def plain_text(text: object, *, most: int = 200) -> str:
    """Text on one line without the codes that CAD programs interpret: %% and ^."""
    line = single_line(text, most=most).replace("^", "^ ")
    while "%%" in line:
        line = line.replace("%%", "% %")
    return line


def _map_size_mm() -> tuple[float, float]:
    """Width and height of the map on the sheet [mm]."""
    wide, tall = SHEET_MM
    return wide - 2 * _MARGIN_MM - _COLUMN_MM - 2 * _GAP_MM, tall - 2 * _MARGIN_MM - 2 * _GAP_MM


def _rows(parts: StoredLayout, scale: int) -> list[tuple[str, str]]:
    """Rows of the title block, from top to bottom: label and text."""
    about, metrics = parts.about, parts.metrics
    dem = about["dem"]
    rows = [
        ("SITE", parts.name or "Site"),
        ("DRAWING", "Site layout; not for construction"),
        ("PLANT", f"{about['profile'].replace('_', ' ')}, {about['strategy'].replace('_', ' ')}"),
        ("CAPACITY", f"{metrics['total_capacity_kw'] / 1000:,.1f} MW AC, {metrics['asset_count']} assets"),
        ("ROADS", f"{metrics['road_length_m'] / 1000:,.2f} km, up to {metrics['max_road_grade_pct']:.1f} %"),
        ("EARTHWORK", f"cut {metrics['cut_volume_m3']:,.0f} m3, fill {metrics['fill_volume_m3']:,.0f} m3"),
        ("ELEVATION", f"{dem['resolution_m']:g} m cells, {dem['source']}"),
        ("COORDINATES", f"{about['crs']}, {parts.crs.name}"),
        ("SCALE", f"1:{scale:,} on A3"),
        ("MADE WITH", f"pacifico {__version__}"),
    ]
    return [(label, plain_text(text, most=46)) for label, text in rows]


def _box(paper: Any, edges: tuple[float, float, float, float]) -> None:
    """Draw a frame between west, south, east and north [mm]."""
    west, south, east, north = edges
    corners = [(west, south), (east, south), (east, north), (west, north)]
    paper.add_lwpolyline(corners, close=True, dxfattribs={"layer": LAYER})
