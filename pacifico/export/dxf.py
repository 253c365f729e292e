"""DXF drawing for CAD, in metres of the working CRS."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from pacifico.errors import InputError
from pacifico.export.dxf_layers import PILE_COLOURS, TEXT_M, add_layers
from pacifico.export.dxf_sheet import draw_sheet, plain_text
from pacifico.export.ground import ground_of
from pacifico.layout.files.stored import StoredFeature, StoredLayout
from pacifico.output_files import atomic_files
from pacifico.terrain.contours import contours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import xarray as xr
    from shapely.geometry.base import BaseGeometry

    from pacifico.export.piles import PileSchedule
    from pacifico.terrain.contours import Contour

VERSION = "R2010"
"""DXF version, which every current CAD program reads."""
_METRES = 6
"""Code of metres in `$INSUNITS`."""
EDGE_TOLERANCE_M = 0.01
"""Vertices of road edges nearer than this to the line through the others are left out [m]."""
SHORTEST_LABELLED_M = 60.0
"""Length from which an index contour has its height as text [m]."""


def write_dxf(
    layout: Mapping[str, Any] | StoredLayout,
    path: str | Path,
    *,
    ground: xr.DataArray | None = None,
    piles: PileSchedule | None = None,
) -> Path:
    """Write a layout as a DXF drawing.

    Layers are SITE-BOUNDARY, SITE-BUILDABLE, SITE-EXCLUSION, SITE-COST (costly to cross), SITE-ENTRY, ASSET-<type>, PAD,
    ROAD-<class> (centrelines), ROAD-EDGE, CABLE, CROSSING and FENCE; with a ground CONTOUR and CONTOUR-INDEX. Texts are on SITE-TEXT,
    ASSET-TEXT, PAD-TEXT, ROAD-TEXT and CONTOUR-TEXT. Roads are 3D polylines at their design height. Pads are closed 3D polylines in
    their design plane. Footprints are at the asset's elevation. The paper space is an A3 sheet with a title block (TITLE-BLOCK). With
    piles there are layers ROW, 3D polylines over the tops of piles, and PILE and PILE-OUTSIDE (outside the reveal window), 3D lines
    from foot to top.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    path : str or Path
        Drawing to write.
    ground : DataArray, optional
        DEM in the layout's working CRS, for contours within the site.
    piles : PileSchedule, optional
        Piles of the layout, drawn with their rows.

    Returns
    -------
    Path
        The file. The same layout gives the same bytes with the same version of ezdxf.

    Raises
    ------
    InputError
        The layout is invalid, the piles are of another one, the folder does not exist, or ezdxf is not installed.
    CRSMismatchError
        The ground has another CRS than the layout.
    """
    try:
        ezdxf: Any = importlib.import_module("ezdxf")  # an extra
    except ImportError:
        raise InputError("DXF needs ezdxf, which is not installed; pip install 'pacifico[cad]'") from None

    path = Path(path)
    parts = StoredLayout.of(layout)
    if piles is not None:
        piles.require_of(parts)
    lines = [] if ground is None else _contours(parts, ground)
    fixed = ezdxf.options.write_fixed_meta_data_for_testing
    # this option fixes the dates and identifiers that would differ between runs
    ezdxf.options.write_fixed_meta_data_for_testing = True
    try:
        drawing = _drawing(ezdxf, parts, lines, piles)
        with atomic_files(path) as (part,):
            drawing.saveas(part)
    finally:
        ezdxf.options.write_fixed_meta_data_for_testing = fixed
    return path


def _drawing(ezdxf: Any, parts: StoredLayout, lines: list[Contour], piles: PileSchedule | None) -> Any:
    """New drawing of a layout.

    Parameters
    ----------
    ezdxf : module
        The package.
    parts : StoredLayout
        Layout.
    lines : list of Contour
        Contours within the site.
    piles : PileSchedule or None
        Piles to draw with their rows.
    """
    drawing = ezdxf.new(VERSION, units=_METRES)
    drawing.header.custom_vars.append("CRS", parts.about["crs"])
    _draw(drawing, parts, lines)
    if piles is not None:
        _draw_piles(drawing, piles)
    draw_sheet(drawing, parts)
    # ezdxf adds them on writing in the order of a set of strings, which differs between processes
    drawing.classes.add_required_classes(drawing.dxfversion)
    drawing.classes.classes = dict(sorted(drawing.classes.classes.items()))
    return drawing


def layer_of(part: StoredFeature) -> str:
    """Layer of a feature's lines."""
    if part.kind == "asset":
        return f"ASSET-{part['asset_type'].upper()}"
    if part.kind == "road":
        return f"ROAD-{part['road_class'].upper()}"
    if part.kind == "exclusion" and part["zone_type"] == "cost":
        return "SITE-COST"
    return part.kind.upper() if part.kind in {"pad", "cable", "crossing", "fence"} else f"SITE-{part.kind.upper()}"


