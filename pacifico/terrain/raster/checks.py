"""Refuse unusable elevation rasters, with cause and remedy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from pacifico.crs import LONLAT
from pacifico.errors import DEMError
from pacifico.terrain.raster.addresses import display_name, redacted
from pacifico.terrain.raster.window import horizontal_crs, outline

if TYPE_CHECKING:
    from pacifico.terrain.raster.window import Affine6

MOST_NAMED = 8
"""Variables of a file that a message lists."""
FEWEST_CELLS = 3
"""Rows and columns that slope needs."""
SMALLEST_CELL = 1e-18
"""Area of a cell in the units of the CRS: squares of 0.1 mm have 1e-18 square degrees."""
FARTHEST = 1e9
"""Coordinates of every CRS are smaller: false eastings reach some 10 million, in feet some 100 million."""
COLOURS = frozenset({"red", "green", "blue", "palette", "cyan", "hue"})
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""Transform that GDAL reports for a raster without one."""
GRID_FORMATS = frozenset({"netCDF", "HDF5", "HDF5Image", "GMT"})
"""Formats whose files in degrees often declare no CRS."""


def check_bands(raster: Any, name: str) -> tuple[str, ...]:
    """Refuse files without an elevation band; warn about further bands.

    Raises
    ------
    DEMError
        Several variables and none chosen, a picture, complex numbers, or no band at all.
    """
    if raster.count == 0:
        raise DEMError(_no_band(raster, name))
    if "complex" in raster.dtypes[0]:
        raise DEMError(f"{name} holds complex numbers ({raster.dtypes[0]}); elevation must be real")
    if {interpretation.name for interpretation in raster.colorinterp} & COLOURS:
        raise DEMError(f"{name} is a picture ({raster.count} bands, {raster.dtypes[0]}), not an elevation raster")
    if min(raster.height, raster.width) < FEWEST_CELLS:
        raise DEMError(f"{name} has {raster.height} x {raster.width} cells; slope needs at least 3 x 3")
    if raster.count > 1:
        return (f"{name} has {raster.count} bands: the first is taken as elevation",)
    return ()


def _no_band(raster: Any, name: str) -> str:
    """Message for a file of variables: names and how to choose."""
    parts = list(raster.subdatasets)
    if not parts:
        return f"{name} has no bands; give an elevation raster"
    variables = [re.split(r"[:/]", part.rstrip("/"))[-1].strip('"') for part in parts]
    likely = next((n for n, v in enumerate(variables) if re.search(r"elev|height|topo|dem|^z$", v, re.IGNORECASE)), 0)
    listed = ", ".join(variables[:MOST_NAMED]) + (", ..." if len(variables) > MOST_NAMED else "")
    driver, _, rest = parts[likely].partition(":")
    return (
        f"{name} holds {len(parts)} variables ({listed}); choose the one with elevation, for instance "
        f"--dem '{driver.upper()}:{redacted(rest)}'"
    )


def placement(raster: Any, name: str) -> tuple[CRS, Affine6, tuple[str, ...]]:
    """CRS and transform of a raster, checked against each other, and warnings.

    Raises
    ------
    DEMError
        No CRS, no transform, control points only, a local CRS, or coordinates that don't fit the CRS.
    """
    transform = cast("Affine6", tuple(float(v) for v in raster.transform[:6]))
    if transform == IDENTITY and (raster.gcps[0] or raster.rpcs is not None):
        what = f"{len(raster.gcps[0])} ground control points" if raster.gcps[0] else "rational polynomial coefficients"
        raise DEMError(
            f"{name} is placed by {what} only and is not rectified; rectify it first: gdalwarp -r bilinear {name} rectified.tif"
        )
    crs, warnings = _crs(raster, name, transform)
    if transform == IDENTITY:
        raise DEMError(f"{name} has no geotransform; place it with gdal_translate -a_ullr or gdalwarp")
    if not abs(transform[0] * transform[4] - transform[1] * transform[3]) > SMALLEST_CELL:
        raise DEMError(f"{name} has cells of no area (geotransform {transform}); place it with gdal_translate -a_ullr")
    _require_fit(name, horizontal_crs(crs), transform, (raster.height, raster.width))
    return crs, transform, warnings


