"""Criteria of channels, and sizes of what crosses them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec

PIPE_SIZES_M = (0.6, 0.75, 0.9, 1.05, 1.2, 1.5)
"""Diameters of corrugated pipes in use below site roads [m]."""
BANKFULL_M, BANKFULL_POWER = 2.70, 0.352
"""Bankfull width of a channel that drains 1 km² [m], and the power by which it grows with the drained area (Bieger et al. 2015,
doi:10.1111/jawr.12282, all of the United States)."""
PIPE_FLOW = 1.35
"""Flow of a pipe with a headwall, over its diameter to the power of 2.5, in SI units: inlet control at a headwater of 1.2
diameters (FHWA HDS-5, 2012, chart 2)."""


@dataclass(frozen=True)
class WaterCriteria:
    """Criteria of channels and their crossings."""

    channel_min_ha: float = 8.0
    """Drained area from which a drainage line is a channel [ha]; 0: there are none."""
    channel_half_width_m: float = 6.0
    """Least ground kept free on each side of a channel's line [m]."""
    coarsest_cell_m: float = 20.0
    """Coarsest cell on which channels are kept free [m]."""
    runoff_coefficient: float = 0.35
    """Share of the rain that runs off [-]."""
    rain_mm_per_h: float = 75.0
    """Design rain [mm/h]."""
    culvert_max_barrels: int = 4
    """Most pipes of a culvert; beyond, a bridge is built."""
    ford_max_ha: float = 20.0
    """Largest drained area of a ford [ha]."""
    ford_max_grade_pct: float = 5.0
    """Steepest road over a ford [%]."""
    ponding_m: float = 0.3
    """Depth of ponding from which it is mentioned [m]."""

    def half_width_m(self, drained_ha: FloatArray, cell_m: float) -> FloatArray:
        """Ground kept free on each side of the line of channels [m].

        It is at least half the bankfull width and half a cell, by which the line may be off.

        Parameters
        ----------
        drained_ha : (n,) float
            Area that drains into each [ha].
        cell_m : float
            Cell on which flow was followed [m].
        """
        bankfull_m = BANKFULL_M * (drained_ha / 100.0) ** BANKFULL_POWER
        half: FloatArray = np.maximum(self.channel_half_width_m, (bankfull_m + cell_m) / 2)
        return half

    def flow_m3_s(self, drained_ha: float) -> float:
        """Design flow by the rational method [m³/s]."""
        return self.runoff_coefficient * self.rain_mm_per_h * drained_ha / 360.0

    def culvert(self, drained_ha: float) -> Culvert:
        """Pipes that carry the design flow of a drained area."""
        flow = self.flow_m3_s(drained_ha)
        barrels = max(math.ceil(flow / _pipe_flow_m3_s(PIPE_SIZES_M[-1]) - 1e-9), 1)
        sizes = (d for d in PIPE_SIZES_M if barrels * _pipe_flow_m3_s(d) >= flow - 1e-9)
        return Culvert(barrels, next(sizes, PIPE_SIZES_M[-1]))


@dataclass(frozen=True)
class Culvert:
    """Pipes below a road, side by side."""

    barrels: int
    diameter_m: float
    """Inner diameter of each [m]."""


def _pipe_flow_m3_s(diameter_m: float) -> float:
    """Flow of a pipe under inlet control [m³/s]."""
    return PIPE_FLOW * math.pow(diameter_m, 2.5)


def water_criteria(spec: Spec) -> WaterCriteria:
    """Criteria of channels of a spec."""
    return WaterCriteria(
        channel_min_ha=spec.number("water", "channel_min_ha"),
        channel_half_width_m=spec.number("water", "channel_half_width_m"),
        coarsest_cell_m=spec.number("water", "coarsest_cell_m"),
        runoff_coefficient=spec.number("water", "runoff_coefficient"),
        rain_mm_per_h=spec.number("water", "rain_mm_per_h"),
        culvert_max_barrels=int(spec.number("water", "culvert_max_barrels")),
        ford_max_ha=spec.number("water", "ford_max_ha"),
        ford_max_grade_pct=spec.number("water", "ford_max_grade_pct"),
        ponding_m=spec.number("water", "ponding_m"),
    )
