"""Tables of a comparison of variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.report.tables import Table
from pacifico.report.variants.measure import MEASURES

if TYPE_CHECKING:
    from pacifico.report.variants.measure import Measure
    from pacifico.report.variants.result import Variants


def figures(variants: Variants) -> Table:
    """Values of every strategy, side by side."""
    known = [m for m in MEASURES if any(row.get(m.key) is not None for row in variants.rows.values())]
    rows = [(_label(m), *(_shown(row.get(m.key), m) for row in variants.rows.values())) for m in known]
    front = ("On the Pareto front", *("yes" if name in variants.front else "no" for name in variants.rows))
    return Table(("", *(name.replace("_", " ") for name in variants.rows)), (*rows, front))


def winners(variants: Variants) -> Table:
    """Winner of each measure and its lead, or why there is none."""
    by_key = {m.key: m for m in MEASURES}
    rows = []
    for best in variants.best:
        measure = by_key[best.measure]
        lead = "" if best.margin_pct is None else f"{best.margin_pct:.1f} % ahead of the next"
        value = "" if best.strategy is None else _shown(best.value, measure)
        winner = "none" if best.strategy is None else best.strategy.replace("_", " ")
        rows.append((_label(measure), winner, best.note or lead, value))
    return Table(("Measure", "Won by", "", ""), tuple(rows), words=3)


def missing(variants: Variants) -> Table:
    """Strategies without a layout, and why."""
    rows = tuple((f.strategy.replace("_", " "), f.message) for f in variants.failures)
    return Table(("Strategy", "Why there is no layout"), rows, words=2, empty="Every strategy has a layout.")


def _label(measure: Measure) -> str:
    """Name of a measure, its unit in brackets."""
    return f"{measure.label} [{measure.unit}]" if measure.unit else measure.label


def _shown(value: float | None, measure: Measure) -> str:
    """Value in the unit shown; a dash without one."""
    return "–" if value is None else f"{value * measure.scale:,.{measure.digits}f}"
