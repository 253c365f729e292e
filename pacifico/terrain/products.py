"""What `pacifico terrain` writes: rasters, contour lines, classes of slope, and their figures."""

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
from pacifico.grid import Grid
from pacifico.terrain.contours import contours, sensible_interval_m, slope_classes
from pacifico.terrain.reasons import NO_ELEVATION, Reasons, reasons
from pacifico.terrain.stream import write_raster, write_surface
from pacifico.terrain.surface import PRODUCTS, slope_deg
from pacifico.terrain.uncertainty import REALIZATIONS, buildable_area_ha, dem_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from pacifico.site.model import Site, Zone

ELEVATION_BINS = 20
MOST_DRAWN_CELLS = 400_000_000
"""Cells times realizations of the DEM's error: large sites get fewer, at least 12."""
DECIMALS = 7
"""Of degrees: a centimetre."""
_LONG = re.compile(r"\d+\.\d{8,}")


def write_terrain(
    site: Site,
    dem: xr.DataArray,
    out_dir: str | Path,
    *,
    slope_limits_deg: Mapping[str, float],
    setback_m: float = 0.0,
    contour_interval_m: float | None = None,
) -> dict[str, Any]:
    """Write the terrain of a site to a folder.

    Parameters
    ----------
    site : Site
        Whose figures are told: shares are of the ground inside its boundary. Its exclusions are not buildable.
    dem : DataArray, dims (y, x)
        Elevation [m] as `open_dem` gives it.
    out_dir : str or Path
        Made where absent. Holds afterwards elevation.tif and one COG for each surface product, why_not_buildable.tif,
        contours.geojson, slope_classes.geojson and summary.json.
    slope_limits_deg : mapping
        Limit of natural ground by asset type [°].
    setback_m : float
        Distance kept from the boundary [m], which is not buildable either.
    contour_interval_m : float, optional
        Height between contour lines [m]; by default a sensible one for the relief.

    Returns
    -------
    dict
        What summary.json holds. The same input gives the same bytes.

    Raises
    ------
    DEMError
        Where the site has no elevation at all.
    InputError
        For a contour interval that makes no sense.
    """
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    grid = Grid.of(dem)
    z = np.ascontiguousarray(dem.values)
    steep = slope_deg(z, grid.dx, grid.dy)
    inside = cells_in(site.boundary, grid)
    known = inside & np.isfinite(z)
    if not known.any():
        raise DEMError("the site has no elevation: every cell of it is nodata")

    relief = float(z[known].max()) - float(z[known].min())
    interval = contour_interval_m if contour_interval_m is not None else sensible_interval_m(relief)
    lines = contours(dem, interval_m=interval, within=site.boundary)
    classes = slope_classes(steep, grid, sorted(set(slope_limits_deg.values())), site.boundary)
    why = site_reasons(site, grid, steep, slope_limits_deg, inside=inside, setback_m=setback_m)

    write_surface(lambda first, last: z[first:last], grid, out, PRODUCTS)
    write_raster(out / "elevation.tif", z.astype(np.float32), grid, nodata=math.nan, averaged=True)
    legend = {f"CATEGORY_{code}": name for code, name in why.legend.items()}
    write_raster(out / "why_not_buildable.tif", why.codes, grid, nodata=255, averaged=False, **legend)
    planar = float(shapely.area(site.boundary)) / 1e4
    features = [
        _feature(
            c.line,
            grid.crs,
            elevation_m=c.elevation_m,
            label=c.label,
            index=c.is_index,
            label_at=json.loads(_lonlat(c.label_point, grid.crs))["coordinates"],
            label_angle_deg=round(c.label_angle_deg, 1),
        )
        for c in lines
    ]
    _write_features(out / "contours.geojson", features)
    scale = site.area_ha / planar  # grid metres to ground metres
    features = [
        _feature(
            c.ground,
            grid.crs,
            over_deg=c.over_deg,
            to_deg=c.to_deg,
            area_ha=round(float(c.ground.area) / 1e4 * scale, 4),
        )
        for c in classes
        if not c.ground.is_empty
    ]
    _write_features(out / "slope_classes.geojson", features)

    summary = _summary(site, dem, z, steep, inside, why, slope_limits_deg)
    summary["setback_m"] = setback_m
    summary["contours"] = {"interval_m": interval, "lines": len(lines), "index_every": 5}
    rmse = summary["dem_error"]["rmse_m"]
    if interval < 3.3 * rmse:
        summary["warnings"].append(
            f"contours every {interval:g} m are finer than the DEM's error of {rmse:g} m bears (3.3 times it: {3.3 * rmse:.2g} m)"
        )
    summary["files"] = sorted(
        [f"{name}.tif" for name in (*PRODUCTS, "elevation", "why_not_buildable")]
        + ["contours.geojson", "slope_classes.geojson", "summary.json"]
    )
    (out / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return summary


def site_reasons(
    site: Site,
    grid: Grid,
    steep: NDArray[np.floating[Any]],
    slope_limits_deg: Mapping[str, float],
    *,
    inside: NDArray[np.bool_] | None = None,
    setback_m: float = 0.0,
) -> Reasons:
    """Why cells of a site can't be built on: boundary, setback, exclusions by name, nodata, slope by asset type.

    Parameters
    ----------
    site : Site
        With its exclusions; those that only cost more don't bar.
    grid : Grid
        Of `steep`.
    steep : ndarray, shape (ny, nx)
        Slope [°].
    slope_limits_deg : mapping
        Limit by asset type [°].
    inside : ndarray of bool, optional
        Cells in the boundary, where known already.
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
    name = " ".join(zone.name.split())[:80]
    return name if name.lower().startswith("exclusion") else f"exclusion: {name or number}"


def cells_in(area: BaseGeometry, grid: Grid) -> NDArray[np.bool_]:
    """Cells whose centre lies in an area, in the grid's CRS."""
    from affine import Affine  # noqa: PLC0415 (comes with rasterio)
    from rasterio.features import geometry_mask  # noqa: PLC0415

    if area.is_empty:
        return np.zeros(grid.shape, dtype=np.bool_)
    mask: NDArray[np.bool_] = geometry_mask([area], grid.shape, Affine(*grid.transform), invert=True)
    return mask


def _summary(
    site: Site,
    dem: xr.DataArray,
    z: NDArray[np.floating[Any]],
    steep: NDArray[np.floating[Any]],
    inside: NDArray[np.bool_],
    why: Reasons,
    slope_limits_deg: Mapping[str, float],
) -> dict[str, Any]:
    grid = Grid.of(dem)
    error = dem_error(dem)
    heights = z[inside & np.isfinite(z)].astype(np.float64)
    slopes = steep[inside & np.isfinite(steep)].astype(np.float64)
    cells = int(inside.sum())
    to_ha = site.area_ha / cells
    usable = inside.copy()
    for code, name in why.legend.items():
        if name == NO_ELEVATION:
            break
        if code:
            usable &= why.codes != code
    drawn = int(np.clip(MOST_DRAWN_CELLS // z.size, 12, REALIZATIONS))
    areas = buildable_area_ha(z, grid, usable, slope_limits_deg, error=error, realizations=drawn)
    buildable = {}
    for name, limit in slope_limits_deg.items():
        scaled = {
            key: round(value / (grid.cell_area_m2 / 1e4) * to_ha, 3)
            for key, value in (
                ("area_ha", areas[name].nominal),
                ("p10_ha", areas[name].p10),
                ("p50_ha", areas[name].p50),
                ("p90_ha", areas[name].p90),
            )
        }
        buildable[name] = {"slope_limit_deg": limit, **scaled, "share": round(scaled["area_ha"] / site.area_ha, 4)}
    within = {code: int(((why.codes == code) & inside).sum()) for code in why.legend}
    attrs = dem.attrs
    return {
        "site": {"name": site.name, "area_ha": round(site.area_ha, 3), "crs": grid.crs.to_string()},
        "dem": {
            "source": attrs.get("source", ""),
            "sha256": attrs.get("sha256", ""),
            "resolution_m": grid.dx,
            "source_resolution_m": attrs.get("source_resolution_m"),
            "units": attrs.get("units_assumed", ""),
            "surface_model": bool(attrs.get("surface_model", False)),
            "nodata_share": attrs.get("nodata_share", 0.0),
        },
        "dem_error": {
            "rmse_m": error.rmse_m,
            "correlation_m": error.correlation_m,
            "basis": error.basis,
            "realizations": drawn,
        },
        "elevation_m": _figures(heights),
        "slope_deg": _figures(slopes),
        "elevation_histogram": _histogram(
            heights, np.linspace(heights.min(), max(heights.max(), heights.min() + 1e-6), ELEVATION_BINS + 1), to_ha
        ),
        "slope_histogram": _histogram(np.minimum(slopes, 89.999), _slope_bins(slopes), to_ha),
        "buildable": buildable,
        "why_not_buildable_ha": {
            name: round(within[code] * to_ha, 3) for code, name in why.legend.items() if name != "outside the boundary"
        },
        "warnings": [*attrs.get("warnings", ())],
    }


def _slope_bins(slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Whole degrees up to the steepest."""
    return np.arange(0.0, math.floor(float(slopes.max(initial=0.0))) + 2)


def _figures(values: NDArray[np.float64]) -> dict[str, float]:
    if values.size == 0:
        return {}
    names = ("min", "p10", "p50", "p90", "max")
    found = np.quantile(values, [0, 0.1, 0.5, 0.9, 1])
    return {
        **{name: round(float(v), 3) for name, v in zip(names, found, strict=True)},
        "mean": round(float(values.mean()), 3),
    }


def _histogram(values: NDArray[np.float64], edges: NDArray[np.float64], to_ha: float) -> dict[str, list[float]]:
    """Area by bin [ha]; the last bin holds its upper edge."""
    counts, _ = np.histogram(values, edges)
    return {"edges": [round(float(e), 3) for e in edges], "area_ha": [round(int(c) * to_ha, 3) for c in counts]}


def _lonlat(geometry: BaseGeometry, crs: CRS) -> str:
    """GeoJSON of a geometry."""
    change = transformer(crs, LONLAT)

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = change.transform(xy[:, 0], xy[:, 1])
        return np.round(np.column_stack([lon, lat]), DECIMALS)

    turned = shapely.transform(geometry, moved)
    if turned.geom_type in {"Polygon", "MultiPolygon"}:
        turned = shapely.orient_polygons(turned)
    # GEOS writes one number in some hundred with all 17 digits.
    return _LONG.sub(lambda number: repr(round(float(number[0]), DECIMALS)), str(shapely.to_geojson(turned)))


def _feature(geometry: BaseGeometry, crs: CRS, **properties: Any) -> str:
    """Feature as text: noisy ground has millions of corners, which need not become Python's numbers."""
    about = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
    return f'{{"type":"Feature","properties":{about},"geometry":{_lonlat(geometry, crs)}}}'


def _write_features(path: Path, features: list[str]) -> None:
    """RFC 7946, one feature a line."""
    body = ",\n".join(features)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n', encoding="utf-8")
