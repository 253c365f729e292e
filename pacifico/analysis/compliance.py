"""A layout held against a rule pack: each rule is passed, failed, not evaluable, or there is none: not covered.

No rule is ever passed for want of one. Distances are in plan, in the working CRS, from footprints unless a rule says
otherwise; dwellings, public roads and the like are zones of the layout, known by their names.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from pacifico.analysis.rule_packs import AREAS, HEIGHTS, LENGTHS, MOST, OF_ASSETS, TOPICS, Pack, Rule, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely import LineString
    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.model.plan import Plan

Status = Literal["pass", "fail", "not evaluable", "not covered"]
STATUSES: tuple[Status, ...] = ("fail", "pass", "not evaluable", "not covered")
ROUNDING_M = 0.002
"""Of distances and widths: coordinates of a layout are rounded to about a millimetre."""
ROUNDING = 1e-3
"""Of angles, grades and areas, which layouts state to so many digits."""
JOINED_M = 0.05
"""Roads nearer than this meet."""
MOST_TOLD = 5
"""Subjects of a finding that are named on its line."""


@dataclass(frozen=True)
class AssetFact:
    """An asset, as rules see it."""

    asset_id: str
    kind: str
    footprint: BaseGeometry
    slope_deg: float


@dataclass(frozen=True)
class RoadFact:
    """A road, as rules see it."""

    road_id: str
    line: LineString
    width_m: float
    max_grade_pct: float


@dataclass(frozen=True)
class Facts:
    """What a layout is held against rules by; geometry in the working CRS [m]."""

    boundary: BaseGeometry
    site_area_ha: float
    assets: tuple[AssetFact, ...]
    roads: tuple[RoadFact, ...]
    zones: tuple[tuple[str, BaseGeometry], ...]
    """Name and shape, without its buffer."""
    entries: tuple[BaseGeometry, ...] = ()
    heights_m: Mapping[str, float] = field(default_factory=dict)
    """Of asset types above ground, where known."""


@dataclass(frozen=True)
class Finding:
    """What one rule says of a layout."""

    rule_id: str
    topic: str
    status: Status
    says: str
    value: float | None
    """The worst that was measured, in `unit`."""
    limit: float | None
    unit: str
    subjects: tuple[tuple[str, float], ...]
    """Assets or roads that fail, each with its value; where none does, the one nearest the limit."""
    checked: int
    """How many assets or roads were measured."""
    most: bool
    """Whether the limit is the most allowed, not the least."""
    why: str
    """Why it can't be evaluated, or what is not covered."""
    source: Source | None
    verified: bool
    """Whether the value was read in the text that is cited."""


def facts_of(plan: Plan) -> Facts:
    """Facts of a plan: turbines' height is known from its rules."""
    spec = plan.spec
    tip = spec.number("wind_turbine", "hub_m") + spec.number("wind_turbine", "rotor_m") / 2
    return Facts(
        plan.site.boundary,
        plan.site.area_ha,
        tuple(AssetFact(a.asset_id, a.item.kind, a.footprint, a.slope_deg) for a in plan.asset_list),
        tuple(RoadFact(r.road_id, r.line, r.width_m, r.max_grade_pct) for r in plan.road_list),
        tuple((z.name, z.geometry) for z in plan.site.exclusions),
        (plan.entry,),
        {"wind_turbine": tip},
    )


