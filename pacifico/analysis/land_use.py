"""Land of a site by reason; the parts sum to its area."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.analysis.cell_reasons import inside_setback, reasons_of
from pacifico.layout.model.land_use import DIGITS, LABELS, LandPart, LandUse, Reason
from pacifico.site.rings import polygonal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from shapely.geometry.base import BaseGeometry

    from pacifico.analysis.cell_reasons import CellReasons
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Zone

MOST_NAMES = 12
"""Most names of exclusions that have a part each; the smaller ones share one."""
CLOSE = 0.25
"""Share by which areas of cells and of polygons may differ to be scaled to each other [-]: a cell at each edge."""


def land_use_of(plan: Plan, dem: xr.DataArray) -> LandUse:
    """Land of a plan's site, part by part.

    Buildable ground has the area of the plan's metrics, counted in cells. Setback and exclusions are measured as
    polygons, slope and missing elevation in cells; they share what is left of the site.

    Parameters
    ----------
    plan : Plan
        Plan to explain.
    dem : DataArray
        DEM that the plan was made on.

    Raises
    ------
    CRSMismatchError
        The DEM is in another CRS than the plan.
    """
    cells = reasons_of(plan, dem)
    scale = plan.site.area_ha / (plan.site.boundary.area / 1e4)
    lost = _cut_away(plan, cells.field.drainage.area)
    ground = _traced(cells)
    cell_ha = cells.grid.cell_area_m2 / 1e4 * scale
    parts = [LandPart(reason, label, shape.area / 1e4 * scale, shape) for reason, label, shape in lost]
    parts += [
        LandPart(reason, LABELS[reason], cells.count(reason) * cell_ha, ground.get(reason, shapely.Polygon()))
        for reason in Reason
        if reason >= Reason.NO_ELEVATION
    ]
    site_ha = round(plan.site.area_ha, DIGITS)
    return LandUse(plan.site.name, site_ha, plan.crs, _balanced([p for p in parts if p.hectares > 0], site_ha))


def _cut_away(plan: Plan, channels: BaseGeometry | None) -> list[tuple[Reason, str, BaseGeometry]]:
    """Setback, exclusions by name and channels, none of them twice."""
    inner, boundary = inside_setback(plan), plan.site.boundary
    found: list[tuple[Reason, str, BaseGeometry]] = [(Reason.SETBACK, "Setback", polygonal(boundary.difference(inner)))]
    left = inner
    for name, zones in by_name(plan.site.exclusions, inner).items():
        area = shapely.union_all([z.with_buffer for z in zones])
        found.append((Reason.EXCLUSION, name, polygonal(left.intersection(area))))
        left = left.difference(area)
    if channels is not None and not channels.is_empty:
        found.append((Reason.CHANNEL, LABELS[Reason.CHANNEL], polygonal(left.intersection(channels))))
    return found


def by_name(zones: tuple[Zone, ...], inner: BaseGeometry, *, most: int = MOST_NAMES) -> dict[str, list[Zone]]:
    """Zones that bar building, by name, largest first; many small ones share a name.

    Parameters
    ----------
    zones : tuple of Zone
        Exclusions of a site.
    inner : geometry
        Ground inside the setbacks [m].
    most : int
        Most names before the shared one.
    """
    named: dict[str, list[Zone]] = defaultdict(list)
    for zone in zones:
        if zone.zone_type != "cost":
            named[zone.name or f"Exclusion ({zone.zone_type})"].append(zone)
    area = {name: sum(z.with_buffer.intersection(inner).area for z in group) for name, group in named.items()}
    order = sorted(named, key=lambda name: -area[name])
    shown = {name: named[name] for name in order[:most]}
    if rest := order[most:]:
        shown[f"{len(rest)} smaller exclusions"] = [z for name in rest for z in named[name]]
    return shown


def _traced(cells: CellReasons) -> Mapping[Reason, BaseGeometry]:
    """Ground of each reason that cells decide, along their edges."""
    from rasterio.features import shapes  # noqa: PLC0415 (0.3 s)
    from rasterio.transform import Affine  # noqa: PLC0415

    found: dict[Reason, list[BaseGeometry]] = defaultdict(list)
    mask = cells.codes >= Reason.NO_ELEVATION
    for shape, code in shapes(cells.codes, mask=mask, transform=Affine(*cells.grid.transform)):
        found[Reason(int(code))].append(shapely.Polygon(shape["coordinates"][0], shape["coordinates"][1:]))
    return {reason: shapely.union_all(np.array(polygons, dtype=object)) for reason, polygons in found.items()}


def _balanced(parts: list[LandPart], site_ha: float) -> tuple[LandPart, ...]:
    """Parts whose rounded areas sum to that of the site.

    Parameters
    ----------
    parts : list of LandPart
        Parts as measured, in cells or as polygons.
    site_ha : float
        Area of the site [ha].
    """
    built = math.fsum(p.hectares for p in parts if p.reason > Reason.TOO_STEEP)
    lost = math.fsum(p.hectares for p in parts if p.reason <= Reason.TOO_STEEP)
    of_lost = (site_ha - built) / lost if lost > 0 else math.inf
    of_built = 1.0
    if abs(of_lost - 1) > CLOSE and built > 0:
        # next to nothing is lost: the difference between cells and polygons belongs to the rest
        of_lost, of_built = 1.0, (site_ha - lost) / built
    factors = [of_built if p.reason > Reason.TOO_STEEP else of_lost for p in parts]
    areas = [round(p.hectares * f, DIGITS) for p, f in zip(parts, factors, strict=True)]
    if areas:
        largest = areas.index(max(areas))
        areas[largest] = round(areas[largest] + site_ha - math.fsum(areas), DIGITS)
    made = (LandPart(p.reason, p.label, a, p.geometry) for p, a in zip(parts, areas, strict=True))
    return tuple(p for p in made if p.hectares > 0)
