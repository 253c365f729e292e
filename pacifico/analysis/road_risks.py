"""Risks of a road network: a crossing on which much hangs, and long branches that serve little."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.economics.civil_costs import civil_works
from pacifico.layout.economics.leave_out import removals_over
from pacifico.layout.model.headline import Risk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.roads import Road

MIN_BEHIND = 0.1
"""Smallest share of capacity behind a single crossing that is a risk [-]; engineering judgement."""
MIN_LENGTH = 0.15
"""Smallest share of road length in a branch that is a risk [-]; engineering judgement."""
MIN_BRANCH_M = 100.0
"""Shortest branch that is a risk [m]: a turnaround at the end of a road takes 60 m."""
MANY_TIMES = 3.0
"""Times by which a branch's share of length exceeds its share of capacity to be a risk; engineering judgement."""
DEAR_USD_PER_KW = 600.0
"""Civil works beyond which arrays aren't worth building [USD/kW]: the upper end that the catalog states for
`economics.max_marginal_usd_per_kw`, half the cost of a whole plant."""
MIN_SAVED = 0.05
"""Smallest share of the civil works in dear branches that is a risk [-]; engineering judgement."""
MOST_UNITS = 400
"""Most units of a plan that are looked through for dear branches: the tables grow with their square."""
MOST_BRANCHES = 40
"""Most roads that are looked at as the start of a branch, the longest first."""
PLANT_WIDE = frozenset({"substation", "control_center"})
"""Asset types that all capacity needs: a branch that leads to one serves the whole plant."""
SAME_M = 0.05
"""Distance within which ends of roads meet [m]: roads that meet share a vertex."""


def road_risks(plan: Plan) -> list[Risk]:
    """Risks of a plan's road network; empty without roads or capacity."""
    network = _Network(plan)
    if not plan.road_list or network.total_kw <= 0:
        return []
    return [*_crossing_risks(plan, network), *_branch_risks(plan, network)]


def dear_branches(plan: Plan) -> list[Risk]:
    """Risk of arrays and branches that cost more than they serve, with the limit that leaves them out.

    The stake is their share of the civil works: so much is saved without them. A plan that has a limit of its own has none.
    """
    if plan.spec.number("economics", "max_marginal_usd_per_kw") > 0:
        return []
    works = civil_works(plan)
    if not 1 < len(works.units) <= MOST_UNITS:
        return []
    dear = removals_over(works, DEAR_USD_PER_KW)
    kw, usd = sum(r.kw for r in dear), sum(r.usd for r in dear)
    if usd < MIN_SAVED * works.usd:
        return []
    gone = sum(1 << u for removal in dear for u in removal.units)
    only = [r for r in plan.road_list if works.roads[r.road_id] and works.roads[r.road_id] & ~gone == 0]
    where = ""
    if only:
        longest = max(only, key=lambda r: r.length_m)
        where = f" on {sum(r.length_m for r in only) / 1000:,.1f} km of road (longest {longest.road_id})"
    text = (
        f"{kw / 1000:,.2f} MW{where} cost {usd / kw:,.0f} USD/kW of road, earthwork, cable and skid: "
        f"max_marginal_usd_per_kw of {DEAR_USD_PER_KW:g} leaves them out"
    )
    return [Risk(usd / works.usd, text)]


def _crossing_risks(plan: Plan, network: _Network) -> Iterator[Risk]:
    """Risk of the crossing behind which most capacity lies, if it is the only way there."""
    roads = {r.road_id for r in plan.road_list}
    behind = [(network.behind(c.of_id)[0], c) for c in plan.crossing_list if c.of_id in roads and not c.existing]
    share, crossing = max(behind, key=lambda b: b[0], default=(0.0, None))
    if crossing is not None and share >= MIN_BEHIND:
        over = crossing.over or crossing.zone_type
        yield Risk(share, f"{share:.0%} of the capacity hangs on one {crossing.crossing_type} over {over}")


def _branch_risks(plan: Plan, network: _Network) -> Iterator[Risk]:
    """Risk of the branch that is longest for the capacity it serves."""
    total_m = sum(r.length_m for r in plan.road_list)
    longest = sorted(plan.road_list, key=lambda r: (-r.length_m, r.road_id))[:MOST_BRANCHES]
    worst, text = 0.0, ""
    for road in longest:
        capacity, length_m = network.behind(road.road_id)
        length = length_m / total_m
        if length_m < MIN_BRANCH_M or length < MIN_LENGTH or length < MANY_TIMES * capacity:
            continue
        if length - capacity > worst:
            worst = length - capacity
            text = f"a branch of {length_m / 1000:,.1f} km, {length:.0%} of all roads, serves {capacity:.0%} of the capacity"
    if text:
        # what it serves may be dropped, what it costs may be saved: a fifth of its surplus length ranks it among the rest
        yield Risk(worst / 5, text)


class _Network:
    """Roads as a graph, with the capacity of each."""

    def __init__(self, plan: Plan) -> None:
        self._at: dict[tuple[int, int], list[int]] = defaultdict(list)
        self._roads = plan.road_list
        self._index = {r.road_id: n for n, r in enumerate(plan.road_list)}
        self._nodes = [_ends(r) for r in plan.road_list]
        for n, nodes in enumerate(self._nodes):
            for node in nodes:
                self._at[node].append(n)
        self._starts = [n for n, r in enumerate(plan.road_list) if _meets(r, plan)]
        self._kw = np.zeros(len(plan.road_list))
        self._plant_wide = np.zeros(len(plan.road_list), dtype=bool)
        for asset in plan.asset_list:
            kw = asset.item.storage_kw if plan.profile == "bess" else asset.item.capacity_kw
            if asset.service_road_id in self._index:
                self._kw[self._index[asset.service_road_id]] += kw
                self._plant_wide[self._index[asset.service_road_id]] |= asset.item.kind in PLANT_WIDE
        self.total_kw = float(self._kw.sum())

    def behind(self, road_id: str) -> tuple[float, float]:
        """Share of capacity [-] that hangs on a road, and length of roads [m] that only it reaches, itself included.

        All capacity hangs on the only road to what the whole plant needs, such as its substation.
        """
        reached = self._reached(without=self._index[road_id])
        lost = [n for n in range(len(self._roads)) if n not in reached]
        length_m = sum(self._roads[n].length_m for n in lost)
        return 1.0 if self._plant_wide[lost].any() else float(self._kw[lost].sum()) / self.total_kw, length_m

    def _reached(self, *, without: int) -> set[int]:
        """Roads that the entries reach without one of them."""
        todo = [n for n in self._starts if n != without]
        seen = set(todo)
        while todo:
            for node in self._nodes[todo.pop()]:
                for other in self._at[node]:
                    if other not in seen and other != without:
                        seen.add(other)
                        todo.append(other)
        return seen


def _ends(road: Road) -> list[tuple[int, int]]:
    """Both ends of a road, rounded so that meeting ends are equal."""
    xy = shapely.get_coordinates(road.line)
    return [(round(x / SAME_M), round(y / SAME_M)) for x, y in (xy[0], xy[-1])]


def _meets(road: Road, plan: Plan) -> bool:
    """Whether a road starts at an entry."""
    first = shapely.Point(shapely.get_coordinates(road.line)[0])
    return any(first.distance(entry) <= SAME_M for entry in plan.entries)
