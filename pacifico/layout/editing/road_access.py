"""."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import EditRefused, named
from pacifico.layout.editing import road_graph as roads_
from pacifico.layout.editing import spurs as spurs_
from pacifico.layout.editing.road_graph import Net, Wanted
from pacifico.layout.model.assets import pad_outline
from pacifico.layout.model.edits import SAME_M, pose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Polygon

    from pacifico.layout.editing.context import EditContext
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Asset, Item
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.roads import Road


def network(plan: Plan) -> Net:
    """Roads of a plan."""
    return Net(plan.road_list, (plan.entry.x, plan.entry.y))


def _served(
    plan: Plan,
    context: EditContext,
    field: Field,
    wanted: Wanted,
    item: Item,
    others: Sequence[Asset],
    old: Asset | None,
) -> tuple[str, Net]:
    """Road that serves an asset at its place, and the roads as they are then."""
    criteria, whole = context.roads, network(plan)
    left = Counter(a.service_road_id for a in others)
    liked = old.service_road_id if old is not None else ""
    # a turnaround that serves for once stays a turnaround after that
    borrowed = {e.borrowed for e in plan.edits if e.borrowed}
    dead = roads_.dead_roads(whole, left, [liked]) if liked and liked not in borrowed else set()
    idle = roads_.turnarounds_of(whole, left + Counter([liked] if liked not in borrowed else []))
    hits = roads_.blocked_by(whole, wanted.taken, criteria)
    needed = [h for h in hits if h not in dead]
    if needed:
        raise EditRefused(
            f"{wanted.name} would stand on road {named(needed)}, which others need; its pad keeps "
            f"{criteria.clearance_m:g} m from roads of {criteria.width_m:g} m: move it clear of the road"
        )
    taken = [pad_outline(a.item) or a.footprint for a in others]
    since = {i for e in plan.edits for i in e.roads_added if e.subject == wanted.name}
    before = _roads_before(plan, wanted.name, item)
    if before:
        bare = whole.without(dead)
        found = roads_.restored(bare, before, wanted, [*taken, wanted.taken], field, criteria)
        if found:
            net = bare.plus(before)
            left[found] += 1
            return found, net.without(roads_.dead_roads(net, left, sorted(since)))
    if not hits:
        # a spur that an edit drew for this asset alone comes last: what stood before serves first
        found, why = roads_.server_of(whole.without(dead & since), wanted, criteria, liked=liked, last=idle)
        if not found:
            found, why = roads_.server_of(whole, wanted, criteria, liked=liked, last=idle)
        if found:
            net, added = without_dead(whole, [*others], [liked], plan, context, field, keep=found, more=[wanted.taken])
            return found, net.plus(added)
    net, added = without_dead(whole, others, [liked], plan, context, field, more=[wanted.taken])
    net = net.plus(added)
    found, why = roads_.server_of(net, wanted, criteria, last=idle)
    if found:
        return found, net
    zones = [z for z in plan.site.exclusions if z.zone_type == "cost"]
    try:
        spur = spurs_.spur_to(
            net, wanted, place=field, taken=[*taken, wanted.taken], zones=zones, served=left, criteria=context.roads,
            first_number=next_road(plan, net),
        )  # fmt: skip
    except EditRefused as refusal:
        raise EditRefused(f"{refusal} ({why})") from None
    return spur[0].road_id, net.plus(spur)


def _roads_before(plan: Plan, name: str, item: Item) -> tuple[Road, ...]:
    """Roads that an earlier edit took away when it moved this asset from where it now returns to."""
    for e in reversed(plan.edits):
        if e.subject == name and e.before is not None and np.allclose(e.before, pose(item), rtol=0, atol=SAME_M * 10):
            there = {r.road_id for r in plan.road_list}
            return tuple(r for r in e.roads_removed if r.road_id not in there)
    return ()


def next_road(plan: Plan, net: Net) -> int:
    """Number that no road of a plan has or had."""
    past = [i for e in plan.edits for i in (*e.roads_added, *(r.road_id for r in e.roads_removed))]
    return net.next_id((*past, *(r.road_id for r in plan.road_list)))


def without_dead(
    net: Net,
    assets: Sequence[Asset],
    suspects: Sequence[str],
    plan: Plan,
    context: EditContext,
    field: Field,
    *,
    keep: str = "",
    more: Sequence[Polygon] = (),
) -> tuple[Net, tuple[Road, ...]]:
    """Roads less those that serve nothing any more, and turnarounds at ends that became dead by it."""
    left = Counter(a.service_road_id for a in assets)
    left[keep] += bool(keep)
    borrowed = {e.borrowed for e in plan.edits}
    dead = roads_.dead_roads(net, left, [s for s in suspects if s and s not in borrowed])
    if not dead:
        return net, ()
    less = net.without(dead)
    taken = [*(pad_outline(a.item) or a.footprint for a in assets), *more]
    arms = spurs_.new_turnarounds(
        less, net, place=field, taken=taken, criteria=context.roads, first_number=next_road(plan, net)
    )
    return less, arms
