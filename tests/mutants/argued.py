"""Mutants that no test can or should kill, with the reason: `argued.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mutants.mutations import Mutant

LIST = Path(__file__).with_suffix(".toml")


def entries(module: str) -> list[dict[str, Any]]:
    """Entries of the list for a module: reason, changes and, where needed, text of the line."""
    return [e for e in tomllib.loads(LIST.read_text(encoding="utf-8"))["argued"] if e["module"] == module]


def reason(module: str, mutant: Mutant) -> str:
    """Why a mutant may survive; empty where the list does not hold it."""
    line = mutant.source.splitlines()[mutant.line - 1]
    for entry in entries(module):
        if mutant.change in entry["changes"] and entry.get("within", "") in line:
            return str(entry["why"])
    return ""
