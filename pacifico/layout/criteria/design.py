"""Design options: the keywords of every function that lays out a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.vocabulary import Profile, Strategy


class DesignOptions(TypedDict, total=False):
    """Keywords of a design, as `generate_layout` takes them. Each may be left out."""

    profile: Profile
    """What to build."""
    strategy: Strategy
    """Objective to optimise."""
    target_capacity_kw: float | None
    """AC generation, for bess storage power [kW]; None for as much as fits."""
    setback_m: float | None
    """Distance of assets and pads from the boundary [m]."""
    max_road_grade_pct: float | None
    """Grade limit of roads [%]."""
    entry: tuple[float, float] | None
    """Longitude and latitude of the site entry [°]."""
    spec: Mapping[str, Mapping[str, Any]] | None
    """Rules of the catalog to override."""


@dataclass(frozen=True)
class Design:
    """Design options with their defaults, which are those of `generate_layout`."""

    profile: Profile = "solar_farm"
    strategy: Strategy = "balanced"
    target_capacity_kw: float | None = None
    setback_m: float | None = None
    max_road_grade_pct: float | None = None
    entry: tuple[float, float] | None = None
    spec: Mapping[str, Mapping[str, Any]] | None = None


def split_design(options: Mapping[str, Any]) -> tuple[Design, dict[str, Any]]:
    """Design among some keywords, and the other keywords."""
    names = DesignOptions.__optional_keys__
    design = Design(**{name: value for name, value in options.items() if name in names})
    return design, {name: value for name, value in options.items() if name not in names}
