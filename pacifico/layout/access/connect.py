"""Pads and roads for a draft: what no road reaches is left out, with what is of no use without it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as field_of
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from shapely import box

from pacifico.errors import InputError
from pacifico.layout.access.backfill import backfill
from pacifico.layout.criteria.asset_types import solar_unit
from pacifico.layout.earthwork.criteria import EarthworkCriteria, earthwork_criteria
from pacifico.layout.earthwork.pads import balanced_pads
from pacifico.layout.model.assets import Item, Unplaced, merge_unplaced
from pacifico.layout.model.roads import Network, Terminal, min_radius_to, road_criteria
from pacifico.layout.placement.draft import of_units, unit_of, units_of
from pacifico.layout.roads.network import route_network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely import Point

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.asset_types import AssetKind, SolarUnit
    from pacifico.layout.criteria.spec import Profile, Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.earthwork import PadPlane
    from pacifico.layout.placement.draft import Draft
    from pacifico.site.model import Site

REACH_MARGIN_M = 1.0
"""Roads are asked to come this much nearer than the rule, so that rounding can't break it."""
FIRST: dict[AssetKind, int] = {"substation": 0, "wind_turbine": 1}
"""What roads are led to first; then blocks, then arrays."""
YARD: tuple[AssetKind, ...] = ("battery", "generator")
GIVE_WAY: tuple[AssetKind, ...] = ("solar_array", *YARD)
"""What gives way: arrays to bends and turnarounds, blocks of yards to turnarounds."""
GAVE = "its place is needed for vehicles to turn"
SETTLED = 600
"""Of more items, roads that leave some out are finished as they are, unless others are of no use without those: that
these no longer stand in the way is worth little then, and a search of its own is dear."""
MOST_ROUNDS = 8
"""Of leaving out what no road reaches; each round leaves out more, so that it ends."""


@dataclass(frozen=True)
class RoadSearchOptions:
    """How roads are sought."""

    at_once: bool = False
    """Whether arrays are reached as soon as skids, not after them."""
    earth_price: float = 0.0
    """Metres of road gone round for a cubic metre of cut and fill [m/m³]."""
    cells: float = 1.0
    """Size of the cells of the search, in those that suit the site."""


DEFAULT_SEARCH = RoadSearchOptions()


@dataclass(frozen=True)
class ServedLayout:
    """Items that a road reaches, with their pads and the roads."""

    items: tuple[Item, ...]
    untrimmed: tuple[Item, ...]
    """The same with the spare units that were taken off again."""
    pads: tuple[PadPlane | None, ...]
    network: Network
    lost: tuple[Unplaced, ...]
    gave: tuple[Item, ...] = ()
    """Items of the draft that gave up units where a bend or a turnaround had no room."""
    freed: FloatArray = field_of(default_factory=lambda: np.empty((0, 4)), compare=False)
    """Rectangles of what they gave up."""


def connect_roads(
    site: Site,
    field: Field,
    draft: Draft,
    entry: Point | None,
    spec: Spec,
    profile: Profile,
    way: RoadSearchOptions = DEFAULT_SEARCH,
    *,
    give_way: Sequence[AssetKind] = GIVE_WAY,
) -> ServedLayout:
    """Pads and roads for a draft; what no road reaches is left out until all that stays is reached.

    Of what may `give_way` arrays give up units where a bend or a turnaround has no room, and blocks of a yard go altogether
    where a turnaround has none.
    """
    items = list(draft.items)
    shapes = (solar_unit(spec), solar_unit(spec, pocket=True))
    planes = _planes(field, [i for i in items if i.kind != "solar_array"], earthwork_criteria(spec))
    lost: list[Unplaced] = []
    tax = None
    for turn in range(MOST_ROUNDS):
        terminals = [
            _terminal(k, i, planes.get(i), spec, shapes if i.kind in give_way else (), at_once=way.at_once)
            for k, i in enumerate(items)
        ]
        obstacles = [t.pad if t.pad is not None else t.footprint for t in terminals]
        network = route_network(
            field.ground,
            field.allowed,
            terminals,
            entry=entry,
            obstacles=obstacles,
            criteria=replace(road_criteria(spec, profile), earth_price=way.earth_price, cells=way.cells),
            cost_zones=[z for z in site.exclusions if z.zone_type == "cost"],
            boundary=site.boundary,
            again=partial(_to_ask_again, items) if turn < MOST_ROUNDS - 1 else None,
            orphans=partial(_useless, items),
            tax=tax,
        )
        tax = network.tax
        out = _numbered(network.unreached)
        out |= _orphans(items, out)
        for k, reason in out.items():
            lost.append(Unplaced(items[k].kind, 1, reason))
        if network.roads and out:
            items, network = _left(items, network, out)
            break
        items = [i for k, i in enumerate(items) if k not in out]
        if not (out and items):
            break
    else:
        raise InputError(f"the road network did not settle in {MOST_ROUNDS} rounds; please report this site")
    gave: list[Item] = []
    freed = np.empty((0, 4))
    if network.given_up:
        gave = [items[int(k)] for k in network.given_up]
        lost += [Unplaced(i.kind, 1, GAVE) for i in gave if i.kind != "solar_array"]
        freed = np.array([_part(items[int(k)], *n, shapes) for k, n in network.given_up.items()])
        kw = sum(i.capacity_kw for i in items)
        items, network = _shortened(items, network, shapes)
        kw -= sum(i.capacity_kw for i in items)
        reach = spec.number("site", "array_reach_m") - REACH_MARGIN_M
        more = backfill(field, spec, items, network.roads, kw, reach)
        served = {str(k): road for k, (_, road) in enumerate(more, len(items))}
        items += [item for item, _ in more]
        network = replace(network, served={**network.served, **served})
    return ServedLayout(
        tuple(items),
        tuple(items),
        tuple(planes.get(i) for i in items),
        network,
        merge_unplaced(lost),
        tuple(gave),
        freed,
    )


