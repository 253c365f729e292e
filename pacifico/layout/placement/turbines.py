"""Wind turbines: spacing in rotor diameters along and across the wind, setback by tip height."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.asset_types import PAD_APRON_M, asset_type
from pacifico.layout.ground.rects import touching
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.placement.draft import Draft, item_of
from pacifico.layout.placement.equipment import MOST_CANDIDATES, cheapest_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field


def place_turbines(
    field: Field, draft: Draft, spec: Spec, anchor: tuple[float, float], count: int | None, *, metres_per_degree: float
) -> int:
    """Add up to `count` turbines (None: all that fit), cheapest by distance and slope first.

    No other turbine lies within an ellipse of the spacing's semi-axes, its long axis along the wind.
    """
    if count is not None and count <= 0:
        return 0
    kind = asset_type(spec, "wind_turbine")
    rotor = spec.number("wind_turbine", "rotor_m")
    tip = spec.number("wind_turbine", "hub_m") + rotor / 2
    setback = spec.number("wind_turbine", "setback_tip_heights") * tip
    across = spec.number("wind_turbine", "spacing_crosswind_rotors") * rotor
    along = spec.number("wind_turbine", "spacing_downwind_rotors") * rotor
    bearing = np.radians(spec.number("wind_turbine", "wind_from_deg"))
    sieve = field.sieve(kind.slope_limit_deg)
    centres = _centres_inside(field, setback)
    rects = np.column_stack(
        [
            centres[:, 0] - kind.length_m / 2,
            centres[:, 1] - kind.width_m / 2,
            centres[:, 0] + kind.length_m / 2,
            centres[:, 1] + kind.width_m / 2,
        ]
    )
    good = sieve.passes(rects, apron=PAD_APRON_M) & ~touching(rects, draft.blocked(kind.clearance_m))
    rects, centres = rects[good], centres[good]
    order = cheapest_first(field, rects, anchor, metres_per_degree)
    if len(rects):
        turned = np.array([[np.sin(bearing), np.cos(bearing)], [np.cos(bearing), -np.sin(bearing)]])
        # distances in spacings: two turbines are far enough apart at 1 or more
        apart = centres @ turned.T / (along, across)
        chosen = _spaced(apart, order, count)
        if count is None or len(chosen) < count:
            # taking the best place first may fit fewer turbines than sweeping over the site
            sweeps = [np.lexsort(keys) for keys in (apart.T, -apart.T, apart[:, ::-1].T, -apart[:, ::-1].T)]
            chosen = max(chosen, *(_spaced(apart, sweep, count) for sweep in sweeps), key=len)
        draft.items.extend(item_of(kind, rects[i]) for i in chosen)
        placed = len(chosen)
    else:
        placed = 0
    if count is not None and placed < count:
        draft.unplaced.append(
            Unplaced(
                "wind_turbine",
                count - placed,
                f"no free ground within {kind.slope_limit_deg:g} deg, {setback:.0f} m inside the boundary "
                f"and {across:.0f} x {along:.0f} m from other turbines",
            )
        )
    return placed


def _spaced(apart: FloatArray, order: NDArray[np.int64], count: int | None) -> list[int]:
    """Places taken in order, each at a scaled distance of 1 or more from those before."""
    free = np.ones(len(apart), dtype=bool)
    chosen: list[int] = []
    for i in order:
        if count is not None and len(chosen) >= count:
            break
        if free[i]:
            chosen.append(int(i))
            free &= np.hypot(*(apart - apart[i]).T) >= 1.0
    return chosen


def _centres_inside(field: Field, setback: float) -> FloatArray:
    """Search grid on the placeable ground within the turbines' setback."""
    inner = shapely.intersection(shapely.buffer(field.outline, -setback), field.placeable)
    if inner.is_empty:
        return np.empty((0, 2))
    west, south, east, north = inner.bounds
    step = max(10.0, np.sqrt((east - west) * (north - south) / MOST_CANDIDATES))
    x, y = np.meshgrid(np.arange(west, east + step, step), np.arange(south, north + step, step))
    shapely.prepare(inner)
    inside = shapely.contains_xy(inner, x.ravel(), y.ravel())
    return np.column_stack([x.ravel()[inside], y.ravel()[inside]])
