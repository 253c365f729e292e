"""Features as read from a vector file: names, properties and bare coordinates."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError

from pacifico.crs import LONLAT, transformer
from pacifico.errors import BIDI_CONTROLS, CRSMismatchError, SiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Coords = NDArray[np.float64]
"""Vertices, shape (n, 2): x before y, longitude before latitude."""

MAX_FILE_BYTES = 64_000_000
"""Largest file that is read."""
MAX_TEXT_BYTES = 32_000_000
"""Largest KML or GeoJSON text: parsing takes about ten times its size in memory."""
MAX_VERTICES = 1_000_000
"""Most vertices of a file."""
MAX_FEATURES = 50_000
"""Most features of a file."""
MAX_COORDINATE = 1e9
"""Largest coordinate in any unit: the earth's girth is 4e7 m and 1.6e9 inches. Larger ones overflow in geometry."""
MAX_NAME = 200
"""Longest name [characters]."""
SQLITE_MAGIC = b"SQLite format 3\x00"
SHAPEFILE_MAGIC = b"\x00\x00\x27\x0a"
NAME_KEYS = ("name", "title", "label")
"""Properties that name a feature, the first one found wins."""

_DROPPED_CATEGORIES = ("Cc", "Cs", "Cn", "Co", "Zl", "Zp")
_SMALLEST_FILE = 10.0
"""Span of coordinates [m or ft] below which they are no site in a projected CRS."""
_AREA_OF_USE_MARGIN_DEG = 2.0
_GRID_AT_A_PLACE = re.compile(
    r"""grids\s*=[^\s"]*[/\\:]|PARAMETERFILE\s*\[\s*"[^"]*"\s*,\s*"[^"]*[/\\:]""", re.IGNORECASE
)
"""A CRS that names a grid by path or address. PROJ would open it; plain names are those of its own folder."""
"""Tolerance around a CRS's area of use [°]: real files often lie a little outside it."""


@dataclass(frozen=True)
class Feature:
    """A placemark, GeoJSON feature or table row."""

    name: str = ""
    labels: tuple[str, ...] = ()
    """Folders, innermost first."""
    properties: Mapping[str, object] = field(default_factory=dict)
    """Keys in lower case."""
    polygons: tuple[tuple[Coords, ...], ...] = ()
    """Rings of each polygon, shell first."""
    lines: tuple[Coords, ...] = ()
    points: tuple[Coords, ...] = ()


@dataclass(frozen=True)
class Layer:
    """Features that share a CRS."""

    name: str
    crs: CRS
    features: tuple[Feature, ...]


@dataclass(frozen=True)
class Reading:
    """Content of a whole file."""

    layers: tuple[Layer, ...]
    title: str = ""
    """Title of the document."""
    warnings: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Items that are not features, such as '2 ground overlays'; shown where no polygon is found."""
    marked: bool = False
    """Whether the file carries pacifico's own member."""
    links: tuple[str, ...] = ()
    """Addresses of KML network links."""


def clean_name(text: str) -> str:
    """Name on one line, at most 200 characters, without control characters."""
    kept = (
        " " if c in "\t\n\r" else c
        for c in text[: 50 * MAX_NAME]
        if c in "\t\n\r" or (c not in BIDI_CONTROLS and unicodedata.category(c) not in _DROPPED_CATEGORIES)
    )
    return re.sub(r"\s+", " ", "".join(kept)).strip()[:MAX_NAME].rstrip()


def one_line(text: str) -> str:
    """Text on one line, white space collapsed."""
    return " ".join(text.split())


def quoted(name: str) -> str:
    """Name in quotes for a message, shortened to 60 characters."""
    name = clean_name(name)
    return f"'{name if len(name) <= 60 else name[:57] + '...'}'"


