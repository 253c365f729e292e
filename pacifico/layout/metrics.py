"""Metrics of a layout, all of them recomputable from its features."""

from __future__ import annotations

import math
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from pacifico.grid import Ground
from pacifico.layout.earthwork.uncertainty import volumes_under_errors
from pacifico.layout.ground.buildable import buildable_mask
from pacifico.terrain.intervals import symmetric_interval
from pacifico.terrain.uncertainty import dem_error, error_field, gentle_draws, part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from pacifico.grid import Grid
    from pacifico.layout.earthwork.criteria import EarthworkCriteria
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Asset, Pad
    from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane
    from pacifico.layout.model.roads import Road
    from pacifico.site.model import Site
    from pacifico.terrain.uncertainty import GentleDraws, Window

REALIZATIONS = 12
"""Realizations of the DEM's error for the interval of earthwork: each takes as long as measuring it once."""
MARGIN_CELLS = 4
"""Cells of ground around pads, roads and side slopes that are measured with them."""


def tally(
    site: Site,
    assets: Sequence[Asset],
    pads: Sequence[Pad],
    roads: Sequence[Road],
    volumes: Sequence[CorridorVolumes],
    *,
    unreached: int,
    spread_m3: NDArray[np.float64],
    buildable: BuildableGround,
) -> dict[str, Any]:
    """Metrics of layout.geojson: areas [ha], bank volumes [m³], lengths [m].

    Parameters
    ----------
    site : Site
        Site with its true area.
    assets, pads, roads : sequence of Asset, Pad, Road
        Features of the layout.
    volumes : sequence of CorridorVolumes
        Earthwork of each road.
    unreached : int
        Assets taken out because no road reaches them.
    spread_m3 : ndarray, shape (1 + REALIZATIONS,)
        Cut + fill of all pads and roads on the DEM, then under its errors; the sum of `works_spread` [m³].
    buildable : BuildableGround
        Buildable ground of the main asset type.
    """
    ac = sum(a.item.capacity_kw for a in assets)
    return {
        "total_capacity_kw": round(ac, 3),
        "total_capacity_dc_kw": round(sum(a.item.capacity_dc_kw for a in assets), 3),
        "storage_kw": round(sum(a.item.storage_kw for a in assets), 3),
        "storage_kwh": round(sum(a.item.storage_kwh for a in assets), 3),
        "asset_count": len(assets),
        "assets_by_type": dict(sorted(Counter(a.item.kind for a in assets).items())),
        "road_length_m": round(sum(r.length_m for r in roads), 2),
        "max_road_grade_pct": round(max((r.max_grade_pct for r in roads), default=0.0), 3),
        **earthwork_totals([p.plane for p in pads], volumes, spread_m3),
        "site_area_ha": round(site.area_ha, 4),
        "buildable_area_ha": round(buildable.hectares, 4),
        "buildable_area_p10_p90_ha": list(buildable.p10_p90_ha),
        "buildable_area_p50_ha": round(buildable.hectares, 4),
        "capacity_kw_per_ha": round(ac / site.area_ha, 3),
        "served_share": round(len(assets) / (len(assets) + unreached), 6),
    }


