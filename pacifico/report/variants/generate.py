"""Variants: the same site and design by every strategy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pacifico import errors
from pacifico.errors import InputError, OutsideServiceError
from pacifico.layout.criteria.spec import PROFILES, STRATEGIES, Profile, Strategy, make_spec
from pacifico.report.stored import StoredLayout
from pacifico.report.variants import measure
from pacifico.report.variants.process import Failure, run_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from pacifico.layout.generate import Plan
    from pacifico.site.model import Site, Zone


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
        from pacifico.report.variants.figures import front_figure  # noqa: PLC0415 (matplotlib: 1 s)

        return front_figure(self)

    def maps_figure(self) -> Figure:
        """Small maps of the layouts, side by side at one scale."""
        from pacifico.report.variants.figures import maps_figure  # noqa: PLC0415

        return maps_figure(self.layouts)

    def write(self, out_dir: str | Path) -> Path:
        """Write a folder: layout.geojson of each, comparison.csv and .json, index.html (which needs no network).

        Raises
        ------
        InputError
            The folder holds something else, or can't be written.
        """
        from pacifico.report.variants.folder import write  # noqa: PLC0415

        return write(self, out_dir)


def generate_variants(
    site: Site,
    dem: xr.DataArray,
    *,
    strategies: Sequence[Strategy] = STRATEGIES,
    profile: Profile = "solar_farm",
    target_capacity_kw: float | None = None,
    setback_m: float | None = None,
    max_road_grade_pct: float | None = None,
    entry: tuple[float, float] | None = None,
    exclusions: Sequence[Zone] = (),
    spec: Mapping[str, Mapping[str, Any]] | None = None,
    processes: int | None = None,
    on_done: Callable[[str], None] | None = None,
) -> Variants:
    """Lay out a site by several strategies, each in a process of its own, and compare them.

    Parameters
    ----------
    site, dem, profile, target_capacity_kw, setback_m, max_road_grade_pct, entry, exclusions, spec
        As for `generate_layout`. Without a target each strategy places all it can, and what they place may differ by
        more than the 1 % within which they are compared.
    strategies : sequence of str
        Which to compare.
    processes : int, optional
        At most so many at a time; as many as there are cores by default. The result does not depend on it.
    on_done : callable, optional
        Called with each strategy that is done.

    Returns
    -------
    Variants
        A strategy whose process died or that finds no ground is in `failures`.

    Raises
    ------
    InputError
        For a bad choice or value; where no strategy comes to a plan.
    OutsideServiceError
        Where no strategy comes to a plan because the processes died.

    Examples
    --------
    >>> variants = generate_variants(site, dem, target_capacity_kw=20_000)  # doctest: +SKIP
    >>> variants.table[["placed_kw", "road_length_m", "earthwork_m3"]]  # doctest: +SKIP
    """
    names = tuple(dict.fromkeys(strategies))
    unknown = [s for s in names if s not in STRATEGIES]
    if unknown or not names:
        said = f"strategy {unknown[0]!r} is unknown" if unknown else "no strategy is given"
        raise InputError(f"{said}; choose from {', '.join(STRATEGIES)}")
    if profile not in PROFILES:
        raise InputError(f"profile {profile!r} is unknown; choose from {', '.join(PROFILES)}")
    make_spec(spec)
    design = {
        "profile": profile,
        "target_capacity_kw": target_capacity_kw,
        "setback_m": setback_m,
        "max_road_grade_pct": max_road_grade_pct,
        "entry": entry,
        "exclusions": tuple(exclusions),
        "spec": {section: dict(rules) for section, rules in spec.items()} if spec else None,
    }
    found = run_all(site, dem, names, design, processes=processes, on_done=on_done)
    failures = tuple(f for f in found.values() if isinstance(f, Failure))
    plans = {name: plan for name, plan in found.items() if not isinstance(plan, Failure)}
    if not plans:
        raise _error(failures)
    return Variants(plans, failures, target_capacity_kw)


def _error(failures: Sequence[Failure]) -> errors.PacificoError:
    """What to raise where nothing came out: what the engine said, as it would have said it alone."""
    said = next((f for f in failures if not f.lost), None)
    if said is None:
        return OutsideServiceError(f"no variant was made: {failures[0].strategy}: {failures[0].message}")
    kind = getattr(errors, said.error, InputError)
    error: errors.PacificoError = kind(said.message)
    return error
