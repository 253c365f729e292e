"""Bill of quantities as table and CSV, and the supply curve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pacifico.report import mapframe as frame
from pacifico.report.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pacifico.array_types import FloatArray
    from pacifico.layout.model.bill import Bill, Line
    from pacifico.layout.model.plan import Plan

BAR, KNEE = "#9fc3b4", "#b3201f"
"""Colours of the steps and of the knee."""
HEIGHT_IN = 5.4
"""Height of the figure [in]."""


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


def supply_figure(plan: Plan) -> Figure | None:
    """Cumulative civil cost over capacity, with marginal costs below; None without units."""
    curve = plan.supply_curve()
    if not len(curve):
        return None
    fig = frame.Picture(figsize=(frame.WIDTH_IN, HEIGHT_IN), dpi=frame.DPI, facecolor="white")
    title = "Supply curve: capacity against civil cost"
    fig.text(
        0.06 / frame.WIDTH_IN,
        1 - 0.22 / HEIGHT_IN,
        title,
        fontsize=12.5,
        fontweight="bold",
        color=frame.INK,
        va="center",
    )
    above, below = (fig.add_axes((0.08, y, 0.89, h)) for y, h in ((0.42, 0.49), (0.1, 0.25)))
    edges = np.concatenate([[0.0], curve["capacity_kw"].to_numpy()]) / 1e3
    cost = np.concatenate([[0.0], curve["civil_cost_usd"].to_numpy()]) / 1e6
    above.plot(edges, cost, "o-", color=frame.INK, ms=4, lw=1.4)
    above.set(ylabel="civil cost [million USD]", xticklabels=[])
    _mark_knee(above, curve)
    _marginal(below, edges, curve["usd_per_kw"].to_numpy(), plan.spec.number("economics", "max_marginal_usd_per_kw"))
    for ax in (above, below):
        ax.set_xlim(0, edges[-1] * 1.02)
        ax.set_ylim(bottom=0)
        ax.grid(color="#dddddd", lw=0.5)
        ax.set_axisbelow(True)
        frame.keep_title(ax)
        ax.spines[["top", "right"]].set_visible(False)
    return fig


def _marginal(ax: Axes, edges_mw: FloatArray, usd_per_kw: FloatArray, limit: float) -> None:
    """Bars of the marginal cost of each step, and the limit if there is one.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    edges_mw : (n + 1,) float
        Capacity at the ends of the steps [MW].
    usd_per_kw : (n,) float
        Marginal cost of each step [USD/kW].
    limit : float
        Limit on it [USD/kW]; 0: none.
    """
    ax.bar(edges_mw[:-1], usd_per_kw, np.diff(edges_mw), align="edge", color=BAR, edgecolor="white", lw=0.6)
    if limit > 0:
        ax.axhline(limit, color=KNEE, ls="--", lw=1)
        ax.annotate(f"limit {limit:,.0f}", (edges_mw[-1], limit), fontsize=8, ha="right", va="bottom", color=KNEE)
    ax.set(xlabel="capacity [MW]", ylabel="marginal [USD/kW]")


def _mark_knee(ax: Axes, curve: pd.DataFrame) -> None:
    """Mark the knee of a curve, if it has one."""
    for kw, usd in curve.loc[curve["is_knee"], ["capacity_kw", "civil_cost_usd"]].to_numpy().tolist():
        x, y = kw / 1e3, usd / 1e6
        ax.plot(x, y, "o", ms=9, mfc="none", mec=KNEE, mew=1.6)
        text = f"knee: {x:,.1f} MW, {y:,.2f} million USD"
        ax.annotate(text, (x, y), xytext=(-10, 10), textcoords="offset points", fontsize=9, color=KNEE, ha="right")


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
