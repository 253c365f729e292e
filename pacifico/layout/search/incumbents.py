"""Further problems whose layouts are kept if they hold more: stricter rules, and all that fits.

A layout under a stricter rule is legal under the laxer one, and a layout of all that fits meets any target that it
exceeds. The search is no exact one: without these incumbents, a relaxed rule or a higher target may lose capacity.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import shapely

from pacifico.layout.criteria.racking import MOUNTINGS
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.placement.context import PlacementContext

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.assets import Item
    from pacifico.layout.search.problem import DesignProblem
    from pacifico.vocabulary import Strategy

STRICTER_LEVELS: dict[tuple[str, str], tuple[float, ...]] = {
    ("site", "setback_m"): (10.0, 5.0),
    ("road", "max_grade_pct"): (10.0, 12.0),
    ("solar_array", "slope_limit_deg"): (10.0, 12.0),
    **{(name, f"max_slope_{way}_pct"): () for name in MOUNTINGS for way in ("along", "across")},
    **{(name, "max_row_step_m"): () for name in MOUNTINGS},
    ("racking", "graded_slope_factor"): (),
}
"""Levels of a rule that are tried where the spec relaxes it beyond them, the catalog's standard first [m, %, °].

Without levels it is the standard alone.
"""
MAX_INCUMBENTS = 4
"""Most problems with stricter rules: bounds the run time where several rules are relaxed."""


def stricter_specs(spec: Spec) -> list[Spec]:
    """Specs with relaxed rules set back to stricter levels, the standard of each rule first."""
    standard = make_spec()
    options = []
    for (section, rule), levels in STRICTER_LEVELS.items():
        own, usual = spec.number(section, rule), standard.number(section, rule)
        # a setback is stricter where it is larger, a limit where it is smaller
        between = [v for v in levels or (usual,) if (own < v <= usual if rule == "setback_m" else usual <= v < own)]
        options.append([None, *between])
    changes = [c for c in itertools.product(*options) if any(level is not None for level in c)]
    # the standard level of each rule alone, then of all rules: one of them holds what a usual layout holds
    usual_levels = tuple(o[1] if len(o) > 1 else None for o in options)
    alone = [tuple(v if k == n else None for k, v in enumerate(usual_levels)) for n in range(len(options))]
    first = [c for c in dict.fromkeys([*alone, usual_levels]) if c in changes]
    rest = sorted((c for c in changes if c not in first), key=lambda c: sum(level is not None for level in c))
    out = []
    for change in [*first, *rest][:MAX_INCUMBENTS]:
        stricter = spec
        for (section, rule), level in zip(STRICTER_LEVELS, change, strict=True):
            if level is not None:
                stricter = stricter.with_rules(section, {rule: level})
        out.append(stricter)
    return out


def incumbents(problem: DesignProblem, strategy: Strategy, *, stricter: bool = True) -> list[DesignProblem]:
    """Problems whose layouts are legal for a problem with arrays, most promising first.

    Parameters
    ----------
    problem : DesignProblem
        Problem with its spec.
    strategy : str
        Objective to optimise.
    stricter : bool
        Whether problems under stricter rules are among them; not where the caller knows their layouts.
    """
    capacities, context = problem.capacities, problem.context
    if capacities.solar_kw == 0:
        return []
    out = []
    first = problem.seed_areas(strategy)[0]
    if problem.profile == "solar_farm" and first is not None and not first.whole_site:
        out.append(problem.like(capacities=replace(capacities, solar_kw=None)))
    for spec in stricter_specs(context.spec) if stricter else []:
        field, setback_m = context.field, spec.number("site", "setback_m")
        if setback_m > context.spec.number("site", "setback_m"):
            field = field.within(shapely.buffer(problem.site.boundary, -setback_m, join_style="mitre"))
        out.append(problem.like(context=PlacementContext(field, spec)))
    return out


def under_spec(items: tuple[Item, ...], own: Spec, spec: Spec) -> tuple[Item, ...]:
    """Items placed under one spec, with the array slope limit of another.

    Parameters
    ----------
    items : tuple of Item
        Items of a layout.
    own : Spec
        Spec under which they were placed.
    spec : Spec
        Spec that was requested.
    """
    before, after = (s.number("solar_array", "slope_limit_deg") for s in (own, spec))
    if before == after:
        return items
    return tuple(replace(i, slope_limit_deg=after) if i.kind == "solar_array" else i for i in items)
