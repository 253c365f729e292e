"""layout.geojson: RFC 7946, EPSG:4326, 8 decimals, one order; the same plan gives the same bytes."""

from __future__ import annotations

import json
import os
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
KINDS = ("boundary", "buildable", "exclusion", "entry", "asset", "pad", "road", "cable")


@cache
def schema() -> dict[str, Any]:
    """JSON Schema of layout.geojson (2020-12)."""
    text = resources.files("pacifico.layout.files").joinpath("layout.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def text(layout: dict[str, Any]) -> str:
    """FeatureCollection as JSON, one feature a line."""
    head = {k: v for k, v in layout.items() if k != "features"}
    lines = ",\n".join(_json(f) for f in layout["features"])
    return f'{_json(head)[:-1]},"features":[\n{lines}\n]}}\n'


def write(layout: dict[str, Any], path: str | Path) -> Path:
    """Write a FeatureCollection; the file appears whole or not at all."""
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    whole = text(layout)
    try:
        part.write_text(whole, encoding="utf-8", newline="\n")
        os.replace(part, target)  # noqa: PTH105 (atomic, also onto an existing file)
    finally:
        part.unlink(missing_ok=True)
    return target


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
