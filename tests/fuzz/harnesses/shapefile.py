"""Fuzz harness of zipped shapefiles."""

from __future__ import annotations

import struct
from functools import partial

from fuzz.harnesses.sites import HOLE, RING, read_boundary
from fuzz.mutators import archive_of, mutate_zip
from fuzz.scaffold import Harness
from pyproj import CRS

POLYGON = 5


def shp(polygons: list[list[list[list[float]]]]) -> bytes:
    """Main file of polygons, each a list of rings.

    References
    ----------
    ESRI Shapefile Technical Description (1998).
    """
    records = b""
    for number, rings in enumerate(polygons, start=1):
        points = [p for r in rings for p in r]
        starts = [sum(len(r) for r in rings[:k]) for k in range(len(rings))]
        content = struct.pack("<i4dii", POLYGON, *_box(points), len(rings), len(points))
        content += struct.pack(f"<{len(starts)}i", *starts) + b"".join(struct.pack("<2d", *p) for p in points)
        records += struct.pack(">ii", number, len(content) // 2) + content
    box = _box([p for rings in polygons for r in rings for p in r])
    head = struct.pack(">i5ii", 9994, 0, 0, 0, 0, 0, 50 + len(records) // 2) + struct.pack(
        "<ii8d", 1000, POLYGON, *box, 0, 0, 0, 0
    )
    return head + records


def _box(points: list[list[float]]) -> tuple[float, float, float, float]:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)


def dbf(names: list[str]) -> bytes:
    """Attribute table with one column NAME."""
    head = struct.pack("<BBBBIHH20x", 3, 126, 1, 1, len(names), 65, 21)
    column = struct.pack("<11sc4xBB14x", b"NAME", b"C", 20, 0)
    return head + column + b"\r" + b"".join(b" " + name.encode().ljust(20) for name in names) + b"\x1a"


def seeds() -> dict[str, bytes]:
    """Archives with and without attributes, index and folders."""
    degrees, metres = (CRS.from_epsg(code).to_wkt("WKT1_ESRI").encode() for code in (4326, 32616))
    clockwise = [RING[::-1], HOLE[::-1]]
    utm = [[[750_000, 4_053_000], [750_000, 4_054_000], [751_000, 4_054_000], [750_000, 4_053_000]]]
    return {
        "whole": archive_of([("site.shp", shp([clockwise])), ("site.dbf", dbf(["north"])), ("site.prj", degrees)]),
        "folder": archive_of([("a/site.shp", shp([utm])), ("a/site.prj", metres), ("a/readme.txt", b"x")]),
        "several": archive_of(
            [("a.shp", shp([clockwise])), ("a.dbf", dbf(["boundary"])), ("a.prj", degrees), ("a.cpg", b"UTF-8"), ("exclusions.shp", shp([[HOLE]])), ("exclusions.dbf", dbf(["exclusion"])), ("exclusions.prj", degrees)]
        ),
    }  # fmt: skip


HARNESS = Harness(
    partial(read_boundary, name="site.zip"),
    seeds,
    mutate_zip({}),
    ("site.shp", "site.dbf", "PROJCS", "GEOGCS", "\x00\x00\x27\x0a"),
)
