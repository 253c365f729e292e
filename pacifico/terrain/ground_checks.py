"""Warnings about the ground: level patches, seams, absurd slopes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from pacifico.grid import Grid, Ground

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

LEVEL_AREA_M2 = 2_500.0
"""Area from which an exactly level patch is reported [m²]."""
STEPPED_CELLS = 25
"""Cells from which a level patch is reported where heights are rounded: gentle ground is level over some cells there."""
LEVEL_STEPS = 1.5
"""Height of the rim of a level patch, in steps of rounded heights: natural terraces are one step high."""
HEIGHT_STEPS = (1.0, 0.5, 0.1, 0.01)
"""Steps that heights are rounded to, in the file's unit."""
HIGHEST_VALUE = 1e7
"""Values from here on are no heights in any unit."""
SAMPLED_CELLS = 100_000
"""Heights from which the step is found."""
LOWEST_LAND_M = -160.0
"""Median height below which only the shores of the Dead Sea lie; the Turpan Depression reaches -154 m."""
STEEPEST_GRADIENT = 2.0
"""Median slope, rise over run, that no terrain has: 63°. Heights in centimetres come to it on 2 % of slope."""

WALL = "a narrow strip far above or below the ground on both sides"
REPLACE = "give a DEM without the seam"
FILL = f"fill it, for instance with gdal_fillnodata.py, or {REPLACE}"


@dataclass(frozen=True)
class LevelPatch:
    """Ground of exactly one height: most likely water."""

    polygon: shapely.Polygon
    """In the CRS of the grid."""
    elevation_m: float


