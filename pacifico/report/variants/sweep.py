"""Lay out one site over a range of ground coverage or DC/AC ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

import numpy as np

from pacifico.analysis.costs import bill
from pacifico.analysis.weather import require_pvlib
from pacifico.errors import InputError
from pacifico.frozen import thawed
from pacifico.layout.add_racking import add_racking
from pacifico.layout.criteria.design import Design, DesignOptions
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.generate import generate_layout
from pacifico.report.energy_table import solar_year
from pacifico.stages import begin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr

    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site
    from pacifico.stages import OnStage

Swept = Literal["gcr", "dc_ac"]
"""What a sweep changes."""
MOST_POINTS = 25
"""Most layouts of a sweep: each takes as long as a layout and a year of energy."""
FEWEST_FOR_KNEE = 3
"""Fewest points that can have a knee."""


@dataclass(frozen=True)
class SweepPoint:
    """One layout of a sweep."""

    value: float
    """Ground coverage or DC/AC ratio [-]."""
    capacity_kw: float
    capacity_dc_kw: float
    annual_mwh: float
    row_shade_loss_share: float
    """Energy lost to shade of rows on rows [-]."""
    grading_m3: float
    """Cut and fill under arrays [m³]."""
    earthwork_m3: float
    """All cut and fill [m³]."""
    cost_usd: float
    """Cost up to the plant's substation [USD]."""

    @property
    def usd_per_mwh_year(self) -> float:
        """Cost of a MWh that the plant yields each year [USD]."""
        return self.cost_usd / self.annual_mwh


@dataclass(frozen=True, repr=False)
class Sweep:
    """Layouts of one site over a range of one rule."""

    swept: Swept
    points: tuple[SweepPoint, ...]
    """In the order of the values."""
    plans: Mapping[str, Plan]
    """Plan of each value, by its text."""
    weather: str
    """Source of the weather."""
    clear_sky: bool
    """Whether the energy is an upper bound."""

    def __repr__(self) -> str:
        return f"<Sweep: {self.swept} {', '.join(f'{p.value:g}' for p in self.points)}>"

    @property
    def knee(self) -> float | None:
        """Value from which more energy costs most of its gain, see `knee_of`; None without one."""
        at = knee_of([p.cost_usd for p in self.points], [p.annual_mwh for p in self.points])
        return None if at is None else self.points[at].value


def knee_of(cost: Sequence[float], energy: Sequence[float]) -> int | None:
    """Place of the knee of energy over cost.

    Both are scaled to 0 at the least and 1 at the greatest cost. The knee is the point farthest above the straight line
    between these two: before it, energy costs less than on average, and after it more. There is none below three points,
    or where no point is above the line.

    References
    ----------
    Satopää et al. (2011), "Finding a kneedle in a haystack", https://doi.org/10.1109/ICDCSW.2011.20

    Examples
    --------
    >>> knee_of([1.0, 2.0, 3.0], [10.0, 18.0, 20.0])
    1
    """
    x, y = np.asarray(cost, dtype=np.float64), np.asarray(energy, dtype=np.float64)
    if len(x) < FEWEST_FOR_KNEE:
        return None
    low, high = int(np.argmin(x)), int(np.argmax(x))
    if x[high] == x[low] or y[high] <= y[low]:
        return None
    above = (y - y[low]) / (y[high] - y[low]) - (x - x[low]) / (x[high] - x[low])
    at = int(np.argmax(above))
    return at if above[at] > 1e-9 else None


def sweep_design(
    site: Site,
    dem: xr.DataArray,
    swept: Swept,
    values: Sequence[float],
    *,
    weather: str | None = None,
    on_stage: OnStage | None = None,
    **design: Unpack[DesignOptions],
) -> Sweep:
    """Lay out a site for each value of a rule: capacity, energy, grading and cost.

    Parameters
    ----------
    site, dem
        As for `generate_layout`.
    swept : str
        `gcr`: ground coverage of the mounting; `dc_ac`: DC/AC ratio.
    values : sequence of float
        Values to lay out, at most 25.
    weather : str, optional
        EPW or TMY3 file; without it a clear sky, an upper bound.
    on_stage : callable, optional
        Called with name, percentage and message before each layout.
    **design
        As for `generate_layout`.

    Returns
    -------
    Sweep
        One point for each value, the knee marked.

    Raises
    ------
    InputError
        A value is out of range, there are too many, pvlib is missing, or a layout has no solar array.

    Examples
    --------
    >>> sweep = sweep_design(site, dem, "gcr", [0.30, 0.35, 0.40])             # doctest: +SKIP
    >>> sweep.knee                                                              # doctest: +SKIP
    0.35
    """
    specs = _specs(swept, values, Design(**design).spec)
    points, plans = [], {}
    source, clear = "", False
    for k, (value, spec) in enumerate(zip(values, specs, strict=True)):
        begin(on_stage, "placing_assets", 100 * k // len(values), f"{k} of {len(values)} layouts")
        options: DesignOptions = {**design, "spec": spec}
        plan = add_racking(generate_layout(site, dem, **options), dem)
        year = solar_year(plan, dem, energy=True, weather=weather)
        if year is None:
            raise InputError(f"the layout with {swept} {value:g} has no solar array; there is nothing to sweep")
        source, clear = year.weather, year.clear_sky
        points.append(_point(value, plan, year.annual_mwh, year.row_shade_loss_share))
        plans[f"{value:g}"] = plan
    begin(on_stage, "placing_assets", 100, f"{len(values)} of {len(values)} layouts")
    return Sweep(swept, tuple(points), plans, source, clear)


def _specs(
    swept: Swept, values: Sequence[float], overrides: Mapping[str, Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """Spec of each value; all of them are checked before any layout."""
    if swept not in get_args(Swept):
        raise InputError(f"{swept!r} can't be swept; choose from {', '.join(get_args(Swept))}")
    if not 1 <= len(values) <= MOST_POINTS:
        raise InputError(f"a sweep of {len(values)} values is out of range; give 1 to {MOST_POINTS}")
    require_pvlib()
    return [swept_spec(overrides, swept, v) for v in values]


def swept_spec(overrides: Mapping[str, Mapping[str, Any]] | None, swept: Swept, value: float) -> dict[str, Any]:
    """Overrides of a spec with a value of the swept rule.

    Raises
    ------
    InputError
        The value is out of range.
    """
    given: dict[str, Any] = thawed(overrides or {})
    mounting = make_spec(given).choice("solar", "mounting")
    rule = f"{mounting}_gcr" if swept == "gcr" else "dc_ac_ratio"
    changed = {**given, "solar": {**given.get("solar", {}), rule: value}}
    make_spec(changed)
    return changed


def _point(value: float, plan: Plan, annual_mwh: float, shade: float) -> SweepPoint:
    """Point of a plan.

    Parameters
    ----------
    value : float
        Ground coverage or DC/AC ratio [-].
    plan : Plan
        Layout with racking.
    annual_mwh : float
        Energy of a year [MWh].
    shade : float
        Energy lost to shade of rows on rows [-].
    """
    m = plan.metrics
    return SweepPoint(
        value,
        m["total_capacity_kw"],
        m["total_capacity_dc_kw"],
        annual_mwh,
        shade,
        round(m["array_cut_m3"] + m["array_fill_m3"], 1),
        round(m["cut_volume_m3"] + m["fill_volume_m3"], 1),
        round(bill(plan).total),
    )