def _crs(raster: Any, name: str, transform: Affine6) -> tuple[CRS, tuple[str, ...]]:
    """CRS of a raster, and warnings about it."""
    if raster.crs is None:
        if raster.driver in GRID_FORMATS and transform != IDENTITY and _in_degrees(transform, raster.shape):
            return LONLAT, (f"{name} declares no CRS and its coordinates are degrees: WGS 84 is assumed",)
        raise DEMError(f"{name} has no CRS; set one, for instance with gdal_edit.py -a_srs EPSG:...")
    try:
        crs = CRS.from_wkt(raster.crs.to_wkt())
    except CRSError:
        raise DEMError(
            f"{name} has a CRS that can't be read; set it again, for instance with gdal_edit.py -a_srs EPSG:..."
        ) from None
    flat = horizontal_crs(crs)
    if not (flat.is_projected or flat.is_geographic):
        raise DEMError(
            f"{name} is in a local coordinate system ('{flat.name}', {flat.type_name}) that has no place on the earth; "
            "set the CRS that its coordinates are in, for instance with gdal_edit.py -a_srs EPSG:..."
        )
    return crs, ()


def _extent(transform: Affine6, shape: tuple[int, int]) -> tuple[float, float, float, float]:
    """West, south, east, north of a raster in its own coordinates."""
    ring = outline(transform, shape, points=2)
    return ring[:, 0].min(), ring[:, 1].min(), ring[:, 0].max(), ring[:, 1].max()


def _in_degrees(transform: Affine6, shape: tuple[int, int]) -> bool:
    """Whether coordinates may be longitude and latitude, 0 to 360 included."""
    west, south, east, north = _extent(transform, shape)
    step = max(abs(transform[0]), abs(transform[4]))
    return west >= -360.0 - step and east <= 540.0 + step and south >= -90.0 - step and north <= 90.0 + step


def _require_fit(name: str, flat: CRS, transform: Affine6, shape: tuple[int, int]) -> None:
    """Refuse coordinates that can't be in the declared CRS.

    Parameters
    ----------
    name : str
        Of the raster.
    flat : CRS
        Its horizontal CRS.
    transform : Affine6
        Its affine coefficients.
    shape : (int, int)
        Its rows and columns.
    """
    west, south, east, north = _extent(transform, shape)
    if not (np.abs([west, south, east, north]) < FARTHEST).all():
        raise DEMError(
            f"{name} has a geotransform whose cells lie nowhere on the earth; place it with gdal_translate -a_ullr"
        )
    if flat.is_geographic and not _in_degrees(transform, shape):
        raise DEMError(
            f"{name} declares {flat.name} (degrees), but its coordinates (x {west:.0f} to {east:.0f}, y {south:.0f} to "
            f"{north:.0f}) are metres or feet; set the CRS that they are in, for instance with gdal_edit.py -a_srs EPSG:..."
        )
    if flat.is_projected and abs(transform[0]) < 0.01 and _in_degrees(transform, shape):
        raise DEMError(
            f"{name} declares {flat.name}, but its coordinates (x {west:.4f} to {east:.4f}, y {south:.4f} to {north:.4f}) "
            "are degrees; set the CRS that they are in, for instance with gdal_edit.py -a_srs EPSG:4326"
        )


def missing_file(source: str, reason: str) -> DEMError:
    """Error for a file that GDAL did not find.

    It is the DEM itself, or a tile of its mosaic.

    Parameters
    ----------
    source : str
        The DEM as given.
    reason : str
        GDAL's message.
    """
    name = display_name(source)
    if Path(source).exists():
        found = re.search(r"([^'\"]+?)['\"]?:? (?:No such file|does not exist)", reason)
        tile = display_name(found[1].strip()) if found else "a tile"
        return DEMError(
            f"{name} is a mosaic and its tile {tile} is missing under the site; put the file there, or build the mosaic "
            "again with gdalbuildvrt"
        )
    return DEMError(f"{name}: no such file")
