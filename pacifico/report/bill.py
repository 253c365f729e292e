"""Bill of quantities, as a table and as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.report.tables import Table

if TYPE_CHECKING:
    from pacifico.layout.model.bill import Bill, Line


def bill_table(bill: Bill) -> Table:
    """Lines with intervals, then totals [thousand USD]."""
    rows = [_row(line) for line in bill.lines]
    share = bill.indirect
    rows.append(("Design, management, contingency", _k(bill.total - bill.direct), "", "", "", f"{share[0]:.0%} ({share[1]:.0%}–{share[2]:.0%})", "assumed"))  # fmt: skip
    rows.append(("Total, lines independent of each other", _k(bill.total), _ends(*bill.independent), "", "", "", ""))
    rows.append(("Total, all lines high or low together", _k(bill.total), _ends(*bill.correlated), "", "", "", ""))
    columns = ("Line", "cost k$", "P10–P90 k$", "quantity", "unit", "unit cost (P10–P90), year", "quantity is")
    return Table(columns, tuple(rows), empty="nothing to pay for")


def write_costs(bill: Bill, path: str | Path) -> Path:
    """Write the bill as CSV; the same bill gives the same bytes."""
    out = Path(path)
    out.write_text(bill.to_csv(), encoding="utf-8", newline="")
    return out


def _row(line: Line) -> tuple[str, ...]:
    """Line of the bill as cells."""
    price = f"{_n(line.unit_cost)} ({_n(line.unit_cost_low)}–{_n(line.unit_cost_high)}) {line.year}"
    if line.price == "given":
        price += ", given"
    return (line.what, _k(line.cost), _ends(line.cost_low, line.cost_high), _n(line.quantity), line.unit, price, line.tag)  # fmt: skip


def _ends(low: float, high: float) -> str:
    """Interval [thousand USD]."""
    return f"{_k(low)}–{_k(high)}"


def _k(value: float) -> str:
    """Amount [thousand USD]."""
    return _n(value / 1000, digits=0 if value >= 1e4 else 1)


def _n(value: float, digits: int | None = None) -> str:
    """Number with thin spaces, with decimals only if it is small."""
    if digits is None:
        digits = 0 if abs(value) >= 100 or value == round(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}".replace(",", "\u202f")