def height_step(values: NDArray[np.floating[Any]]) -> float:
    """Step that heights are rounded to, in their unit; 0 for none."""
    known = values[np.abs(values) < HIGHEST_VALUE]  # NaN is not
    known = known[:: max(known.size // SAMPLED_CELLS, 1)].astype(np.float64)
    if not known.size:
        return 0.0
    for step in HEIGHT_STEPS:
        off = np.abs(known / step - np.round(known / step))
        if float((off < 5e-3).mean()) > 0.99:
            return step
    return 0.0


def level_patches(ground: Ground, within: BaseGeometry | None = None, *, step_m: float = 0.0) -> list[LevelPatch]:
    """Patches of ground that are exactly level, most likely water.

    Parameters
    ----------
    ground : Ground
        Heights.
    within : Polygon or MultiPolygon, optional
        Area to look at, in the grid's CRS; patches are cut to it.
    step_m : float
        Step that heights are rounded to [m]; 0 if they are not.

    Returns
    -------
    list of LevelPatch
        Of at least 0.25 ha, largest first.
    """
    from scipy.ndimage import find_objects, label  # noqa: PLC0415 (slow to import)

    ground = _part(ground, within)
    z, cell = ground.z, ground.grid.cell_area_m2
    if min(z.shape) < 3:
        return []
    labels, count = label(_level_cells(z))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    fewest = max(LEVEL_AREA_M2 / cell / 4, STEPPED_CELLS if step_m else 1)
    patches: list[LevelPatch] = []
    for number, place in enumerate(find_objects(labels), start=1):
        if sizes[number] < fewest:
            continue
        r0, c0 = (max(s.start - 2, 0) for s in place)
        around = slice(r0, place[0].stop + 2), slice(c0, place[1].stop + 2)
        found = _patch(labels[around] == number, z[around], LEVEL_STEPS * step_m)
        if found is None:
            continue
        cells, level = found
        polygons = _polygons(cells, ground.grid, (r0, c0), within)
        patches += [LevelPatch(polygon, level) for polygon in polygons if polygon.area >= LEVEL_AREA_M2]
    return sorted(patches, key=lambda patch: -patch.polygon.area)


def _part(ground: Ground, within: BaseGeometry | None) -> Ground:
    """Ground around an area, with a margin of two cells."""
    if within is None:
        return ground
    g = ground.grid
    west, south, east, north = within.bounds
    c0, c1 = max(math.floor((west - g.x0) / g.dx) - 2, 0), min(math.ceil((east - g.x0) / g.dx) + 2, g.nx)
    r0, r1 = max(math.floor((g.y0 - north) / g.dy) - 2, 0), min(math.ceil((g.y0 - south) / g.dy) + 2, g.ny)
    part = Grid(g.crs, g.x0 + c0 * g.dx, g.y0 - r0 * g.dy, g.dx, g.dy, max(r1 - r0, 0), max(c1 - c0, 0))
    return Ground(part, ground.z[r0:r1, c0:c1])


def _level_cells(z: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cells whose 3 x 3 window holds one height, within float32."""
    tolerance = 2 * float(np.spacing(np.float32(np.fmax.reduce(np.abs(z), axis=None, initial=1.0))))
    high = np.maximum(np.maximum(z[:, :-2], z[:, 1:-1]), z[:, 2:])
    low = np.minimum(np.minimum(z[:, :-2], z[:, 1:-1]), z[:, 2:])
    high = np.maximum(np.maximum(high[:-2], high[1:-1]), high[2:])
    low = np.minimum(np.minimum(low[:-2], low[1:-1]), low[2:])
    level = np.zeros(z.shape, dtype=np.bool_)
    level[1:-1, 1:-1] = high - low <= tolerance
    return level


def _patch(
    core: NDArray[np.bool_], z: NDArray[np.float64], least_rim_m: float
) -> tuple[NDArray[np.bool_], float] | None:
    """Cells and height of a level patch with a high rim."""
    from scipy.ndimage import binary_dilation  # noqa: PLC0415 (slow to import)

    square = np.ones((3, 3))
    cells = np.asarray(binary_dilation(core, square), dtype=np.bool_)
    level = float(np.median(z[core]))
    rim = binary_dilation(cells, square) & ~cells & np.isfinite(z)
    if least_rim_m and (not rim.any() or float(np.median(np.abs(z[rim] - level))) <= least_rim_m):
        return None
    return cells, level


def _polygons(
    cells: NDArray[np.bool_], grid: Grid, corner: tuple[int, int], within: BaseGeometry | None
) -> list[shapely.Polygon]:
    """Outlines of cells of a grid, cut to an area.

    Parameters
    ----------
    cells : ndarray of bool
        Cells of the window.
    grid : Grid
        Grid of the whole.
    corner : (int, int)
        First row and column of the window.
    within : Polygon, MultiPolygon or None
        Area to cut to.
    """
    from affine import Affine  # noqa: PLC0415 (comes with rasterio)
    from rasterio.features import shapes  # noqa: PLC0415

    row, column = corner
    place = Affine(grid.dx, 0.0, grid.x0 + column * grid.dx, 0.0, -grid.dy, grid.y0 - row * grid.dy)
    found = [shapely.geometry.shape(geometry) for geometry, _ in shapes(cells.astype(np.uint8), cells, transform=place)]
    cut = [polygon.intersection(within) if within is not None else polygon for polygon in found]
    return [part for whole in cut for part in shapely.get_parts(whole) if part.geom_type == "Polygon"]


def ground_warnings(ground: Ground, site: BaseGeometry, inside: NDArray[np.bool_], *, step_m: float) -> tuple[str, ...]:
    """Warnings about level patches, seams, absurd heights and slopes.

    Parameters
    ----------
    ground : Ground
        Heights on the working grid.
    site : Polygon or MultiPolygon
        Boundary, in the grid's CRS.
    inside : ndarray of bool, shape (ny, nx)
        Cells in the site.
    step_m : float
        Step that the source's heights are rounded to [m]; 0 if they are not.
    """
    known = ground.z[inside & np.isfinite(ground.z)]
    if known.size > 1 and known.min() == known.max():
        return (
            (
                f"all {known.size} heights of the site are exactly {known[0]:.2f} m: a constant, water, or ground too flat for "
                "the step of the heights; slopes and earthwork say nothing here: give a DEM of measured heights"
            ),
        )
    level = _level_warning(ground, site, step_m)
    return (*level, *_seam_warning(ground, inside), *_depth_warning(known), *_steepness_warning(ground, inside))


def _level_warning(ground: Ground, site: BaseGeometry, step_m: float) -> tuple[str, ...]:
    patches = level_patches(ground, site, step_m=step_m)
    if not patches:
        return ()
    total = sum(patch.polygon.area for patch in patches) / 1e4
    largest = patches[0]
    where = f"at {largest.elevation_m:.2f} m"
    if len(patches) > 1:
        where = f"in {len(patches)} patches, the largest {largest.polygon.area / 1e4:.2f} ha {where}"
    return (
        (
            f"{total:.2f} ha of the site are exactly level ({where}): most likely water, such as a lake or pond, which is not "
            "ground to build on; exclude it, or check the DEM"
        ),
    )


def _seam_warning(ground: Ground, inside: NDArray[np.bool_]) -> tuple[str, ...]:
    """Warnings about narrow strips, without heights or far off the ground beside, that cut the site."""
    from scipy.ndimage import binary_opening  # noqa: PLC0415 (slow to import)

    hole, told = np.isnan(ground.z), []
    if (hole & inside).any():
        strip = hole & ~binary_opening(hole, np.ones((3, 3)))
        told += _cuts(ground, inside & ~hole, strip, "a strip one cell wide without heights", FILL)
    wall = _walls(ground)
    if (wall & inside).any():
        told += _cuts(ground, inside & ~hole & ~wall, wall, WALL, REPLACE)
    return tuple(told)


def _walls(ground: Ground) -> NDArray[np.bool_]:
    """Cells of narrow strips far above or below both sides.

    A strip is one or two cells wide, and more than a cell's width above or below the ground beside it.
    """
    from scipy.ndimage import maximum_filter, minimum_filter  # noqa: PLC0415 (slow to import)

    z, limit = ground.z, max(ground.grid.dx, ground.grid.dy)
    wall = np.zeros(z.shape, dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        if not any((np.abs(np.diff(z, axis=axis)) > limit).any() for axis in (0, 1)):
            return wall
        for sign in (1.0, -1.0):
            least = minimum_filter(np.where(np.isnan(z), np.inf, sign * z), 3)
            opened = maximum_filter(np.where(np.isfinite(least), least, -np.inf), 3)
            wall |= sign * z - opened > limit
    return wall


def _cuts(ground: Ground, apart: NDArray[np.bool_], strip: NDArray[np.bool_], what: str, remedy: str) -> list[str]:
    """Warning that a strip cuts the site, if it does.

    Parameters
    ----------
    ground : Ground
        Heights on the working grid.
    apart : ndarray of bool, shape (ny, nx)
        Cells of the site beside the strip.
    strip : ndarray of bool, shape (ny, nx)
        Cells of the strip.
    what : str
        Name of the strip.
    remedy : str
        What to do about it.
    """
    from scipy.ndimage import label  # noqa: PLC0415 (slow to import)

    # Cells that only touch at a corner are apart: slopes between them are not known.
    labels, _ = label(apart)
    joined, count = label(apart | strip)
    parts = []
    for number in range(1, count + 1):
        cells = np.bincount(labels[joined == number])[1:]
        sizes = sorted((float(n) * ground.grid.cell_area_m2 / 1e4 for n in cells if n), reverse=True)
        if len(sizes) > 1 and sizes[1] * 1e4 >= LEVEL_AREA_M2:
            parts.append(sizes)
    if not parts:
        return []
    sizes = max(parts)
    named = " and ".join(f"{size:.1f} ha" for size in sizes[:2])
    said = f"{what} cuts the site in {len(sizes)} parts (the largest {named}): a seam between tiles? No road crosses it; {remedy}"
    return [said]


def _depth_warning(known: NDArray[np.floating[Any]]) -> tuple[str, ...]:
    """Warning about a site deeper than dry land, of its known heights."""
    if not known.size or float(np.median(known)) >= LOWEST_LAND_M:
        return ()
    return (
        (
            f"heights of the site are {known.min():.0f} to {known.max():.0f} m, below all dry land but the shores of the Dead Sea: "
            "if they are depths, reverse their sign, for instance gdal_translate -a_scale -1"
        ),
    )


def _steepness_warning(ground: Ground, inside: NDArray[np.bool_]) -> tuple[str, ...]:
    z, g = ground.z, ground.grid
    with np.errstate(invalid="ignore"):
        gradient = np.hypot(np.diff(z, axis=1)[:-1] / g.dx, np.diff(z, axis=0)[:, :-1] / g.dy)[inside[:-1, :-1]]
    gradient = gradient[np.isfinite(gradient)]
    if not gradient.size or float(np.median(gradient)) <= STEEPEST_GRADIENT:
        return ()
    median = math.degrees(math.atan(float(np.median(gradient))))
    return (
        (
            f"half of the site is steeper than {median:.0f}°, which no terrain is: the heights are probably in a smaller unit, "
            "such as centimetres; give the file its scale, for instance gdal_translate -a_scale 0.01"
        ),
    )
