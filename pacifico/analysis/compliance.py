"""Compliance: check a layout against the rules of a pack.

Each rule passes, fails or is not evaluable; a topic without a rule is not covered and never passes. Distances are in
plan, in the working CRS, from footprints unless a rule says otherwise. Dwellings, public roads and the like are zones
of the layout, found by their names.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from pacifico.analysis.rule_packs import AREAS, HEIGHTS, LENGTHS, OF_ASSETS, TOPICS, UPPER_LIMITS, Pack, Rule, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely import LineString
    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.model.plan import Plan

Status = Literal["pass", "fail", "not evaluable", "not covered"]
STATUSES: tuple[Status, ...] = ("fail", "pass", "not evaluable", "not covered")
ROUNDING_M = 0.002
"""Tolerance of distances and widths [m]: a layout's coordinates are rounded to about 1 mm."""
ROUNDING = 1e-3
"""Tolerance of angles, grades and areas: layouts state three decimals."""
JOINED_M = 0.05
"""Roads nearer than this are connected [m]."""
MAX_NAMED = 5
"""Subjects that a finding's line names."""


@dataclass(frozen=True)
class AssetFact:
    """Facts of an asset that rules check."""

    asset_id: str
    kind: str
    footprint: BaseGeometry
    slope_deg: float


@dataclass(frozen=True)
class RoadFact:
    """Facts of a road that rules check."""

    road_id: str
    line: LineString
    width_m: float
    max_grade_pct: float


@dataclass(frozen=True)
class Facts:
    """Facts of a layout that rules check, in the working CRS."""

    boundary: BaseGeometry
    site_area_ha: float
    assets: tuple[AssetFact, ...]
    roads: tuple[RoadFact, ...]
    zones: tuple[tuple[str, BaseGeometry], ...]
    """Name and shape of each zone, without its buffer."""
    entries: tuple[BaseGeometry, ...] = ()
    heights_m: Mapping[str, float] = field(default_factory=dict)
    """Height of asset types above ground, where it is known [m]."""


@dataclass(frozen=True)
class Finding:
    """Result of one rule for a layout."""

    rule_id: str
    topic: str
    status: Status
    says: str
    value: float | None
    """Worst measured value, in `unit`."""
    limit: float | None
    unit: str
    subjects: tuple[tuple[str, float], ...]
    """Assets or roads that fail, with their values; without any, the one nearest the limit."""
    checked: int
    """Number of assets or roads measured."""
    most: bool
    """Whether the limit is an upper one."""
    why: str
    """Why it is not evaluable, or what is not covered."""
    source: Source | None
    verified: bool
    """Whether the limit was read in the cited text."""


def facts_of(plan: Plan) -> Facts:
    """Facts of a plan; the height of turbines is from its spec."""
    spec = plan.spec
    tip = spec.number("wind_turbine", "hub_m") + spec.number("wind_turbine", "rotor_m") / 2
    return Facts(
        plan.site.boundary,
        plan.site.area_ha,
        tuple(AssetFact(a.asset_id, a.item.kind, a.footprint, a.slope_deg) for a in plan.asset_list),
        tuple(RoadFact(r.road_id, r.line, r.width_m, r.max_grade_pct) for r in plan.road_list),
        tuple((z.name, z.geometry) for z in plan.site.exclusions),
        plan.entries,
        {"wind_turbine": tip},
    )


def evaluate(facts: Facts, pack: Pack) -> tuple[Finding, ...]:
    """Findings for each rule of a pack and each uncovered topic.

    Parameters
    ----------
    facts : Facts
        From a plan (`facts_of`) or a stored layout (`facts_of_layout`).
    pack : Pack
        From `read_pack`.
    """
    findings = [_finding(facts, rule, verified=pack.verified) for rule in pack.rules]
    return (*findings, *_not_covered(facts, pack))


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """Number of findings with each status."""
    found = Counter(f.status for f in findings)
    return {status: found[status] for status in STATUSES}


