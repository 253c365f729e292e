"""Rows and graded ground of a plan, as the map shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.spatial import KDTree

from pacifico.crs import geojson_geometries
from pacifico.explorer.engine.messages import DepthImage, RackingView
from pacifico.explorer.layers import BEYOND_RACKING, CUT_COLOURS, DEPTH_EDGES_M, FILL_COLOURS, ROW_COLOURS
from pacifico.grid import Grid
from pacifico.layout.add_racking import add_racking
from pacifico.layout.criteria.racking import racking_criteria
from pacifico.report.overlay import web_mercator

if TYPE_CHECKING:
    import xarray as xr
    from pyproj import CRS

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.racking import GradedCells, RackingDesign

MOST_ROWS = 30_000
"""Most rows that are drawn: about 3 MB for the browser."""
MOST_PIXELS = 500_000
"""Largest number of pixels of the graded depth; larger plants are drawn coarser."""
ROUNDING_M = 1e-6
"""Difference of reveals that is rounding [m]."""


def racking_view(plan: Plan, dem: xr.DataArray) -> RackingView | None:
    """Rows, graded depth and numbers of a plan; None without solar arrays.

    Raises
    ------
    InputError
        The DEM has no ground under a row.
    """
    whole = add_racking(plan, dem)
    design = whole.racking
    if design is None:
        return None
    criteria = racking_criteria(whole.spec)
    kept = {a.asset_id for a in _arrays(whole)}
    left_out = [a for a in _arrays(plan) if a.asset_id not in kept]
    beyond = set(design.arrays_beyond)
    marked = [*left_out, *(a for a in _arrays(whole) if a.asset_id in beyond)]
    drawn = len(design.rows.number) <= MOST_ROWS
    outlines = geojson_geometries([a.footprint for a in marked], plan.crs)
    return RackingView(
        rows=_row_features(design, (criteria.min_reveal_m, criteria.max_reveal_m), plan.crs) if drawn else None,
        outlines=tuple(_feature(g, {"color": BEYOND_RACKING, "weight": 2.5, "dashArray": "6 3"}) for g in outlines),
        depth=_depth_image(design.graded, plan.crs),
        window_m=(criteria.min_reveal_m, criteria.max_reveal_m),
        metrics=design.metrics(),
        left_out=len(left_out),
        left_out_kw=plan.metrics["total_capacity_kw"] - whole.metrics["total_capacity_kw"],
        kept_beyond=len(beyond),
    )


def row_classes(design: RackingDesign, window_m: tuple[float, float]) -> IntArray:
    """Class of each row by how far the reveal varies along it.

    0: up to a third of the window; 1: up to two thirds; 2: up to the window; 3: a pile is outside the window.

    Parameters
    ----------
    design : RackingDesign
        Rows and piles.
    window_m : tuple of float
        Least and greatest reveal [m].
    """
    piles, count = design.piles, len(design.rows.number)
    least, greatest, outside = np.full(count, np.inf), np.full(count, -np.inf), np.zeros(count, dtype=bool)
    np.minimum.at(least, piles.row, piles.reveal_m)
    np.maximum.at(greatest, piles.row, piles.reveal_m)
    np.logical_or.at(outside, piles.row, piles.outside)
    third = (window_m[1] - window_m[0]) / 3
    classes: IntArray = np.where(outside, 3, np.searchsorted([third, 2 * third], greatest - least - ROUNDING_M))
    return classes


def depth_raster(graded: tuple[GradedCells, ...], crs: CRS) -> xr.DataArray | None:
    """Depth of fill (positive) and cut (negative) on a grid [m]; None without graded ground.

    Parameters
    ----------
    graded : tuple of GradedCells
        Graded ground, by azimuth of rows.
    crs : CRS
        Working CRS.
    """
    parts = [(cells, cells.correction_m != 0) for cells in graded]
    parts = [(cells, moved) for cells, moved in parts if moved.any()]
    if not parts:
        return None
    places = np.concatenate([np.column_stack([c.x, c.y])[moved] for c, moved in parts])
    finest = min(c.cell_m for c, _ in parts)
    west, south = places.min(axis=0) - finest
    east, north = places.max(axis=0) + finest
    step = max(finest / 2, float(np.sqrt((east - west) * (north - south) / MOST_PIXELS)))
    grid = Grid(crs, west, north, step, step, int((north - south) // step) + 1, int((east - west) // step) + 1)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    depth = np.full(x.shape, np.nan)
    for cells, moved in parts:
        tree = KDTree(_along_sides(cells, cells.x[moved], cells.y[moved]))
        reach = max(cells.cell_m, step) / 2
        sides = _along_sides(cells, x.ravel(), y.ravel())
        apart, nearest = tree.query(sides, p=np.inf, distance_upper_bound=reach * (1 + 1e-9))
        inside = np.isfinite(apart)
        depth.flat[np.flatnonzero(inside)] = cells.correction_m[moved][nearest[inside]]
    return grid.data_array(depth, name="graded_depth", units="m")


def depth_colours(depth: FloatArray) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Depth [m] as RGBA in class colours, shape (rows, columns, 4)."""
    rgba = np.zeros((*depth.shape, 4), dtype=np.uint8)
    edges = (0.0, *DEPTH_EDGES_M, np.inf)
    for colours, sign in ((CUT_COLOURS, -1.0), (FILL_COLOURS, 1.0)):
        for colour, low, high in zip(colours, edges, edges[1:], strict=False):
            rgba[(sign * depth > low) & (sign * depth <= high)] = (*bytes.fromhex(colour[1:]), 255)
    return rgba


def _depth_image(graded: tuple[GradedCells, ...], crs: CRS) -> DepthImage | None:
    """Image of the graded depth; None without graded ground."""
    raster = depth_raster(graded, crs)
    if raster is None:
        return None
    image = web_mercator(raster, depth_colours, name="Graded depth", max_pixels=MOST_PIXELS)
    return DepthImage(image.image, image.bounds)


def _row_features(design: RackingDesign, window_m: tuple[float, float], crs: CRS) -> tuple[dict[str, Any], ...]:
    """One feature with all rows of a class, for each class with rows."""
    classes = row_classes(design, window_m)
    lines = shapely.linestrings(design.rows.ends[:, :, :2])
    present = np.unique(classes).tolist()
    geometries = geojson_geometries([shapely.multilinestrings(lines[classes == k]) for k in present], crs)
    return tuple(
        _feature(geometry, {"color": ROW_COLOURS[k], "weight": 1.2})
        for k, geometry in zip(present, geometries, strict=True)
    )


def _feature(geometry: dict[str, Any], style: dict[str, Any]) -> dict[str, Any]:
    """Feature that lets the pointer through to the assets below."""
    style = {**style, "fill": False, "interactive": False}
    return {"type": "Feature", "geometry": geometry, "properties": {"style": style}}


def _along_sides(cells: GradedCells, x: FloatArray, y: FloatArray) -> FloatArray:
    """Coordinates along both sides of the cells, shape (n, 2) [m]."""
    angle = np.radians(cells.azimuth_deg)
    turned: FloatArray = np.column_stack([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y])
    return turned


def _arrays(plan: Plan) -> list[Asset]:
    """Solar arrays of a plan."""
    return [a for a in plan.asset_list if a.item.kind == "solar_array"]
