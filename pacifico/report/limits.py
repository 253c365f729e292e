"""Slope and grade limits of a profile, for figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico.layout.criteria.spec import make_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.vocabulary import Profile

_SOLAR = ("solar_array", "inverter_skid")
_GAS = ("gas_turbine", "generator", "cooling_system", "control_center", "battery")
_KINDS: dict[Profile, tuple[str, ...]] = {
    "solar_farm": _SOLAR,
    "gas_bess": _GAS,
    "wind_hybrid": ("wind_turbine", *_SOLAR, "battery"),
    "hybrid": (*_SOLAR, "battery", "generator"),
    "bess": ("battery",),
}


def slope_limits(profile: Profile, spec: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, float]:
    """Slope limit of each asset type of a profile [°]."""
    checked = make_spec(spec)
    return {kind: checked.number(kind, "slope_limit_deg") for kind in (*_KINDS[profile], "substation")}


def road_grade_pct(asked: float | None, spec: Mapping[str, Mapping[str, Any]] | None = None) -> float:
    """Grade limit of roads [%]: as requested, or from the spec."""
    return float(asked) if asked is not None else make_spec(spec).number("road", "max_grade_pct")
