"""GeoPackage for GIS: a layer per kind, in the working CRS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from pacifico.escaping import for_gdal
from pacifico.export.columns import cell, dtype
from pacifico.export.piles import MEASURED, WHOLE
from pacifico.export.qgis_styles import TABLE, styles_table
from pacifico.layout.files.stored import GEOMETRIES, StoredLayout, columns
from pacifico.output_files import atomic_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from pyproj import CRS

    from pacifico.export.piles import PileSchedule

_DATE = "OGR_CURRENT_DATE"
"""GDAL option for the time of last change that a GeoPackage records."""
FIXED_DATE = "2000-01-01T00:00:00.000Z"
"""Time that every file records, so that the same layout gives the same bytes."""


def write_gpkg(
    layout: Mapping[str, Any] | StoredLayout, path: str | Path, *, piles: PileSchedule | None = None
) -> Path:
    """Write a layout as a GeoPackage, with design heights of roads and styles for QGIS.

    With piles there are layers `row`, lines over the tops of piles, and `pile`, their tops with the columns of piles.csv.

    Parameters
    ----------
    layout : mapping or StoredLayout
        Content of a layout.geojson, or a layout read from one.
    path : str or Path
        GeoPackage to write.
    piles : PileSchedule, optional
        Piles of the layout, drawn with their rows.

    Returns
    -------
    Path
        The file. The same layout gives the same bytes with the same GDAL and SQLite, which writes its version into the file.

    Raises
    ------
    InputError
        The layout is invalid, the piles are of another one, or the folder does not exist.
    """
    import geopandas as gpd  # noqa: PLC0415 (1.6 s)
    import pandas as pd  # noqa: PLC0415
    import pyogrio  # noqa: PLC0415

    path = Path(path)
    parts = StoredLayout.of(layout)
    if piles is not None:
        piles.require_of(parts)
    before = pyogrio.get_gdal_config_option(_DATE)
    pyogrio.set_gdal_config_options({_DATE: FIXED_DATE})
    try:
        with atomic_files(path, suffix=".gpkg") as (part,):
            kinds = [kind for kind in GEOMETRIES if parts.of_kind(kind)]
            for kind in kinds:
                found = parts.of_kind(kind)
                data = {
                    name: pd.Series([cell(p[name]) for p in found], dtype=dtype(rule))
                    for name, rule in columns(kind).items()
                }
                # the column tells readers what a feature is, also those that take the file for a boundary
                data = {"kind": pd.Series([kind] * len(found), dtype="object"), **data}
                frame = gpd.GeoDataFrame(data, geometry=[p.geometry for p in found], crs=parts.crs)
                multi = "MultiPolygon" in GEOMETRIES[kind]
                _add(frame, kind, part, multi=multi)
            for layer, frame in () if piles is None else pile_layers(piles, parts.crs):
                _add(frame, layer, part)
            # QGIS reads the time of each style
            styles = pd.DataFrame(styles_table(kinds)).assign(update_time=pd.Timestamp(FIXED_DATE).tz_localize(None))
            pyogrio.write_dataframe(styles, for_gdal(part), layer=TABLE, driver="GPKG", append=True)
    finally:
        pyogrio.set_gdal_config_options({_DATE: before})
    return path


def _add(frame: gpd.GeoDataFrame, layer: str, part: Path, *, multi: bool = False) -> None:
    """Add a layer to a GeoPackage.

    Parameters
    ----------
    frame : GeoDataFrame
        Features.
    layer : str
        Name of the layer.
    part : Path
        GeoPackage; a new one is made where there is none.
    multi : bool
        Whether polygons are written as multipolygons.
    """
    import pyogrio  # noqa: PLC0415 (as above)

    pyogrio.write_dataframe(
        frame,
        for_gdal(part),
        layer=layer,
        driver="GPKG",
        append=part.exists(),
        promote_to_multi=multi,
        geometry_type="MultiPolygon" if multi else None,
    )


def pile_layers(piles: PileSchedule, crs: CRS) -> list[tuple[str, gpd.GeoDataFrame]]:
    """Layers of rows and piles with their names."""
    import geopandas as gpd  # noqa: PLC0415 (1.6 s)

    columns, first = piles.columns, piles.first_pile
    rows = {
        "array": columns["array"][first],
        "row": columns["row"][first],
        "piles": np.diff(np.r_[first, len(piles)]),
    }
    own = {name: columns[name] for name in ("array", *WHOLE, *MEASURED[2:])}
    return [
        ("row", gpd.GeoDataFrame({"kind": "row", **rows}, geometry=piles.row_lines(), crs=crs)),
        ("pile", gpd.GeoDataFrame({"kind": "pile", **own}, geometry=list(shapely.points(piles.tops)), crs=crs)),
    ]
