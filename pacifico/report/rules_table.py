"""The rules of a jurisdiction or code in a report: what each says of the layout, or that none was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.analysis.compliance import evaluate, facts_of
from pacifico.analysis.rule_packs import read_pack, shipped_packs
from pacifico.errors import InputError
from pacifico.report.tables import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.layout.model.plan import Plan

MOST_NAMED = 3
"""Assets or roads named in a row."""


def rules_table(plan: Plan, pack: str | Mapping[str, Any] | None) -> Table:
    """Findings of a rule pack on a plan, one a row; one line where no pack was asked for.

    Parameters
    ----------
    pack : str or mapping, optional
        Name of a pack that ships, or the content of one's own file.

    Raises
    ------
    InputError
        There is no such pack, or it is not well formed.
    """
    columns = ("Rule", "Says", "Result", "Measured", "Limit", "Source")
    if pack is None:
        return Table(columns, (), words=6, empty="no jurisdiction pack was asked for: not covered")
    if isinstance(pack, str) and pack not in shipped_packs():
        # a notebook reads no files of the machine that it runs on
        raise InputError(
            f"rules pack {pack!r} is unknown; give one of {', '.join(shipped_packs())}, or a pack's content"
        )
    found = read_pack(pack)
    rows = []
    for f in evaluate(facts_of(plan), found):
        named = ", ".join(i for i, _ in f.subjects[:MOST_NAMED]) if f.status == "fail" else ""
        more = f" and {len(f.subjects) - MOST_NAMED} more" if named and len(f.subjects) > MOST_NAMED else ""
        measured = f"{f.value:g} {f.unit}".strip() if f.value is not None else f.why
        bound = "" if f.limit is None or f.value is None else f"at {'most' if f.most else 'least'} {f.limit:g} {f.unit}"
        cited = f"{f.source.title}, {f.source.section} ({f.source.date}) {f.source.url}" if f.source else ""
        rows.append(
            (
                f"{f.topic} {f.rule_id}".strip(),
                f.says + ("" if f.verified or not f.says else " (value not verified)"),
                f"{f.status}: {named}{more}" if named else f.status,
                measured,
                bound,
                cited,
            )
        )
    return Table(columns, tuple(rows), words=6)


def checked_pack(pack: str | Path) -> str | dict[str, Any]:
    """Pack as a notebook takes it: the name of one that ships, or the content of a file.

    Raises
    ------
    InputError
        There is no such pack, or it is not well formed.
    """
    read_pack(pack)
    if str(pack) in shipped_packs():
        return str(pack)
    import tomllib  # noqa: PLC0415 (where one's own pack is asked for)

    return tomllib.loads(Path(pack).read_text(encoding="utf-8"))
