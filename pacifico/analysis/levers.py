"""Levers: what each limit costs, by a layout with it relaxed."""

from __future__ import annotations

import math
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.analysis.cell_reasons import field_of, inside_setback
from pacifico.analysis.land_use import by_name
from pacifico.frozen import thawed
from pacifico.layout.add_racking import add_racking
from pacifico.layout.criteria.design import Design
from pacifico.layout.criteria.request import MAIN_ASSET
from pacifico.layout.criteria.spec import catalog
from pacifico.layout.generate import layout_of
from pacifico.layout.layout_request import checked_request
from pacifico.layout.model.land_use import Reason
from pacifico.layout.model.levers import Lever, Levers
from pacifico.layout.placement.draft import capacity_of
from pacifico.stages import begin

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
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
MOST_PRICED = 20
"""Most exclusions that have a shadow price each; smaller ones share one."""
MOST_THREADS = 4
"""Most layouts at a time: kernels run side by side, the rest of the work doesn't."""


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
    steeper_than_deg: float = -1.0
    """Ground must be steeper somewhere for the limit to bind [°]; negative: it may bind on any ground."""

    def may_bind(self, steepest_deg: float) -> bool:
        """Whether the limit can have an effect on ground no steeper than that [°]."""
        return steepest_deg > self.steeper_than_deg


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
    return _compared(plan, dem, list(changes(plan)), entry, on_stage)


def shadow_prices_of(
    plan: Plan,
    dem: xr.DataArray,
    *,
    entry: tuple[float, float] | None = None,
    on_stage: OnStage | None = None,
) -> pd.DataFrame:
    """Effect of each limit, of every exclusion and of every edge setback, without racking.

    Parameters
    ----------
    plan, dem, entry, on_stage
        As for `solve_levers`.
    """
    bare = _without_racking(plan)
    found = _compared(bare, dem, list(changes(bare, most_exclusions=MOST_PRICED)), entry, on_stage)
    frame = found.to_frame()
    frame["usd_per_kw"] = (frame["more_usd"] / frame["gain_kw"].where(frame["gain_kw"] > 0)).round(0)
    return frame


def _compared(
    plan: Plan,
    dem: xr.DataArray,
    todo: list[Change],
    entry: tuple[float, float] | None,
    on_stage: OnStage | None,
) -> Levers:
    """Levers of some changes; layouts are made side by side.

    Parameters
    ----------
    plan : Plan
        Plan to compare with.
    dem : DataArray
        DEM that the plan was made on.
    todo : list of Change
        Limits to relax.
    entry : (float, float), optional
        Requested entry [°].
    on_stage : callable, optional
        Called before each layout.
    """
    ground = field_of(plan, dem)
    steepest_deg = float(np.nanmax(ground.slope, initial=0.0))
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        solved = partial(_solved, plan, dem, entry)
        base = pool.submit(solved, plan.site, thawed(plan.spec.overrides)) if plan.edits else None
        others = [
            pool.submit(solved, change.site, change.spec) if change.may_bind(steepest_deg) else None for change in todo
        ]
        before = plan if base is None else base.result()
        found = []
        for n, (change, other) in enumerate(zip(todo, others, strict=True)):
            begin(on_stage, "levers", 100 * n // len(todo), change.label)
            found.append(_lever(change, before, before if other is None else other.result()))
    return Levers(plan.site.name, tuple(sorted(found, key=lambda v: (-v.gain_kw, v.more_usd, v.name))))


def _without_racking(plan: Plan) -> Plan:
    """Plan without ground graded under arrays and without piles, as it was generated."""
    if plan.racking is None:
        return plan
    racked = plan.racking.metrics()
    return replace(plan, racking=None, metrics={k: v for k, v in plan.metrics.items() if k not in racked})


def changes(plan: Plan, *, most_exclusions: int = MOST_EXCLUSIONS) -> Iterator[Change]:
    """Limits of a plan that may be relaxed: setbacks, slopes, road grade, exclusions.

    Parameters
    ----------
    plan : Plan
        Plan with its spec and its exclusions.
    most_exclusions : int
        Most exclusions that have a change each.
    """
    spec, site, main = plan.spec, plan.site, MAIN_ASSET[plan.profile]
    setback = spec.number("site", "setback_m")
    if setback > 0:
        yield _relaxed(plan, ("site", "setback_m"), setback / 2, "setback {} m instead of {} m", Reason.SETBACK)
    yield from _edge_setbacks(plan)
    limits = [(main, MORE_DEG, f"slope limit of {_plural(main)} {{}}° instead of {{}}°", Reason.TOO_STEEP)]
    if main == "solar_array":
        skid = "slope limit of inverter skids {}° instead of {}°"
        limits.append(("inverter_skid", MORE_DEG, skid, Reason.NO_ROAD_WORTH_IT))
    for kind, more, label, reason in limits:
        yield from _raised(plan, (kind, "slope_limit_deg"), more, label, reason)
    grade = "road grade {} % instead of {} %"
    yield from _raised(plan, ("road", "max_grade_pct"), MORE_GRADE_PCT, grade, Reason.NO_ROAD_WORTH_IT)
    named = by_name(site.exclusions, inside_setback(plan), most=most_exclusions)
    for name, zones in list(named.items())[:most_exclusions]:
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
        # a limit on ground that is nowhere steeper has no effect
        steep_deg = value if name == "slope_limit_deg" else math.degrees(math.atan(value / 100))
        yield replace(_relaxed(plan, rule, new, label, reason), steeper_than_deg=steep_deg)


def _edge_setbacks(plan: Plan) -> Iterator[Change]:
    """Half of each setback of single edges, where it is larger than the one of all edges."""
    everywhere, entries = plan.spec.number("site", "setback_m"), plan.spec.setbacks
    for k, entry in enumerate(entries):
        new = max(entry.setback_m / 2, everywhere)
        if new >= entry.setback_m:
            continue
        listed = [{"edges": list(e.edges), "setback_m": new if e is entry else e.setback_m} for e in entries]
        edges = ", ".join(str(e) for e in entry.edges)
        label = f"setback from {edges} {new:g} m instead of {entry.setback_m:g} m"
        spec = thawed(plan.spec.with_rules("site", {"setbacks": listed}).overrides)
        yield Change(f"site.setbacks:{k + 1}", label, Reason.SETBACK, plan.site, spec)


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
    plan: Plan, dem: xr.DataArray, entry: tuple[float, float] | None, site: Site, spec: dict[str, dict[str, Any]]
) -> Plan:
    """Layout of a plan's request with another site or spec, with racking where the plan has it.

    Layouts under stricter rules aren't compared: the plan itself is one, and no lever loses to it.

    Parameters
    ----------
    plan : Plan
        Plan whose request it is.
    dem : DataArray
        Its DEM.
    entry : (float, float), optional
        Requested entry [°].
    site : Site
        Site to lay out.
    spec : dict
        Rules that are overridden.
    """
    asked = Design(plan.profile, plan.strategy, plan.target_capacity_kw, entry=entry, spec=spec)
    own_copy: Site = pickle.loads(pickle.dumps(site))  # noqa: S301 (two threads can't share one prepared geometry)
    request = replace(checked_request(own_copy, asked, ()), compare_stricter=False)
    made = layout_of(request, dem, entry)
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
