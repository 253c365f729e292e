"""Fuzz harness of KML files."""

from __future__ import annotations

from functools import partial

from fuzz.harnesses.sites import HOLE, RING, read_boundary
from fuzz.mutators import mutate_xml
from fuzz.scaffold import Harness


def document(body: str, *, prefix: str = "") -> bytes:
    """KML document around its features."""
    name = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    return f'<?xml version="1.0" encoding="UTF-8"?><{prefix}kml {name}="http://www.opengis.net/kml/2.2">{body}</{prefix}kml>'.encode()


def ring(positions: list[list[float]], *, height: str = "") -> str:
    """LinearRing element."""
    text = " ".join(f"{x:.4f},{y:.4f}{height}" for x, y in positions)
    return f"<LinearRing><coordinates>{text}</coordinates></LinearRing>"


POLYGON = f"<Polygon><outerBoundaryIs>{ring(RING, height=',0')}</outerBoundaryIs><innerBoundaryIs>{ring(HOLE)}</innerBoundaryIs></Polygon>"


def seeds() -> dict[str, bytes]:
    """Documents with folders, data, lines, points and links."""
    data = '<ExtendedData><Data name="zone_type"><value>buffered</value></Data><SchemaData><SimpleData name="buffer_m">30</SimpleData></SchemaData></ExtendedData>'
    placemark = f"<Placemark><name>north</name>{POLYGON}</Placemark>"
    wetland = f"<Placemark><name>wetland</name>{data}<Polygon><outerBoundaryIs>{ring(HOLE)}</outerBoundaryIs></Polygon></Placemark>"
    point = (
        f"<Placemark><name>entry</name><Point><coordinates>{RING[0][0]},{RING[0][1]}</coordinates></Point></Placemark>"
    )
    line = f"<Placemark><name>road</name><LineString><coordinates>{RING[0][0]},{RING[0][1]},5 {RING[2][0]},{RING[2][1]},6</coordinates></LineString></Placemark>"
    folders = f"<Document><name>a plan</name><Folder><name>boundary</name>{placemark}</Folder><Folder><name>exclusions</name>{wetland}</Folder>{point}{line}</Document>"
    link = "<NetworkLink><Link><href>other.kml</href></Link></NetworkLink><GroundOverlay/>"
    return {
        "placemark": document(placemark),
        "folders": document(folders),
        "several": document(
            f"<Folder>{placemark}{wetland}<Placemark><MultiGeometry>{POLYGON}{POLYGON}</MultiGeometry></Placemark>{link}</Folder>"
        ),
        "bare": document(ring(RING)),
        "prefixed": document(
            placemark.replace("</", "</k:").replace("<", "<k:").replace("<k:/k:", "</k:"), prefix="k:"
        ),
        "utf16": b"\xff\xfe" + document(placemark).decode().replace('encoding="UTF-8"', "").encode("utf-16-le"),
    }


HARNESS = Harness(
    partial(read_boundary, name="site.kml"),
    seeds,
    mutate_xml,
    (
        "<Placemark>",
        "<Polygon>",
        "<coordinates>",
        "</coordinates>",
        "<LinearRing>",
        "<innerBoundaryIs>",
        "<name>",
        "<![CDATA[",
        "&#10;",
        "&#x202e;",
        "<!DOCTYPE",
        "encoding=",
        "1e999",
        "nan",
    ),
)
