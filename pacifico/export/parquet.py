"""GeoParquet for analysis: one table of all features, in the working CRS."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.export.columns import cell, dtype
from pacifico.layout.files.stored import GEOMETRIES, StoredLayout, columns
from pacifico.output_files import atomic_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.layout.files.stored import Rule


def write_parquet(layout: Mapping[str, Any] | StoredLayout, path: str | Path) -> Path:
    """Write a layout as one GeoParquet table, with design heights of roads kept.

    The column `kind` says what a row is; the others are the properties of layout.geojson. What a kind doesn't have is null.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    path : str or Path
        File to write.

    Returns
    -------
    Path
        The file. The same layout gives the same bytes with the same GeoPandas and PyArrow, which write their versions into it.

    Raises
    ------
    InputError
        The layout is invalid, the folder does not exist, or PyArrow is not installed.
    """
    try:
        importlib.import_module("pyarrow.parquet")  # an extra
    except ImportError:
        raise InputError("GeoParquet needs pyarrow, which is not installed; pip install 'pacifico[parquet]'") from None
    import geopandas as gpd  # noqa: PLC0415 (1.6 s)
    import pandas as pd  # noqa: PLC0415

    parts = StoredLayout.of(layout)
    features = [feature for kind in GEOMETRIES for feature in parts.of_kind(kind)]
    data = {"kind": pd.Series([f.kind for f in features], dtype="string")}
    for name, rule in _columns().items():
        values = [cell(f.properties.get(name)) for f in features]
        data[name] = pd.Series(values, dtype=_NULLABLE[dtype(rule)])
    frame = gpd.GeoDataFrame(data, geometry=[f.geometry for f in features], crs=parts.crs)
    target = Path(path)
    with atomic_files(target) as (part,):
        frame.to_parquet(part, index=False, schema_version="1.1.0")
    return target


_NULLABLE = {"bool": "boolean", "int64": "Int64", "float64": "Float64", "object": "string"}
"""Type of a column that may be null, by the type of the values."""


def _columns() -> dict[str, Rule]:
    """Properties of all kinds with their rules, in the order of the contract."""
    return {name: rule for kind in GEOMETRIES for name, rule in columns(kind).items()}
