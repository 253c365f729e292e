r"""Racking criteria: what piles, tubes and graded ground may do.

::

       tube ________________________________      reveal: from graded ground to the pile's top
           |       |       |       |              embedment: from graded ground to the pile's foot
     ______|_______|_______|_______|______        along: in the direction of the row
           |       |       |       |  ground      across: from row to row
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.layout.criteria.spec import make_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.layout.criteria.spec import Spec
    from pacifico.vocabulary import Racking

MOUNTINGS: Mapping[Racking, str] = {
    "straight_tracker": "tracker",
    "terrain_following": "tracker",
    "fixed_tilt": "fixed",
}
"""Mounting that each racking carries, as rule ``solar.mounting`` names it."""
_BY_MOUNTING: Mapping[str, Racking] = {"tracker": "straight_tracker", "fixed": "fixed_tilt"}
"""Racking of a mounting where the spec names none."""


@dataclass(frozen=True)
class RackingCriteria:
    """Limits of one racking."""

    name: Racking
    """Section of the catalog."""
    pile_spacing_m: float
    """Largest distance between piles of a row [m]."""
    end_overhang_m: float
    """Tube beyond its last piles [m]."""
    min_reveal_m: float
    """Lowest pile top above graded ground [m]."""
    max_reveal_m: float
    """Highest pile top above graded ground [m]."""
    embedment_m: float
    """Pile below graded ground [m]."""
    pile_kg_per_m: float
    """Mass of a pile [kg/m]."""
    max_slope_along: float
    """Steepest tube, and steepest graded ground along a row [rise/run]."""
    max_slope_across: float
    """Steepest graded ground across rows [rise/run]."""
    max_row_step_m: float
    """Largest height difference of neighbouring tubes [m]."""
    max_bend: float = 0.0
    """Largest change of slope at a pile [rise/run]; 0 for straight tubes."""
    pile_length_step_m: float = 0.5
    """Step of the lengths in which piles are ordered [m]."""
    min_drainage: float = 0.0
    """Least fall that grading leaves along the fall of the ground around [rise/run]; 0: none is asked."""

    def __post_init__(self) -> None:
        if not self.min_reveal_m < self.max_reveal_m:
            raise InputError(
                f"spec: {self.name}.min_reveal_m = {self.min_reveal_m:g} is not below max_reveal_m = {self.max_reveal_m:g}; "
                "leave a window between them"
            )

    @property
    def straight(self) -> bool:
        """Whether tubes are straight."""
        return self.max_bend == 0.0

    @property
    def shortest_pile_m(self) -> float:
        """Length of the shortest pile [m]."""
        return self.min_reveal_m + self.embedment_m


@dataclass(frozen=True)
class ArraySlopes:
    """Steepest natural ground under an array."""

    any_deg: float
    """In any direction [°]."""
    north: float = math.inf
    """From south to north, up or down [rise/run]."""
    north_span_m: float = 0.0
    """Distance over which that holds [m]."""
    east: float = math.inf
    """From west to east, up or down [rise/run]."""
    east_span_m: float = 0.0
    """Distance over which that holds [m]."""

    @property
    def turned(self) -> ArraySlopes:
        """Slopes under an array that is turned by 90°."""
        return ArraySlopes(self.any_deg, self.east, self.east_span_m, self.north, self.north_span_m)


def racking_name(spec: Spec) -> Racking:
    """Name of the racking of a spec, by its mounting where it names none.

    Raises
    ------
    InputError
        The racking doesn't carry the mounting.
    """
    name, mounting = spec.choice("racking", "name"), spec.choice("solar", "mounting")
    for racking, carried in MOUNTINGS.items():
        if racking == name and carried != mounting:
            raise InputError(
                f"spec: racking.name = '{name}' does not carry solar.mounting = '{mounting}'; set mounting to '{carried}'"
            )
        if racking == name:
            return racking
    return _BY_MOUNTING[mounting]


def with_racking(overrides: Mapping[str, Mapping[str, Any]], racking: Racking) -> dict[str, dict[str, Any]]:
    """Overrides of a spec with a racking, and with the mounting that it carries.

    Raises
    ------
    InputError
        The overrides name another mounting.
    """
    make_spec(overrides)  # refuses unknown sections
    solar = {"mounting": MOUNTINGS[racking], **overrides.get("solar", {})}
    changed = {
        **{section: dict(rules) for section, rules in overrides.items()},
        "racking": {**overrides.get("racking", {}), "name": racking},
    }
    if solar["mounting"] != make_spec().choice("solar", "mounting"):
        changed["solar"] = solar
    racking_name(make_spec(changed))
    return changed


def racking_criteria(spec: Spec) -> RackingCriteria:
    """Racking criteria of a spec.

    Raises
    ------
    InputError
        The racking doesn't carry the mounting, or its reveal window is empty.
    """
    name = racking_name(spec)
    bend_deg = spec.number(name, "max_bend_deg") if spec.has(name, "max_bend_deg") else 0.0
    return RackingCriteria(
        name,
        spec.number(name, "pile_spacing_m"),
        spec.number(name, "end_overhang_m"),
        min_reveal_m=spec.number(name, "min_reveal_m"),
        max_reveal_m=spec.number(name, "max_reveal_m"),
        embedment_m=spec.number(name, "embedment_m"),
        pile_kg_per_m=spec.number(name, "pile_kg_per_m"),
        max_slope_along=spec.number(name, "max_slope_along_pct") / 100.0,
        max_slope_across=spec.number(name, "max_slope_across_pct") / 100.0,
        max_row_step_m=spec.number(name, "max_row_step_m"),
        max_bend=math.tan(math.radians(bend_deg)),
        pile_length_step_m=spec.number("racking", "pile_length_step_m"),
        min_drainage=spec.number("racking", "min_drainage_pct") / 100.0,
    )


def array_slopes(spec: Spec) -> ArraySlopes:
    """Steepest natural ground under an array that isn't turned.

    Along the rows it is measured from pile to pile, across them from row to row. Ground across may not lift a row over the
    next by more than the racking takes. Steeper ground, up to `racking.graded_slope_factor`, is graded to these slopes.
    """
    mounting, criteria = spec.choice("solar", "mounting"), racking_criteria(spec)
    pitch = spec.number("solar", f"{mounting}_collector_m") / spec.number("solar", f"{mounting}_gcr")
    across = min(criteria.max_slope_across, criteria.max_row_step_m / pitch)
    graded = spec.number("racking", "graded_slope_factor")
    slopes = ArraySlopes(
        spec.number("solar_array", "slope_limit_deg"),
        graded * criteria.max_slope_along,
        criteria.pile_spacing_m,
        graded * across,
        pitch,
    )
    return slopes if mounting == "tracker" else slopes.turned
