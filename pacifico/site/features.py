"""What a vector file holds, before anything is made of it: plain features with bare coordinates."""

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
from pacifico.errors import CRSMismatchError, SiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Coords = NDArray[np.float64]
"""Vertices, shape (n, 2): x before y, longitude before latitude."""

MAX_FILE_BYTES = 64_000_000
MAX_TEXT_BYTES = 32_000_000
MAX_VERTICES = 1_000_000
MAX_FEATURES = 50_000
MAX_NAME = 200
SQLITE_MAGIC = b"SQLite format 3\x00"
SHAPEFILE_MAGIC = b"\x00\x00\x27\x0a"

_BIDI_CONTROLS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_DROPPED = ("Cc", "Cs", "Cn", "Co", "Zl", "Zp")


@dataclass(frozen=True)
class Feature:
    """A placemark, feature or table row."""

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
    """A whole file."""

    layers: tuple[Layer, ...]
    title: str = ""
    """What the document calls itself."""
    warnings: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    """What it holds besides, told where no polygon is found ('2 network links, never followed')."""


def clean_name(text: str) -> str:
    """Name on one line, at most 200 characters, without control, bidirectional or unpaired surrogate characters."""
    kept = (
        " " if c in "\t\n\r" else c
        for c in text[: 50 * MAX_NAME]
        if c in "\t\n\r" or (c not in _BIDI_CONTROLS and unicodedata.category(c) not in _DROPPED)
    )
    return re.sub(r"\s+", " ", "".join(kept)).strip()[:MAX_NAME].rstrip()


def quoted(name: str) -> str:
    """Name as messages show it, shortened."""
    name = clean_name(name)
    return f"'{name if len(name) <= 60 else name[:57] + '...'}'"


def in_lonlat(layer: Layer) -> Layer:
    """Layer in longitude and latitude (WGS 84), checked for degrees that can't be.

    Raises
    ------
    CRSMismatchError
        Where coordinates are not those of their CRS.
    """
    arrays = [a for f in layer.features for a in (*(r for p in f.polygons for r in p), *f.lines, *f.points)]
    if not arrays:
        return replace(layer, crs=LONLAT)
    xy = np.concatenate(arrays)
    if layer.crs.is_geographic:
        _require_degrees(xy, layer.crs)
    if layer.crs != LONLAT:
        xy = _transformed(xy, layer.crs)
    ends = np.cumsum([len(a) for a in arrays])
    moved = iter(np.split(xy, ends[:-1]))

    def next_of(items: Iterable[Coords]) -> tuple[Coords, ...]:
        return tuple(next(moved) for _ in items)

    features = tuple(
        replace(
            f,
            polygons=tuple(next_of(rings) for rings in f.polygons),
            lines=next_of(f.lines),
            points=next_of(f.points),
        )
        for f in layer.features
    )
    return Layer(layer.name, LONLAT, features)


def _transformed(xy: Coords, crs: CRS) -> Coords:
    try:
        lon, lat = transformer(crs, LONLAT).transform(xy[:, 0], xy[:, 1])
    except ProjError as error:
        raise CRSMismatchError(
            f"no way from {crs.name} to longitude and latitude ({clean_name(str(error))}); reproject the file to EPSG:4326"
        ) from None
    moved = np.column_stack([lon, lat])
    bad = ~np.isfinite(moved).all(axis=1)
    if bad.any():
        x, y = xy[int(np.argmax(bad))]
        raise CRSMismatchError(
            f"the coordinates ({x:.10g}, {y:.10g}) lie outside {crs.name}; check the file's CRS, or reproject it to EPSG:4326"
        )
    return moved


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


def crs_of(text: str, where: str) -> CRS:
    """Horizontal CRS that a file names.

    Parameters
    ----------
    text : str
        Authority code, URN or WKT.
    where : str
        What names it, for the message.

    Raises
    ------
    CRSMismatchError
        Where it is unknown, undefined, local or geocentric.
    """
    remedy = "set the right one, or reproject the file to EPSG:4326"
    try:
        crs = CRS.from_user_input(text).to_2d()
        if crs.is_compound:
            crs = crs.sub_crs_list[0]
    except CRSError:
        raise CRSMismatchError(f"{where} names the CRS {quoted(text)}, which is not known; {remedy}") from None
    if crs.name.lower().startswith("undefined"):
        raise CRSMismatchError(f"{where} says '{crs.name}', which names no datum, and none is guessed; {remedy}")
    if not (crs.is_geographic or crs.is_projected):
        raise CRSMismatchError(
            f"{where} names {quoted(crs.name)}, a {crs.type_name}; a geographic or projected CRS is needed: {remedy}"
        )
    return crs


def counted(number: int, noun: str, plural: str = "") -> str:
    """'1 hole', '2 holes'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


class Budget:
    """Counts features and vertices as they are read; refuses past the limit, before memory goes.

    Parameters
    ----------
    remedy : str
        What to do about it.
    """

    def __init__(self, remedy: str = "cut the file down to the site, or simplify it") -> None:
        self._remedy = remedy
        self._left = {"vertices": MAX_VERTICES, "features": MAX_FEATURES}

    def spend(self, what: str, number: int) -> None:
        """Take from what is left.

        Raises
        ------
        SiteError
            Past the limit.
        """
        self._left[what] -= number
        if self._left[what] < 0:
            limit = {"vertices": MAX_VERTICES, "features": MAX_FEATURES}[what]
            raise SiteError(f"the file holds more than {limit:,} {what}, the limit; {self._remedy}")
