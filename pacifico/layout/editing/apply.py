"""What an edit does to a plan: roads pruned, spurs drawn, works measured, everything else carried over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely

from pacifico.errors import EditRefused
from pacifico.layout.access.connect import serve
from pacifico.layout.criteria.request import smallest_unit_kw
from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.earthwork.pads import balanced_pads
from pacifico.layout.editing import place_checks as place_
from pacifico.layout.editing import road_graph as roads_
from pacifico.layout.editing import spurs as spurs_
from pacifico.layout.editing.reroute import Scene, led_round
from pacifico.layout.editing.road_graph import Net, Wanted
from pacifico.layout.generate import Asset, Pad, Plan, capacity_of
from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M
from pacifico.layout.shortfall import why_less

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.earthwork.rules import PadPlane
    from pacifico.layout.editing.context import Bench
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.placement.draft import Item
    from pacifico.layout.roads.network import Road
    from pacifico.site.model import Site

EditKind = Literal["move", "rotate", "remove", "add", "add_zone", "move_zone", "remove_zone"]
Pose = tuple[float, float, float]
"""Easting, northing [m] and rotation [°] of an asset's middle."""
SAME_M = 1e-6


@dataclass(frozen=True)
class Edit:
    """One change of a plan, as it happened."""

    kind: EditKind
    subject: str
    """Asset's identifier, or zone's name."""
    asset_type: str = ""
    before: Pose | None = None
    after: Pose | None = None
    also: tuple[str, ...] = ()
    """Assets that went with it."""
    roads_removed: tuple[Road, ...] = ()
    roads_added: tuple[str, ...] = ()
    borrowed: str = ""
    """Turnaround that serves the asset, for want of another road."""
    note: str = ""
    """What was done beyond what was asked for."""


def pose(item: Item) -> Pose:
    """Where an item stands, and how it is turned."""
    return (*item.centre, item.rotation_deg)


def network(plan: Plan) -> Net:
    """Roads of a plan."""
    return Net(plan.road_list, (plan.entry.x, plan.entry.y))


def placed(plan: Plan, bench: Bench, kind: EditKind, asset_id: str, item: Item, old: Asset | None) -> Plan:
    """Plan with an asset at a new place, or a new one.

    Raises
    ------
    EditRefused
        The place breaks a rule, or no road reaches it.
    """
    site, rules = plan.site, bench.rules
    field = bench.field(site)
    others = [a for a in plan.asset_list if a.asset_id != asset_id]
    pads = [p for p in plan.pad_list if asset_id not in p.asset_ids]
    place_.check_place(asset_id, item, site=site, field=field, rules=rules, others=others, pads=pads)
    if item.kind == "solar_array":
        item = replace(item, block=_block(item, others, asset_id, old))
    elif item.kind == "inverter_skid" and old is not None:
        _check_cables(item, others, asset_id, old)
    footprint, pad = place_.outline(item), place_.pad_outline(item)
    plane = balanced_pads(field.ground, [pad], rules=bench.earthwork)[0] if pad is not None else None
    reach = rules.number("site", "array_reach_m" if item.kind == "solar_array" else "road_reach_m")
    wanted = Wanted(asset_id, footprint, reach, pad, plane)
    road_id, net = _served(plan, bench, field, wanted, item, others, old)
    under = place_.statistics(field, item)
    asset = Asset(
        asset_id,
        item,
        footprint,
        float(under.slope_deg[0]),
        float(under.aspect_deg[0]),
        float(under.elevation_m[0]),
        float(np.clip(1 - under.mean_slope_deg[0] / item.slope_limit_deg, 0, 1)),
        f"B{item.block + 1:03d}" if item.block >= 0 else "",
        road_id,
    )
    if old is None:
        assets = (*plan.asset_list, asset)
    else:
        assets = tuple(asset if a.asset_id == asset_id else a for a in plan.asset_list)
    idle = roads_.turnarounds_of(network(plan), Counter(a.service_road_id for a in plan.asset_list))
    done = Edit(
        kind,
        asset_id,
        item.kind,
        before=pose(old.item) if old else None,
        after=pose(item),
        borrowed=road_id if road_id in idle else "",
    )
    fresh = {} if plane is None else {asset_id: plane}
    return edited(plan, bench, done, site, assets, net, planes=fresh)


