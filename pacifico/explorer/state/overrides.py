"""Catalog values that the map changes: limits, ratios, storage and setbacks of edges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.criteria.setbacks import SIDES
from pacifico.layout.criteria.spec import catalog, make_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.layout.criteria.design import Design
    from pacifico.layout.criteria.spec import Spec

Edge = str | int
"""Side, name of a line, or number of an edge, as a setback names it."""


@dataclass(frozen=True)
class Overrides:
    """Values changed on the map; what isn't named stays as in the starting design."""

    rules: tuple[tuple[str, str, float], ...] = ()
    """Section, rule and value, sorted."""
    edge_setbacks: tuple[tuple[Edge, float], ...] = ()
    """Edges and their setbacks [m]; later ones hold where several choose an edge."""
    storage_mwh: float | None = None
    """Storage energy of the plant [MWh]; None for the catalog's duration."""

    def with_rule(self, section: str, rule: str, value: float | None) -> Overrides:
        """Overrides with another value of a rule; None drops it."""
        others = [r for r in self.rules if r[:2] != (section, rule)]
        return replace(self, rules=tuple(sorted([*others, *([] if value is None else [(section, rule, value)])])))

    def with_edge(self, edge: Edge, setback_m: float | None) -> Overrides:
        """Overrides with another setback of an edge [m]; None drops it."""
        found = {e: m for e, m in self.edge_setbacks if e != edge}
        if setback_m is not None:
            found[edge] = setback_m
        return replace(self, edge_setbacks=tuple(sorted(found.items(), key=lambda entry: _order(entry[0]))))

    def rule(self, section: str, rule: str) -> float | None:
        """Value of a rule; None where it isn't overridden."""
        return next((value for s, r, value in self.rules if (s, r) == (section, rule)), None)

    def edge(self, edge: Edge) -> float | None:
        """Setback of an edge [m]; None where it has none of its own."""
        return dict(self.edge_setbacks).get(edge)

    def spec(self, design: Design) -> Mapping[str, Mapping[str, Any]] | None:
        """Spec of a design with these values in place of its own.

        Raises
        ------
        InputError
            The storage energy doesn't fit the storage power.
        """
        if self == Overrides():
            return design.spec
        made: dict[str, dict[str, Any]] = {section: dict(rules) for section, rules in (design.spec or {}).items()}
        for section, rule, value in self.rules:
            made.setdefault(section, {})[rule] = value
        if self.edge_setbacks:
            site = made.setdefault("site", {})
            own = [{"edges": edge, "setback_m": distance} for edge, distance in self.edge_setbacks]
            site["setbacks"] = [*site.get("setbacks", ()), *own]
        if self.storage_mwh is not None:
            power_kw = storage_power_kw(design, make_spec(made))
            if power_kw:
                made.setdefault("battery", {})["storage_kw"] = _block_kw(self.storage_mwh, power_kw, make_spec(made))
        return made


def storage_power_kw(design: Design, spec: Spec) -> float | None:
    """Storage power that a design asks for [kW]; None without a target.

    Parameters
    ----------
    design : Design
        Profile and target.
    spec : Spec
        Its rules.
    """
    if design.target_capacity_kw is None:
        return None
    return requested_capacities(design.profile, design.target_capacity_kw, spec).storage_kw


def storage_hours(spec: Spec) -> float:
    """Hours that a battery block holds at full power [h]."""
    return spec.number("battery", "storage_kwh") / spec.number("battery", "storage_kw")


def _block_kw(storage_mwh: float, power_kw: float, spec: Spec) -> float:
    """Power of a battery block whose plant holds an energy [kW]: blocks keep their energy and size.

    Raises
    ------
    InputError
        The duration is out of the catalog's range.
    """
    hours = 1000 * storage_mwh / power_kw
    block_kwh, limits = spec.number("battery", "storage_kwh"), catalog()["battery"]["storage_kw"]
    least_h, most_h = block_kwh / limits["max"], block_kwh / limits["min"]
    if not least_h <= hours <= most_h:
        raise InputError(
            f"{storage_mwh:,.1f} MWh at {power_kw / 1000:,.1f} MW of storage last {hours:.3g} h; give "
            f"{least_h * power_kw / 1000:,.1f} to {most_h * power_kw / 1000:,.1f} MWh"
        )
    return round(block_kwh / hours, 3)


def _order(edge: Edge) -> tuple[int, str]:
    """Sides first, then lines, then single edges: the closer choice holds."""
    if isinstance(edge, int):
        return 2, f"{edge:06d}"
    return (0 if edge in SIDES else 1), edge
