"""Fuzz harness of stored layouts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fuzz.harnesses.sites import HOLE, RING
from fuzz.mutators import mutate_json
from fuzz.scaffold import BreachError, Harness, written

from pacifico.layout.files.geojson import schema, text
from pacifico.layout.files.stored import GEOMETRIES, StoredLayout, columns

if TYPE_CHECKING:
    from collections.abc import Iterator


def read(data: bytes) -> Iterator[str]:
    """Read a layout and what the exports take from it."""
    layout = StoredLayout.read(written(data, "layout.geojson"))
    if layout.boundary.is_empty:
        raise BreachError("a layout without a boundary")
    yield f"{len(layout.features)} features, {len(layout.metrics)} metrics, coarse {layout.coarse}"


def example(rule: dict[str, Any]) -> Any:
    """Smallest value that keeps a JSON Schema rule."""
    if "$ref" in rule:
        return example(schema()["$defs"][rule["$ref"].rpartition("/")[2]])
    if "const" in rule or "enum" in rule:
        return rule["const"] if "const" in rule else rule["enum"][0]
    kind = rule.get("type", "string")
    match kind if isinstance(kind, str) else kind[0]:
        case "object":
            return {
                name: example(rule.get("properties", {}).get(name, {"type": "number"}))
                for name in rule.get("required", ())
            }
        case "array":
            return [example(rule["items"])] * rule.get("minItems", 1)
        case "string":
            return "x"
        case "boolean":
            return False
        case "integer":
            return int(rule.get("minimum", 1))
        case _:
            return float(rule.get("minimum", 1))


def seeds() -> dict[str, bytes]:
    """Layouts with one feature of each kind, with and without edits."""
    about = example({**schema()["properties"]["pacifico"]})
    about |= {
        "crs": "EPSG:32616",
        "dem": {"source": "x", "sha256": "", "resolution_m": 10.0, "units": "m", "nodata_share": None},
    }
    place: dict[str, Any] = {"Point": RING[0], "LineString": [[*p, 5.0] for p in RING[:2]], "Polygon": [RING, HOLE]}
    features = [
        {
            "type": "Feature",
            "geometry": {"type": (shape := "Polygon" if "Polygon" in types else types[0]), "coordinates": place[shape]},
            "properties": {
                "kind": kind,
                **{name: example(rule) if rule else "x" for name, rule in columns(kind).items()},
            },
        }
        for kind, types in GEOMETRIES.items()
    ]
    edits = [example(schema()["$defs"]["edit"])]
    found = {
        "whole": {"type": "FeatureCollection", "pacifico": about, "features": features},
        "edited": {"type": "FeatureCollection", "pacifico": {**about, "edits": edits}, "features": features[:4]},
        "boundary": {"type": "FeatureCollection", "pacifico": about, "features": features[:1]},
    }
    return {name: text(content).encode() for name, content in found.items()} | {
        "plain": json.dumps(found["boundary"]).encode()
    }


HARNESS = Harness(
    read,
    seeds,
    mutate_json,
    ('"pacifico"', '"schema_version"', '"crs"', '"kind"', "EPSG:32616", "EPSG:4326", "NaN", "1e999", "\\ud800"),
)
