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


@dataclass(frozen=True)
class Variants:
    """Plans of several strategies for one site and design, and what tells them apart."""

    plans: Mapping[str, Plan]
    """By strategy, in the order asked for."""
    failures: tuple[Failure, ...]
    """Strategies that came to no plan, and why."""
    target_capacity_kw: float | None

    @cached_property
    def layouts(self) -> Mapping[str, StoredLayout]:
        """The plans as they are stored."""
        return {name: StoredLayout.of(plan.to_geojson()) for name, plan in self.plans.items()}

    @cached_property
    def rows(self) -> Mapping[str, measure.Row]:
        """Figures of each variant, by the keys of `MEASURES`."""
        from pacifico.analysis.costs import bill  # noqa: PLC0415 (with what it needs, only where figures are asked for)

        return {name: measure.row_of(layout, bill(self.plans[name])) for name, layout in self.layouts.items()}

    @cached_property
    def table(self) -> pd.DataFrame:
        """Figures, one row a strategy; units are in the names of the columns (kw_per_ha of the 25 m surroundings)."""
        import pandas as pd  # noqa: PLC0415 (1 s)

        front = set(self.front)
        rows = {
            n: {**row, "on_front": n in front, "shortfall": self.plans[n].shortfall} for n, row in self.rows.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")

    @cached_property
    def best(self) -> tuple[measure.Best, ...]:
        """Who wins each measure at equal placed capacity (within 1 %; a tie is no win)."""
        return measure.best_of(self.rows)

    @property
    def compared(self) -> tuple[str, ...]:
        """Strategies that `best` is about: they place as much as the one that places most, within 1 %."""
        return measure.equals(self.rows)

    @cached_property
    def dominated(self) -> Mapping[str, tuple[str, ...]]:
        """For each strategy those that are no worse in road, earthwork and density, better in one, and place as much."""
        return measure.dominated_by(self.rows)

    @property
    def front(self) -> tuple[str, ...]:
        """Strategies that none dominates."""
        return tuple(name for name, by in self.dominated.items() if not by)

    @property
    def short(self) -> bool:
        """Whether any strategy falls short of what was asked, or came to no plan."""
        return bool(self.failures) or any(plan.shortfall for plan in self.plans.values())

    def front_figure(self) -> Figure:
        """Road, earthwork and density of the variants; those on the Pareto front are filled."""
        figure: Figure = resolve_name("pacifico.report.variants.figures:front_figure")(self)
        return figure

    def maps_figure(self) -> Figure:
        """Small maps of the layouts, side by side at one scale."""
        figure: Figure = resolve_name("pacifico.report.variants.figures:maps_figure")(self.layouts)
        return figure

    def write(self, out_dir: str | Path) -> Path:
        """Write a folder: layout.geojson of each, comparison.csv and .json, index.html (which needs no network).

        Raises
        ------
        InputError
            The folder holds something else, or can't be written.
        """
        page: Path = resolve_name("pacifico.report.variants.folder:write")(self, out_dir)
        return page
