"""Estimates of what limits cost: arrays that fit the ground, before roads.

A layout takes seconds, and most limits of a site bring little. The estimate ranks them: it counts the arrays that fit the
ground with a limit relaxed, in strips of one scheme, and scales them by what the layout of the plan holds of its own.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.racking import array_slopes
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.ground.buildable import make_field
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.placement.context import PlacementContext
from pacifico.layout.placement.solar_arrays import SCHEMES, SolarGround, solar_ground
from pacifico.layout.placement.strip_packing import StripPacking, edges_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pacifico.grid import Ground
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.site.model import Site

SAME_BOUNDS_M = 1.0
"""Change of the ground's bounds up to which strips keep their places [m]."""
LITTLE_GROUND = 0.02
"""Share of the ground up to which an addition leaves all strips where they are."""


@dataclass(frozen=True)
class FitEstimate:
    """Arrays that fit the ground of a plan."""

    field: Field
    spec: Spec
    cells: Ground
    """Heights on the grid of the layout."""
    scheme: str
    """Scheme of strips that holds the most."""
    ground: SolarGround
    """Its strips."""
    kw: float
    """AC capacity of the arrays [kW]."""

    @classmethod
    def of(cls, field: Field, spec: Spec, cells: Ground) -> FitEstimate:
        """Arrays on a plan's ground.

        Parameters
        ----------
        field : Field
            Ground of the plan.
        spec : Spec
            Its rules.
        cells : Ground
            Heights on the grid of the layout.
        """
        context = PlacementContext(field, spec)
        grounds = {s: solar_ground(context, s) for s in SCHEMES}
        kw = {s: _fits_kw(g) for s, g in grounds.items()}
        best = max(kw, key=lambda s: kw[s])
        return cls(field, spec, cells, best, grounds[best], kw[best])

    def gained_share(self, site: Site, overrides: Mapping[str, Mapping[str, Any]]) -> float:
        """Share of capacity gained with another site or other rules [-].

        It compares the arrays that fit the ground, and is never negative.

        Parameters
        ----------
        site : Site
            Site to compare with.
        overrides : mapping
            Rules that are overridden.
        """
        if self.kw <= 0:
            return 0.0
        spec, own = make_spec(overrides), self.field
        own_copy = copy.deepcopy(site)  # two threads can't share one prepared geometry
        field = make_field(
            own_copy,
            self.cells,
            own.ground,
            setback_m=spec.number("site", "setback_m"),
            source_cell_m=0.0,  # the slope is known
            setbacks=spec.setbacks,
            slope=own.slope,
            drainage=own.drainage,
        )
        return max(self._fits_kw(field, spec) / self.kw - 1.0, 0.0)

    def _fits_kw(self, field: Field, spec: Spec) -> float:
        """Capacity of arrays on other ground: strips keep their places where little is added [kW]."""
        before, after = self.field.placeable, field.placeable
        moved = np.abs(np.subtract(before.bounds, after.bounds)).max() > SAME_BOUNDS_M
        packing = self.ground.packing
        if (
            isinstance(packing, StripPacking)
            and array_slopes(spec) == array_slopes(self.spec)
            and not moved
            and after.area <= (1 + LITTLE_GROUND) * before.area
        ):
            sieve = replace(packing.sieve, placeable=after)
            kept = replace(packing, sieve=sieve, edges=edges_of(after), _memo={})
            return _fits_kw(replace(self.ground, packing=kept))
        return _fits_kw(solar_ground(PlacementContext(field, spec), self.scheme))


def _fits_kw(ground: SolarGround) -> float:
    """AC capacity of arrays on free ground [kW]."""
    return ground.kw(ground.slots(NO_RECTS))