def evaluate(facts: Facts, pack: Pack) -> tuple[Finding, ...]:
    """Findings of a pack on a layout: one for each rule, then one for each topic without a rule.

    Parameters
    ----------
    facts : Facts
        Of a plan (`facts_of`), or of a layout that was read back.
    pack : Pack
        As `read_pack` gives it.
    """
    found = [_finding(facts, rule, verified=pack.verified) for rule in pack.rules]
    return (*found, *_not_covered(facts, pack))


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings have each status."""
    seen = Counter(f.status for f in findings)
    return {status: seen[status] for status in STATUSES}


def as_data(pack: Pack, findings: Sequence[Finding]) -> dict[str, Any]:
    """Findings as plain data, for JSON."""
    rows = [asdict(f) | {"subjects": [{"id": i, "value": v} for i, v in f.subjects]} for f in findings]
    return {
        "pack": pack.name,
        "title": pack.title,
        "jurisdiction": pack.jurisdiction,
        "verified": pack.verified,
        "note": pack.note,
        "counts": counts(findings),
        "findings": rows,
    }


def in_words(finding: Finding) -> str:
    """Finding on one line."""
    if finding.status == "not covered":
        return f"{finding.topic}: {finding.why}"
    head = f"{finding.rule_id} {finding.topic}: {finding.says}"
    if finding.status == "not evaluable" or finding.value is None or finding.source is None:
        return f"{head} - {finding.why}"
    bound = "at most" if finding.most else "at least"
    told = ", ".join(f"{i} {v:g}" for i, v in finding.subjects[:MOST_TOLD])
    more = len(finding.subjects) - MOST_TOLD
    measured = f"{told}{f' and {more} more' if more > 0 else ''} {finding.unit}, {bound} {finding.limit:g}"
    return f"{head} - {measured} ({finding.source.title}, {finding.source.section})"


def distances(
    facts: Facts, kinds: Sequence[str], to: Sequence[BaseGeometry], *, centre: bool = False
) -> dict[str, float]:
    """Distance of each asset of some types to the nearest of some shapes [m], 0 where they touch."""
    some = [a for a in facts.assets if a.kind in kinds]
    if not some or not to:
        return {}
    own = np.array([a.footprint.centroid if centre else a.footprint for a in some], dtype=object)
    nearest = shapely.distance(own[:, None], np.array(list(to), dtype=object)[None, :]).min(axis=1)
    return {a.asset_id: float(d) for a, d in zip(some, nearest, strict=True)}


def zones_named(facts: Facts, words: Sequence[str]) -> list[BaseGeometry]:
    """Zones whose name holds one of some words, whatever their case."""
    return [shape for name, shape in facts.zones if any(w in name.lower() for w in words)]


def _finding(facts: Facts, rule: Rule, *, verified: bool) -> Finding:
    measured, limits, why = _measured(facts, rule)
    failing = {i: v for i, v in measured.items() if _breaks(rule, v, limits[i])}
    # worst: farthest beyond its limit, or nearest to it
    order = sorted(measured, key=lambda i: ((limits[i] - measured[i]) * (1 if rule.check in MOST else -1), i))
    status: Status = "not evaluable" if not measured else "fail" if failing else "pass"
    told = [i for i in order if i in failing] or order[:1]
    return Finding(
        rule.rule_id,
        rule.topic,
        status,
        rule.says,
        round(_shown(rule, measured[told[0]], facts, told[0]), 3) if told else None,
        rule.limit if rule.check != "none" else None,
        rule.unit,
        tuple((i, round(_shown(rule, measured[i], facts, i), 3)) for i in told),
        len(measured),
        rule.check in MOST,
        why,
        rule.source,
        verified,
    )


def _breaks(rule: Rule, value: float, limit: float) -> bool:
    slack = ROUNDING_M if rule.unit in LENGTHS or rule.unit == HEIGHTS else ROUNDING
    return value > limit + slack if rule.check in MOST else value < limit - slack


def _shown(rule: Rule, value: float, facts: Facts, subject: str) -> float:
    """Measured value in the rule's unit."""
    if rule.unit == HEIGHTS:
        kind = next(a.kind for a in facts.assets if a.asset_id == subject)
        return value / facts.heights_m[kind]
    return value / LENGTHS.get(rule.unit, AREAS.get(rule.unit, 1.0))


def _measured(facts: Facts, rule: Rule) -> tuple[dict[str, float], dict[str, float], str]:
    """Values and limits by asset or road (metres, hectares, or the rule's unit), and why there are none."""
    limit = rule.limit * LENGTHS.get(rule.unit, AREAS.get(rule.unit, 1.0))
    if rule.check == "none":
        return {}, {}, rule.why
    if rule.check == "site_area":
        return {"site": facts.site_area_ha}, {"site": limit}, ""
    if rule.check in ("road_grade", "road_width", "dead_end"):
        if not facts.roads:
            return {}, {}, "the layout has no road"
        values = {
            "road_grade": lambda: {r.road_id: r.max_grade_pct for r in facts.roads},
            "road_width": lambda: {r.road_id: r.width_m for r in facts.roads},
            "dead_end": lambda: dead_ends(facts),
        }[rule.check]()
        if not values:  # a network without dead ends keeps every limit of theirs
            values = {facts.roads[0].road_id: 0.0}
        return values, dict.fromkeys(values, limit), ""
    return _of_assets(facts, rule, limit)