def as_data(pack: Pack, findings: Sequence[Finding]) -> dict[str, Any]:
    """Pack and findings as plain data, for JSON."""
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
    """Finding in one line."""
    if finding.status == "not covered":
        return f"{finding.topic}: {finding.why}"
    head = f"{finding.rule_id} {finding.topic}: {finding.says}"
    if finding.status == "not evaluable" or finding.value is None or finding.source is None:
        return f"{head} - {finding.why}"
    bound = "at most" if finding.most else "at least"
    subjects = ", ".join(f"{i} {v:g}" for i, v in finding.subjects[:MAX_NAMED])
    more = len(finding.subjects) - MAX_NAMED
    measured = f"{subjects}{f' and {more} more' if more > 0 else ''} {finding.unit}, {bound} {finding.limit:g}"
    return f"{head} - {measured} ({finding.source.title}, {finding.source.section})"


def distances(
    facts: Facts, kinds: Sequence[str], to: Sequence[BaseGeometry], *, centre: bool = False
) -> dict[str, float]:
    """Distance of assets to the nearest of some shapes [m].

    Parameters
    ----------
    facts : Facts
        Assets of the layout.
    kinds : sequence of str
        Asset types to measure.
    to : sequence of geometry
        Shapes in the working CRS [m].
    centre : bool
        Whether to measure from the centre, not from the footprint.
    """
    assets = [a for a in facts.assets if a.kind in kinds]
    if not assets or not to:
        return {}
    own = np.array([a.footprint.centroid if centre else a.footprint for a in assets], dtype=object)
    nearest = shapely.distance(own[:, None], np.array(list(to), dtype=object)[None, :]).min(axis=1)
    return {a.asset_id: float(d) for a, d in zip(assets, nearest, strict=True)}


def zones_named(facts: Facts, words: Sequence[str]) -> list[BaseGeometry]:
    """Zones with one of some words in their name, in any case."""
    return [shape for name, shape in facts.zones if any(w in name.lower() for w in words)]


@dataclass(frozen=True)
class _Measured:
    """Values measured for a rule, or why there are none."""

    values: Mapping[str, float] = field(default_factory=dict)
    """Values in metres, hectares or the rule's unit."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Limit of each, in the same unit."""
    why: str = ""
    """Why nothing could be measured."""


def _finding(facts: Facts, rule: Rule, *, verified: bool) -> Finding:
    """Finding of one rule."""
    measured = _measured(facts, rule)
    values, limits = measured.values, measured.limits
    failing = {i for i, v in values.items() if _breaks(rule, v, limits[i])}
    # worst first: farthest beyond its limit, or nearest to it
    sign = 1 if rule.check in UPPER_LIMITS else -1
    order = sorted(values, key=lambda i: ((limits[i] - values[i]) * sign, i))
    status: Status = "not evaluable" if not values else "fail" if failing else "pass"
    subjects = [i for i in order if i in failing] or order[:1]
    shown = tuple((i, round(_in_unit(rule, values[i], facts, i), 3)) for i in subjects)
    return Finding(
        rule.rule_id,
        rule.topic,
        status,
        rule.says,
        shown[0][1] if shown else None,
        rule.limit if rule.check != "none" else None,
        rule.unit,
        shown,
        len(values),
        rule.check in UPPER_LIMITS,
        measured.why,
        rule.source,
        verified,
    )


def _breaks(rule: Rule, value: float, limit: float) -> bool:
    """Whether a value breaks its limit beyond rounding."""
    slack = ROUNDING_M if rule.unit in LENGTHS or rule.unit == HEIGHTS else ROUNDING
    return value > limit + slack if rule.check in UPPER_LIMITS else value < limit - slack


def _in_unit(rule: Rule, value: float, facts: Facts, subject: str) -> float:
    """Convert a measured value to the rule's unit.

    Parameters
    ----------
    rule : Rule
        Rule with its unit.
    value : float
        Value in metres, hectares or the rule's unit.
    facts : Facts
        Heights of asset types, for limits in heights.
    subject : str
        Asset or road that was measured.
    """
    if rule.unit == HEIGHTS:
        kind = next(a.kind for a in facts.assets if a.asset_id == subject)
        return value / facts.heights_m[kind]
    return value / LENGTHS.get(rule.unit, AREAS.get(rule.unit, 1.0))