def _draw(drawing: Any, parts: StoredLayout, lines: list[Contour]) -> None:
    """Draw contours, road edges and all features."""
    layers = {layer_of(p) for p in parts.features} | set(TEXT_M) | {"TITLE-BLOCK"}
    layers |= {"ROAD-EDGE"} if parts.of_kind("road") else set()
    add_layers(drawing, layers | ({"CONTOUR", "CONTOUR-INDEX"} if lines else set()))
    space = drawing.modelspace()
    _draw_contours(space, lines)
    for edge in _road_edges(parts):
        space.add_lwpolyline(edge, close=True, dxfattribs={"layer": "ROAD-EDGE"})
    for part in parts.features:
        layer = layer_of(part)
        if part.kind == "road":
            space.add_polyline3d(_xyz(part.geometry), dxfattribs={"layer": layer})
        elif part.kind == "pad":
            space.add_polyline3d(pad_corners(part), close=True, dxfattribs={"layer": layer})
        elif part.kind == "entry":
            space.add_point(_xyz(part.geometry)[0], dxfattribs={"layer": layer})
        else:
            closed = part.kind not in {"cable", "crossing"}
            height = part["elevation_m"] if part.kind == "asset" else 0.0
            for line in _rings(part.geometry):
                corners = shapely.get_coordinates(line)[: -1 if closed else None]
                space.add_lwpolyline(corners.tolist(), close=closed, dxfattribs={"layer": layer, "elevation": height})
        if label := _label(part):
            text, name, at = label
            written = space.add_text(text, height=TEXT_M[name], dxfattribs={"layer": name})
            written.set_placement(at, align=_middle())


def _draw_piles(drawing: Any, piles: PileSchedule) -> None:
    """Draw rows and piles."""
    for name, colour in PILE_COLOURS.items():
        drawing.layers.add(name, color=7).rgb = tuple(bytes.fromhex(colour.removeprefix("#")))
    space = drawing.modelspace()
    for line in piles.row_lines():
        space.add_polyline3d(shapely.get_coordinates(line, include_z=True).tolist(), dxfattribs={"layer": "ROW"})
    inside = piles.columns["in_window"].tolist()
    for foot, top, within in zip(piles.feet.tolist(), piles.tops.tolist(), inside, strict=True):
        space.add_line(foot, top, dxfattribs={"layer": "PILE" if within else "PILE-OUTSIDE"})


def _contours(parts: StoredLayout, dem: xr.DataArray) -> list[Contour]:
    """Contours within the site; none on level ground."""
    ground_of(parts, dem)
    return contours(dem, within=parts.boundary)


def _draw_contours(space: Any, lines: list[Contour]) -> None:
    """Draw contours at their height; index contours have it as text."""
    for contour in lines:
        layer = "CONTOUR-INDEX" if contour.is_index else "CONTOUR"
        look = {"layer": layer, "elevation": contour.elevation_m}
        space.add_lwpolyline(shapely.get_coordinates(contour.line).tolist(), dxfattribs=look)
        if contour.is_index and contour.line.length >= SHORTEST_LABELLED_M:
            at = contour.label_point
            text = {"layer": "CONTOUR-TEXT", "rotation": contour.label_angle_deg}
            written = space.add_text(f"{contour.elevation_m:g}", height=TEXT_M["CONTOUR-TEXT"], dxfattribs=text)
            written.set_placement((at.x, at.y, contour.elevation_m), align=_middle())


