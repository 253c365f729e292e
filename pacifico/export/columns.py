"""Cells and column types of tables for GIS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico.escaping import LONGEST_TEXT, single_line

if TYPE_CHECKING:
    from pacifico.layout.files.stored import Rule


def cell(value: Any) -> Any:
    """Value as a cell, with text on one line."""
    if isinstance(value, list):
        return ", ".join(single_line(item) for item in value)
    return single_line(value, most=LONGEST_TEXT) if isinstance(value, str) else value


def dtype(rule: Rule) -> str:
    """Type of a column from the schema, the same whichever values occur."""
    declared = rule.get("type", [])
    types = {declared} if isinstance(declared, str) else set(declared)
    if types in ({"boolean"}, {"integer"}):
        return "bool" if types == {"boolean"} else "int64"
    return "float64" if "number" in types or rule.get("$ref") == "#/$defs/positive" else "object"
