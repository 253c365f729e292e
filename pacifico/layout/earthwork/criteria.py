r"""Earthwork criteria: how the ground may be shaped.

::

            ground                         cut: ground above design     fill: design above ground
       ____/\                               volumes are bank (in place) volumes [m³], both >= 0
      /     \__________ pad plane         net = cut - fill
     / side slope 2:1   \                  balanced: cut x (1 - shrink) = fill
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.errors import InputError

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Spec


@dataclass(frozen=True)
class EarthworkCriteria:
    """Limits of grading, and how finely volumes are computed."""

    shrink: float = 0.12
    """Bank volume lost when cut is compacted as fill [-]: cut x (1 - shrink) = fill."""
    swell: float = 0.25
    """Growth of bank volume when loosened [-]; used for haul only."""
    side_slope: float = 2.0
    """Horizontal run of a side slope for one metre of height [-]; 0: walls, no side slopes."""
    max_pad_grade: float = 0.02
    """Steepest pad plane, east and north together [rise/run]; 0: level pads."""
    max_batter_m: float = 60.0
    """Distance at which a side slope without daylight ends [m]."""
    sample_m: float | None = None
    """Longest tile edge [m]; None: half a cell, less under small pads and narrow roads."""
    search_rounds: int = 40
    """Largest number of steps towards the best plane; 0: least-squares plane, balanced."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.shrink < 1.0:
            raise InputError(f"shrink {self.shrink} is a share of the cut: give 0 or more and less than 1")
        for name in ("swell", "side_slope", "max_pad_grade", "max_batter_m", "search_rounds"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} {getattr(self, name)} is negative; give 0 or more")
        if self.sample_m is not None and not self.sample_m > 0:
            raise InputError(f"sample_m {self.sample_m} is not above 0 m; give a longer tile edge")


DEFAULT_CRITERIA = EarthworkCriteria()


def earthwork_criteria(spec: Spec) -> EarthworkCriteria:
    """Earthwork criteria of a spec."""
    return EarthworkCriteria(
        shrink=spec.number("earthwork", "shrink"),
        swell=spec.number("earthwork", "swell"),
        side_slope=spec.number("earthwork", "side_slope"),
        max_pad_grade=spec.number("earthwork", "max_pad_grade"),
    )
