"""Values that differ by strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Strategy

DISC_PRICE: dict[Strategy, float] = {"balanced": 40.0, "density": 0.0, "low_earthwork": 40.0, "clustered": 10.0}
"""Distance worth one degree less slope, where no window is searched [m/°]; engineering judgement."""

MEASURES: tuple[Strategy, ...] = ("balanced", "density", "low_earthwork", "clustered")

SITING: dict[Strategy, tuple[tuple[float, float], ...]] = {
    "balanced": ((1.0, 3.0),),
    "density": ((1.0, 1.0), (1.0, 20.0), (5.0, 0.2)),
    "low_earthwork": ((1.0, 40.0), (1.0, 20.0)),
    "clustered": ((1.0, 1.0), (1.0, 20.0), (1.0, 5.0), (5.0, 0.2)),
}
"""Weights of road and earthwork in the siting of the substation, by strategy; tried in order."""

METRES_PER_DEGREE: dict[Strategy, float] = {"balanced": 40.0, "density": 0.0, "low_earthwork": 400.0, "clustered": 10.0}
"""Distance worth one degree less slope, by strategy [m/°]; engineering judgement."""
