"""Findings of a compliance rule pack, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico.analysis.compliance import evaluate, facts_of
from pacifico.analysis.rule_packs import read_pack, shipped_packs
from pacifico.errors import InputError
from pacifico.report.tables import Table
from pacifico.toml_file import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pacifico.analysis.compliance import Finding
    from pacifico.layout.model.plan import Plan

MOST_NAMED = 3
"""Largest number of assets or roads named in a row."""


def rules_table(plan: Plan, pack: str | Mapping[str, Any] | None) -> Table:
    """Findings of a rule pack on a plan, one per row.

    Parameters
    ----------
    plan : Plan
        Plan to check.
    pack : str or mapping, optional
        Name of a shipped pack, or the content of a pack file; None for a table that says no pack was asked for.

    Raises
    ------
    InputError
        There is no such pack, or it is not well formed.
    """
    columns = ("Rule", "Says", "Result", "Measured", "Limit", "Source")
    if pack is None:
        return Table(columns, (), words=6, empty="no jurisdiction pack was asked for: not covered")
    if isinstance(pack, str) and pack not in shipped_packs():
        # a notebook must not read files of the machine that it runs on
        raise InputError(
            f"rules pack {pack!r} is unknown; give one of {', '.join(shipped_packs())}, or a pack's content"
        )
    return Table(columns, tuple(_row(f) for f in evaluate(facts_of(plan), read_pack(pack))), words=6)


def _row(finding: Finding) -> tuple[str, ...]:
    """Finding as cells."""
    f, source = finding, finding.source
    named = ", ".join(i for i, _ in f.subjects[:MOST_NAMED]) if f.status == "fail" else ""
    more = f" and {len(f.subjects) - MOST_NAMED} more" if named and len(f.subjects) > MOST_NAMED else ""
    return (
        f"{f.topic} {f.rule_id}".strip(),
        f.says + ("" if f.verified or not f.says else " (value not verified)"),
        f"{f.status}: {named}{more}" if named else f.status,
        f"{f.value:g} {f.unit}".strip() if f.value is not None else f.why,
        "" if f.limit is None or f.value is None else f"at {'most' if f.most else 'least'} {f.limit:g} {f.unit}",
        f"{source.title}, {source.section} ({source.date}) {source.url}" if source else "",
    )


def checked_pack(pack: str | Path) -> str | dict[str, Any]:
    """Rule pack for the notebook: a shipped name or file content.

    Raises
    ------
    InputError
        There is no such pack, or it is not well formed.
    """
    read_pack(pack)
    if str(pack) in shipped_packs():
        return str(pack)
    return read_toml(pack, what="rules pack", remedy="give a TOML file with [pack] and [[rule]] tables")
