"""Levers: what each limit of a plan costs.

A limit is relaxed and the site laid out again. Where many are asked for, most are estimated.
"""

from __future__ import annotations

import copy
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.analysis.cell_reasons import field_of, inside_setback
from pacifico.analysis.land_use import by_name
from pacifico.analysis.lever_estimates import FitEstimate
from pacifico.errors import InputError
from pacifico.frozen import thawed
from pacifico.grid import Ground
from pacifico.layout.add_racking import add_racking
from pacifico.layout.criteria.design import Design
from pacifico.layout.criteria.request import MAIN_ASSET
from pacifico.layout.criteria.spec import catalog, make_spec
from pacifico.layout.generate import layout_of
from pacifico.layout.layout_request import checked_request
from pacifico.layout.model.land_use import Reason
from pacifico.layout.model.levers import Lever, Levers
from pacifico.layout.orientation.plans import turner_of
from pacifico.layout.orientation.site import turned_site, turned_spec
from pacifico.layout.placement.draft import capacity_of
from pacifico.stages import begin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    import xarray as xr

    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.orientation.frame import TurnedFrame
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
FEW_CHANGES = 6
"""Changes up to which each has a layout; of more, most are estimated where that is possible."""
MOST_SOLVED = 3
"""Changes that have a layout each where others are estimated, the most promising first: one of 300 ha takes seconds."""
ROADS_ALONE = ("road.max_grade_pct", "inverter_skid.slope_limit_deg")
"""Limits whose effect is on roads and skids, not on the arrays that fit: they can't be estimated."""
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
    """Effect of each limit: a layout for the most promising ones, an estimate for the rest.

    An estimate counts the arrays that fit the ground with the limit relaxed, without roads, skids and substations. It
    takes the plan's own cost per kW. Up to `FEW_CHANGES` limits have a layout each; so have all limits of plants that
    aren't all arrays, or whose target is met, and limits of roads and skids, which no estimate covers.

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
        before = plan if base is None else base.result() or plan
        binding = [change for change in todo if change.may_bind(steepest_deg)]
        shares = _gained_shares(pool, before, ground, dem, binding) if len(binding) > FEW_CHANGES else {}
        best = sorted(shares, key=lambda name: -shares[name])[: max(MOST_SOLVED - len(binding) + len(shares), 0)]
        estimated = shares.keys() - best
        others = {c.name: pool.submit(solved, c.site, c.spec) for c in binding if c.name not in estimated}
        before_usd = before.bill_of_quantities().total
        found = []
        for n, change in enumerate(todo):
            begin(on_stage, "levers", 100 * n // len(todo), change.label)
            if change.name in estimated:
                found.append(_estimated(change, before, before_usd, shares[change.name]))
            else:
                other = others.get(change.name)
                found.append(_lever(change, before, before_usd, None if other is None else other.result()))
    return Levers(plan.site.name, tuple(sorted(found, key=lambda v: (-v.gain_kw, v.more_usd, v.name))))


def _gained_shares(
    pool: ThreadPoolExecutor, plan: Plan, ground: Field, dem: xr.DataArray, todo: Sequence[Change]
) -> dict[str, float]:
    """Estimated gain of capacity of each change that can be estimated, as a share [-].

    None can where a plant isn't all arrays, or where its target is met: then a limit costs money alone.

    Parameters
    ----------
    pool : ThreadPoolExecutor
        Threads for the estimates.
    plan : Plan
        Plan to compare with.
    ground : Field
        Its ground.
    dem : DataArray
        DEM that it was made on.
    todo : sequence of Change
        Changes to estimate.
    """
    if plan.profile != "solar_farm" or (plan.target_capacity_kw is not None and not plan.shortfall):
        return {}
    some = [c for c in todo if c.name not in ROADS_ALONE]
    asked = [(c.site, c.spec) for c in some]
    if (turned := turner_of(plan, dem)) is None:
        fit = FitEstimate.of(ground, plan.spec, Ground.of(dem))
    else:
        turner, cells = turned
        here = turner.in_frame(plan)
        fit = FitEstimate.of(field_of(here, cells), here.spec, Ground.of(cells))
        asked = [in_frame(site, spec, turner.frame) for site, spec in asked]
    return dict(zip((c.name for c in some), pool.map(lambda a: fit.gained_share(*a), asked), strict=True))


def in_frame(
    site: Site, overrides: Mapping[str, Mapping[str, Any]], frame: TurnedFrame
) -> tuple[Site, dict[str, dict[str, Any]]]:
    """Site and overrides of a request in a turned frame."""
    spec = turned_spec(make_spec(overrides), frame, site)
    return turned_site(site, frame), thawed(spec.overrides)


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
) -> Plan | None:
    """Layout of a plan's request with another site or spec, with racking where the plan has it.

    None where the entry or the ground refuses that request: the plan itself remains allowed, so that the lever gains nothing.

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
    own_copy = copy.deepcopy(site)  # two threads can't share one prepared geometry
    request = replace(checked_request(own_copy, asked, ()), compare_stricter=False)
    try:
        made = layout_of(request, dem, entry)
    except InputError:  # as where a plant on more ground leaves no room for a road at the entry
        return None
    return made if plan.racking is None else add_racking(made, dem)


def _lever(change: Change, base: Plan, base_usd: float, other: Plan | None) -> Lever:
    """Difference of two plans; no loss, as the first remains allowed.

    Parameters
    ----------
    change : Change
        What distinguishes them.
    base : Plan
        Plan before the change.
    base_usd : float
        Its cost [USD].
    other : Plan, optional
        Plan after the change; None where it has no effect, or none is possible.
    """
    if other is None:
        return Lever(change.name, change.label, change.reason, 0.0, 0.0)
    before, after = (capacity_of([a.item for a in p.asset_list], p.profile) for p in (base, other))
    gain = after - before
    more = other.bill_of_quantities().total - base_usd
    worse = gain < 0 or (gain == 0 and more > 0)
    gain_kw, more_usd = (0.0, 0.0) if worse else (gain, more)
    return Lever(change.name, change.label, change.reason, round(gain_kw, 1), round(more_usd, -3))


def _estimated(change: Change, base: Plan, base_usd: float, share: float) -> Lever:
    """Lever of an estimated gain, at the plan's cost per kW.

    Parameters
    ----------
    change : Change
        Limit that is relaxed.
    base : Plan
        Plan before the change.
    base_usd : float
        Its cost [USD].
    share : float
        Gain of capacity as a share [-].
    """
    before = capacity_of([a.item for a in base.asset_list], base.profile)
    room = math.inf if base.target_capacity_kw is None else max(base.target_capacity_kw - before, 0.0)
    gain = min(share * before, room)
    more = base_usd * gain / before if before > 0 else 0.0
    return Lever(change.name, change.label, change.reason, round(gain, 1), round(more, -3), estimated=True)


def _plural(kind: str) -> str:
    """Asset type in words, more than one of it."""
    words = kind.replace("_", " ")
    return f"{words[:-1]}ies" if words.endswith("ry") else f"{words}s"