def quoted_list(names: Iterable[str], *, most: int = 3) -> str:
    """First names of a list in quotes, then '...' for more."""
    shown = list(names)
    return ", ".join(quoted(n) for n in shown[:most]) + (", ..." if len(shown) > most else "")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Number with its noun: '1 hole', '2 holes'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def feature_name(properties: Mapping[str, object]) -> str:
    """Name that the properties hold, empty where they hold none."""
    return next((clean_name(str(properties[k])) for k in NAME_KEYS if isinstance(properties.get(k), str | int)), "")


def to_lonlat(layer: Layer) -> Layer:
    """Reproject a layer to WGS 84 degrees and check them.

    Raises
    ------
    CRSMismatchError
        Where coordinates do not fit their CRS.
    """
    arrays = [a for f in layer.features for a in (*(r for p in f.polygons for r in p), *f.lines, *f.points)]
    if not arrays or not any(map(len, arrays)):
        return replace(layer, crs=LONLAT)
    xy = np.concatenate(arrays)
    if layer.crs.is_geographic:
        _require_degrees(xy, layer.crs)
    else:
        _require_no_degrees(xy, layer.crs)
    if layer.crs != LONLAT:
        lonlat = _transformed(xy, layer.crs)
        _require_area_of_use(xy, lonlat, layer.crs)
        xy = lonlat
    ends = np.cumsum([len(a) for a in arrays])
    pieces = iter(np.split(xy, ends[:-1]))

    def take(items: Iterable[Coords]) -> tuple[Coords, ...]:
        return tuple(next(pieces) for _ in items)

    features = tuple(
        replace(f, polygons=tuple(take(rings) for rings in f.polygons), lines=take(f.lines), points=take(f.points))
        for f in layer.features
    )
    return Layer(layer.name, LONLAT, features)


def _transformed(xy: Coords, crs: CRS) -> Coords:
    try:
        lon, lat = transformer(crs, LONLAT).transform(xy[:, 0], xy[:, 1])
    except ProjError as error:
        raise CRSMismatchError(
            f"{crs.name} can't be transformed to longitude and latitude ({clean_name(str(error))}); reproject the file "
            "to EPSG:4326"
        ) from None
    lonlat = np.column_stack([lon, lat])
    bad = ~np.isfinite(lonlat).all(axis=1)
    if bad.any():
        x, y = xy[int(np.argmax(bad))]
        raise CRSMismatchError(
            f"the coordinates ({x:.10g}, {y:.10g}) lie outside {crs.name}; check the file's CRS, or reproject it to EPSG:4326"
        )
    return lonlat


def _require_area_of_use(xy: Coords, lonlat: Coords, crs: CRS) -> None:
    """Refuse swapped x and y, by the area of use of the CRS."""
    area = crs.area_of_use
    if area is None:
        return
    margin = _AREA_OF_USE_MARGIN_DEG

    def inside(lon: float, lat: float) -> bool:
        wraps = area.west > area.east
        fits = (lon >= area.west - margin, lon <= area.east + margin)
        return area.south - margin <= lat <= area.north + margin and (any(fits) if wraps else all(fits))

    if inside(*map(float, lonlat.mean(axis=0))):
        return
    x, y = map(float, xy.mean(axis=0))
    try:
        swapped = transformer(crs, LONLAT).transform(y, x)
    except ProjError:
        return
    if np.isfinite(swapped).all() and inside(*swapped):
        raise CRSMismatchError(
            f"the coordinates ({x:.10g}, {y:.10g}) lie outside the area of {crs.name}, and inside it once swapped: "
            "x and y look swapped; write x (or longitude) first"
        )


