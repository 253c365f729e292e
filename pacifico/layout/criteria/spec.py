"""Rules of a layout: the catalog, with any value overridden."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.frozen import frozen
from pacifico.layout.criteria.setbacks import EdgeSetback, edge_setbacks
from pacifico.toml_file import read_toml

if TYPE_CHECKING:
    from pathlib import Path


@cache
def catalog() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Shipped catalog of rules and unit costs, by section and rule.

    Each entry has a `value`, its range (`min`, `max`) or its `choices`, and a `source`.
    """
    text = resources.files("pacifico.layout.criteria").joinpath("catalog.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


@dataclass(frozen=True)
class Spec:
    """Rules of one layout, checked.

    >>> make_spec({"road": {"width_m": 7.0}}).number("road", "width_m")
    7.0
    """

    overrides: Mapping[str, Mapping[str, Any]]
    """Values that replace those of the catalog, by section and rule."""

    def number(self, section: str, rule: str) -> float:
        """Value of a numeric rule, in the unit of its name."""
        return float(self._value(section, rule))

    def choice(self, section: str, rule: str) -> str:
        """Value of a rule that is one of a few words."""
        return str(self._value(section, rule))

    def has(self, section: str, rule: str) -> bool:
        """Whether the catalog has such a rule."""
        return rule in catalog()[section]

    def with_rules(self, section: str, rules: Mapping[str, Any]) -> Spec:
        """Spec with other values for some rules of a section."""
        return make_spec({**self.overrides, section: {**self.overrides.get(section, {}), **rules}})

    @property
    def setbacks(self) -> tuple[EdgeSetback, ...]:
        """Setbacks of single edges of the boundary."""
        return edge_setbacks(self.overrides.get("site", {}).get("setbacks", ()))

    def _value(self, section: str, rule: str) -> Any:
        """Value of a rule, overridden or of the catalog."""
        own = self.overrides.get(section, {})
        return own[rule] if rule in own else catalog()[section][rule]["value"]


def make_spec(overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Spec:
    """Spec of the catalog with some rules overridden.

    Parameters
    ----------
    overrides : mapping of section to mapping of rule to value, optional
        Such as ``{"solar": {"tracker_gcr": 0.4}}``; in section `site` also `setbacks`, a list for `edge_setbacks`.

    Raises
    ------
    InputError
        A section or rule is unknown, or a value is out of range.
    """
    for section, rules in (overrides or {}).items():
        entries = catalog().get(section)
        if entries is None:
            raise InputError(f"spec: unknown section [{section}]; choose from {', '.join(catalog())}")
        if not isinstance(rules, Mapping):
            raise InputError(f"spec: {section} = {rules!r} is not a section; write [{section}] and its rules below it")
        for rule, value in rules.items():
            if (section, rule) == ("site", "setbacks"):
                edge_setbacks(value)  # a list, so that the catalog has no entry for it
                continue
            if rule not in entries:
                raise InputError(f"spec: unknown rule {section}.{rule}; choose from {', '.join(entries)}")
            _check(f"{section}.{rule}", value, entries[rule])
    return Spec(frozen(overrides or {}))


def read_spec(path: str | Path) -> dict[str, dict[str, Any]]:
    """Overrides of rules, read from a TOML file.

    Raises
    ------
    InputError
        The file is missing or not TOML.
    """
    return read_toml(path, what="spec file", remedy="give a TOML file with sections as in the catalog")


def _check(name: str, value: Any, entry: Mapping[str, Any]) -> None:
    """Refuse a value that its rule doesn't allow."""
    if "choices" in entry:
        if value not in entry["choices"]:
            raise InputError(f"spec: {name} = {value!r}; choose from {', '.join(entry['choices'])}")
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"spec: {name} = {value!r} is not a number")
    if isinstance(entry["value"], int) and value != round(value, 0):
        raise InputError(f"spec: {name} = {value}; it must be a whole number")
    if not entry["min"] <= value <= entry["max"]:
        raise InputError(f"spec: {name} = {value}; it must lie between {entry['min']} and {entry['max']}")
