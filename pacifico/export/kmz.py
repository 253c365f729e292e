"""KMZ for Google Earth, draped on the ground."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import numpy as np
import shapely
from shapely import MultiLineString

from pacifico import legend
from pacifico.crs import LONLAT, reproject_all, transformer
from pacifico.escaping import LONGEST_TEXT, for_markup, single_line
from pacifico.layout.files.stored import StoredFeature, StoredLayout
from pacifico.output_files import atomic_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from pacifico.export.piles import PileSchedule

FOLDERS = {
    "boundary": "Site",
    "buildable": "Buildable ground",
    "exclusion": "Exclusions",
    "entry": "Entry",
    "asset": "Assets",
    "pad": "Pads",
    "road": "Roads",
    "cable": "Cables",
    "crossing": "Crossings",
    "fence": "Fences",
}
"""Folder of each kind of feature, in the order of the document."""
_BOUNDARY = "#ffff00"
"""Colour of the boundary; the black of the legend is invisible on imagery."""
MAX_PILES = 5000
"""Most piles in a file: Google Earth gets slow with more."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Earliest time that a zip archive can record."""


def write_kmz(layout: Mapping[str, Any] | StoredLayout, path: str | Path, *, piles: PileSchedule | None = None) -> Path:
    """Write a layout for Google Earth, without network references.

    With piles there is a folder of rows, one placemark for each array. Up to `MAX_PILES` piles are a folder too, as high above
    the ground as their reveal and switched off at first.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    path : str or Path
        KMZ file to write.
    piles : PileSchedule, optional
        Piles of the layout, drawn with their rows.

    Returns
    -------
    Path
        The file. The same layout gives the same bytes with the same version of zlib.

    Raises
    ------
    InputError
        The layout is invalid, the piles are of another one, or the folder does not exist.
    """
    path = Path(path)
    parts = StoredLayout.of(layout)
    if piles is not None:
        piles.require_of(parts)
    document = "".join(_kml(parts, piles)).encode()
    entry = zipfile.ZipInfo("doc.kml", _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix; by default the platform that writes it
    entry.external_attr = 0o644 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(entry, document, compresslevel=9)
    with atomic_files(path) as (part,):
        part.write_bytes(packed.getvalue())
    return path


def _kml(parts: StoredLayout, piles: PileSchedule | None) -> Iterator[str]:
    """Document in pieces."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
    yield f"<name>{_text(parts.name or 'Site layout')}</name>\n<open>1</open>\n"
    yield from _styles(parts)
    for kind, folder in FOLDERS.items():
        found = parts.of_kind(kind)
        if not found:
            continue
        yield f"<Folder>\n<name>{folder}</name>\n"
        if kind == "asset":
            for asset_type, name in asset_types(found):
                own = [p for p in found if p["asset_type"] == asset_type]
                yield f"<Folder>\n<name>{_text(name)}: {len(own)}</name>\n"
                yield from (_placemark(p) for p in own)
                yield "</Folder>\n"
        else:
            yield from (_placemark(p) for p in found)
        yield "</Folder>\n"
    if piles is not None:
        yield from _row_folder(piles, parts.crs)
        yield from _pile_folder(piles, parts.crs)
    yield "</Document>\n</kml>\n"


def _row_folder(piles: PileSchedule, crs: CRS) -> Iterator[str]:
    """Rows on the ground, one placemark for each array."""
    yield _style("row", line=legend.ASSETS["solar_array"][1], width=1.5)
    first = piles.first_pile
    of_row = piles.columns["array"][first]
    starts = np.flatnonzero(np.r_[True, of_row[1:] != of_row[:-1]])
    lonlat = reproject_all(shapely.force_2d(np.array(piles.row_lines(), dtype=object)).tolist(), crs, LONLAT)
    yield f"<Folder>\n<name>Rows: {len(first)}</name>\n"
    for start, stop in zip(starts, np.r_[starts[1:], len(of_row)], strict=True):
        rows = MultiLineString(lonlat[start:stop])
        yield f"<Placemark><name>{_text(of_row[start])}</name><styleUrl>#row</styleUrl>{_geometry(rows)}</Placemark>\n"
    yield "</Folder>\n"


def _pile_folder(piles: PileSchedule, crs: CRS) -> Iterator[str]:
    """Piles as high as their reveal, switched off; a note where they are too many."""
    if len(piles) > MAX_PILES:
        note = f"{len(piles):,} piles are more than {MAX_PILES:,}: take them from piles.csv, gpkg or dxf"
        yield f"<Folder>\n<name>Piles: {len(piles)}</name>\n<description>{note}</description>\n</Folder>\n"
        return
    yield _style("pile", line="#ffffff", width=2)
    yield _style("pile-outside", line="#d62728", width=3)
    c = piles.columns
    lon, lat = transformer(crs, LONLAT).transform(c["x"], c["y"])
    yield f"<Folder>\n<name>Piles: {len(piles)}</name>\n<visibility>0</visibility>\n"
    for k, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
        name, at = f"{c['array'][k]} row {c['row'][k]} pile {c['pile'][k]}", f"{_degrees(x)},{_degrees(y)}"
        style, reveal = "pile" if c["in_window"][k] else "pile-outside", float(c["reveal_m"][k])
        text = f"reveal {reveal:.2f} m, ordered {c['ordered_m'][k]:g} m, ground {c['ground_m'][k]:.2f} m"
        yield (
            f"<Placemark><name>{_text(name)}</name><visibility>0</visibility><description>{text}</description>"
            f"<styleUrl>#{style}</styleUrl><LineString><altitudeMode>relativeToGround</altitudeMode>"
            f"<coordinates>{at},0 {at},{reveal:.2f}</coordinates></LineString></Placemark>\n"
        )
    yield "</Folder>\n"


def asset_types(assets: Iterable[StoredFeature]) -> list[tuple[str, str]]:
    """Types of the assets with their names, in legend order."""
    present = {a["asset_type"] for a in assets}
    return [(kind, name) for kind, (name, _) in legend.ASSETS.items() if kind in present]


def _styles(parts: StoredLayout) -> Iterator[str]:
    """Styles of all features."""
    yield _style("boundary", line=_BOUNDARY, width=3)
    yield _style("buildable", line=legend.BUILDABLE, width=1, fill=legend.BUILDABLE, opacity=0.18)
    yield _style("exclusion", line=legend.EXCLUSION, width=2, fill=legend.EXCLUSION, opacity=0.35)
    yield _style("cost", line="#7a5195", width=2, fill="#7a5195", opacity=0.2)
    yield _style("pad", line=legend.PAD, width=1.5, fill=legend.PAD, opacity=0.5)
    yield _style("cable", line=legend.CABLE, width=1.5)
    if parts.of_kind("crossing"):
        yield _style("crossing", line=legend.CROSSING, width=5)
    if parts.of_kind("fence"):
        yield _style("fence", line=legend.FENCE, width=1.5)
    for road_class, (_, width) in legend.ROADS.items():
        yield _style(f"road-{road_class}", line=legend.ROAD, width=width)
    for kind, _ in asset_types(parts.of_kind("asset")):
        colour = legend.ASSETS[kind][1]
        yield _style(f"asset-{kind}", line="#ffffff", width=1, fill=colour, opacity=0.85)
    # the default pushpin: any other icon would be fetched from a network
    yield f'<Style id="entry"><IconStyle><color>{_abgr(legend.ENTRY)}</color><scale>1.2</scale></IconStyle></Style>\n'


def _style(name: str, *, line: str, width: float, fill: str | None = None, opacity: float = 1.0) -> str:
    """KML style of a line or polygon.

    Parameters
    ----------
    name : str
        Identifier of the style.
    line : str
        Colour of the line, '#rrggbb'.
    width : float
        Width of the line [pixels].
    fill : str, optional
        Colour of the area; None for no fill.
    opacity : float
        Opacity of the fill [0-1].
    """
    area = f"<color>{_abgr(fill, opacity)}</color>" if fill else "<fill>0</fill>"
    return (
        f"<Style id={quoteattr(name)}><LineStyle><color>{_abgr(line)}</color><width>{width:g}</width></LineStyle>"
        f"<PolyStyle>{area}</PolyStyle></Style>\n"
    )


def _abgr(colour: str, opacity: float = 1.0) -> str:
    """KML colour (alpha, blue, green, red) of an HTML colour."""
    red, green, blue = colour[1:3], colour[3:5], colour[5:7]
    return f"{round(255 * opacity):02x}{blue}{green}{red}"


def _placemark(part: StoredFeature) -> str:
    """Placemark of a feature with its properties."""
    style = part.kind
    if part.kind == "asset":
        style = f"asset-{part['asset_type']}"
    elif part.kind == "exclusion" and part["zone_type"] == "cost":
        style = "cost"
    elif part.kind == "road":
        style = f"road-{part['road_class']}"
    data = "".join(
        f"<Data name={quoteattr(key)}><value>{_text(_value(value))}</value></Data>"
        for key, value in {"kind": part.kind, **part.properties}.items()
        if value is not None
    )
    return (
        f"<Placemark><name>{_text(_name(part))}</name><styleUrl>#{style}</styleUrl>"
        f"<ExtendedData>{data}</ExtendedData>{_geometry(part.lonlat)}</Placemark>\n"
    )


def _name(part: StoredFeature) -> str:
    """Name in the tree of places: its own, or its folder's."""
    keys = {kind: f"{kind}_id" for kind in ("pad", "road", "cable", "crossing", "fence")}
    return str(part.properties.get(keys.get(part.kind, "name")) or FOLDERS[part.kind])


def _value(value: Any) -> str:
    """Property value as text."""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(text: str) -> str:
    """Text of an element, without markup and characters that XML forbids."""
    return for_markup(single_line(text, most=LONGEST_TEXT))


def _geometry(geometry: BaseGeometry) -> str:
    """KML of a geometry in degrees."""
    parts = shapely.get_parts(geometry)
    if len(parts) > 1:
        return f"<MultiGeometry>{''.join(_geometry(p) for p in parts)}</MultiGeometry>"
    only = parts[0]
    if only.geom_type == "Point":
        return f"<Point><coordinates>{_coordinates(only)}</coordinates></Point>"
    if only.geom_type == "LineString":
        return (
            "<LineString><tessellate>1</tessellate><altitudeMode>clampToGround</altitudeMode>"
            f"<coordinates>{_coordinates(only)}</coordinates></LineString>"
        )
    inner = "".join(f"<innerBoundaryIs>{_ring(ring)}</innerBoundaryIs>" for ring in only.interiors)
    return (
        "<Polygon><tessellate>1</tessellate><altitudeMode>clampToGround</altitudeMode>"
        f"<outerBoundaryIs>{_ring(only.exterior)}</outerBoundaryIs>{inner}</Polygon>"
    )


def _ring(ring: BaseGeometry) -> str:
    """KML of a ring."""
    return f"<LinearRing><coordinates>{_coordinates(ring)}</coordinates></LinearRing>"


def _coordinates(geometry: BaseGeometry) -> str:
    """Positions of a geometry."""
    return " ".join(f"{_degrees(lon)},{_degrees(lat)}" for lon, lat in shapely.get_coordinates(geometry).tolist())


def _degrees(value: float) -> str:
    """Degrees to 8 decimals (1 mm) without trailing zeros."""
    return f"{value:.8f}".rstrip("0").rstrip(".")
