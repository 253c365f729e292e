"""The numbers of a layout, all of them recomputable from its features."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from pacifico.grid import Ground
from pacifico.layout.earthwork.uncertainty import volumes_under_errors
from pacifico.layout.ground.buildable import buildable_mask
from pacifico.terrain.uncertainty import dem_error, error_field, gentle_draws, part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from pacifico.grid import Grid
    from pacifico.layout.earthwork.criteria import EarthworkCriteria
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Asset, Pad, Unplaced
    from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane
    from pacifico.layout.model.roads import Road
    from pacifico.site.model import Site
    from pacifico.terrain.uncertainty import GentleDraws, Window

REALIZATIONS = 12
"""Of the DEM's error, for the interval of earthwork; each costs as much as measuring it once."""
BESIDE = 4
"""Cells of ground beside works that are looked at with them."""


def measure(
    site: Site,
    field: Field,
    dem: xr.DataArray,
    slope_limit_deg: float,
    assets: Sequence[Asset],
    pads: Sequence[Pad],
    roads: Sequence[Road],
    volumes: Sequence[CorridorVolumes],
    lost: Sequence[Unplaced],
    earthwork: EarthworkCriteria,
    buildable: BuildableGround | None = None,
) -> dict[str, Any]:
    """Metrics of section `metrics` of layout.geojson; areas in ha, volumes in m³ (bank), lengths in m.

    Where `buildable_ground` is not given it is measured here.
    """
    spread = works_spread(dem, [p.plane for p in pads], roads, earthwork).sum(axis=1)
    return tally(
        site,
        assets,
        pads,
        roads,
        volumes,
        unreached=sum(u.count for u in lost),
        spread_m3=spread,
        buildable=buildable or buildable_ground(site, field, dem, slope_limit_deg),
    )


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
    """Metrics from what stands and from what `works_spread` (summed) and `buildable_ground` say."""
    ac = sum(a.item.capacity_kw for a in assets)
    cut, fill = sum(p.plane.cut_m3 for p in pads), sum(p.plane.fill_m3 for p in pads)
    road_cut, road_fill = sum(v.cut_m3 for v in volumes), sum(v.fill_m3 for v in volumes)
    p10, p50, p90 = _earthwork_quantiles(spread_m3, cut + fill + road_cut + road_fill)
    return {
        "total_capacity_kw": round(ac, 3),
        "total_capacity_dc_kw": round(sum(a.item.capacity_dc_kw for a in assets), 3),
        "storage_kw": round(sum(a.item.storage_kw for a in assets), 3),
        "storage_kwh": round(sum(a.item.storage_kwh for a in assets), 3),
        "asset_count": len(assets),
        "assets_by_type": dict(sorted(Counter(a.item.kind for a in assets).items())),
        "road_length_m": round(sum(r.length_m for r in roads), 2),
        "max_road_grade_pct": round(max((r.max_grade_pct for r in roads), default=0.0), 3),
        "cut_volume_m3": round(cut + road_cut, 1),
        "fill_volume_m3": round(fill + road_fill, 1),
        "pad_cut_m3": round(cut, 1),
        "pad_fill_m3": round(fill, 1),
        "road_cut_m3": round(road_cut, 1),
        "road_fill_m3": round(road_fill, 1),
        "batter_cut_m3": round(sum(p.plane.batter_cut_m3 for p in pads) + sum(v.batter_cut_m3 for v in volumes), 1),
        "batter_fill_m3": round(sum(p.plane.batter_fill_m3 for p in pads) + sum(v.batter_fill_m3 for v in volumes), 1),
        "net_earthwork_m3": round(cut + road_cut - fill - road_fill, 1),
        "earthwork_p10_p90_m3": [p10, p90],
        "earthwork_p50_m3": p50,
        "site_area_ha": round(site.area_ha, 4),
        "buildable_area_ha": round(buildable.hectares, 4),
        "buildable_area_p10_p90_ha": list(buildable.p10_p90_ha),
        "buildable_area_p50_ha": buildable.p50_ha,
        "capacity_kw_per_ha": round(ac / site.area_ha, 3),
        "served_share": round(len(assets) / (len(assets) + unreached), 6),
    }


