"""GeoPackage for a GIS: one layer a kind, working CRS, heights kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.export.written import plain, whole
from pacifico.layout.files.stored import GEOMETRIES, StoredLayout, columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.layout.files.stored import Rule

_DATE = "OGR_CURRENT_DATE"
"""GDAL's option for the time that a GeoPackage says it was last changed."""


def write_gpkg(layout: Mapping[str, Any], path: str | Path) -> Path:
    """Write a layout as a GeoPackage.

    Parameters
    ----------
    layout : mapping
        Content of a layout.geojson.
    path : str or Path
        File to write; it appears whole or not at all.

    Returns
    -------
    Path
        The file. The same layout gives the same bytes with the same GDAL and SQLite: SQLite writes its version into each file.

    Raises
    ------
    InputError
        It is no layout, or the file's folder is missing.
    """
    import geopandas as gpd  # noqa: PLC0415 (1.6 s)
    import pandas as pd  # noqa: PLC0415
    import pyogrio  # noqa: PLC0415

    path = Path(path)
    parts = StoredLayout.of(layout)
    before = pyogrio.get_gdal_config_option(_DATE)
    pyogrio.set_gdal_config_options({_DATE: "2000-01-01T00:00:00.000Z"})
    try:
        with whole(path, suffix=".gpkg") as (part,):
            for kind in GEOMETRIES:
                found = parts.of_kind(kind)
                if not found:
                    continue
                data = {
                    name: pd.Series([_cell(p[name]) for p in found], dtype=_dtype(rule))
                    for name, rule in columns(kind).items()
                }
                # Says what a feature is for, also to who reads the file as a boundary.
                data = {"kind": pd.Series([kind] * len(found), dtype="object"), **data}
                frame = gpd.GeoDataFrame(data, geometry=[p.geometry for p in found], crs=parts.crs)
                several = "MultiPolygon" in GEOMETRIES[kind]
                pyogrio.write_dataframe(
                    frame,
                    part,
                    layer=kind,
                    driver="GPKG",
                    append=part.exists(),
                    promote_to_multi=several,
                    geometry_type="MultiPolygon" if several else None,
                )
    finally:
        pyogrio.set_gdal_config_options({_DATE: before})
    return path


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value)
    return plain(value, most=4000) if isinstance(value, str) else value


def _dtype(rule: Rule) -> str:
    """Type of a column by its rule, so that it does not hang on which values occur."""
    said = rule.get("type", [])
    types = {said} if isinstance(said, str) else set(said)
    if types == {"boolean"}:
        return "bool"
    return "float64" if "number" in types or rule.get("$ref") == "#/$defs/positive" else "object"
