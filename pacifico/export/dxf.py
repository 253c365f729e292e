"""DXF drawing for CAD, in metres of the working CRS."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from pacifico import legend
from pacifico.errors import InputError
from pacifico.escaping import single_line
from pacifico.layout.files.stored import StoredFeature, StoredLayout
from pacifico.output_files import atomic_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

    from pacifico.export.piles import PileSchedule

VERSION = "R2010"
"""DXF version, which every current CAD program reads."""
_METRES = 6
"""Code of metres in `$INSUNITS`."""
_TEXT_M = {"ASSET-TEXT": 2.0, "PAD-TEXT": 1.5, "ROAD-TEXT": 3.0, "SITE-TEXT": 5.0}
"""Text height of each text layer [m]."""
_COLOURS = {
    "SITE-BOUNDARY": None,
    "SITE-BUILDABLE": legend.BUILDABLE,
    "SITE-EXCLUSION": legend.EXCLUSION,
    "SITE-COST": "#7a5195",
    "SITE-ENTRY": legend.ENTRY,
    "PAD": legend.PAD,
    "CABLE": legend.CABLE,
    "CROSSING": legend.CROSSING,
}
"""Layer colours. Layers without one have index 7, which is black on white and white on black."""
_PILE_COLOURS = {"ROW": legend.ASSETS["solar_array"][1], "PILE": "#555555", "PILE-OUTSIDE": "#d62728"}
"""Layer colours of rows and piles."""


def write_dxf(layout: Mapping[str, Any] | StoredLayout, path: str | Path, *, piles: PileSchedule | None = None) -> Path:
    """Write a layout as a DXF drawing.

    Layers are SITE-BOUNDARY, SITE-BUILDABLE, SITE-EXCLUSION, SITE-COST (costly to cross), SITE-ENTRY, ASSET-<type>, PAD,
    ROAD-<class>, CABLE, CROSSING and FENCE; texts are on SITE-TEXT, ASSET-TEXT, PAD-TEXT and ROAD-TEXT. Roads are 3D polylines at their
    design height. Pads are closed 3D polylines in their design plane. Footprints are at the asset's elevation. With piles there
    are layers ROW, 3D polylines over the tops of piles, and PILE and PILE-OUTSIDE (outside the reveal window), 3D lines from
    foot to top.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    path : str or Path
        Drawing to write.
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
    """
    try:
        ezdxf: Any = importlib.import_module("ezdxf")  # an extra
    except ImportError:
        raise InputError("DXF needs ezdxf, which is not installed; pip install 'pacifico[cad]'") from None

    path = Path(path)
    parts = StoredLayout.of(layout)
    if piles is not None:
        piles.require_of(parts)
    fixed = ezdxf.options.write_fixed_meta_data_for_testing
    # this option fixes the dates and identifiers that would differ between runs
    ezdxf.options.write_fixed_meta_data_for_testing = True
    try:
        drawing = ezdxf.new(VERSION, units=_METRES)
        drawing.header.custom_vars.append("CRS", parts.about["crs"])
        _draw(drawing, parts)
        if piles is not None:
            _draw_piles(drawing, piles)
        # ezdxf adds them on writing in the order of a set of strings, which differs between processes
        drawing.classes.add_required_classes(drawing.dxfversion)
        drawing.classes.classes = dict(sorted(drawing.classes.classes.items()))
        with atomic_files(path) as (part,):
            drawing.saveas(part)
    finally:
        ezdxf.options.write_fixed_meta_data_for_testing = fixed
    return path


def layer_of(part: StoredFeature) -> str:
    """Layer of a feature's lines."""
    if part.kind == "asset":
        return f"ASSET-{part['asset_type'].upper()}"
    if part.kind == "road":
        return f"ROAD-{part['road_class'].upper()}"
    if part.kind == "exclusion" and part["zone_type"] == "cost":
        return "SITE-COST"
    return part.kind.upper() if part.kind in {"pad", "cable", "crossing", "fence"} else f"SITE-{part.kind.upper()}"


def _draw(drawing: Any, parts: StoredLayout) -> None:
    """Draw all features."""
    colours = {**_COLOURS, **{f"ASSET-{kind.upper()}": colour for kind, (_, colour) in legend.ASSETS.items()}}
    colours["ASSET-SUBSTATION"] = None  # black in the legend
    for name in sorted({layer_of(p) for p in parts.features} | set(_TEXT_M)):
        layer = drawing.layers.add(name, color=7)
        if colour := colours.get(name):
            layer.rgb = tuple(bytes.fromhex(colour.removeprefix("#")))
    space = drawing.modelspace()
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
            written = space.add_text(text, height=_TEXT_M[name], dxfattribs={"layer": name})
            written.set_placement(at, align=_middle())


def _draw_piles(drawing: Any, piles: PileSchedule) -> None:
    """Draw rows and piles."""
    for name, colour in _PILE_COLOURS.items():
        drawing.layers.add(name, color=7).rgb = tuple(bytes.fromhex(colour.removeprefix("#")))
    space = drawing.modelspace()
    for line in piles.row_lines():
        space.add_polyline3d(shapely.get_coordinates(line, include_z=True).tolist(), dxfattribs={"layer": "ROW"})
    inside = piles.columns["in_window"].tolist()
    for foot, top, within in zip(piles.feet.tolist(), piles.tops.tolist(), inside, strict=True):
        space.add_line(foot, top, dxfattribs={"layer": "PILE" if within else "PILE-OUTSIDE"})


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
        return _text(text), "ROAD-TEXT", (middle.x, middle.y, middle.z)
    centre = part.geometry.centroid
    if part.kind == "pad":
        height = part["elevation_m"]
        # below the name of the asset, which is at the same place
        return _text(f"{part['pad_id']} EL {height:.2f}"), "PAD-TEXT", (centre.x, centre.y - 3.0, height)
    if part.kind == "asset":
        return _text(part["asset_id"]), "ASSET-TEXT", (centre.x, centre.y, part["elevation_m"])
    if part.kind == "crossing":
        return _text(f"{part['crossing_id']} {part['crossing_type']}"), "ROAD-TEXT", (centre.x, centre.y, 0.0)
    if part.kind in {"exclusion", "entry"} and part["name"]:
        return _text(part["name"]), "SITE-TEXT", (centre.x, centre.y + 6.0 * (part.kind == "entry"), 0.0)
    return None


def _text(text: str) -> str:
    """Text without the codes that CAD programs interpret: %% and ^."""
    line = single_line(text).replace("^", "^ ")
    while "%%" in line:
        line = line.replace("%%", "% %")
    return line


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
