"""Write layout.geojson (RFC 7946, EPSG:4326): equal plans give equal bytes."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pacifico.output_files import atomic_files
from pacifico.vocabulary import ASSET_KINDS, PROFILES, STRATEGIES

KINDS = ("boundary", "buildable", "exclusion", "entry", "asset", "pad", "road", "cable", "crossing", "fence")
"""Kinds of feature, in the order of the file."""


@cache
def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of layout.geojson, with the names of `pacifico.vocabulary`."""
    text = resources.files("pacifico.layout.files").joinpath("layout.schema.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    for name, values in (("profile", PROFILES), ("strategy", STRATEGIES), ("asset_type", ASSET_KINDS)):
        parsed["$defs"][name] = {"enum": list(values)}
    return parsed


def text(layout: dict[str, Any]) -> str:
    """FeatureCollection as JSON text, one feature per line."""
    head = {k: v for k, v in layout.items() if k != "features"}
    lines = ",\n".join(_json(f) for f in layout["features"])
    return f'{_json(head)[:-1]},"features":[\n{lines}\n]}}\n'


def write(layout: dict[str, Any], path: str | Path) -> Path:
    """Write a FeatureCollection atomically: the whole file appears, or none."""
    target = Path(path)
    content = text(layout)
    with atomic_files(target) as (part,):
        part.write_text(content, encoding="utf-8", newline="\n")
    return target


def _json(value: Any) -> str:
    """Compact JSON; NaN and infinity are refused."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
