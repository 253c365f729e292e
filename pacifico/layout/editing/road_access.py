"""Find the road that serves an edited asset, or build one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import EditRefused, named
from pacifico.layout.editing.road_graph import (
    NoRoad,
    find_server,
    roads_under,
    server_among_retired,
    turnarounds_of,
    unneeded_roads,
)
from pacifico.layout.editing.spurs import new_turnarounds, spur_to
from pacifico.layout.model.edits import SAME_M, pose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Polygon

    from pacifico.layout.editing.change import Change
    from pacifico.layout.editing.road_graph import RoadGraph, RoadTarget
    from pacifico.layout.model.assets import Asset, Item
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.roads import Road


@dataclass(frozen=True)
class Served:
    """Road that serves an asset, and all roads then."""

    road_id: str
    roads: RoadGraph


def serve_asset(change: Change, target: RoadTarget, item: Item, others: Sequence[Asset], old: Asset | None) -> Served:
    """Connect an asset at its new place to the roads.

    Roads that an earlier edit removed here come back first. Then existing roads are tried, then a new spur.
    Roads that only the old place needed are removed.

    Parameters
    ----------
    change : Change
        The edit under way.
    target : RoadTarget
        The asset at its new place.
    item : Item
        The same asset's item.
    others : sequence of Asset
        All other assets.
    old : Asset, optional
        The asset at its old place; None for a new one.

    Raises
    ------
    EditRefused
        The place is on a road that others need, or no road reaches it.
    """
    criteria, before = change.context.roads, change.roads
    count = Counter(a.service_road_id for a in others)
    old_road = old.service_road_id if old is not None else ""
    # a turnaround that served an asset for a while remains a turnaround
    borrowed = {e.borrowed for e in change.plan.edits if e.borrowed}
    own_road = old_road if old_road not in borrowed else ""
    unneeded = unneeded_roads(before, count, [own_road]) if own_road else set()
    under = _roads_under(before, target, unneeded, change)
    added_for_it = {i for e in change.plan.edits for i in e.roads_added if e.subject == target.asset_id}
    retired = _roads_before(change.plan, target.asset_id, item)
    restored = _restored(change, target, others, before.without(unneeded), retired)
    if restored is not None:
        count[restored.road_id] += 1
        return replace(
            restored, roads=restored.roads.without(unneeded_roads(restored.roads, count, sorted(added_for_it)))
        )
    idle = turnarounds_of(before, count + Counter([old_road] if old_road not in borrowed else []))
    if not under:
        # a spur that an edit built for this asset alone comes last: roads that are older serve first
        found = find_server(before.without(unneeded & added_for_it), target, criteria, first=old_road, last=idle)
        if isinstance(found, NoRoad):
            found = find_server(before, target, criteria, first=old_road, last=idle)
        if not isinstance(found, NoRoad):
            return Served(found, without_unneeded(change, before, others, [old_road], target=target, server=found))
    roads = without_unneeded(change, before, others, [old_road], target=target)
    found = find_server(roads, target, criteria, last=idle)
    if not isinstance(found, NoRoad):
        return Served(found, roads)
    constraints = change.constraints(others, target.obstacle)
    spur = spur_to(roads, target, constraints, served=count, first_number=change.next_road_number(roads))
    if isinstance(spur, NoRoad):
        raise EditRefused(
            f"no road reaches {target.asset_id} there: {spur.reason}; choose a place nearer a road, "
            f"or gentler ground between ({found.reason})"
        )
    return Served(spur[0].road_id, roads.plus(spur))


def _restored(
    change: Change, target: RoadTarget, others: Sequence[Asset], roads: RoadGraph, retired: Sequence[Road]
) -> Served | None:
    """Road of an earlier edit that serves an asset again, if any.

    Parameters
    ----------
    change : Change
        The edit under way.
    target : RoadTarget
        The asset at its new place.
    others : sequence of Asset
        All other assets.
    roads : RoadGraph
        Roads without those that only the old place needed.
    retired : sequence of Road
        Roads that the earlier edit removed.
    """
    server = server_among_retired(roads, retired, target, change.constraints(others, target.obstacle))
    return None if server is None else Served(server, roads.plus(retired))


def _roads_under(roads: RoadGraph, target: RoadTarget, unneeded: set[str], change: Change) -> list[str]:
    """Roads under an asset, all of them unneeded.

    Parameters
    ----------
    roads : RoadGraph
        Roads now.
    target : RoadTarget
        Asset to reach.
    unneeded : set of str
        Roads that only the asset's old place needed.
    change : Change
        The edit under way.

    Raises
    ------
    EditRefused
        Another asset needs one of them.
    """
    criteria = change.context.roads
    under = roads_under(roads, target.obstacle, criteria)
    needed = [i for i in under if i not in unneeded]
    if needed:
        raise EditRefused(
            f"{target.asset_id} would stand on road {named(needed)}, which others need; its pad keeps "
            f"{criteria.clearance_m:g} m from roads of {criteria.width_m:g} m: move it clear of the road"
        )
    return under


def _roads_before(plan: Plan, asset_id: str, item: Item) -> tuple[Road, ...]:
    """Roads removed when an asset left the place it returns to."""
    for e in reversed(plan.edits):
        if (
            e.subject == asset_id
            and e.before is not None
            and np.allclose(e.before, pose(item), rtol=0, atol=10 * SAME_M)
        ):
            present = {r.road_id for r in plan.road_list}
            return tuple(r for r in e.roads_removed if r.road_id not in present)
    return ()


def without_unneeded(
    change: Change,
    roads: RoadGraph,
    assets: Sequence[Asset],
    suspects: Sequence[str],
    *,
    target: RoadTarget | None = None,
    server: str = "",
) -> RoadGraph:
    """Remove roads that nothing needs; give new dead ends a turnaround.

    Parameters
    ----------
    change : Change
        The edit under way.
    roads : RoadGraph
        Roads to remove from.
    assets : sequence of Asset
        Assets that remain, each with the road that serves it.
    suspects : sequence of str
        Roads that lost an asset; only these and the roads that lead to them are looked at.
    target : RoadTarget, optional
        A further asset, not yet among `assets`.
    server : str
        Road that serves the target.
    """
    count = Counter(a.service_road_id for a in assets)
    count[server] += bool(server)
    borrowed = {e.borrowed for e in change.plan.edits}
    unneeded = unneeded_roads(roads, count, [s for s in suspects if s and s not in borrowed])
    if not unneeded:
        return roads
    rest = roads.without(unneeded)
    more: list[Polygon] = [] if target is None else [target.obstacle]
    arms = new_turnarounds(rest, roads, change.constraints(assets, *more), first_number=change.next_road_number(roads))
    return rest.plus(arms)
