"""Figures of a site's terrain: heights, slopes and buildable areas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.grid import Grid, warnings_of
from pacifico.terrain.reasons import NO_ELEVATION, Reasons
from pacifico.terrain.uncertainty import REALIZATIONS, buildable_area_ha, dem_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from numpy.typing import NDArray

    from pacifico.site.model import Site
    from pacifico.terrain.sources import ErrorModel

ELEVATION_BINS = 20
MOST_DRAWN_CELLS = 400_000_000
"""Cells times realizations of the DEM's error, some seconds: large sites get fewer realizations."""
FEWEST_REALIZATIONS = 12


@dataclass(frozen=True)
class SiteTerrain:
    """Heights, slopes and reasons of a site on one grid."""

    grid: Grid
    z: NDArray[np.floating[Any]]
    """Elevation [m]."""
    slope_deg: NDArray[np.floating[Any]]
    inside: NDArray[np.bool_]
    """Cells in the boundary."""
    why: Reasons

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Cells that boundary, setback and exclusions leave, whatever their slope."""
        usable = self.inside.copy()
        for code, name in self.why.legend.items():
            if name == NO_ELEVATION:
                break
            if code:
                usable &= self.why.codes != code
        return usable


def summary_of(
    site: Site, dem: xr.DataArray, terrain: SiteTerrain, slope_limits_deg: Mapping[str, float]
) -> dict[str, Any]:
    """Figures of a site's terrain, for summary.json.

    Parameters
    ----------
    site : Site
        Site that the figures are of.
    dem : DataArray, dims (y, x)
        Elevation with its attributes.
    terrain : SiteTerrain
        Ground of the site.
    slope_limits_deg : mapping
        Limit of natural ground by asset type [°].
    """
    grid, inside, why = terrain.grid, terrain.inside, terrain.why
    error = dem_error(dem)
    heights = terrain.z[inside & np.isfinite(terrain.z)].astype(np.float64)
    slopes = terrain.slope_deg[inside & np.isfinite(terrain.slope_deg)].astype(np.float64)
    to_ha = site.area_ha / int(inside.sum())
    drawn = int(np.clip(MOST_DRAWN_CELLS // terrain.z.size, FEWEST_REALIZATIONS, REALIZATIONS))
    within = {code: int(((why.codes == code) & inside).sum()) for code in why.legend}
    edges = np.linspace(heights.min(), max(heights.max(), heights.min() + 1e-6), ELEVATION_BINS + 1)
    return {
        "site": {"name": site.name, "area_ha": round(site.area_ha, 3), "crs": grid.crs.to_string()},
        "dem": _dem_figures(dem, grid),
        "dem_error": {
            "rmse_m": error.rmse_m,
            "correlation_m": error.correlation_m,
            "basis": error.basis,
            "realizations": drawn,
        },
        "elevation_m": _figures(heights),
        "slope_deg": _figures(slopes),
        "elevation_histogram": _histogram(heights, edges, to_ha),
        "slope_histogram": _histogram(np.minimum(slopes, 89.999), _slope_bins(slopes), to_ha),
        "buildable": _buildable(site, terrain, slope_limits_deg, error, drawn),
        "why_not_buildable_ha": {
            name: round(within[code] * to_ha, 3) for code, name in why.legend.items() if name != "outside the boundary"
        },
        "warnings": [*warnings_of(dem)],
    }


def _dem_figures(dem: xr.DataArray, grid: Grid) -> dict[str, Any]:
    """What is known of a DEM."""
    attrs = dem.attrs
    return {
        "source": attrs.get("source", ""),
        "sha256": attrs.get("sha256", ""),
        "resolution_m": grid.dx,
        "source_resolution_m": attrs.get("source_resolution_m"),
        "units": attrs.get("units_assumed", ""),
        "surface_model": bool(attrs.get("surface_model", False)),
        "nodata_share": attrs.get("nodata_share", 0.0),
    }


def _buildable(
    site: Site, terrain: SiteTerrain, slope_limits_deg: Mapping[str, float], error: ErrorModel, realizations: int
) -> dict[str, Any]:
    """Buildable area by asset type, with its interval from the DEM's error.

    Parameters
    ----------
    site : Site
        Site that shares are of.
    terrain : SiteTerrain
        Its ground.
    slope_limits_deg : mapping
        Limit by asset type [°].
    error : ErrorModel
        Error of the DEM.
    realizations : int
        Number of error fields.
    """
    grid = terrain.grid
    areas = buildable_area_ha(terrain.z, grid, terrain.usable, slope_limits_deg, error=error, realizations=realizations)
    to_ha = site.area_ha / int(terrain.inside.sum())
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
    return buildable


def _slope_bins(slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of slope bins: whole degrees up to the steepest."""
    return np.arange(0.0, math.floor(float(slopes.max(initial=0.0))) + 2)


def _figures(values: NDArray[np.float64]) -> dict[str, float]:
    """Least, greatest, mean and quantiles of values."""
    if values.size == 0:
        return {}
    names = ("min", "p10", "p50", "p90", "max")
    found = np.quantile(values, [0, 0.1, 0.5, 0.9, 1])
    return {
        **{name: round(float(v), 3) for name, v in zip(names, found, strict=True)},
        "mean": round(float(values.mean()), 3),
    }


def _histogram(values: NDArray[np.float64], edges: NDArray[np.float64], to_ha: float) -> dict[str, list[float]]:
    """Area by bin [ha]; the last bin includes its upper edge."""
    counts, _ = np.histogram(values, edges)
    return {"edges": [round(float(e), 3) for e in edges], "area_ha": [round(int(c) * to_ha, 3) for c in counts]}