def _block(item: Item, others: Sequence[Asset], name: str, old: Asset | None) -> int:
    kept = 0.0
    if old is not None:
        skid = next((a for a in others if a.item.kind == "inverter_skid" and a.item.block == item.block), None)
        if skid is not None:
            kept = float(np.hypot(*np.subtract(skid.item.centre, old.item.centre)))
    return place_.block_of(item, others, name=name, kept=kept)


def _check_cables(item: Item, others: Sequence[Asset], name: str, old: Asset) -> None:
    """Refuse a skid too far from its arrays."""
    for a in others:
        if a.item.kind == "solar_array" and a.item.block == item.block:
            far = float(np.hypot(*np.subtract(a.item.centre, item.centre)))
            most = max(BLOCK_REACH_M, float(np.hypot(*np.subtract(a.item.centre, old.item.centre))))
            if far > most + SAME_M:
                raise EditRefused(
                    f"{name} would stand {far:.0f} m from {a.asset_id} of its power block, low-voltage cables reach "
                    f"{most:.0f} m; stay nearer, or move the array to another block first"
                )


def _served(
    plan: Plan, bench: Bench, field: Field, wanted: Wanted, item: Item, others: Sequence[Asset], old: Asset | None
) -> tuple[str, Net]:
    """Road that serves an asset at its place, and the roads as they are then."""
    rules, whole = bench.roads, network(plan)
    left = Counter(a.service_road_id for a in others)
    liked = old.service_road_id if old is not None else ""
    # a turnaround that serves for once stays a turnaround after that
    borrowed = {e.borrowed for e in plan.edits if e.borrowed}
    dead = roads_.dead_roads(whole, left, [liked]) if liked and liked not in borrowed else set()
    idle = roads_.turnarounds_of(whole, left + Counter([liked] if liked not in borrowed else []))
    hits = roads_.blocked_by(whole, wanted.taken, rules)
    needed = [h for h in hits if h not in dead]
    if needed:
        raise EditRefused(
            f"{wanted.name} would stand on road {named(needed)}, which others need; its pad keeps "
            f"{rules.clearance_m:g} m from roads of {rules.width_m:g} m: move it clear of the road"
        )
    taken = [place_.pad_outline(a.item) or a.footprint for a in others]
    since = {i for e in plan.edits for i in e.roads_added if e.subject == wanted.name}
    before = _roads_before(plan, wanted.name, item)
    if before:
        bare = whole.without(dead)
        found = roads_.restored(bare, before, wanted, [*taken, wanted.taken], field, rules)
        if found:
            net = bare.plus(before)
            left[found] += 1
            return found, net.without(roads_.dead_roads(net, left, sorted(since)))
    if not hits:
        # a spur that an edit drew for this asset alone comes last: what stood before serves first
        found, why = roads_.server_of(whole.without(dead & since), wanted, rules, liked=liked, last=idle)
        if not found:
            found, why = roads_.server_of(whole, wanted, rules, liked=liked, last=idle)
        if found:
            net, added = without_dead(whole, [*others], [liked], plan, bench, field, keep=found, more=[wanted.taken])
            return found, net.plus(added)
    net, added = without_dead(whole, others, [liked], plan, bench, field, more=[wanted.taken])
    net = net.plus(added)
    found, why = roads_.server_of(net, wanted, rules, last=idle)
    if found:
        return found, net
    zones = [z for z in plan.site.exclusions if z.zone_type == "cost"]
    try:
        spur = spurs_.spur_to(
            net, wanted, place=field, taken=[*taken, wanted.taken], zones=zones, served=left, rules=rules,
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
    bench: Bench,
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
    taken = [*(place_.pad_outline(a.item) or a.footprint for a in assets), *more]
    arms = spurs_.new_turnarounds(
        less, net, place=field, taken=taken, rules=bench.roads, first_number=next_road(plan, net)
    )
    return less, arms


def without(assets: Sequence[Asset], hit: Sequence[Asset]) -> tuple[tuple[Asset, ...], tuple[Asset, ...]]:
    """Assets less some; what is of no use without them goes too, unless another skid has room for it."""
    gone = {a.asset_id for a in hit}
    left = [a for a in assets if a.asset_id not in gone]
    orphans: list[Asset] = []
    skids = {a.item.block for a in left if a.item.kind == "inverter_skid"}
    for a in [x for x in left if x.item.kind == "solar_array" and x.item.block not in skids]:
        others = [x for x in left if x is not a]
        try:
            block = place_.block_of(replace(a.item, block=-1), others, name=a.asset_id)
        except EditRefused:
            orphans.append(a)
            left = others
        else:
            home = replace(a, item=replace(a.item, block=block), block_id=f"B{block + 1:03d}")
            left = [home if x is a else x for x in left]
    used = {a.item.block for a in left if a.item.kind == "solar_array"}
    idle = [a for a in left if a.item.kind == "inverter_skid" and a.item.block not in used]
    return tuple(a for a in left if a not in idle), (*orphans, *idle)


def edited(
    plan: Plan,
    bench: Bench,
    done: Edit,
    site: Site,
    assets: tuple[Asset, ...],
    net: Net,
    *,
    planes: dict[str, PadPlane] | None = None,
) -> Plan:
    """Plan after an edit: works that it did not touch keep their planes, profiles and volumes."""
    planes = planes or {}
    field = bench.field(site)
    there = {a.asset_id for a in assets}
    pads = [
        replace(p, plane=planes[p.asset_ids[0]]) if p.asset_ids[0] in planes else p
        for p in plan.pad_list
        if p.asset_ids[0] in there
    ]
    known = {p.asset_ids[0] for p in pads}
    past = max((int(p.pad_id[1:]) for p in plan.pad_list), default=0)
    fresh = [i for i in planes if i not in known]
    pads += [Pad(f"P{past + n:04d}", (i,), planes[i]) for n, i in enumerate(fresh, 1)]
    volume = {id(r): v for r, v in zip(plan.road_list, plan.road_volumes, strict=True)}
    new = [r for r in net.roads if id(r) not in volume]
    found = corridors(field.ground, [r.line for r in new], [r.width_m for r in new], rules=bench.earthwork)
    volume |= {id(r): v for r, v in zip(new, found, strict=True)}
    volumes = tuple(volume[id(r)] for r in net.roads)
    collection = bench.cables(site, assets, net.roads)
    ids, was = {r.road_id for r in net.roads}, {r.road_id for r in plan.road_list}
    done = replace(
        done,
        roads_removed=tuple(r for r in plan.road_list if r.road_id not in ids),
        roads_added=tuple(r.road_id for r in net.roads if r.road_id not in was),
    )
    edits = (*plan.edits, done)
    short = shortfall(plan, assets, len(edits))
    kept = [w for w in plan.warnings if w != plan.shortfall and not w.startswith("no legal cable trench")]
    return replace(
        plan,
        site=site,
        buildable=bench.buildable(site)[1],
        asset_list=assets,
        pad_list=tuple(pads),
        road_list=net.roads,
        road_volumes=volumes,
        cable_list=collection.cables,
        metrics=bench.metrics(plan, site, assets, pads, net.roads, volumes, collection),
        shortfall=short,
        warnings=(*kept, *collection.warnings, *([done.note] if done.note else []), *([short] if short else [])),
        edits=edits,
    )


def shortfall(plan: Plan, assets: Sequence[Asset], edits: int) -> str:
    """Why less stands than was asked for, after edits."""
    got = capacity_of([a.item for a in assets], plan.profile)
    if plan.target_capacity_kw is None or got > plan.target_capacity_kw - smallest_unit_kw(plan.profile, plan.rules):
        return why_less(got, plan.target_capacity_kw, 0.0, plan.unplaced) if plan.unplaced else ""
    said = "; ".join(f"{u.count} x {u.kind}: {u.reason}" for u in plan.unplaced)
    return (
        f"{got:,.0f} kW of the {plan.target_capacity_kw:,.0f} kW asked for stand after {edits} "
        f"{'edit' if edits == 1 else 'edits'}" + (f" ({said})" if said else "")
    )


def rerouted(
    plan: Plan, bench: Bench, done: Edit, site: Site, assets: Sequence[Asset], net: Net, area: BaseGeometry
) -> Plan:
    """Plan with its roads led round an area; all that they don't touch stays as it is.

    Raises
    ------
    EditRefused
        No road leads round it.
    """
    rules, planes = bench.rules, {p.asset_ids[0]: p.plane for p in plan.pad_list}
    reach = {
        k: rules.number("site", "array_reach_m" if k == "solar_array" else "road_reach_m")
        for k in {a.item.kind for a in assets}
    }
    wanted = {
        a.asset_id: Wanted(
            a.asset_id, a.footprint, reach[a.item.kind], place_.pad_outline(a.item), planes.get(a.asset_id)
        )
        for a in assets
    }
    taken = [place_.pad_outline(a.item) or a.footprint for a in assets]
    scene = Scene(bench.field(site), taken, [z for z in site.exclusions if z.zone_type == "cost"], bench.roads)
    served = {a.asset_id: a.service_road_id for a in assets}
    left, serving = led_round(net, area, wanted, served, scene, next_road(plan, net))
    home = tuple(
        a if serving[a.asset_id] == a.service_road_id else replace(a, service_road_id=serving[a.asset_id])
        for a in assets
    )
    return edited(plan, bench, done, site, home, left)


def recomputed(plan: Plan, bench: Bench, done: Edit, site: Site, assets: Sequence[Asset]) -> Plan:
    """Plan with all roads and pads made anew for what stands; what no road reaches goes, and is named.

    Raises
    ------
    EditRefused
        Nothing useful would be left, or an asset stands askew, which the making of networks does not know.
    """
    askew = [a.asset_id for a in assets if a.item.rotation_deg not in (0.0, 90.0)]
    if askew:
        raise EditRefused(
            f"roads can't be laid anew around assets that stand askew ({named(askew)}); turn them to 0° or 90° first"
        )
    field = bench.field(site)
    served = serve(site, field, Draft([a.item for a in assets]), plan.entry, bench.rules, plan.profile, give_way=())
    by_item = {a.item: a for a in assets}
    lost = [by_item[i].asset_id for i in by_item if i not in set(served.items)]
    if not served.items or not any(i.kind == "substation" for i in served.items):
        raise EditRefused("no road would reach a substation any more; choose another zone, or lay the site out anew")
    road_of = served.network.served
    left = tuple(replace(by_item[i], service_road_id=road_of[str(k)]) for k, i in enumerate(served.items))
    planes = {a.asset_id: p for a, p in zip(left, served.pads, strict=True) if p is not None}
    note = "edit: all roads were laid anew" + (f"; no road reaches {named(lost)}: taken out" if lost else "")
    entry = served.network.entry or plan.entry
    net = Net(served.network.roads, (entry.x, entry.y))
    done = replace(done, also=(*done.also, *lost), note=note)
    new = edited(replace(plan, road_list=(), road_volumes=(), entry=entry), bench, done, site, left, net, planes=planes)
    whole = replace(done, roads_removed=plan.road_list, roads_added=tuple(r.road_id for r in net.roads))
    return replace(new, edits=(*plan.edits, whole))


def shares(shape: BaseGeometry, area: BaseGeometry) -> bool:
    """Whether two areas overlap by more than rounding."""
    return bool(shape.intersects(area)) and float(shapely.intersection(shape, area).area) > place_.TOUCH_M2


def named(ids: Iterable[str], most: int = 6) -> str:
    """Some identifiers on one line."""
    known = list(ids)
    return ", ".join(known[:most]) + (f" and {len(known) - most} more" if len(known) > most else "")
