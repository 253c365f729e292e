"""Cost of a substation site: road, cable and earthwork."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.asset_types import feeder_mva

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field

PAD_GRADE = 0.02
"""Drainage grade of a pad; steeper ground is cut and filled [-]."""
EDGE_LATTICE = 41
"""Points along each side of the site from which the distance to the edge is sampled."""
CABLE_SHARE = 0.3
"""Share of the distance to the substation by which cables get shorter; feeders come from all sides, so savings and
additions partly cancel; engineering judgement."""
SAMPLES = 5
"""Height samples along each side of a pad."""


@dataclass(frozen=True)
class Prices:
    """Prices of a metre of road, a metre of all cables, and a cubic metre of earthwork."""

    road: float
    cable: float
    earth: float


def siting_prices(spec: Spec, mva: float, *, road: float = 1.0, earth: float = 1.0) -> Prices:
    """Prices from the unit costs of the bill of quantities, for a plant of a rating [MVA].

    A metre of road is its surface; a metre of cable is one of each feeder's, in one trench that they share; a cubic metre
    moved is half cut, half fill. `road` and `earth` say how many times each counts.
    """
    feeders = max(mva / feeder_mva(spec), 1.0)
    cables = feeders * spec.number("costs", "mv_cable") + spec.number("costs", "mv_trench")
    return Prices(
        road=road * spec.number("road", "width_m") * spec.number("costs", "road_surface"),
        cable=CABLE_SHARE * cables,
        earth=earth * (spec.number("costs", "cut") + spec.number("costs", "fill")) / 2.0,
    )


def siting_cost(
    field: Field,
    rects: FloatArray,
    window: tuple[float, float, float, float],
    lanes: FloatArray,
    entry: tuple[float, float] | None,
    prices: Prices,
) -> FloatArray:
    """Cost of rectangles as substation sites for a plant in a window, shape (n,) [USD].

    The road leads from the entry, or the nearest edge, past the substation to the lanes. Cables lead from the middle of
    the plant.
    """
    west, south, east, north = window
    x, y = (rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2
    # without lanes, roads lead to the window itself
    ways = lanes if len(lanes) else np.array([window])
    out = np.full(len(rects), np.inf)
    for x0, y0, x1, y1 in ways:
        far_x = np.maximum(np.maximum(x0 - rects[:, 2], rects[:, 0] - x1), 0)
        far_y = np.maximum(np.maximum(y0 - rects[:, 3], rects[:, 1] - y1), 0)
        out = np.minimum(out, np.hypot(far_x, far_y))
    road = out + (_to_edge(field, x, y) if entry is None else np.hypot(x - entry[0], y - entry[1]))
    cable = np.hypot(x - (west + east) / 2, y - (south + north) / 2)
    total: FloatArray = prices.road * road + prices.cable * cable + prices.earth * pad_earth_m3(field, rects)
    return total


def pad_earth_m3(field: Field, rects: FloatArray) -> FloatArray:
    """Estimated cut and fill of pads: heights off the best plane of drainage grade [m³]."""
    f = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    u, v = (w.ravel() for w in np.meshgrid(f, f))
    width, height = rects[:, 2] - rects[:, 0], rects[:, 3] - rects[:, 1]
    dx, dy = width[:, None] * u, height[:, None] * v
    z = field.ground.at((rects[:, 0] + width / 2)[:, None] + dx, (rects[:, 1] + height / 2)[:, None] + dy)
    z = z - z.mean(axis=1, keepdims=True)
    east = (z * dx).sum(axis=1) / (dx**2).sum(axis=1)
    north = (z * dy).sum(axis=1) / (dy**2).sum(axis=1)
    grade = np.hypot(east, north)
    held = np.minimum(1.0, PAD_GRADE / np.maximum(grade, 1e-9))
    off = np.abs(z - (held * east)[:, None] * dx - (held * north)[:, None] * dy).mean(axis=1) * width * height
    return np.asarray(np.nan_to_num(off, nan=1e9))


def _to_edge(field: Field, x: FloatArray, y: FloatArray) -> FloatArray:
    """Distance of points from the site's edge, interpolated from a coarse grid [m]."""
    west, south, east, north = field.outline.bounds
    n = EDGE_LATTICE
    if "edge" not in field.fits:
        line = shapely.boundary(field.outline)
        shapely.prepare(line)
        at = np.stack(np.meshgrid(np.linspace(west, east, n), np.linspace(south, north, n)), axis=-1)
        field.fits["edge"] = np.asarray(shapely.distance(shapely.points(at), line))
    far: FloatArray = field.fits["edge"]
    u, v = (x - west) / (east - west) * (n - 1), (y - south) / (north - south) * (n - 1)
    i, j = np.clip(u.astype(np.int64), 0, n - 2), np.clip(v.astype(np.int64), 0, n - 2)
    fx, fy = u - i, v - j
    out: FloatArray = (far[j, i] * (1 - fx) + far[j, i + 1] * fx) * (1 - fy) + (
        far[j + 1, i] * (1 - fx) + far[j + 1, i + 1] * fx
    ) * fy
    return out
