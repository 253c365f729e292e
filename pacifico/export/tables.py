"""Assets, roads and cables as CSV tables."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.crs import LONLAT, transformer
from pacifico.export.stations import write_stations
from pacifico.export.text import single_line
from pacifico.grid import Ground
from pacifico.layout.files.stored import StoredLayout, columns
from pacifico.output_files import atomic_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from shapely import Point

    from pacifico.layout.files.stored import StoredFeature

PLACE = ("lon", "lat", "x", "y")
"""Columns of a feature's place: centroid of a footprint, midpoint of a line; degrees, then metres in the working CRS."""
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Characters with which a spreadsheet starts a formula, the full-width ones included."""
LONGEST_TEXT = 4000
"""Largest number of characters in a cell."""


def export_tables(
    layout: Mapping[str, Any] | StoredLayout,
    path: Path,
    *,
    ground: xr.DataArray | None = None,
    stations_m: float | None = None,
) -> tuple[Path, ...]:
    """Write all tables of a layout to a folder.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    path : Path
        Folder, which gets assets.csv, roads.csv and cables.csv; or file of the assets, with '-roads' and '-cables' in the
        names of the others.
    ground : DataArray, optional
        DEM for the ground heights at stations.
    stations_m : float, optional
        Distance between road stations [m]; without it no stations are written.

    Returns
    -------
    tuple of Path
        Files written.

    Raises
    ------
    InputError
        The layout is invalid, a folder does not exist, or the distance is under 1 m.
    """
    names = ("assets", "roads", "cables")
    if path.is_dir():
        targets = [path / f"{name}.csv" for name in names]
    else:
        targets = [path, *(path.with_name(f"{path.stem}-{name}{path.suffix}") for name in names[1:])]
    written: tuple[Path, ...] = write_csv(layout, *targets)
    if stations_m is None:
        return written
    beside = written[-1].with_name(written[-1].name.replace("cables", "stations"))
    heights = None if ground is None else Ground.of(ground)
    return (*written, write_stations(layout, beside, every_m=stations_m, ground=heights))


def write_csv(
    layout: Mapping[str, Any] | StoredLayout, assets_path: str | Path, roads_path: str | Path, cables_path: str | Path
) -> tuple[Path, Path, Path]:
    """Write the tables of assets, roads and collection cables.

    Columns are the properties of layout.geojson in its order, then `lon`, `lat` [°] and `x`, `y` [m, working CRS]. The files
    are UTF-8 with line feeds; a missing value is an empty cell.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    assets_path, roads_path, cables_path : str or Path
        Files to write: all three or none. Without cables their table is a header alone.

    Returns
    -------
    tuple of Path
        The files. The same layout gives the same bytes.

    Raises
    ------
    InputError
        The layout is invalid, or a folder does not exist.

    Notes
    -----
    Text that a spreadsheet would read as a formula gets a leading apostrophe.
    """
    paths = (Path(assets_path), Path(roads_path), Path(cables_path))
    parts = StoredLayout.of(layout)
    with atomic_files(*paths) as temporary:
        for part, kind in zip(temporary, ("asset", "road", "cable"), strict=True):
            part.write_text(table(parts, kind), encoding="utf-8", newline="")
    return paths


def table(parts: StoredLayout, kind: str) -> str:
    """CSV text of the features of a kind, header first."""
    names = columns(kind)
    degrees = transformer(parts.crs, LONLAT)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*names, *PLACE])
    for part in parts.of_kind(kind):
        place = _place(part)
        lon, lat = degrees.transform(place.x, place.y)
        where = [f"{lon:.8f}", f"{lat:.8f}", f"{place.x:.3f}", f"{place.y:.3f}"]
        rows.writerow([*(_cell(part[name]) for name in names), *where])
    return text.getvalue()


def _place(part: StoredFeature) -> Point:
    """Centroid of a footprint, or midpoint of a line."""
    line = part.geometry.geom_type == "LineString"
    return part.geometry.interpolate(0.5, normalized=True) if line else part.geometry.centroid


def _cell(value: Any) -> str:
    """Value as a cell, never a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = single_line(", ".join(map(str, value)) if isinstance(value, list) else value, most=LONGEST_TEXT)
    return f"'{text}" if text.startswith(_FORMULA) else text
