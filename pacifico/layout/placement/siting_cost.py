"""Siting cost of substations: road, cable and earthwork."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.asset_types import feeder_mva

if TYPE_CHECKING:
    from shapely import MultiPolygon, Polygon

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.criteria.strategies import SitingWeights
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.ground.site_access import SiteAccess

PAD_GRADE = 0.02
"""Grade of a pad for drainage; steeper ground needs cut and fill."""
EDGE_POINTS = 41
"""Points along each side of the site's bounds at which the distance to its edge is measured."""
CABLE_SHARE = 0.3
"""Saving of cable per metre that the substation is nearer to the centre of the plant: feeders come from all sides, so that
what one saves another adds; engineering judgement."""
SAMPLES = 5
"""Heights measured along each side of a pad."""
NODATA_M3 = 1e9
"""Earthwork of a pad without heights: more than any pad takes [m³]."""


@dataclass(frozen=True)
class Prices:
    """Prices for siting."""

    road: float
    """[USD/m]."""
    cable: float
    """All cables together [USD/m]."""
    earth: float
    """Cut or fill [USD/m³]."""
    gen_tie: float = 0.0
    """Line to the grid connection [USD/m]."""


@dataclass(frozen=True)
class EdgeDistance:
    """Distance to the edge of the site, on a coarse grid."""

    bounds: tuple[float, float, float, float]
    """West, south, east, north of the site [m]."""
    metres: FloatArray
    """Distance at each point, shape (rows from the south, columns) [m]."""

    def at(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Distance at points, interpolated bilinearly [m]."""
        west, south, east, north = self.bounds
        far, n = self.metres, len(self.metres)
        u, v = (x - west) / (east - west) * (n - 1), (y - south) / (north - south) * (n - 1)
        i, j = np.clip(u.astype(np.int64), 0, n - 2), np.clip(v.astype(np.int64), 0, n - 2)
        fx, fy = u - i, v - j
        out: FloatArray = (far[j, i] * (1 - fx) + far[j, i + 1] * fx) * (1 - fy) + (
            far[j + 1, i] * (1 - fx) + far[j + 1, i + 1] * fx
        ) * fy
        return out


def edge_distance(outline: Polygon | MultiPolygon, access: SiteAccess) -> EdgeDistance:
    """Road from the edge of a site, or from its existing roads."""
    west, south, east, north = outline.bounds
    shapely.prepare(access.places)
    at = np.meshgrid(np.linspace(west, east, EDGE_POINTS), np.linspace(south, north, EDGE_POINTS))
    metres = np.asarray(access.distance(shapely.points(np.stack(at, axis=-1))))
    return EdgeDistance((west, south, east, north), metres)


@dataclass(frozen=True)
class PlantPlace:
    """Where a plant lies, and how vehicles get there."""

    window: tuple[float, float, float, float]
    """West, south, east, north of the plant [m]."""
    lanes: FloatArray
    """Lanes of the plant: x0, y0, x1, y1 each; none where any place in the window will do [m]."""
    access: tuple[float, float] | EdgeDistance
    """Requested site entry [m]; without one, the distance to the edge of the site."""


def siting_prices(spec: Spec, mva: float, weights: SitingWeights) -> Prices:
    """Prices for siting, from the unit costs of the bill of quantities.

    A metre of road is its surface. A metre of cable is one metre of each feeder in a shared trench. A cubic metre moved
    is half cut, half fill.

    Parameters
    ----------
    spec : Spec
        Unit costs, road width and feeder rating.
    mva : float
        Rating of the plant [MVA].
    weights : SitingWeights
        Factors on the prices of road and earthwork.
    """
    feeders = max(mva / feeder_mva(spec), 1.0)
    cables = feeders * spec.number("costs", "mv_cable") + spec.number("costs", "mv_trench")
    return Prices(
        road=weights.road * spec.number("road", "width_m") * spec.number("costs", "road_surface"),
        cable=CABLE_SHARE * cables,
        earth=weights.earthwork * (spec.number("costs", "cut") + spec.number("costs", "fill")) / 2.0,
        gen_tie=spec.number("costs", "gen_tie"),
    )


def siting_cost(field: Field, rects: FloatArray, place: PlantPlace, prices: Prices) -> FloatArray:
    """Cost of a substation at each rectangle, shape (n,) [USD].

    The road leads from the entry, or from the nearest edge of the site, past the substation to the lanes of the plant.
    Cables come from the centre of the plant. A line leads straight to the grid connection where that is known.

    Parameters
    ----------
    field : Field
        Ground of the site.
    rects : (n, 4) float
        West, south, east, north of each place [m].
    place : PlantPlace
        Where the plant lies.
    prices : Prices
        Prices of road, cable and earthwork.
    """
    west, south, east, north = place.window
    x, y = (rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2
    # without lanes the road leads to the window
    lanes = place.lanes if len(place.lanes) else np.array([place.window])
    to_lane = np.full(len(rects), np.inf)
    for x0, y0, x1, y1 in lanes:
        dx = np.maximum(np.maximum(x0 - rects[:, 2], rects[:, 0] - x1), 0)
        dy = np.maximum(np.maximum(y0 - rects[:, 3], rects[:, 1] - y1), 0)
        to_lane = np.minimum(to_lane, np.hypot(dx, dy))
    access = place.access
    to_access = access.at(x, y) if isinstance(access, EdgeDistance) else np.hypot(x - access[0], y - access[1])
    road = to_lane + to_access
    cable = np.hypot(x - (west + east) / 2, y - (south + north) / 2)
    total: FloatArray = prices.road * road + prices.cable * cable + prices.earth * pad_earth_m3(field, rects)
    if field.grid_connections:
        boxes = np.asarray(shapely.box(*rects.T), dtype=object)
        total += prices.gen_tie * np.min([shapely.distance(boxes, g) for g in field.grid_connections], axis=0)
    return total


def pad_earth_m3(field: Field, rects: FloatArray) -> FloatArray:
    """Estimated cut and fill of pads, shape (n,) [m³].

    Heights are compared with the best-fitting plane that keeps the drainage grade.
    """
    f = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    u, v = (w.ravel() for w in np.meshgrid(f, f))
    width, height = rects[:, 2] - rects[:, 0], rects[:, 3] - rects[:, 1]
    dx, dy = width[:, None] * u, height[:, None] * v
    z = field.ground.at((rects[:, 0] + width / 2)[:, None] + dx, (rects[:, 1] + height / 2)[:, None] + dy)
    z = z - z.mean(axis=1, keepdims=True)
    east = (z * dx).sum(axis=1) / (dx**2).sum(axis=1)
    north = (z * dy).sum(axis=1) / (dy**2).sum(axis=1)
    grade = np.hypot(east, north)
    kept = np.minimum(1.0, PAD_GRADE / np.maximum(grade, 1e-9))
    off = np.abs(z - (kept * east)[:, None] * dx - (kept * north)[:, None] * dy).mean(axis=1) * width * height
    return np.asarray(np.nan_to_num(off, nan=NODATA_M3))
