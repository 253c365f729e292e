"""Candidate areas for a plant without solar arrays: level, gentle, or near the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.strategies import MEASURES, METRES_PER_DEGREE, SITING
from pacifico.layout.ground.buildable import mean_slope
from pacifico.layout.placement.level_ground import SQUARE_M, area_needed, densest_spots, level_share
from pacifico.layout.placement.seed_area import SeedArea

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec, Strategy
    from pacifico.layout.ground.buildable import Field

MOST_PLACES, MOST_SQUARES = 200, 6000
"""Squares tried as the middle of a yard, and squares counted for that: bounds on run time."""
APART = 0.5
"""Distance between distinct places [share of the larger radius]."""
BESIDE_M = 2 * SQUARE_M
"""Distance from the default place within which another place is the same [m]."""
LEAST_DEG = 0.2
"""Slope below which flatter ground saves nothing [°]."""


def candidate_yards(
    field: Field, spec: Spec, power_kw: float, strategy: Strategy, entry: tuple[float, float] | None
) -> list[SeedArea]:
    """Candidate areas for a yard: the default, the best for the strategy, then the rest."""
    price = METRES_PER_DEGREE[strategy]
    key = ("yards", power_kw, entry)
    if key not in field.fits:
        level = level_share(field, spec)
        usual = densest_spots(field, level, power_kw)
        field.fits[key] = usual, _ranked(field, level, power_kw, entry, usual)
    usual, ranked = field.fits[key]
    order = [(usual, price), *((p, price) for p in ranked[strategy])]
    order += [(p, price) for m in MEASURES if m != strategy for p in ranked[m][:1]]
    order += [(usual, METRES_PER_DEGREE[m]) for m in MEASURES]
    siting = SITING[strategy]
    return [
        SeedArea("", (*at, *at), at, metres_per_degree=by, strategy=strategy, siting=siting[0])
        for at, by in dict.fromkeys(order)
    ]


def _ranked(
    field: Field, good: FloatArray, power_kw: float, entry: tuple[float, float] | None, usual: tuple[float, float]
) -> dict[Strategy, list[tuple[float, float]]]:
    """Find up to three yard centres per strategy, apart from each other and the default."""
    thin = -(-len(good) // MOST_SQUARES)
    good = good[::thin] if thin else good
    if len(good) < 3:
        return {m: [] for m in MEASURES}
    enough = min(int(np.ceil(area_needed(power_kw) / thin)), len(good))
    centres = np.column_stack([(good[:, 0] + good[:, 2]) / 2, (good[:, 1] + good[:, 3]) / 2])
    slope = mean_slope(field, good)
    some = centres[:: -(-len(good) // MOST_PLACES)]
    far = np.hypot(*(some[:, None] - centres[None]).transpose(2, 0, 1))
    nearest = np.argpartition(far, enough - 1, axis=1)[:, :enough]
    radius = np.take_along_axis(far, nearest, axis=1).max(axis=1)
    steep = np.maximum(slope[nearest].mean(axis=1), LEAST_DEG)
    edge = shapely.boundary(field.outline) if entry is None else shapely.Point(entry)
    road = np.maximum(shapely.distance(shapely.points(some), edge) - radius, 0.0) + radius
    wants: dict[Strategy, FloatArray] = {
        "density": radius,
        "low_earthwork": steep * (road + radius),
        "clustered": road + radius,
        "balanced": radius * np.sqrt(road) * np.sqrt(np.sqrt(steep)),
    }
    out: dict[Strategy, list[tuple[float, float]]] = {}
    for measure, want in wants.items():
        taken: list[int] = []
        for i in np.argsort(want, kind="stable").tolist():
            apart = all(np.hypot(*(some[i] - some[k])) > APART * max(radius[i], radius[k]) for k in taken)
            if apart and np.hypot(*(some[i] - usual)) > BESIDE_M:
                taken.append(i)
                if len(taken) == 3:
                    break
        out[measure] = [(float(some[i, 0]), float(some[i, 1])) for i in taken]
    return out
