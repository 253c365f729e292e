"""KML of any namespace or prefix, read as a stream of events.

DTDs and entities are refused, since KML needs none. Links are listed; nothing is fetched.
"""

from __future__ import annotations

import re
import xml.sax
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.expatreader import create_parser

from pacifico.crs import LONLAT
from pacifico.errors import SiteError
from pacifico.site.features import (
    MAX_COORDINATE,
    MAX_TEXT_BYTES,
    Budget,
    Coords,
    Feature,
    Layer,
    Reading,
    clean_name,
    counted,
    quoted,
)

if TYPE_CHECKING:
    from xml.sax.xmlreader import AttributesImpl

MAX_DEPTH = 1000
"""Deepest nesting of elements."""
MAX_ELEMENTS = 500_000
"""Most elements of a document."""

_MAX_LABELS = 16
_ROOTS = frozenset({"kml", "Document", "Folder", "Placemark"})
_CONTAINERS = frozenset({"Document", "Folder"})
_NUMBERS = re.compile(r"[-+0-9.eE,\s]*")
_NUMBER = re.compile(r"[-+0-9.eE]+")
_COMMA = re.compile(r"\s*,\s*")
_SKIPPED = {
    "GroundOverlay": ("ground overlay", "ground overlays"),
    "PhotoOverlay": ("photo overlay", "photo overlays"),
    "Track": ("track", "tracks"),
    "Model": ("model", "models"),
}


def read_kml(data: bytes, *, budget: Budget | None = None) -> Reading:
    """Features of a KML document, and the addresses of its network links.

    Parameters
    ----------
    data : bytes
        The document; its byte order mark or its declaration states the encoding.
    budget : Budget, optional
        Limit that several documents of one file share.

    Raises
    ------
    SiteError
        Where it is not well-formed, not KML, holds a DTD, or a limit is passed.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise SiteError(f"{len(data) / 1e6:.0f} MB of KML; the limit is {MAX_TEXT_BYTES / 1e6:.0f} MB: simplify it")
    document = _Document(budget or Budget())
    parser = create_parser(forbid_dtd=True)
    parser.setContentHandler(document)
    try:
        # In one piece: expat may read a long token again for each piece it comes in.
        parser.feed(data)
        parser.close()
    except DefusedXmlException:
        raise SiteError(
            "the KML holds a DTD or entities, which are refused as unsafe; delete its <!DOCTYPE ...>"
        ) from None
    except xml.sax.SAXParseException as error:
        raise SiteError(_not_well_formed(data, error)) from None
    except (LookupError, ValueError) as error:
        # SiteError is a ValueError too and passes; an error of the codec gets our message.
        if isinstance(error, SiteError):
            raise
        raise SiteError(f"the KML's encoding is not supported ({clean_name(str(error))}); save it as UTF-8") from None
    layer = Layer(clean_name(document.title), LONLAT, document.features())
    return Reading(
        (layer,),
        title=document.title,
        warnings=tuple(document.warnings()),
        skipped=tuple(counted(n, *_SKIPPED[what]) for what, n in sorted(document.others.items())),
        links=tuple(document.links),
    )


def _not_well_formed(data: bytes, error: xml.sax.SAXParseException) -> str:
    place = f"line {error.getLineNumber()}, column {error.getColumnNumber()}"
    head = data[:200].lower()
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and (b"encoding=" not in head or b"utf-8" in head):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as wrong:
            return f"byte {wrong.start} of the KML is not UTF-8, as it should be; save the file as UTF-8"
    return f"the KML is not well-formed XML at {place} ({clean_name(error.getMessage())}); export it again"


@dataclass
class _Folder:
    """Folder of placemarks, which hold it since its name may follow them."""

    parent: _Folder | None
    name: str = ""

    def labels(self) -> tuple[str, ...]:
        found: list[str] = []
        folder: _Folder | None = self
        while folder is not None and len(found) < _MAX_LABELS:
            if folder.name:
                found.append(folder.name)
            folder = folder.parent
        return tuple(found)


@dataclass
class _Placemark:
    folder: _Folder
    name: str = ""
    properties: dict[str, object] = field(default_factory=dict)
    polygons: list[tuple[Coords, ...]] = field(default_factory=list)
    lines: list[Coords] = field(default_factory=list)
    points: list[Coords] = field(default_factory=list)


@dataclass
class _Polygon:
    outer: list[Coords] = field(default_factory=list)
    inner: list[Coords] = field(default_factory=list)


class _Document(xml.sax.ContentHandler):
    """Handler that keeps the path and the open placemark and polygon."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self.others: Counter[str] = Counter()
        self.links: list[str] = []
        self.title = ""
        self._path: list[str] = []
        self._folder = _Folder(None)
        self._placemarks: list[_Placemark] = []
        self._placemark: _Placemark | None = None
        self._polygon: _Polygon | None = None
        self._text: list[str] | None = None
        self._key = ""
        self._elements = 0
        self._bare_rings = 0
        self._budget = budget

    def features(self) -> tuple[Feature, ...]:
        return tuple(
            Feature(p.name, p.folder.labels(), p.properties, tuple(p.polygons), tuple(p.lines), tuple(p.points))
            for p in self._placemarks
        )

    def warnings(self) -> list[str]:
        if not self._bare_rings:
            return []
        rings = counted(self._bare_rings, "ring is", "rings are")
        return [f"{rings} outside a Polygon element; read as the outer ring of a polygon"]

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 (the name SAX calls)
        tag = name.rpartition(":")[2]
        self._elements += 1
        if self._elements > MAX_ELEMENTS or len(self._path) >= MAX_DEPTH:
            what = f"{MAX_ELEMENTS:,} elements" if self._elements > MAX_ELEMENTS else f"{MAX_DEPTH:,} levels of nesting"
            raise SiteError(f"the KML has more than {what}, the limit; export the site alone")
        if not self._path and tag not in _ROOTS:
            raise SiteError(
                f"the document starts with <{clean_name(tag)[:40]}>, so it is not KML; export the site as KML"
            )
        parent = self._path[-1] if self._path else ""
        self._path.append(tag)
        self._text = None
        if tag in _CONTAINERS:
            self._folder = _Folder(self._folder)
        elif tag == "Placemark":
            self._placemark = _Placemark(self._folder)
        elif tag == "Polygon":
            self._polygon = _Polygon()
        elif tag in _SKIPPED:
            self.others[tag] += 1
        elif tag == "Data":
            self._key = str(attrs.get("name", ""))
        elif (
            (tag == "name" and (parent in _CONTAINERS or parent == "Placemark"))
            or (tag == "coordinates" and parent in {"LinearRing", "LineString", "Point"})
            or (tag == "value" and parent == "Data")
            or (tag == "href" and "NetworkLink" in self._path[-3:-1])
        ):
            self._text = []
        elif tag == "SimpleData":
            self._key, self._text = str(attrs.get("name", "")), []

    def characters(self, content: str) -> None:
        if self._text is not None:
            self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 (the name SAX calls)
        tag = name.rpartition(":")[2]
        text, self._text = ("".join(self._text) if self._text is not None else None), None
        self._path.pop()
        parent = self._path[-1] if self._path else ""
        if text is not None:
            self._take(tag, parent, text)
        if tag == "Polygon" and self._polygon is not None:
            self._close_polygon(self._polygon)
        elif tag == "Placemark" and self._placemark is not None:
            self._close_placemark(self._placemark)
        elif tag in _CONTAINERS:
            self._folder = self._folder.parent or self._folder

    def _take(self, tag: str, parent: str, text: str) -> None:
        if tag == "coordinates":
            self._take_coordinates(parent, coordinates(text, self._budget))
        elif tag == "href":
            self.links.append(text.strip())
        elif tag in {"value", "SimpleData"}:
            if self._placemark is not None:
                self._placemark.properties[self._key.strip().lower()] = text.strip()
        elif parent == "Placemark":
            if self._placemark is not None:
                self._placemark.name = clean_name(text)
        else:
            label = clean_name(text)
            if parent == "Document":
                self.title = self.title or label
            else:
                self._folder.name = label

    def _take_coordinates(self, parent: str, found: Coords) -> None:
        owner = self._placemark or _Placemark(self._folder)
        if parent == "LinearRing":
            if self._polygon is None:
                self._bare_rings += 1
                owner.polygons.append((found,))
            elif "innerBoundaryIs" in self._path[-2:]:
                self._polygon.inner.append(found)
            else:
                self._polygon.outer.append(found)
        elif len(found):
            (owner.lines if parent == "LineString" else owner.points).append(
                found if parent == "LineString" else found[:1]
            )
        if self._placemark is None:
            self._keep(owner)

    def _close_polygon(self, polygon: _Polygon) -> None:
        self._polygon = None
        if len(polygon.outer) > 1:
            raise SiteError(
                f"a polygon of {quoted(self._placemark.name if self._placemark else '')} has {len(polygon.outer)} outer rings; "
                "draw each as a polygon of its own"
            )
        if not polygon.outer:
            return
        rings = (polygon.outer[0], *polygon.inner)
        if self._placemark is not None:
            self._placemark.polygons.append(rings)
        else:
            self._keep(_Placemark(self._folder, polygons=[rings]))

    def _close_placemark(self, placemark: _Placemark) -> None:
        self._placemark = None
        self._keep(placemark)

    def _keep(self, placemark: _Placemark) -> None:
        if not (placemark.polygons or placemark.lines or placemark.points):
            return
        self._budget.spend("features", 1)
        self._placemarks.append(placemark)


