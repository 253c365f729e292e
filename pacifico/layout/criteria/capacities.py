"""Capacities that a profile requests at a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.layout.criteria.asset_types import asset_type

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Profile, Spec


@dataclass(frozen=True)
class Capacities:
    """Requested capacities [kW]; None means all that fits."""

    solar_kw: float | None = 0.0
    spare_kw: float = 0.0
    """Spare array capacity placed in addition [kW]."""
    storage_kw: float | None = 0.0
    gas_kw: float = 0.0
    wind_kw: float | None = 0.0
    control: bool = False


def requested_capacities(profile: Profile, target_kw: float | None, spec: Spec) -> Capacities:
    """Capacities of a profile at a target of AC generation (for bess: storage power).

    Raises
    ------
    InputError
        For gas_bess without a target: a power plant has the size of its load.
    """
    if profile == "solar_farm":
        return Capacities(solar_kw=target_kw)
    if profile == "bess":
        return Capacities(storage_kw=target_kw)
    if profile == "hybrid":
        share = spec.number("hybrid", "storage_share")
        return Capacities(solar_kw=target_kw, storage_kw=None if target_kw is None else share * target_kw)
    if profile == "wind_hybrid":
        wind, store = spec.number("wind_hybrid", "wind_share"), spec.number("wind_hybrid", "storage_share")
        if target_kw is None:
            return Capacities(solar_kw=None, wind_kw=None, storage_kw=None)
        each = asset_type(spec, "wind_turbine").capacity_kw
        # solar fills what whole turbines leave of the target, unless only wind is requested
        turbines = (wind * target_kw + 1e-6) // each * each
        return Capacities(
            solar_kw=0.0 if wind == 1 else target_kw - turbines,
            wind_kw=turbines or wind * target_kw,
            storage_kw=store * target_kw,
        )
    if target_kw is None:
        raise InputError("profile gas_bess has the size of its load: give target_capacity_kw (--capacity-kw)")
    return Capacities(gas_kw=target_kw, storage_kw=spec.number("gas_bess", "storage_share") * target_kw, control=True)