def _of_assets(facts: Facts, rule: Rule, limit: float) -> tuple[dict[str, float], dict[str, float], str]:
    kinds = {a.asset_id: a.kind for a in facts.assets if a.kind in rule.assets}
    if not kinds:
        return {}, {}, f"the layout has no {' or '.join(rule.assets)}"
    if rule.check == "height" or rule.unit == HEIGHTS:
        unknown = sorted({k for k in kinds.values() if k not in facts.heights_m})
        if unknown:
            return {}, {}, f"the height of {', '.join(unknown)} is not known: give it"
    if rule.check == "height":
        values = {i: facts.heights_m[k] for i, k in kinds.items()}
    elif rule.check == "slope":
        degrees = {a.asset_id: a.slope_deg for a in facts.assets if a.asset_id in kinds}
        values = {i: 100 * math.tan(math.radians(d)) if rule.unit == "%" else d for i, d in degrees.items()}
    elif rule.check == "distance_to_boundary":
        values = distances(facts, rule.assets, [shapely.boundary(facts.boundary)], centre=rule.centre)
    elif rule.check == "distance_to_zone":
        shapes = zones_named(facts, rule.zone)
        if not shapes:
            return (
                {},
                {},
                f"no zone of the layout is named {' or '.join(rule.zone)}: add them as zones, to be measured to",
            )
        values = distances(facts, rule.assets, shapes, centre=rule.centre)
    else:
        values = {}
        for a in facts.assets:
            others = [b.footprint for b in facts.assets if b.kind in rule.others and b is not a]
            if a.asset_id in kinds and others:
                own = a.footprint.centroid if rule.centre else a.footprint
                values[a.asset_id] = float(shapely.distance(own, np.array(others, dtype=object)).min())
        if not values:
            return {}, {}, f"there is no other {' or '.join(rule.others)} in the layout"
    times = {i: facts.heights_m[kinds[i]] if rule.unit == HEIGHTS else 1.0 for i in values}
    return values, {i: limit * times[i] for i in values}, ""


def dead_ends(facts: Facts) -> dict[str, float]:
    """Length of each dead end, from its last junction or else from the entry [m]; a turnaround at its end is a junction."""
    lines = np.array([r.line for r in facts.roads], dtype=object)
    tree = shapely.STRtree(lines)
    entries = np.array(facts.entries, dtype=object)
    out: dict[str, float] = {}
    for k, road in enumerate(facts.roads):
        others = [i for i in tree.query(road.line, "dwithin", JOINED_M).tolist() if i != k]
        xy = shapely.get_coordinates(lines[others])
        joints = xy[shapely.dwithin(shapely.points(xy), road.line, JOINED_M)]
        at = np.asarray(shapely.line_locate_point(road.line, shapely.points(joints)), dtype=np.float64)
        first, last = (shapely.Point(road.line.coords[n][:2]) for n in (0, -1))
        length = float(road.line.length)
        for tip, way in ((first, at), (last, length - at)):
            if not (entries.size and shapely.dwithin(entries, tip, JOINED_M).any()) and not (way <= JOINED_M).any():
                out[road.road_id] = max(float(way.min(initial=length)), out.get(road.road_id, 0.0))
    return out


def _not_covered(facts: Facts, pack: Pack) -> list[Finding]:
    """One finding for each topic that no rule is about, or that is left open for some asset types that stand."""
    kinds = sorted({a.kind for a in facts.assets})
    out = []
    for topic in TOPICS:
        spec = [r for r in pack.rules if r.topic == topic]
        if topic in OF_ASSETS:
            open_ = [k for k in kinds if not any(k in r.assets for r in spec)]
            if not open_:
                continue
            why = f"the pack has no rule for {', '.join(open_)}"
        elif spec:
            continue
        else:
            why = "the pack has no rule for it"
        out.append(Finding("", topic, "not covered", "", None, None, "", (), 0, False, why, None, pack.verified))
    return out