class BuildableGround(NamedTuple):
    """How much ground the main asset may stand on."""

    hectares: float
    p10_p90_ha: tuple[float, float]
    """Under the DEM's error."""
    p50_ha: float


def buildable_draws(
    field: Field, dem: xr.DataArray, slope_limit_deg: float, *, before: GentleDraws | None = None
) -> GentleDraws:
    """Placeable cells within a slope limit, and their number under the DEM's error; see `gentle_draws`."""
    z = Ground.of(dem).z
    return gentle_draws(z, field.grid, field.inside, (slope_limit_deg,), error=dem_error(dem), before=before)


def buildable_ground(
    site: Site, field: Field, dem: xr.DataArray, slope_limit_deg: float, *, draws: GentleDraws | None = None
) -> BuildableGround:
    """Buildable area within a slope limit [ha], and its P10, P90 and P50 under the DEM's error."""
    # cells are counted in the working CRS; the site's own geodesic area makes them true hectares
    true = site.area_ha / (site.boundary.area / 1e4)
    hectares = buildable_mask(field, slope_limit_deg).sum() * field.grid.cell_area_m2 / 1e4 * true
    draws = buildable_draws(field, dem, slope_limit_deg) if draws is None else draws
    found = draws.areas_ha(field.grid)[0]
    p10, p50, p90 = (round(area * true, 4) for area in (found.p10, found.p50, found.p90))
    return BuildableGround(float(hectares), (p10, p90), p50)


def works_spread(
    dem: xr.DataArray, planes: Sequence[PadPlane], roads: Sequence[Road], criteria: EarthworkCriteria
) -> NDArray[np.float64]:
    """Cut + fill of each pad, then of each road, on the DEM's own cells: as they are, and under errors of the DEM.

    Shape (1 + REALIZATIONS, pads + roads) [m³].
    """
    ground, error = Ground.of(dem), dem_error(dem)
    lines, widths = [r.line for r in roads], [r.width_m for r in roads]
    # only ground under the works and beside it is looked at
    window = _window(ground.grid, [p.polygon for p in planes], lines, max(widths, default=0.0))
    r0, r1, c0, c1 = window
    part = Ground(part_of(ground.grid, window), np.ascontiguousarray(ground.z[r0:r1, c0:c1]))
    errors = (
        error_field(ground.grid, rmse_m=error.rmse_m, correlation_m=error.correlation_m, seed=seed, window=window)
        for seed in range(REALIZATIONS)
    )
    shaken = chain([np.zeros(part.grid.shape)], errors)
    return np.array(list(volumes_under_errors(part, planes, lines, widths, errors=shaken, criteria=criteria)))


def _window(grid: Grid, pads: Sequence[BaseGeometry], lines: Sequence[BaseGeometry], width_m: float) -> Window:
    """Cells under works, with some beside them."""
    if not pads and not lines:
        return 0, grid.ny, 0, grid.nx
    west, south, east, north = shapely.total_bounds(np.array([*pads, *lines], dtype=object))
    more = width_m
    return (
        int(np.clip((grid.y0 - north - more) / grid.dy - BESIDE, 0, grid.ny - 1)),
        int(np.clip(np.ceil((grid.y0 - south + more) / grid.dy) + BESIDE, 1, grid.ny)),
        int(np.clip((west - more - grid.x0) / grid.dx - BESIDE, 0, grid.nx - 1)),
        int(np.clip(np.ceil((east + more - grid.x0) / grid.dx) + BESIDE, 1, grid.nx)),
    )


def _earthwork_quantiles(spread_m3: NDArray[np.float64], nominal: float) -> list[float]:
    """P10, P50 and P90 of cut + fill of pads and roads under the DEM's error [m³].

    The spread is found on the DEM's own cells and laid about the volume that was found with what is known between them.
    """
    plain, *found = (float(v) for v in (spread_m3[0], *np.percentile(spread_m3[1:], (10, 50, 90))))
    return [round(max(nominal + q - plain, 0.0), 1) for q in found]
