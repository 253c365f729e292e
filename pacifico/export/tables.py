"""Tables of assets, roads and cables as CSV: the contract's properties, and where each thing is."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.crs import LONLAT, transformer
from pacifico.export.written import plain, whole
from pacifico.layout.files.stored import StoredLayout, columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely import Point

    from pacifico.layout.files.stored import StoredFeature

PLACE = ("lon", "lat", "x", "y")
"""Centroid of a footprint, half-way point of a line: degrees, then metres in the working CRS."""
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a spreadsheet may begin a formula with; leading white space is gone by then."""


def write_csv(
    layout: Mapping[str, Any], assets_path: str | Path, roads_path: str | Path, cables_path: str | Path
) -> tuple[Path, Path, Path]:
    """Write the tables of assets, of roads and of collection cables.

    Columns are the contract's properties in its order, then `lon`, `lat` [°] and `x`, `y` [m, working CRS]. UTF-8,
    lines ended by a line feed, empty where there is no value.

    Parameters
    ----------
    layout : mapping
        Content of a layout.geojson.
    assets_path, roads_path, cables_path : str or Path
        Files to write; all appear whole or none does. A layout without cables has a table of its header alone.

    Returns
    -------
    tuple of Path
        The files. The same layout gives the same bytes.

    Raises
    ------
    InputError
        It is no layout, or a folder is missing.

    Notes
    -----
    Text that a spreadsheet would take for a formula gets a leading apostrophe.
    """
    paths = (Path(assets_path), Path(roads_path), Path(cables_path))
    parts = StoredLayout.of(layout)
    with whole(*paths) as unfinished:
        for part, kind in zip(unfinished, ("asset", "road", "cable"), strict=True):
            part.write_text(table(parts, kind), encoding="utf-8", newline="")
    return paths


def table(parts: StoredLayout, kind: str) -> str:
    """Table of the features of a kind, header first."""
    names = columns(kind)
    degrees = transformer(parts.crs, LONLAT)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*names, *PLACE])
    for part in parts.of_kind(kind):
        place = _place(part)
        lon, lat = degrees.transform(place.x, place.y)
        rows.writerow(
            [_cell(part[name]) for name in names]
            + [f"{lon:.8f}", f"{lat:.8f}", f"{place.x:.3f}", f"{place.y:.3f}"]
        )  # fmt: skip
    return text.getvalue()


def _place(part: StoredFeature) -> Point:
    line = part.geometry.geom_type == "LineString"
    return part.geometry.interpolate(0.5, normalized=True) if line else part.geometry.centroid


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = plain(", ".join(map(str, value)) if isinstance(value, list) else value, most=4000)
    return f"'{text}" if text.startswith(_FORMULA) else text
