"""Leave units out of a layout whose civil works cost more than a limit."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.access.connect import renumber
from pacifico.layout.alignment import _line_kernels
from pacifico.layout.economics.civil_costs import civil_works
from pacifico.layout.economics.needs import unit_bits
from pacifico.layout.economics.removal_order import Removal, removal_order
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.model.roads import make_road, road_criteria
from pacifico.layout.model.unreached import Unreached, UnreachedCause
from pacifico.layout.placement.draft import has_plant
from pacifico.layout.placement.skids import block_loads, least_block_kw, with_sized_skids

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.economics.civil_costs import CivilWorks
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.roads import Road, RoadCriteria

Vertex = tuple[float, float]


@dataclass(frozen=True)
class LeftOut:
    """Layout without the units that are not worth their civil works."""

    served: ServedLayout
    unplaced: tuple[Unplaced, ...]
    """What was left out, and why."""
    warnings: tuple[str, ...]
    """That what remains costs more than the limit, if it does."""


def leave_out(plan: Plan, served: ServedLayout) -> LeftOut | None:
    """Layout without units over the limit on marginal cost; None where none is.

    The dearest branch is left out first, until the next costs no more than the limit. What is left out under a limit is
    left out under every lower one too.

    Parameters
    ----------
    plan : Plan
        Plan of the layout, with its limit in `spec`.
    served : ServedLayout
        The layout; its items are the plan's assets, in the same order.
    """
    limit = plan.spec.number("economics", "max_marginal_usd_per_kw")
    if limit <= 0:
        return None
    works = civil_works(plan)
    removals = removals_over(works, limit)
    if not removals:
        return None
    reasons = {k: why(removal, limit) for k, removal in _assets_out(plan, works, removals).items()}
    left = without_assets(plan, served, works, reasons)
    return replace(left, warnings=_warnings(Removal.of_rest(works, removals), limit))


def without_assets(plan: Plan, served: ServedLayout, works: CivilWorks, reasons: Mapping[int, str]) -> LeftOut:
    """Layout without some assets, and without the roads that no other unit needs.

    Parameters
    ----------
    plan : Plan
        Plan of the layout.
    served : ServedLayout
        The layout; its items are the plan's assets, in the same order.
    works : CivilWorks
        Units of the plan, and the roads that they need.
    reasons : mapping
        Assets to leave out, each with the reason.
    """
    unreached = {k: Unreached(UnreachedCause.NOT_WORTH_IT, reason) for k, reason in reasons.items()}
    gone = sum(1 << u for u, unit in enumerate(works.units) if all(k in reasons for k in unit.assets))
    useless = {road_id for road_id, bits in works.roads.items() if bits & ~gone == 0}
    entry = served.network.entry
    start = None if entry is None else (entry.x, entry.y)
    roads = without_roads(served.network.roads, useless, road_criteria(plan.spec, plan.profile), start)
    items, network = renumber(served.items, replace(served.network, roads=roads), unreached)
    sized = with_sized_skids(items, plan.spec)
    pads = tuple(p for k, p in enumerate(served.pads) if k not in reasons)
    counts = Counter((served.items[k].kind, reason) for k, reason in reasons.items())
    unplaced = tuple(Unplaced(kind, n, reason, UnreachedCause.NOT_WORTH_IT) for (kind, reason), n in counts.items())
    return LeftOut(replace(served, items=sized, pads=pads, network=network), unplaced, ())


def _assets_out(plan: Plan, works: CivilWorks, removals: Sequence[Removal]) -> dict[int, Removal]:
    """Assets that are left out, with their removals.

    A skid goes with the last of its arrays.
    """
    out: dict[int, Removal] = {}
    bits = unit_bits(works.units, plan.asset_list)
    gone = 0
    for removal in removals:
        gone |= sum(1 << u for u in removal.units)
        for k, needs in enumerate(bits):
            if needs & ~gone == 0:
                out.setdefault(k, removal)
    return out | _small_rests(plan, out)


def _small_rests(plan: Plan, out: Mapping[int, Removal]) -> dict[int, Removal]:
    """Rests of power blocks too small for a skid, each with its removal.

    It is the dearest removal from the block. A plant of nothing else keeps its rests.

    Parameters
    ----------
    plan : Plan
        Layout.
    out : mapping
        Assets that are left out, with the removal that they go with.
    """
    left = [a.item for k, a in enumerate(plan.asset_list) if k not in out]
    least_kw = least_block_kw(plan.spec)
    touched = {plan.asset_list[k].item.block: removal for k, removal in reversed(list(out.items()))}
    small = {block for block, kw in block_loads(left).items() if kw < least_kw and block in touched}
    found = {k: touched[a.item.block] for k, a in enumerate(plan.asset_list) if k not in out and a.item.block in small}
    others = any(has_plant([item]) for item in left if item.block not in small)
    return found if others else {}


def removals_over(works: CivilWorks, limit: float) -> list[Removal]:
    """Removals up to the first that costs no more than a limit [USD/kW]."""
    found = []
    for removal in removal_order(works):
        if removal.usd_per_kw <= limit:
            break
        found.append(removal)
    return found


def why(removal: Removal, limit: float) -> str:
    """Why units were left out."""
    return (
        f"left out: {removal.usd_per_kw:,.0f} USD/kW of road, cable and earthwork, over the limit of {limit:,.0f} USD/kW; "
        "raise max_marginal_usd_per_kw"
    )


def _warnings(rest: Removal, limit: float) -> tuple[str, ...]:
    """Warning that the rest costs more than a limit [USD/kW], if it does."""
    if rest.usd_per_kw <= limit:
        return ()
    cost = f"{rest.usd_per_kw:,.0f} USD/kW of road, cable and earthwork, over the limit of {limit:,.0f} USD/kW"
    shared = "all of it needs the same entry road and substation"
    return (f"what remains costs {cost}: {shared}; raise max_marginal_usd_per_kw or choose another site",)


def without_roads(
    roads: Sequence[Road], removed: set[str], criteria: RoadCriteria, entry: Vertex | None
) -> tuple[Road, ...]:
    """Roads without some branches.

    Where a branch left, a stub of it stays if vehicles need it: at a new dead end to turn, on the way to a dead end that
    is too long to back out of, or where two roads would meet in a bend instead of a junction.

    Parameters
    ----------
    roads : sequence of Road
        All roads.
    removed : set of str
        Identifiers of roads to remove.
    criteria : RoadCriteria
        Length of a stub, radius of bends, and longest dead end.
    entry : (float, float), optional
        Where the network begins [m].
    """
    kept = [r for r in roads if r.road_id not in removed]
    ends = _ends([r for r in roads if r.road_id in removed])
    directions = _directions(kept, ends)
    stubs: dict[str, Road] = {}
    passed: dict[Vertex, Road] = {}
    for vertex, branches in ends.items():
        here = directions[vertex]
        radius = criteria.min_radius_m + criteria.width_m / 2
        if len(here) == 1 and len(branches) > 1:
            needed = branches[:2]
        elif len(here) == 2 and _line_kernels.is_bend(_turn(*here), radius):
            needed = branches[:1]
        else:
            needed = []
            if len(here) == 2:
                passed[vertex] = branches[0]
        for road in needed:
            stubs.setdefault(road.road_id, _stub(road, vertex, criteria.turnaround_arm_m))
    for vertex in _turning_places([*kept, *stubs.values()], passed.keys(), criteria.turnaround_over_m, entry):
        road = passed[vertex]
        stubs.setdefault(road.road_id, _stub(road, vertex, criteria.turnaround_arm_m))
    return tuple(stubs.get(r.road_id, r) for r in roads if r.road_id not in removed or r.road_id in stubs)


def _ends(roads: Sequence[Road]) -> dict[Vertex, list[Road]]:
    """Roads that end at each vertex."""
    ends: dict[Vertex, list[Road]] = defaultdict(list)
    for road in roads:
        xy = shapely.get_coordinates(road.line)
        for x, y in xy[[0, -1]].tolist():
            ends[x, y].append(road)
    return dict(ends)


def _turning_places(
    roads: Sequence[Road], places: Collection[Vertex], longest_m: float, entry: Vertex | None
) -> list[Vertex]:
    """Places at which vehicles turn before dead ends that are too long, at most one for each dead end.

    Parameters
    ----------
    roads : sequence of Road
        Network.
    places : collection of (float, float)
        Vertices of the network from which a branch left.
    longest_m : float
        Longest dead end without a place to turn [m].
    entry : (float, float), optional
        Where the network begins [m].
    """
    beside: dict[Vertex, list[Vertex]] = defaultdict(list)
    for road in roads:
        xy = [(x, y) for x, y in shapely.get_coordinates(road.line).tolist()]
        for a, b in pairwise(xy):
            beside[a].append(b)
            beside[b].append(a)
    found = []
    for end in [v for v, near in beside.items() if len(near) == 1 and v != entry]:
        before, at, run_m = end, beside[end][0], math.dist(end, beside[end][0])
        met = []
        while len(beside[at]) == 2 and at != entry:
            if at in places:
                met.append((run_m, at))
            before, at = at, next(v for v in beside[at] if v != before)
            run_m += math.dist(before, at)
        if met and run_m > longest_m:
            near_enough = [m for m in met if m[0] <= longest_m]
            found.append((max(near_enough) if near_enough else min(met))[1])
    return found


def _directions(roads: Sequence[Road], at: Mapping[Vertex, object]) -> dict[Vertex, list[FloatArray]]:
    """Directions in which roads leave some vertices."""
    found: dict[Vertex, list[FloatArray]] = {vertex: [] for vertex in at}
    for road in roads:
        xy = shapely.get_coordinates(road.line)
        for k, (x, y) in enumerate(xy.tolist()):
            if (x, y) in found:
                found[x, y] += [xy[n] - xy[k] for n in (k - 1, k + 1) if 0 <= n < len(xy)]
    return found


def _turn(a: FloatArray, b: FloatArray) -> float:
    """Angle by which a vehicle turns that comes along one direction and leaves along the other [rad]."""
    cosine = -float(a @ b) / float(np.hypot(*a) * np.hypot(*b))
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _stub(road: Road, vertex: Vertex, least_m: float) -> Road:
    """First vertices of a road from one of its ends, over a least length [m]."""
    xyz = shapely.get_coordinates(road.line, include_z=True)
    if (xyz[0, 0], xyz[0, 1]) != vertex:
        xyz = xyz[::-1]
    run = np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))
    count = int(np.searchsorted(run, least_m)) + 2
    return make_road(road.road_id, "spur", xyz[:count], road.width_m)
