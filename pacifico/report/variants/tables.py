"""The tables of a comparison of variants, as a notebook shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.report.tables import Table
from pacifico.report.variants.measure import MEASURES

if TYPE_CHECKING:
    from pacifico.report.variants import Measure, Variants


def figures(variants: Variants) -> Table:
    """Figures of every strategy side by side; those that no layout tells are left out."""
    told = [m for m in MEASURES if any(row.get(m.key) is not None for row in variants.rows.values())]
    rows = [(_named(m), *(_shown(row.get(m.key), m) for row in variants.rows.values())) for m in told]
    front = ("On the Pareto front", *("yes" if name in variants.front else "no" for name in variants.rows))
    return Table(("", *(name.replace("_", " ") for name in variants.rows)), (*rows, front))


def winners(variants: Variants) -> Table:
    """Who wins each measure, by how much, or why nobody does."""
    by_key = {m.key: m for m in MEASURES}
    rows = []
    for best in variants.best:
        measure = by_key[best.measure]
        ahead = "" if best.margin_pct is None else f"{best.margin_pct:.1f} % ahead of the next"
        value = "" if best.strategy is None else _shown(best.value, measure)
        who = "nobody" if best.strategy is None else best.strategy.replace("_", " ")
        rows.append((_named(measure), who, best.note or ahead, value))
    return Table(("Measure", "Won by", "", ""), tuple(rows), words=3)


def missing(variants: Variants) -> Table:
    """Strategies that came to no layout, and why."""
    rows = tuple((f.strategy.replace("_", " "), f.message) for f in variants.failures)
    return Table(("Strategy", "Why there is no layout"), rows, words=2, empty="Every strategy came to a layout.")


def _named(measure: Measure) -> str:
    return f"{measure.label} [{measure.unit}]" if measure.unit else measure.label


def _shown(value: float | None, measure: Measure) -> str:
    return "–" if value is None else f"{value * measure.scale:,.{measure.digits}f}"
