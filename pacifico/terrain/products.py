"""Write the terrain of a site as rasters, vectors and figures."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from pacifico.crs import LONLAT, transformer
from pacifico.errors import DEMError
from pacifico.grid import Grid, elevations
from pacifico.output_files import disk_errors
from pacifico.stages import begin
from pacifico.terrain.contours import INDEX_EVERY, contours, sensible_interval_m, slope_classes
from pacifico.terrain.reasons import Reasons, reasons
from pacifico.terrain.site_grid import cells_in
from pacifico.terrain.stream import write_raster, write_surface
from pacifico.terrain.summary import SiteTerrain, summary_of
from pacifico.terrain.surface import PRODUCTS, slope_deg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr
    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from pacifico.site.model import Site, Zone
    from pacifico.stages import OnStage
    from pacifico.terrain.contours import Contour, SlopeClass

ERRORS_PER_INTERVAL = 3.3
"""Least contour interval in standard errors of the DEM: half of it then holds 90 % of the errors."""
DECIMALS = 7
"""Decimals of degrees: a centimetre."""
MOST_NAME = 80
"""Characters of an exclusion's name in legends."""
_LONG = re.compile(r"\d+\.\d{8,}")


def write_terrain(
    site: Site,
    dem: xr.DataArray,
    out_dir: str | Path,
    *,
    slope_limits_deg: Mapping[str, float],
    setback_m: float = 0.0,
    contour_interval_m: float | None = None,
    on_stage: OnStage | None = None,
) -> dict[str, Any]:
    """Write the terrain of a site to a folder.

    Parameters
    ----------
    site : Site
        Shares and areas are of the ground inside its boundary. Its exclusions are not buildable.
    dem : DataArray, dims (y, x)
        Elevation [m] as `open_dem` gives it.
    out_dir : str or Path
        Created if absent. Gets a COG for each surface product, contours, slope classes and summary.json.
    slope_limits_deg : mapping
        Limit of natural ground by asset type [°].
    setback_m : float
        Distance kept from the boundary [m], which is not buildable either.
    contour_interval_m : float, optional
        Height between contour lines [m]; by default one that fits the relief.
    on_stage : callable, optional
        Called with name, percentage and message as each stage begins.

    Returns
    -------
    dict
        Content of summary.json. The same input gives the same bytes.

    Raises
    ------
    DEMError
        The site has no elevation at all.
    InputError
        The contour interval is not positive, or gives too many lines.
    """
    (out := Path(out_dir)).mkdir(parents=True, exist_ok=True)
    begin(on_stage, "computing_slope", 0, "computing slopes and buildable ground")
    terrain = _site_terrain(site, dem, slope_limits_deg, setback_m)
    interval = _interval_m(terrain) if contour_interval_m is None else contour_interval_m
    begin(on_stage, "drawing_contours", 20, "drawing contours")
    lines = contours(dem, interval_m=interval, within=site.boundary)
    classes = slope_classes(terrain.slope_deg, terrain.grid, sorted(set(slope_limits_deg.values())), site.boundary)
    begin(on_stage, "writing_rasters", 40, "writing rasters")
    with disk_errors(out):
        files = [*_write_rasters(terrain, out), *_write_vectors(site, lines, classes, out)]
    begin(on_stage, "measuring_terrain", 75, "measuring buildable ground under DEM errors")
    summary = summary_of(site, dem, terrain, slope_limits_deg)
    summary["setback_m"] = setback_m
    summary["contours"] = {"interval_m": interval, "lines": len(lines), "index_every": INDEX_EVERY}
    summary["warnings"] += _interval_warning(interval, summary["dem_error"]["rmse_m"])
    summary["files"] = sorted([*files, "summary.json"])
    (out / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    begin(on_stage, "completed", 100, "completed")
    return summary


def _interval_m(terrain: SiteTerrain) -> float:
    """Height between contours that fits the relief [m]."""
    heights = terrain.z[terrain.inside & np.isfinite(terrain.z)]
    return sensible_interval_m(float(heights.max()) - float(heights.min()))


def _site_terrain(
    site: Site, dem: xr.DataArray, slope_limits_deg: Mapping[str, float], setback_m: float
) -> SiteTerrain:
    """Heights, slopes and reasons of the ground of a site.

    Parameters
    ----------
    site : Site
        Site with its exclusions.
    dem : DataArray, dims (y, x)
        Elevation [m].
    slope_limits_deg : mapping
        Limit by asset type [°].
    setback_m : float
        Distance kept from the boundary [m].
    """
    grid = Grid.of(dem)
    z = np.ascontiguousarray(elevations(dem))
    steep = slope_deg(z, grid.dx, grid.dy)
    inside = cells_in(site.boundary, grid)
    if not (inside & np.isfinite(z)).any():
        raise DEMError("the site has no elevation: every cell of it is nodata")
    why = site_reasons(site, grid, steep, slope_limits_deg, inside=inside, setback_m=setback_m)
    return SiteTerrain(grid, z, steep, inside, why)


def _write_rasters(terrain: SiteTerrain, out: Path) -> list[str]:
    """Write surface products, elevation and reasons; return the file names."""
    z = terrain.z
    write_surface(lambda first, last: z[first:last], terrain.grid, out, PRODUCTS)
    write_raster(out / "elevation.tif", z.astype(np.float32), terrain.grid, nodata=math.nan, averaged=True)
    legend = {f"CATEGORY_{code}": name for code, name in terrain.why.legend.items()}
    write_raster(out / "why_not_buildable.tif", terrain.why.codes, terrain.grid, nodata=255, averaged=False, **legend)
    return [f"{name}.tif" for name in (*PRODUCTS, "elevation", "why_not_buildable")]


def _write_vectors(site: Site, lines: Sequence[Contour], classes: Sequence[SlopeClass], out: Path) -> list[str]:
    """Write contours and slope classes as GeoJSON; return the file names.

    Parameters
    ----------
    site : Site
        Site that they lie in.
    lines : sequence of Contour
        Contour lines.
    classes : sequence of SlopeClass
        Slope classes.
    out : Path
        Folder.
    """
    crs = site.crs
    features = [
        _feature(
            c.line,
            crs,
            elevation_m=c.elevation_m,
            label=c.label,
            index=c.is_index,
            label_at=json.loads(_lonlat(c.label_point, crs))["coordinates"],
            label_angle_deg=round(c.label_angle_deg, 1),
        )
        for c in lines
    ]
    _write_features(out / "contours.geojson", features)
    planar = float(shapely.area(site.boundary)) / 1e4
    scale = site.area_ha / planar  # from grid metres to ground metres
    features = [
        _feature(
            c.ground,
            crs,
            over_deg=c.over_deg,
            to_deg=c.to_deg,
            area_ha=round(float(c.ground.area) / 1e4 * scale, 4),
        )
        for c in classes
        if not c.ground.is_empty
    ]
    _write_features(out / "slope_classes.geojson", features)
    return ["contours.geojson", "slope_classes.geojson"]


def _interval_warning(interval_m: float, rmse_m: float) -> list[str]:
    """Warning if contours are finer than the DEM's error allows."""
    least = ERRORS_PER_INTERVAL * rmse_m
    if interval_m >= least:
        return []
    return [
        (
            f"contours every {interval_m:g} m are finer than the DEM's error of {rmse_m:g} m allows "
            f"({ERRORS_PER_INTERVAL:g} times it: {least:.2g} m)"
        )
    ]


def site_reasons(
    site: Site,
    grid: Grid,
    steep: NDArray[np.floating[Any]],
    slope_limits_deg: Mapping[str, float],
    *,
    inside: NDArray[np.bool_] | None = None,
    setback_m: float = 0.0,
) -> Reasons:
    """Reasons why cells of a site can't be built on.

    In this order: boundary, setback, exclusions by name, nodata, slope by asset type.

    Parameters
    ----------
    site : Site
        Its exclusions bar building, except those of type cost.
    grid : Grid
        Of `steep`.
    steep : ndarray, shape (ny, nx)
        Slope [°].
    slope_limits_deg : mapping
        Limit by asset type [°].
    inside : ndarray of bool, optional
        Cells in the boundary, if already known.
    setback_m : float
        Distance kept from the boundary [m].
    """
    inside = inside if inside is not None else cells_in(site.boundary, grid)
    barred = {"outside the boundary": ~inside}
    if setback_m > 0:
        barred[f"within {setback_m:g} m of the boundary"] = ~cells_in(site.boundary.buffer(-setback_m), grid)
    for number, zone in enumerate(site.exclusions, start=1):
        if zone.zone_type == "cost":
            continue
        name = zone_name(zone, number)
        where = cells_in(zone.geometry.buffer(zone.buffer_m) if zone.buffer_m else zone.geometry, grid)
        barred[name] = barred[name] | where if name in barred else where
    return reasons(barred, steep, slope_limits_deg)


def zone_name(zone: Zone, number: int) -> str:
    """Name of an exclusion in legends."""
    name = " ".join(zone.name.split())[:MOST_NAME]
    return name if name.lower().startswith("exclusion") else f"exclusion: {name or number}"


def _lonlat(geometry: BaseGeometry, crs: CRS) -> str:
    """GeoJSON of a geometry in longitude and latitude."""
    change = transformer(crs, LONLAT)

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = change.transform(xy[:, 0], xy[:, 1])
        return np.round(np.column_stack([lon, lat]), DECIMALS)

    turned = shapely.transform(geometry, moved)
    if turned.geom_type in {"Polygon", "MultiPolygon"}:
        turned = shapely.orient_polygons(turned)
    # GEOS writes about one number in a hundred with all 17 digits.
    return _LONG.sub(lambda number: repr(round(float(number[0]), DECIMALS)), str(shapely.to_geojson(turned)))


def _feature(geometry: BaseGeometry, crs: CRS, **properties: Any) -> str:
    """GeoJSON feature as text.

    Noisy ground has millions of corners; as text they never become Python numbers.
    """
    about = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
    return f'{{"type":"Feature","properties":{about},"geometry":{_lonlat(geometry, crs)}}}'


def _write_features(path: Path, features: list[str]) -> None:
    """Write features as GeoJSON (RFC 7946), one per line."""
    body = ",\n".join(features)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n', encoding="utf-8")