def earthwork_totals(
    planes: Sequence[PadPlane],
    roads: Sequence[CorridorVolumes],
    spread_m3: NDArray[np.float64],
    *,
    arrays_m3: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Cut and fill with side slopes, and their interval [m³].

    Parameters
    ----------
    planes : sequence of PadPlane
        Pads with their volumes.
    roads : sequence of CorridorVolumes
        Earthwork of each road.
    spread_m3 : ndarray, shape (1 + REALIZATIONS,)
        As for `tally`.
    arrays_m3 : ndarray, optional
        Fill (positive) or cut (negative) of the cells graded under arrays [m³].
    """
    arrays = np.zeros(0) if arrays_m3 is None else arrays_m3
    works: list[PadPlane | CorridorVolumes] = [*planes, *roads]
    pad_cut, pad_fill = math.fsum(p.cut_m3 for p in planes), math.fsum(p.fill_m3 for p in planes)
    road_cut, road_fill = math.fsum(v.cut_m3 for v in roads), math.fsum(v.fill_m3 for v in roads)
    batter_cut, batter_fill = math.fsum(w.batter_cut_m3 for w in works), math.fsum(w.batter_fill_m3 for w in works)
    cut = pad_cut + road_cut + batter_cut - float(arrays[arrays < 0].sum())
    fill = pad_fill + road_fill + batter_fill + float(arrays[arrays > 0].sum())
    rounded = round(cut, 1) + round(fill, 1)
    # the spread is measured on the DEM's own cells, the volumes on finer heights where they are known
    low, high = symmetric_interval(cut + fill, spread_m3[1:] - spread_m3[0])
    return {
        "cut_volume_m3": round(cut, 1),
        "fill_volume_m3": round(fill, 1),
        "pad_cut_m3": round(pad_cut, 1),
        "pad_fill_m3": round(pad_fill, 1),
        "road_cut_m3": round(road_cut, 1),
        "road_fill_m3": round(road_fill, 1),
        "batter_cut_m3": round(batter_cut, 1),
        "batter_fill_m3": round(batter_fill, 1),
        "net_earthwork_m3": round(cut - fill, 1),
        # rounding must not move the total out of its interval
        "earthwork_p10_p90_m3": [min(round(low, 1), rounded), max(round(high, 1), rounded)],
        "earthwork_p50_m3": round(rounded, 1),
    }


class BuildableGround(NamedTuple):
    """Area on which the main asset type may stand."""

    hectares: float
    """Area on the DEM as it is [ha]."""
    p10_p90_ha: tuple[float, float]
    """P10 and P90 under the DEM's error [ha]; the area is between them."""


def buildable_draws(
    field: Field, dem: xr.DataArray, slope_limit_deg: float, *, before: GentleDraws | None = None
) -> GentleDraws:
    """Placeable cells within a slope limit under draws of DEM error.

    Parameters
    ----------
    field : Field
        Ground of the site.
    dem : DataArray
        Elevation model, whose source decides its error.
    slope_limit_deg : float
        Steepest slope [°].
    before : GentleDraws, optional
        Draws on other zones of the same site, to reuse; see `gentle_draws`.
    """
    z = Ground.of(dem).z
    return gentle_draws(z, field.grid, field.inside, (slope_limit_deg,), error=dem_error(dem), before=before)


def buildable_ground(
    site: Site, field: Field, dem: xr.DataArray, slope_limit_deg: float, *, draws: GentleDraws | None = None
) -> BuildableGround:
    """Buildable area within a slope limit, and its interval.

    Parameters
    ----------
    site : Site
        Site with its true area.
    field : Field
        Ground of the site.
    dem : DataArray
        Elevation model, whose source decides its error.
    slope_limit_deg : float
        Steepest slope [°].
    draws : GentleDraws, optional
        Result of `buildable_draws` where it is known already.
    """
    # cells are counted in the working CRS: scale them to true hectares by the geodesic area of the site
    scale = site.area_ha / (site.boundary.area / 1e4)
    cells = field.grid.cell_area_m2 / 1e4 * scale
    hectares = round(float(buildable_mask(field, slope_limit_deg).sum() * cells), 4)
    draws = buildable_draws(field, dem, slope_limit_deg) if draws is None else draws
    changes = (draws.drawn[:, 0] - draws.nominal[0]) * cells
    low, high = symmetric_interval(hectares, changes, largest=float(draws.usable.sum() * cells))
    return BuildableGround(hectares, (min(round(low, 4), hectares), max(round(high, 4), hectares)))


def works_spread(
    dem: xr.DataArray, planes: Sequence[PadPlane], roads: Sequence[Road], criteria: EarthworkCriteria
) -> NDArray[np.float64]:
    """Cut + fill of each work under DEM errors [m³].

    Parameters
    ----------
    dem : DataArray
        Elevation model; volumes are measured on its own cells.
    planes : sequence of PadPlane
        Pads.
    roads : sequence of Road
        Roads with design heights.
    criteria : EarthworkCriteria
        Shrink, grade limit and fineness.

    Returns
    -------
    ndarray, shape (1 + REALIZATIONS, pads + roads)
        First on the DEM as it is, then for each realization of its error.
    """
    ground, error = Ground.of(dem), dem_error(dem)
    lines, widths = [r.line for r in roads], [r.width_m for r in roads]
    # errors are made only where the works are: the rest of the DEM has no effect
    reach = max(widths, default=0.0) + (criteria.max_batter_m if criteria.side_slope > 0 else 0.0)
    window = _window(ground.grid, [p.polygon for p in planes], lines, reach)
    r0, r1, c0, c1 = window
    part = Ground(part_of(ground.grid, window), np.ascontiguousarray(ground.z[r0:r1, c0:c1]))
    errors = (
        error_field(ground.grid, rmse_m=error.rmse_m, correlation_m=error.correlation_m, seed=seed, window=window)
        for seed in range(REALIZATIONS)
    )
    none_first = chain([np.zeros(part.grid.shape)], errors)
    return np.array(list(volumes_under_errors(part, planes, lines, widths, errors=none_first, criteria=criteria)))


def _window(grid: Grid, pads: Sequence[BaseGeometry], lines: Sequence[BaseGeometry], reach_m: float) -> Window:
    """Cells under pads and roads, with a margin.

    Parameters
    ----------
    grid : Grid
        Grid of the DEM.
    pads, lines : sequence of geometry
        Outlines of pads and centrelines of roads.
    reach_m : float
        Distance from pads and centrelines to the ends of their works [m].
    """
    if not pads and not lines:
        return 0, grid.ny, 0, grid.nx
    west, south, east, north = shapely.total_bounds(np.array([*pads, *lines], dtype=object))
    return (
        int(np.clip((grid.y0 - north - reach_m) / grid.dy - MARGIN_CELLS, 0, grid.ny - 1)),
        int(np.clip(np.ceil((grid.y0 - south + reach_m) / grid.dy) + MARGIN_CELLS, 1, grid.ny)),
        int(np.clip((west - reach_m - grid.x0) / grid.dx - MARGIN_CELLS, 0, grid.nx - 1)),
        int(np.clip(np.ceil((east + reach_m - grid.x0) / grid.dx) + MARGIN_CELLS, 1, grid.nx)),
    )


def dem_facts(dem: xr.DataArray) -> dict[str, Any]:
    """Facts of the DEM in layout.geojson."""
    share = float(dem.attrs.get("nodata_share", math.nan))
    cell_m = round(float(dem["x"].values[1] - dem["x"].values[0]), 3)
    return {
        "source": str(dem.attrs.get("source", "")),
        "sha256": str(dem.attrs.get("sha256", "")),
        "resolution_m": cell_m,
        "source_resolution_m": round(float(dem.attrs.get("source_resolution_m", cell_m)), 3),
        "units": str(dem.attrs.get("units_assumed", "")),
        "nodata_share": None if math.isnan(share) else round(share, 6),
    }
