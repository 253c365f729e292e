"""Fuzz harness of GeoJSON and Esri JSON files."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from fuzz.harnesses.sites import HOLE, RING, read_boundary
from fuzz.mutators import mutate_json
from fuzz.scaffold import Harness


def feature(shape: str, coordinates: Any, /, **properties: Any) -> dict[str, Any]:
    """GeoJSON feature."""
    return {"type": "Feature", "properties": properties, "geometry": {"type": shape, "coordinates": coordinates}}


def seeds() -> dict[str, bytes]:
    """Collections with exclusions, bare geometries, lines of features, other CRSs, Esri JSON."""
    site, wetland = (
        feature("Polygon", [RING], name="north"),
        feature("Polygon", [HOLE], kind="exclusion", zone_type="buffered", buffer_m=20),
    )
    point, line = feature("Point", RING[0], name="entry"), feature("LineString", RING[:3], name="road", buffer_m=10)
    utm = [[[750_000, 4_053_000], [751_000, 4_053_000], [751_000, 4_054_000], [750_000, 4_053_000]]]
    collection = {"type": "FeatureCollection", "name": "a plan", "features": [site, wetland, point, line]}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32616"}}
    esri = {
        "geometryType": "esriGeometryPolygon",
        "spatialReference": {"wkid": 4326},
        "features": [{"attributes": {"NAME": "a"}, "geometry": {"rings": [RING[::-1], HOLE]}}],
    }
    found: dict[str, Any] = {
        "collection": collection,
        "geometry": {"type": "MultiPolygon", "coordinates": [[RING, HOLE], [[[x + 0.02, y] for x, y in RING]]]},
        "gathered": {"type": "GeometryCollection", "geometries": [site["geometry"], point["geometry"]]},
        "utm": {"type": "FeatureCollection", "crs": crs, "features": [feature("Polygon", utm)]},
        "own": {
            **collection,
            "pacifico": {"schema_version": 1},
            "features": [feature("Polygon", [RING], kind="boundary", name="x"), wetland],
        },
        "esri": esri,
    }
    lines = b"\n".join(json.dumps(f).encode() for f in (site, wetland))
    return {**{name: json.dumps(content).encode() for name, content in found.items()}, "lines": lines}


HARNESS = Harness(
    partial(read_boundary, name="site.geojson"),
    seeds,
    mutate_json,
    (
        '"coordinates"',
        '"rings"',
        '"crs"',
        '"wkid"',
        '"features"',
        '"geometries"',
        "FeatureCollection",
        "EPSG:4326",
        "NaN",
        "1e999",
        "\\ud800",
        "\x1e",
    ),
)
