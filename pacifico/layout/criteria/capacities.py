"""Capacities that a profile asks for at a target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.layout.criteria.asset_types import asset_type

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Spec
    from pacifico.vocabulary import Profile

ROUNDING_KW = 1e-6
"""Shortfall of a whole unit that is rounding [kW]."""


@dataclass(frozen=True)
class Capacities:
    """Capacities to place [kW]; None for as much as the ground carries."""

    solar_kw: float | None = 0.0
    """AC capacity of solar arrays [kW]."""
    spare_kw: float = 0.0
    """Solar capacity to place beyond that, which is trimmed once roads are built [kW]."""
    storage_kw: float | None = 0.0
    gas_kw: float = 0.0
    wind_kw: float | None = 0.0
    control_center: bool = False
    """Whether the plant has a control center."""

    def reduced(self, share: float, most_kw: float) -> Capacities:
        """A share of all capacities.

        Parameters
        ----------
        share : float
            Share of what was asked for [-].
        most_kw : float
            Power of arrays, and of storage beside no arrays, that have no limit [kW].
        """
        storage_kw = self.storage_kw
        if storage_kw is not None:
            storage_kw *= share
        elif self.solar_kw == 0:
            storage_kw = most_kw
        return replace(
            self,
            solar_kw=most_kw if self.solar_kw is None else share * self.solar_kw,
            spare_kw=share * self.spare_kw,
            storage_kw=storage_kw,
            gas_kw=share * self.gas_kw,
        )


def requested_capacities(profile: Profile, target_kw: float | None, spec: Spec) -> Capacities:
    """Capacities of a profile at a target.

    Parameters
    ----------
    profile : str
        Kind of plant.
    target_kw : float, optional
        AC generation, for bess storage power [kW]; None for as much as the ground carries.
    spec : Spec
        Shares of storage and wind.

    Raises
    ------
    InputError
        The profile is gas_bess and there is no target: a power plant has the size of its load.
    """
    if profile == "solar_farm":
        return Capacities(solar_kw=target_kw)
    if profile == "bess":
        return Capacities(storage_kw=target_kw)
    if profile == "hybrid":
        share = spec.number("hybrid", "storage_share")
        return Capacities(solar_kw=target_kw, storage_kw=None if target_kw is None else share * target_kw)
    if profile == "wind_hybrid":
        return _wind_hybrid(target_kw, spec)
    if target_kw is None:
        raise InputError("profile gas_bess has the size of its load: give target_capacity_kw (--capacity-kw)")
    storage_kw = spec.number("gas_bess", "storage_share") * target_kw
    return Capacities(gas_kw=target_kw, storage_kw=storage_kw, control_center=True)


def _wind_hybrid(target_kw: float | None, spec: Spec) -> Capacities:
    """Capacities of whole turbines, and of solar arrays for the rest."""
    if target_kw is None:
        return Capacities(solar_kw=None, wind_kw=None, storage_kw=None)
    wind_share, storage_share = (spec.number("wind_hybrid", rule) for rule in ("wind_share", "storage_share"))
    turbine_kw = asset_type(spec, "wind_turbine").capacity_kw
    turbines_kw = (wind_share * target_kw + ROUNDING_KW) // turbine_kw * turbine_kw
    return Capacities(
        solar_kw=0.0 if wind_share == 1 else target_kw - turbines_kw,
        wind_kw=turbines_kw or wind_share * target_kw,
        storage_kw=storage_share * target_kw,
    )
