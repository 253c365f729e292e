"""Records of a bill of quantities."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import Literal

from pacifico.escaping import for_markup

Tag = Literal["measured", "derived", "assumed"]
"""Origin of a quantity: measured on the plan, derived by a rule, or assumed."""

COLUMNS = (
    "item", "what", "quantity", "quantity_low", "quantity_high", "unit", "tag", "unit_cost", "unit_cost_low", "unit_cost_high",
    "price", "currency_year", "cost", "cost_low", "cost_high", "basis", "source",
)  # fmt: skip
"""Columns of the CSV file."""


@dataclass(frozen=True)
class Line:
    """Line of a bill; low and high are about P10 and P90."""

    item: str
    """Name of the unit cost in section ``costs`` of the catalog."""
    what: str
    """What is counted."""
    quantity: float
    quantity_low: float
    quantity_high: float
    unit: str
    tag: Tag
    """Origin of the quantity."""
    basis: str
    """How the quantity was found."""
    unit_cost: float
    """Cost of one unit [USD]."""
    unit_cost_low: float
    unit_cost_high: float
    price: Literal["catalog", "given"]
    """Whether the unit cost is the catalog's or the user's."""
    year: int
    """Year of the currency; costs are not escalated."""
    source: str
    """Source of the catalog's unit cost."""

    @property
    def cost(self) -> float:
        """Quantity times unit cost [USD]."""
        return self.quantity * self.unit_cost

    @property
    def cost_low(self) -> float:
        """Low end of the cost, with quantity and unit cost independent [USD]."""
        return self.cost * (1 - min(math.hypot(_deviation(self.quantity, self.quantity_low), _deviation(self.unit_cost, self.unit_cost_low)), 1.0))  # fmt: skip

    @property
    def cost_high(self) -> float:
        """High end of the cost, with quantity and unit cost independent [USD]."""
        return self.cost * (
            1
            + math.hypot(_deviation(self.quantity, self.quantity_high), _deviation(self.unit_cost, self.unit_cost_high))
        )


@dataclass(frozen=True, repr=False)
class Bill:
    """Bill of quantities of a plan."""

    lines: tuple[Line, ...]
    indirect: tuple[float, float, float]
    """Design, management and contingency as a share of direct cost: likely, low and high [-]; assumed."""
    indirect_source: str
    """Source of these shares."""

    def __repr__(self) -> str:
        total, (low, high) = self.total / 1e6, (v / 1e6 for v in self.independent)
        return f"<Bill of {len(self.lines)} lines: {total:,.2f} ({low:,.2f} to {high:,.2f}) million USD>"

    def _repr_html_(self) -> str:
        """Lines with quantities and costs, and the total, for notebooks."""
        rows = "".join(
            f"<tr><td style='text-align:left'>{for_markup(n.what)}</td><td>{n.quantity:,.0f} {for_markup(n.unit)}</td>"
            f"<td>{n.cost / 1e3:,.0f}</td><td>{n.cost_low / 1e3:,.0f}–{n.cost_high / 1e3:,.0f}</td></tr>"
            for n in self.lines
        )
        low, high = self.correlated
        total = f"<tr><th style='text-align:left'>Total with indirect cost</th><td></td><td>{self.total / 1e3:,.0f}</td><td>{low / 1e3:,.0f}–{high / 1e3:,.0f}</td></tr>"
        head = "<tr><th style='text-align:left'>Line</th><th>quantity</th><th>cost [k$]</th><th>P10–P90 [k$]</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{rows}{total}</tbody></table>"

    @property
    def direct(self) -> float:
        """Direct cost: the sum of the lines [USD]."""
        return math.fsum(line.cost for line in self.lines)

    @property
    def total(self) -> float:
        """Direct and indirect cost [USD]."""
        return self.direct * (1 + self.indirect[0])

    @property
    def independent(self) -> tuple[float, float]:
        """Narrowest interval of the total [USD]: errors of lines are independent."""
        total, share, direct = self.total, self.indirect, self.direct
        low = math.hypot(*((1 + share[0]) * (n.cost - n.cost_low) for n in self.lines), direct * (share[0] - share[1]))
        high = math.hypot(
            *((1 + share[0]) * (n.cost_high - n.cost) for n in self.lines), direct * (share[2] - share[0])
        )
        return max(total - low, 0.0), total + high

    @property
    def correlated(self) -> tuple[float, float]:
        """Widest interval of the total [USD]: all lines high or low together."""
        low, high = (math.fsum(getattr(n, end) for n in self.lines) for end in ("cost_low", "cost_high"))
        return low * (1 + self.indirect[1]), high * (1 + self.indirect[2])

    def to_csv(self) -> str:
        """Lines and totals as CSV."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(COLUMNS)
        for n in self.lines:
            rows.writerow([
                n.item, n.what, _q(n.quantity), _q(n.quantity_low), _q(n.quantity_high), n.unit, n.tag, *map(_q, (n.unit_cost, n.unit_cost_low, n.unit_cost_high)),
                n.price, n.year, *(f"{v:.0f}" for v in (n.cost, n.cost_low, n.cost_high)), n.basis, n.source,
            ])  # fmt: skip
        share = self.indirect
        ends = (self.direct, *(math.fsum(getattr(n, e) for n in self.lines) for e in ("cost_low", "cost_high")))
        for item, what, values, tag, basis, source in (
            ("direct", "Direct cost", ends, "", "sum of the lines; low and high of all together", ""),
            ("indirect", "Design, management and contingency", tuple(self.direct * s for s in share), "assumed", f"{share[0]:.0%} of direct cost ({share[1]:.0%} to {share[2]:.0%})", self.indirect_source),
            ("total_independent", "Total, lines independent of each other", (self.total, *self.independent), "", "root of the sum of squares: the narrowest interval", ""),
            ("total_correlated", "Total, all lines high or low together", (self.total, *self.correlated), "", "sum of the ends: the widest interval", ""),
        ):  # fmt: skip
            rows.writerow([item, what, *[""] * 4, tag, *[""] * 5, *(f"{v:.0f}" for v in values), basis, source])
        return text.getvalue()


def _deviation(value: float, end: float) -> float:
    """Relative distance of an interval's end from the value [-]."""
    return abs(value - end) / value if value else 0.0


def _q(value: float) -> str:
    """Format a quantity or unit cost: two decimals below 1000."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.2f}".rstrip("0").rstrip(".")