def coordinates(text: str, budget: Budget) -> Coords:
    """Vertices of a KML coordinates text: tuples `lon,lat[,alt]` separated by white space.

    Altitudes are not used and not read: some writers put NaN there.

    Raises
    ------
    SiteError
        Where a tuple has not two or three members, or longitude or latitude is not a finite number.
    """
    tuples = _COMMA.sub(",", text).split()
    budget.spend("vertices", len(tuples))
    if not tuples:
        return np.empty((0, 2))
    all_numbers = _NUMBERS.fullmatch(text) is not None
    found = np.empty((len(tuples), 2))
    for i, item in enumerate(tuples):
        numbers = item.split(",")
        if not all_numbers and not all(_NUMBER.fullmatch(n) for n in numbers[:2]):
            raise _not_numbers(item)
        if len(numbers) not in {2, 3}:
            raise SiteError(
                f"the coordinates {quoted(item)} have {counted(len(numbers), 'number')}, not 2 or 3 (longitude,latitude[,height]); "
                "separate tuples by spaces, and write decimals with a point, not a comma"
            )
        try:
            found[i] = float(numbers[0]), float(numbers[1])
        except ValueError:
            raise _not_numbers(item) from None
    if not (np.abs(found) < MAX_COORDINATE).all():
        raise SiteError(
            "the coordinates hold a number too large to be one; write longitude,latitude in decimal degrees"
        )
    return found


def _not_numbers(item: str) -> SiteError:
    return SiteError(f"the coordinates {quoted(item)} are not numbers; write longitude,latitude in decimal degrees")
