"""The spec of a layout: catalog values with overrides."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pacifico.errors import InputError
from pacifico.layout.criteria.setbacks import EdgeSetback, edge_setbacks

Profile = Literal["solar_farm", "gas_bess", "wind_hybrid", "hybrid", "bess"]
Strategy = Literal["balanced", "density", "low_earthwork", "clustered"]
PROFILES: tuple[Profile, ...] = ("solar_farm", "gas_bess", "wind_hybrid", "hybrid", "bess")
STRATEGIES: tuple[Strategy, ...] = ("balanced", "density", "low_earthwork", "clustered")
SLOPE_LIMITED = (
    "solar_array",
    "inverter_skid",
    "battery",
    "generator",
    "gas_turbine",
    "cooling_system",
    "control_center",
    "substation",
    "wind_turbine",
)
"""Asset types; each has a catalog section with a slope limit."""


@cache
def catalog() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """The shipped catalog: section, rule, then `value`, range or choices, and `source`."""
    folder = resources.files("pacifico.layout.criteria")
    texts = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("catalog.toml", "costs.toml"))
    return MappingProxyType({name: rules for text in texts for name, rules in tomllib.loads(text).items()})


@dataclass(frozen=True)
class Spec:
    """Validated values, read as `spec.number("road", "width_m")`."""

    overrides: Mapping[str, Mapping[str, Any]]

    def number(self, section: str, rule: str) -> float:
        """Numeric value, in the unit at the end of its name."""
        return float(self._value(section, rule))

    def choice(self, section: str, rule: str) -> str:
        """Value that is one of a few words."""
        return str(self._value(section, rule))

    def but(self, section: str, rules: Mapping[str, Any]) -> Spec:
        """Spec with other values in one section."""
        return make_spec({**self.overrides, section: {**self.overrides.get(section, {}), **rules}})

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the overrides only."""
        return make_spec, ({s: dict(r) for s, r in self.overrides.items()},)

    @property
    def setbacks(self) -> tuple[EdgeSetback, ...]:
        """Setbacks from chosen edges of the boundary."""
        return edge_setbacks(self.overrides.get("site", {}).get("setbacks", ()))

    def _value(self, section: str, rule: str) -> Any:
        own = self.overrides.get(section, {})
        return own[rule] if rule in own else catalog()[section][rule]["value"]


def make_spec(overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Spec:
    """Spec of the catalog with some values overridden.

    Parameters
    ----------
    overrides : mapping of section to mapping of rule to value, optional
        Such as ``{"solar": {"tracker_gcr": 0.4}}``; in section `site` also `setbacks`, a list for `edge_setbacks`.

    Raises
    ------
    InputError
        For an unknown section or rule, or a value out of its range.
    """
    for section, rules in (overrides or {}).items():
        known = catalog().get(section)
        if known is None:
            raise InputError(f"spec: unknown section [{section}]; choose from {', '.join(catalog())}")
        if not isinstance(rules, Mapping):
            raise InputError(f"spec: {section} = {rules!r} is not a section; write [{section}] and its rules below it")
        for rule, value in rules.items():
            if (section, rule) == ("site", "setbacks"):
                edge_setbacks(value)  # a list, not a catalog value
                continue
            if rule not in known:
                raise InputError(f"spec: unknown rule {section}.{rule}; choose from {', '.join(known)}")
            _check(f"{section}.{rule}", value, known[rule])
    return Spec(MappingProxyType({s: MappingProxyType(dict(r)) for s, r in (overrides or {}).items()}))


def read_spec(path: str | Path) -> dict[str, dict[str, Any]]:
    """Read overrides from a TOML file, for `make_spec`.

    Raises
    ------
    InputError
        Where the file is missing or is not TOML.
    """
    file = Path(path)
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"spec file {file.name}: {error}; give a TOML file with sections as in the catalog") from error


def _check(name: str, value: Any, known: Mapping[str, Any]) -> None:
    if "choices" in known:
        if value not in known["choices"]:
            raise InputError(f"spec: {name} = {value!r}; choose from {', '.join(known['choices'])}")
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"spec: {name} = {value!r} is not a number")
    if isinstance(known["value"], int) and value != round(value, 0):
        raise InputError(f"spec: {name} = {value}; it must be a whole number")
    if not known["min"] <= value <= known["max"]:
        raise InputError(f"spec: {name} = {value}; it must lie between {known['min']} and {known['max']}")