def _require_degrees(xy: Coords, crs: CRS) -> None:
    lon, lat = xy[:, 0], xy[:, 1]
    if (np.abs(xy) > 360).any():
        x, y = xy[int(np.argmax((np.abs(xy) > 360).any(axis=1)))]
        raise CRSMismatchError(
            f"the coordinates ({x:.10g}, {y:.10g}) are not degrees of {crs.name} but look like projected metres: KML must be, "
            "and GeoJSON without a crs is, longitude/latitude degrees; reproject the file to EPSG:4326"
        )
    if (np.abs(lat) > 90).any():
        worst = float(lat[int(np.argmax(np.abs(lat)))])
        swapped = (np.abs(lon) <= 90).all() and (np.abs(lat) <= 180).all()
        raise CRSMismatchError(
            f"latitude {worst:.6g} is beyond ±90; longitude and latitude look swapped: longitude comes first, then latitude"
            if swapped
            else f"latitude {worst:.6g} is beyond ±90; check the coordinates (longitude first, then latitude, in degrees)"
        )
    if (np.abs(lon) > 180).any():
        worst = float(lon[int(np.argmax(np.abs(lon)))])
        raise CRSMismatchError(f"longitude {worst:.6g} is beyond ±180; write longitudes from -180 to 180 degrees")


def _require_no_degrees(xy: Coords, crs: CRS) -> None:
    """Refuse degrees under a projected CRS.

    Such coordinates lie in the range of degrees, and within ten units of each other.
    """
    if len(xy) < 3 or (np.abs(xy) > (180, 90)).any() or float(np.ptp(xy, axis=0).max()) >= _SMALLEST_FILE:
        return
    x, y = xy[0]
    raise CRSMismatchError(
        f"the coordinates ({x:.10g}, {y:.10g}) look like degrees, but the file says that they are in {crs.name}; correct the "
        "file's CRS to EPSG:4326"
    )


def parse_crs(text: str, where: str) -> CRS:
    """Horizontal CRS of an authority code, URN, PROJ string or WKT.

    Parameters
    ----------
    text : str
        Authority code, URN or WKT.
    where : str
        What names it, for the message.

    Raises
    ------
    CRSMismatchError
        Where it is unknown, undefined, local, vertical or geocentric.
    """
    remedy = "set the right one, or reproject the file to EPSG:4326"
    if _GRID_AT_A_PLACE.search(text):
        raise CRSMismatchError(
            f"{where} names the CRS {quoted(text)}, whose grid is a path or address, which is never opened; {remedy}"
        )
    try:
        crs = CRS.from_user_input(text).to_2d()
        if crs.is_compound:
            crs = crs.sub_crs_list[0]
    except (CRSError, UnicodeEncodeError):  # the latter of text that JSON may hold and no other file
        raise CRSMismatchError(f"{where} names the CRS {quoted(text)}, which is not known; {remedy}") from None
    if crs.name.lower().startswith("undefined"):
        raise CRSMismatchError(f"{where} names '{crs.name}', a CRS without a datum, and none is guessed; {remedy}")
    if not (crs.is_geographic or crs.is_projected or _is_derived_projected(crs)):
        raise CRSMismatchError(
            f"{where} names {quoted(crs.name)}, a {crs.type_name}; a geographic or projected CRS is needed: {remedy}"
        )
    return crs


def _is_derived_projected(crs: CRS) -> bool:
    """Whether a CRS is a derived projected one that PROJ can transform.

    Plant grids, shifted or rotated from UTM, are of this kind.
    """
    if crs.type_name != "Derived Projected CRS":
        return False
    try:
        transformer(crs, LONLAT)
    except ProjError:
        return False
    return True


class Budget:
    """Limit on features and vertices, counted as they are read.

    Parameters
    ----------
    remedy : str
        Last clause of the message.
    """

    def __init__(self, remedy: str = "cut the file down to the site, or simplify it") -> None:
        self._remedy = remedy
        self._left = {"vertices": MAX_VERTICES, "features": MAX_FEATURES}

    def spend(self, what: str, number: int) -> None:
        """Subtract from the remaining number of features or vertices.

        Raises
        ------
        SiteError
            Beyond the limit.
        """
        self._left[what] -= number
        if self._left[what] < 0:
            limit = {"vertices": MAX_VERTICES, "features": MAX_FEATURES}[what]
            raise SiteError(f"the file holds more than {limit:,} {what}, the limit; {self._remedy}")
