r"""Earthwork: how the ground may be shaped, and what shaping it takes; `pads` and `corridors` compute it.

::

            ground                         cut: ground above design     fill: design above ground
       ____/\                               volumes are bank (in place) volumes [m³], both >= 0
      /     \__________ pad plane         net = cut - fill
     / side slope 2:1   \                  balanced: cut x (1 - shrink) = fill
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import InputError

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground
    from pacifico.layout.criteria.spec import Spec


@dataclass(frozen=True)
class EarthworkCriteria:
    """How the ground may be shaped, and how finely that is computed."""

    shrink: float = 0.12
    """Bank volume lost when cut is compacted as fill [-]: cut x (1 - shrink) = fill."""
    swell: float = 0.25
    """Growth of bank volume when loosened for haul [-]; counts for haul alone."""
    side_slope: float = 2.0
    """Run of a side slope for one metre of height [-]; 0: walls, no side slopes."""
    max_pad_grade: float = 0.02
    """Steepest pad plane, both components together [rise/run]; 0: level pads."""
    max_batter_m: float = 60.0
    """Where a side slope has found no daylight it stops at this distance [m]."""
    sample_m: float | None = None
    """Longest tile edge [m]; by default half a cell, less under small pads and narrow roads."""
    search_rounds: int = 40
    """Most steps of the search for the best plane; 0: least-squares plane, balanced."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.shrink < 1.0:
            raise InputError(f"shrink {self.shrink} is a share of the cut: give 0 or more and less than 1")
        for name in ("swell", "side_slope", "max_pad_grade", "max_batter_m", "search_rounds"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} {getattr(self, name)} must be 0 or more")
        if self.sample_m is not None and not self.sample_m > 0:
            raise InputError(f"sample_m {self.sample_m} must be more than 0 m")


DEFAULT_CRITERIA = EarthworkCriteria()


def cell_of(ground: Ground) -> float:
    """Shorter side of a cell [m]."""
    return min(ground.grid.dx, ground.grid.dy)


def frame_of(ground: Ground) -> FloatArray:
    """Grid as the kernels take it: western and northern edge, cell sizes [m]."""
    g = ground.grid
    return np.array([g.x0, g.y0, g.dx, g.dy])


def side_of(ground: Ground, criteria: EarthworkCriteria) -> FloatArray:
    """Side slopes as the kernels take them: run per rise, march step and reach [m]."""
    return np.array([criteria.side_slope, criteria.sample_m or 0.5 * cell_of(ground), criteria.max_batter_m])


def earthwork_criteria(spec: Spec) -> EarthworkCriteria:
    """Earthwork rules of a spec."""
    return EarthworkCriteria(
        shrink=spec.number("earthwork", "shrink"),
        swell=spec.number("earthwork", "swell"),
        side_slope=spec.number("earthwork", "side_slope"),
        max_pad_grade=spec.number("earthwork", "max_pad_grade"),
    )
