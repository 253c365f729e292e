"""Place wind turbines by spacing and setback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.asset_types import PAD_APRON_M, asset_type
from pacifico.layout.ground.rects import touching
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.placement.draft import Draft, item_of
from pacifico.layout.placement.equipment import MAX_PLACES, slope_and_distance

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field

MIN_SPACING_M = 10.0
"""Smallest distance between places that are compared [m]."""


@dataclass(frozen=True)
class TurbineSpacing:
    """Distances that turbines keep."""

    setback_m: float
    """Distance from the boundary [m]."""
    across_m: float
    """Distance between turbines across the wind [m]."""
    along_m: float
    """Distance between turbines along the wind [m]."""
    bearing: float
    """Direction from which the wind blows, clockwise from north [rad]."""

    @classmethod
    def of(cls, spec: Spec) -> TurbineSpacing:
        """Distances by the spec."""

        def rule(name: str) -> float:
            return spec.number("wind_turbine", name)

        rotor = rule("rotor_m")
        tip = rule("hub_m") + rotor / 2
        return cls(
            rule("setback_tip_heights") * tip,
            rule("spacing_crosswind_rotors") * rotor,
            rule("spacing_downwind_rotors") * rotor,
            np.radians(rule("wind_from_deg")),
        )

    def in_spacings(self, centres: FloatArray) -> FloatArray:
        """Centres in units of the spacing, shape (n, 2).

        Coordinates run along and across the wind. Two turbines are far enough apart where their distance is 1 or more.
        """
        sin, cos = np.sin(self.bearing), np.cos(self.bearing)
        axes = np.array([[sin, cos], [cos, -sin]])
        out: FloatArray = centres @ axes.T / (self.along_m, self.across_m)
        return out


def place_turbines(
    field: Field, draft: Draft, spec: Spec, anchor: tuple[float, float], count: int | None, *, metres_per_degree: float
) -> int:
    """Add turbines to a draft, near an anchor and on gentle ground.

    Around each turbine lies an ellipse without others, its long axis along the wind.

    Parameters
    ----------
    field : Field
        Ground of the site.
    draft : Draft
        Grows by the turbines placed, and by a record of those that found no place.
    spec : Spec
        Dimensions and spacing of turbines.
    anchor : (float, float)
        Easting and northing to stay near [m].
    count : int, optional
        Most turbines to place; None for as many as fit.
    metres_per_degree : float
        Distance that equals a degree of slope [m/°].

    Returns
    -------
    int
        Number of turbines placed.
    """
    if count is not None and count <= 0:
        return 0
    kind, spacing = asset_type(spec, "wind_turbine"), TurbineSpacing.of(spec)
    centres = _candidate_centres(field, spacing.setback_m)
    half = np.array([kind.length_m / 2, kind.width_m / 2])
    rects = np.hstack([centres - half, centres + half])
    sieve = field.sieve(kind.slope_limit_deg)
    fits = sieve.passes(rects, apron=PAD_APRON_M) & ~touching(rects, draft.blocked(kind.clearance_m))
    rects, centres = rects[fits], centres[fits]
    chosen: list[int] = []
    if len(rects):
        costs = slope_and_distance(field, anchor, metres_per_degree)(rects)
        chosen = _choose(spacing.in_spacings(centres), np.argsort(costs, kind="stable"), count)
        draft.items.extend(item_of(kind, rects[i]) for i in chosen)
    if count is not None and len(chosen) < count:
        reason = (
            f"no free ground within {kind.slope_limit_deg:g} deg, {spacing.setback_m:.0f} m inside the boundary "
            f"and {spacing.across_m:.0f} x {spacing.along_m:.0f} m from other turbines"
        )
        draft.unplaced.append(Unplaced("wind_turbine", count - len(chosen), reason))
    return len(chosen)


def _choose(points: FloatArray, order: IntArray, count: int | None) -> list[int]:
    """Points by cost, or by the sweep that gives most.

    Parameters
    ----------
    points : (n, 2) float
        Places in units of the spacing.
    order : (n,) int
        Places by cost.
    count : int, optional
        Most places to choose.
    """
    chosen = _spaced(points, order, count)
    if count is None or len(chosen) < count:
        # the cheapest place first may leave less space for others than a sweep over the site
        sweeps = [np.lexsort(keys) for keys in (points.T, -points.T, points[:, ::-1].T, -points[:, ::-1].T)]
        chosen = max(chosen, *(_spaced(points, sweep, count) for sweep in sweeps), key=len)
    return chosen


def _spaced(points: FloatArray, order: IntArray, count: int | None) -> list[int]:
    """Points taken in order, each 1 or more apart."""
    free = np.ones(len(points), dtype=bool)
    chosen: list[int] = []
    for i in order:
        if count is not None and len(chosen) >= count:
            break
        if free[i]:
            chosen.append(int(i))
            free &= np.hypot(*(points - points[i]).T) >= 1.0
    return chosen


def _candidate_centres(field: Field, setback_m: float) -> FloatArray:
    """Places inside a setback from the boundary, shape (n, 2) [m]."""
    inner = shapely.intersection(shapely.buffer(field.outline, -setback_m), field.placeable)
    if inner.is_empty:
        return np.empty((0, 2))
    west, south, east, north = inner.bounds
    step = max(MIN_SPACING_M, np.sqrt((east - west) * (north - south) / MAX_PLACES))
    x, y = np.meshgrid(np.arange(west, east + step, step), np.arange(south, north + step, step))
    shapely.prepare(inner)
    inside = shapely.contains_xy(inner, x.ravel(), y.ravel())
    return np.column_stack([x.ravel()[inside], y.ravel()[inside]])
