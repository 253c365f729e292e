"""Records of a bill of quantities."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import Literal

Tag = Literal["measured", "derived", "assumed"]

COLUMNS = (
    "item", "what", "quantity", "quantity_low", "quantity_high", "unit", "tag", "unit_cost", "unit_cost_low", "unit_cost_high",
    "price", "currency_year", "cost", "cost_low", "cost_high", "basis", "source",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of a bill; low and high are about P10 and P90."""

    item: str
    """Name of the unit cost in section ``costs`` of the catalog."""
    what: str
    quantity: float
    quantity_low: float
    quantity_high: float
    unit: str
    tag: Tag
    """Of the quantity: measured on the plan and its ground, derived from that by a rule, or assumed."""
    basis: str
    """Where the quantity comes from."""
    unit_cost: float
    unit_cost_low: float
    unit_cost_high: float
    price: Literal["catalog", "given"]
    """Whether the unit cost is the catalog's or was given."""
    year: int
    """Of the currency; nothing is escalated."""
    source: str
    """Of the catalog's unit cost."""

    @property
    def cost(self) -> float:
        """Quantity times unit cost [USD]."""
        return self.quantity * self.unit_cost

    @property
    def cost_low(self) -> float:
        """Lower end, quantity and unit cost taken as independent [USD]."""
        return self.cost * (1 - min(math.hypot(_off(self.quantity, self.quantity_low), _off(self.unit_cost, self.unit_cost_low)), 1.0))  # fmt: skip

    @property
    def cost_high(self) -> float:
        """Upper end, quantity and unit cost taken as independent [USD]."""
        return self.cost * (
            1 + math.hypot(_off(self.quantity, self.quantity_high), _off(self.unit_cost, self.unit_cost_high))
        )


@dataclass(frozen=True)
class Bill:
    """All lines of a plan."""

    lines: tuple[Line, ...]
    indirect: tuple[float, float, float]
    """Share of direct cost for design, management and contingency: likely, low, high; assumed."""
    indirect_source: str

    @property
    def direct(self) -> float:
        """Sum of the lines [USD]."""
        return math.fsum(line.cost for line in self.lines)

    @property
    def total(self) -> float:
        """Direct cost and indirect share [USD]."""
        return self.direct * (1 + self.indirect[0])

    @property
    def independent(self) -> tuple[float, float]:
        """Interval of the total if each line's error knows nothing of the others' [USD]: the narrowest."""
        total, share, direct = self.total, self.indirect, self.direct
        low = math.hypot(*((1 + share[0]) * (n.cost - n.cost_low) for n in self.lines), direct * (share[0] - share[1]))
        high = math.hypot(
            *((1 + share[0]) * (n.cost_high - n.cost) for n in self.lines), direct * (share[2] - share[0])
        )
        return max(total - low, 0.0), total + high

    @property
    def correlated(self) -> tuple[float, float]:
        """Interval of the total if all lines are high or low together, as in one market [USD]: the widest."""
        low, high = (math.fsum(getattr(n, end) for n in self.lines) for end in ("cost_low", "cost_high"))
        return low * (1 + self.indirect[1]), high * (1 + self.indirect[2])

    def to_csv(self) -> str:
        """Return lines and totals as CSV; the same bill gives the same text."""
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


def _off(value: float, end: float) -> float:
    """Share by which an end is off."""
    return abs(value - end) / value if value else 0.0


def _q(value: float) -> str:
    """Quantity or unit cost: two decimals where it is small."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.2f}".rstrip("0").rstrip(".")