def _measured(facts: Facts, rule: Rule) -> _Measured:
    """Measure what a rule limits."""
    limit = rule.limit * LENGTHS.get(rule.unit, AREAS.get(rule.unit, 1.0))
    if rule.check == "none":
        return _Measured(why=rule.why)
    if rule.check == "site_area":
        return _Measured({"site": facts.site_area_ha}, {"site": limit})
    if rule.check in ("road_grade", "road_width", "dead_end"):
        if not facts.roads:
            return _Measured(why="the layout has no road")
        if rule.check == "road_grade":
            values = {r.road_id: r.max_grade_pct for r in facts.roads}
        elif rule.check == "road_width":
            values = {r.road_id: r.width_m for r in facts.roads}
        else:
            # a network without dead ends keeps every limit on them
            values = dead_ends(facts) or {facts.roads[0].road_id: 0.0}
        return _Measured(values, dict.fromkeys(values, limit))
    return _measured_assets(facts, rule, limit)


def _measured_assets(facts: Facts, rule: Rule, limit: float) -> _Measured:
    """Measure what a rule limits at assets; `limit` in metres or its unit."""
    kinds = {a.asset_id: a.kind for a in facts.assets if a.kind in rule.assets}
    if not kinds:
        return _Measured(why=f"the layout has no {' or '.join(rule.assets)}")
    if rule.check == "height" or rule.unit == HEIGHTS:
        unknown = sorted({k for k in kinds.values() if k not in facts.heights_m})
        if unknown:
            return _Measured(why=f"the height of {', '.join(unknown)} is not known: give it")
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
            names = " or ".join(rule.zone)
            return _Measured(why=f"no zone of the layout is named {names}: add such zones to measure the distance")
        values = distances(facts, rule.assets, shapes, centre=rule.centre)
    else:
        values = _distances_to_assets(facts, rule)
        if not values:
            return _Measured(why=f"there is no other {' or '.join(rule.others)} in the layout")
    times = {i: facts.heights_m[kinds[i]] if rule.unit == HEIGHTS else 1.0 for i in values}
    return _Measured(values, {i: limit * times[i] for i in values})


def _distances_to_assets(facts: Facts, rule: Rule) -> dict[str, float]:
    """Distance of a rule's assets to the nearest other asset [m]."""
    found = {}
    for a in facts.assets:
        others = [b.footprint for b in facts.assets if b.kind in rule.others and b is not a]
        if a.kind in rule.assets and others:
            own = a.footprint.centroid if rule.centre else a.footprint
            found[a.asset_id] = float(shapely.distance(own, np.array(others, dtype=object)).min())
    return found


def dead_ends(facts: Facts) -> dict[str, float]:
    """Length of each dead end from its last junction [m].

    Without a junction it begins at the entry. A turnaround at its end is a junction.
    """
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
        for tip, distance in ((first, at), (last, length - at)):
            is_entry = bool(entries.size) and bool(shapely.dwithin(entries, tip, JOINED_M).any())
            if not is_entry and not (distance <= JOINED_M).any():
                out[road.road_id] = max(float(distance.min(initial=length)), out.get(road.road_id, 0.0))
    return out


def _not_covered(facts: Facts, pack: Pack) -> list[Finding]:
    """Findings for topics that the rules of a pack don't cover."""
    kinds = sorted({a.kind for a in facts.assets})
    out = []
    for topic in TOPICS:
        rules = [r for r in pack.rules if r.topic == topic]
        if topic in OF_ASSETS:
            uncovered = [k for k in kinds if not any(k in r.assets for r in rules)]
            if not uncovered:
                continue
            why = f"the pack has no rule for {', '.join(uncovered)}"
        elif rules:
            continue
        else:
            why = "the pack has no rule for it"
        out.append(Finding("", topic, "not covered", "", None, None, "", (), 0, False, why, None, pack.verified))
    return out
