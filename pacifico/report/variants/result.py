"""Result of laying out one site by several strategies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from pacifico.layout.files.stored import StoredLayout
from pacifico.report.variants import measure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from pacifico.layout.model.plan import Plan
    from pacifico.report.variants.process import Failure


@dataclass(frozen=True, repr=False)
class Variants:
    """Plans of one site by several strategies, and how they compare."""

    plans: Mapping[str, Plan]
    """Plan of each strategy, in the order asked for."""
    failures: tuple[Failure, ...]
    """Strategies without a plan, and why."""
    target_capacity_kw: float | None

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<Variants: {', '.join(self.plans) or 'none'}{failed}>"

    @cached_property
    def layouts(self) -> Mapping[str, StoredLayout]:
        """Plans as stored layouts."""
        return {name: StoredLayout.of(plan.to_geojson()) for name, plan in self.plans.items()}

    @cached_property
    def rows(self) -> Mapping[str, measure.Row]:
        """Values of each variant, by the keys of `MEASURES`."""
        from pacifico.analysis.costs import bill  # noqa: PLC0415 (only if values are asked for)

        return {name: measure.row_of(layout, bill(self.plans[name])) for name, layout in self.layouts.items()}

    @cached_property
    def table(self) -> pd.DataFrame:
        """Values, one row per strategy, with units in the column names."""
        import pandas as pd  # noqa: PLC0415 (1 s)

        front = set(self.front)
        rows = {
            n: {**row, "on_front": n in front, "shortfall": self.plans[n].shortfall} for n, row in self.rows.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")

    @cached_property
    def best(self) -> tuple[measure.Best, ...]:
        """Winner of each measure at equal placed capacity (within 1 %)."""
        return measure.best_of(self.rows)

    @property
    def compared(self) -> tuple[str, ...]:
        """Strategies that `best` compares: within 1 % of the largest placed capacity."""
        return measure.equals(self.rows)

    @cached_property
    def dominated(self) -> Mapping[str, tuple[str, ...]]:
        """Strategies that dominate each strategy in road, earthwork and density."""
        return measure.dominated_by(self.rows)

    @property
    def front(self) -> tuple[str, ...]:
        """Strategies on the Pareto front."""
        return tuple(name for name, by in self.dominated.items() if not by)

    @property
    def short(self) -> bool:
        """Whether a strategy has a shortfall or no plan."""
        return bool(self.failures) or any(plan.shortfall for plan in self.plans.values())

    def front_figure(self) -> Figure:
        """Figure of road, earthwork and density, with the Pareto front filled."""
        figure: Figure = resolve_name("pacifico.report.variants.figures:front_figure")(self)
        return figure

    def maps_figure(self) -> Figure:
        """Figure of small maps at one scale."""
        figure: Figure = resolve_name("pacifico.report.variants.figures:maps_figure")(self.layouts)
        return figure

    def write(self, out_dir: str | Path) -> Path:
        """Write a folder: each layout.geojson, comparison.csv and .json, and index.html.

        Raises
        ------
        InputError
            The folder holds something else, or can't be written.
        """
        page: Path = resolve_name("pacifico.report.variants.folder:write")(self, out_dir)
        return page
