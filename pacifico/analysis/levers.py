"""Levers: what each limit costs, by a layout with it relaxed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pacifico.analysis.cell_reasons import inside_setback
from pacifico.analysis.land_use import by_name
from pacifico.frozen import thawed
from pacifico.layout.add_racking import add_racking
from pacifico.layout.criteria.request import MAIN_ASSET
from pacifico.layout.criteria.spec import catalog
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.land_use import Reason
from pacifico.layout.model.levers import Lever, Levers
from pacifico.layout.placement.draft import capacity_of
from pacifico.stages import begin

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site, Zone
    from pacifico.stages import OnStage

MORE_DEG = 2.0
"""Relaxation of a slope limit [°]: about what row systems of one class differ by; engineering judgement."""
MORE_GRADE_PCT = 2.0
"""Relaxation of the grade limit of roads [%]; engineering judgement."""
MOST_EXCLUSIONS = 6
"""Most exclusions that have a lever each, the largest first: each is a layout of its own."""


@dataclass(frozen=True)
class Change:
    """Change of one limit, before its layout is made."""

    name: str
    """Rule of the catalog, or the exclusion that is given up."""
    label: str
    reason: Reason
    """Ground on which it acts."""
    site: Site
    spec: dict[str, dict[str, Any]]


def solve_levers(
    plan: Plan,
    dem: xr.DataArray,
    *,
    entry: tuple[float, float] | None = None,
    on_stage: OnStage | None = None,
) -> Levers:
    """Effect of each limit, one layout each.

    Parameters
    ----------
    plan : Plan
        Plan to compare with. Edits are left out of the comparison.
    dem : DataArray
        DEM that the plan was made on.
    entry : (float, float), optional
        Longitude and latitude of the entry if one was requested [°].
    on_stage : callable, optional
        Called with name, percentage and message before each layout.
    """
    base = _solved(plan, dem, plan.site, thawed(plan.spec.overrides), entry) if plan.edits else plan
    found, todo = [], list(changes(plan))
    for n, change in enumerate(todo):
        begin(on_stage, "levers", 100 * n // len(todo), change.label)
        other = _solved(plan, dem, change.site, change.spec, entry)
        found.append(_lever(change, base, other))
    return Levers(plan.site.name, tuple(sorted(found, key=lambda v: (-v.gain_kw, v.more_usd, v.name))))


def changes(plan: Plan) -> Iterator[Change]:
    """Limits of a plan that may be relaxed: setback, slopes, road grade, exclusions."""
    spec, site, main = plan.spec, plan.site, MAIN_ASSET[plan.profile]
    setback = spec.number("site", "setback_m")
    if setback > 0:
        yield _relaxed(plan, ("site", "setback_m"), setback / 2, "setback {} m instead of {} m", Reason.SETBACK)
    limits = [(main, MORE_DEG, f"slope limit of {_plural(main)} {{}}° instead of {{}}°", Reason.TOO_STEEP)]
    if main == "solar_array":
        skid = "slope limit of inverter skids {}° instead of {}°"
        limits.append(("inverter_skid", MORE_DEG, skid, Reason.NO_ROAD_WORTH_IT))
    for kind, more, label, reason in limits:
        yield from _raised(plan, (kind, "slope_limit_deg"), more, label, reason)
    grade = "road grade {} % instead of {} %"
    yield from _raised(plan, ("road", "max_grade_pct"), MORE_GRADE_PCT, grade, Reason.NO_ROAD_WORTH_IT)
    named = by_name(site.exclusions, inside_setback(plan), most=MOST_EXCLUSIONS)
    for name, zones in list(named.items())[:MOST_EXCLUSIONS]:
        yield _without(plan, name, zones)


def _raised(plan: Plan, rule: tuple[str, str], more: float, label: str, reason: Reason) -> Iterator[Change]:
    """Change of a limit upwards; none where it is at the catalog's largest value.

    Parameters
    ----------
    plan : Plan
        Plan with its spec.
    rule : (str, str)
        Section and name of the rule.
    more : float
        Amount to add, in the rule's unit.
    label : str
        Text with places for the new and the old value.
    reason : Reason
        Ground on which it acts.
    """
    section, name = rule
    value = plan.spec.number(section, name)
    new = min(value + more, float(catalog()[section][name]["max"]))
    if new > value:
        yield _relaxed(plan, rule, new, label, reason)


def _relaxed(plan: Plan, rule: tuple[str, str], new: float, label: str, reason: Reason) -> Change:
    """Change of one rule to a new value; parameters as for `_raised`."""
    section, name = rule
    text = label.format(f"{new:g}", f"{plan.spec.number(section, name):g}")
    spec = thawed(plan.spec.with_rules(section, {name: new}).overrides)
    return Change(f"{section}.{name}", text, reason, plan.site, spec)


def _without(plan: Plan, name: str, zones: list[Zone]) -> Change:
    """Change that gives up the exclusions of one name."""
    kept = tuple(z for z in plan.site.exclusions if not any(z is gone for gone in zones))
    site = replace(plan.site, exclusions=kept)
    return Change(f"exclusion:{name}", f"without {name}", Reason.EXCLUSION, site, thawed(plan.spec.overrides))


def _solved(
    plan: Plan, dem: xr.DataArray, site: Site, spec: dict[str, dict[str, Any]], entry: tuple[float, float] | None
) -> Plan:
    """Layout of a plan's request with another site or spec, with racking where the plan has it.

    Parameters
    ----------
    plan : Plan
        Plan whose request it is.
    dem : DataArray
        Its DEM.
    site : Site
        Site to lay out.
    spec : dict
        Rules that are overridden.
    entry : (float, float), optional
        Requested entry [°].
    """
    made = generate_layout(
        site,
        dem,
        profile=plan.profile,
        strategy=plan.strategy,
        target_capacity_kw=plan.target_capacity_kw,
        entry=entry,
        spec=spec,
    )
    return made if plan.racking is None else add_racking(made, dem)


def _lever(change: Change, base: Plan, other: Plan) -> Lever:
    """Difference of two plans; no loss, as the first remains allowed.

    Parameters
    ----------
    change : Change
        What distinguishes them.
    base, other : Plan
        Plan before and after the change.
    """
    before, after = (capacity_of([a.item for a in p.asset_list], p.profile) for p in (base, other))
    gain = after - before
    more = other.bill_of_quantities().total - base.bill_of_quantities().total
    worse = gain < 0 or (gain == 0 and more > 0)
    gain_kw, more_usd = (0.0, 0.0) if worse else (gain, more)
    return Lever(change.name, change.label, change.reason, round(gain_kw, 1), round(more_usd, -3))


def _plural(kind: str) -> str:
    """Asset type in words, more than one of it."""
    words = kind.replace("_", " ")
    return f"{words[:-1]}ies" if words.endswith("ry") else f"{words}s"