def _road_edges(parts: StoredLayout) -> list[list[list[float]]]:
    """Edges of all road surfaces, joined at junctions, as closed rings of x and y [m]."""
    roads = parts.of_kind("road")
    surfaces = [shapely.force_2d(r.geometry).buffer(r["width_m"] / 2, cap_style="flat") for r in roads]
    ends = Counter(end for r in roads for end in _ends(r))
    # a disc fills the notch between two roads that meet at an angle
    widths = {end: float(r["width_m"]) for r in sorted(roads, key=lambda r: float(r["width_m"])) for end in _ends(r)}
    discs = [shapely.Point(end).buffer(widths[end] / 2) for end, count in ends.items() if count > 1]
    whole = shapely.union_all([*surfaces, *discs]).simplify(EDGE_TOLERANCE_M)
    return [shapely.get_coordinates(ring)[:-1].tolist() for ring in _rings(whole)]


def _ends(road: StoredFeature) -> tuple[tuple[float, float], tuple[float, float]]:
    """First and last vertex of a road, to the centimetre [m]."""
    xy = shapely.get_coordinates(road.geometry)[[0, -1]].round(2).tolist()
    return (xy[0][0], xy[0][1]), (xy[1][0], xy[1][1])


def _middle() -> Any:
    """Alignment of texts."""
    from ezdxf.enums import TextEntityAlignment  # noqa: PLC0415 (an extra)

    return TextEntityAlignment.MIDDLE_CENTER


def pad_corners(pad: StoredFeature) -> list[tuple[float, float, float]]:
    """Corners of a pad in its design plane (x, y, z) [m]."""
    # elevation_m is the height at the centroid
    centre = pad.geometry.centroid
    return [
        (x, y, pad["elevation_m"] + pad["grade_east"] * (x - centre.x) + pad["grade_north"] * (y - centre.y))
        for x, y in shapely.get_coordinates(shapely.get_exterior_ring(pad.geometry))[:-1].tolist()
    ]


def _label(part: StoredFeature) -> tuple[str, str, tuple[float, float, float]] | None:
    """Label of a feature: text, layer and place; None without one."""
    if part.kind == "road":
        middle = part.geometry.interpolate(0.5, normalized=True)
        text = f"{part['road_id']} {part['width_m']:g} m wide, up to {part['max_grade_pct']:.1f} %"
        return plain_text(text), "ROAD-TEXT", (middle.x, middle.y, middle.z)
    centre = part.geometry.centroid
    if part.kind == "pad":
        height = part["elevation_m"]
        # below the name of the asset, which is at the same place
        return plain_text(f"{part['pad_id']} EL {height:.2f}"), "PAD-TEXT", (centre.x, centre.y - 3.0, height)
    if part.kind == "asset":
        return plain_text(part["asset_id"]), "ASSET-TEXT", (centre.x, centre.y, part["elevation_m"])
    if part.kind == "crossing":
        return plain_text(f"{part['crossing_id']} {part['crossing_type']}"), "ROAD-TEXT", (centre.x, centre.y, 0.0)
    if part.kind in {"exclusion", "entry"} and part["name"]:
        return plain_text(part["name"]), "SITE-TEXT", (centre.x, centre.y + 6.0 * (part.kind == "entry"), 0.0)
    return None


def _rings(geometry: BaseGeometry) -> Iterator[BaseGeometry]:
    """Rings of polygons, and lines as they are."""
    for part in shapely.get_parts(geometry):
        if part.geom_type == "Polygon":
            yield part.exterior
            yield from part.interiors
        else:
            yield part


def _xyz(geometry: BaseGeometry) -> list[list[float]]:
    """Vertices with heights; 0 without one."""
    found: list[list[float]] = np.nan_to_num(shapely.get_coordinates(geometry, include_z=True)).tolist()
    return found