def _planes(field: Field, items: Sequence[Item], criteria: EarthworkCriteria) -> dict[Item, PadPlane]:
    """Balanced pads; those of places where something stood before are known."""
    known: dict[tuple[float, float, float, float], PadPlane] = field.fits.setdefault(("pads", criteria), {})
    fresh = list({i.pad_rect: box(*i.pad_rect) for i in items if i.pad_rect not in known}.items())
    planes = balanced_pads(field.ground, [shape for _, shape in fresh], criteria=criteria)
    known.update((rect, plane) for (rect, _), plane in zip(fresh, planes, strict=True))
    return {i: known[i.pad_rect] for i in items}


def _useless(items: Sequence[Item], missing: Mapping[str, str]) -> dict[str, str]:
    """Items that are of no use without those that are missing, and why."""
    return {str(k): reason for k, reason in _orphans(items, _numbered(missing)).items()}


def _to_ask_again(items: Sequence[Item], missing: Mapping[str, str]) -> bool:
    """Whether roads that leave some items out are sought anew without those."""
    return len(items) <= SETTLED or bool(_orphans(items, _numbered(missing)))


def _numbered(unreached: Mapping[str, str]) -> dict[int, str]:
    """Reasons by the number of the item."""
    return {int(key): reason for key, reason in unreached.items()}


def _left(items: list[Item], network: Network, out: Mapping[int, str]) -> tuple[list[Item], Network]:
    """Items without those that are out, and their roads under the numbers that they have then."""
    stay = [k for k in range(len(items)) if k not in out]
    number = {str(k): str(n) for n, k in enumerate(stay)}
    served = {number[k]: road for k, road in network.served.items() if k in number}
    given_up = {number[k]: units for k, units in network.given_up.items() if k in number}
    return [items[k] for k in stay], replace(network, served=served, unreached={}, given_up=given_up)


def _part(item: Item, west: int, east: int, shapes: Sequence[SolarUnit]) -> tuple[float, float, float, float]:
    """Rectangle of what an array gives up at one of its ends; all of it where it gives up something at both."""
    unit = unit_of(item, shapes)
    x0, south, x1, north = item.rect
    if unit is None or (west and east):
        return item.pad_rect
    x0, x1 = (x0, x0 + west * unit.pitch_x_m) if west else (x1 - east * unit.pitch_x_m, x1)
    return max(x0, item.rect[0]), south, min(x1, item.rect[2]), north


def _shortened(items: list[Item], network: Network, shapes: Sequence[SolarUnit]) -> tuple[list[Item], Network]:
    """Items with what they gave up taken off, and their roads under the numbers that they have then."""
    out: list[Item] = []
    served: dict[str, str] = {}
    empty = {i.block for i in items if i.kind == "solar_array"}
    rest: dict[int, Item] = {}
    for k, item in enumerate(items):
        unit = unit_of(item, shapes)
        west, east = network.given_up.get(str(k), (0, 0))
        if not west + east:
            rest[k] = item
        elif unit is not None and west + east < units_of(item, unit):
            x0, y0, x1, y1 = item.rect
            n = units_of(item, unit) - west - east
            rest[k] = of_units(item, (x0 + west * unit.pitch_x_m, y0, x1 - east * unit.pitch_x_m, y1), n, unit)
    empty -= {i.block for i in rest.values() if i.kind == "solar_array"}
    for k, item in rest.items():
        if item.kind == "inverter_skid" and item.block in empty:
            continue
        served[str(len(out))] = network.served[str(k)]
        out.append(item)
    return out, replace(network, served=served, given_up={})


def _terminal(
    index: int, item: Item, plane: PadPlane | None, spec: Spec, shapes: Sequence[SolarUnit], *, at_once: bool
) -> Terminal:
    array = item.kind == "solar_array"
    unit = unit_of(item, shapes)
    return Terminal(
        key=str(index),
        footprint=box(*item.rect),
        reach_m=spec.number("site", "array_reach_m" if array else "road_reach_m") - REACH_MARGIN_M,
        priority=FIRST.get(item.kind, 2 if at_once or not array else 3),
        pad=None if plane is None else box(*item.pad_rect),
        pad_plane=None if plane is None else (plane.elevation_m, plane.grade_east, plane.grade_north),
        units=units_of(item, unit) if unit is not None else int(bool(shapes) and not array),
        unit_m=0.0 if unit is None else unit.pitch_x_m,
        min_radius_m=min_radius_to(item.kind, spec),
    )


def _orphans(items: Sequence[Item], out: Mapping[int, str]) -> dict[int, str]:
    """Arrays whose skid is out, and skids whose arrays all are: one is of no use without the other."""
    skids = {i.block: k for k, i in enumerate(items) if i.kind == "inverter_skid"}
    left = {i.block for k, i in enumerate(items) if i.kind == "solar_array" and k not in out}
    more = {}
    for k, item in enumerate(items):
        if k in out or item.block < 0:
            continue
        if item.kind == "solar_array" and skids[item.block] in out:
            more[k] = f"its inverter skid is not reached: {out[skids[item.block]]}"
        elif item.kind == "inverter_skid" and item.block not in left:
            more[k] = "no array of its power block is reached"
    return more
