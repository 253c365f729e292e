"""Connect a draft to roads; leave out what no road reaches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as field_of
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from shapely import box

from pacifico.errors import InternalError
from pacifico.layout.access.areas import access_areas, road_lanes
from pacifico.layout.access.backfill import backfill
from pacifico.layout.access.pad_slopes import pad_with_side_slopes
from pacifico.layout.access.power_blocks import incomplete_blocks
from pacifico.layout.access.shortening import removed_rect, shorten_items
from pacifico.layout.criteria.asset_types import YARD_KINDS, solar_units
from pacifico.layout.ground.channels import road_cost_zones
from pacifico.layout.model.assets import Item, Unplaced, merge_unplaced
from pacifico.layout.model.roads import Network, Terminal, min_radius_to, road_criteria
from pacifico.layout.model.unreached import UnreachedCause
from pacifico.layout.placement.draft import unit_of, units_of
from pacifico.layout.placement.skids import least_block_kw
from pacifico.layout.roads.merge import merge_networks
from pacifico.layout.roads.network import search_network
from pacifico.layout.roads.solve import RoadSearch, SettledRoads, drop_terminals, finish_roads, settle_roads
from pacifico.layout.routing.problem import RoadSite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shapely import Point, Polygon

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.asset_types import SolarUnit
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.earthwork import PadPlane
    from pacifico.layout.model.roads import RoadCriteria
    from pacifico.layout.model.unreached import Unreached
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.draft import Draft
    from pacifico.site.model import Site
    from pacifico.vocabulary import AssetKind, Profile

    Penalties = Mapping[int, FloatArray]
    """Cost multiplier of each road position from an earlier search, by area."""

REACH_MARGIN_M = 1.0
"""Roads must come this much nearer than the rule, so that rounding can't break it [m]."""
PRIORITY: dict[AssetKind, int] = {"substation": 0, "wind_turbine": 1}
"""Kinds of assets that roads reach first; then come all others, arrays last."""
OTHER_PRIORITY, ARRAY_PRIORITY = 2, 3
GIVE_WAY_KINDS: tuple[AssetKind, ...] = ("solar_array", *YARD_KINDS)
"""Kinds of assets that give way: arrays to bends and turnarounds, blocks of yards to turnarounds."""
TURNING_ROOM = "its place is needed for vehicles to turn"
RETRY_ITEMS = 600
"""Most items of a draft whose roads are searched again without what they don't reach: on larger ones a search takes
long and little is gained, unless power blocks are left incomplete."""
USED_ENTRY_M = 90.0
"""Distance from a requested entry within which roads that meet the boundary use it: its largest shift, and a cell [m]."""
MAX_ROUNDS = 8
"""Most searches, each without what the one before didn't reach."""


@dataclass(frozen=True)
class RoadSearchOptions:
    """Options of the search for roads."""

    at_once: bool = False
    """Whether roads reach arrays together with skids instead of after them."""
    earth_price: float = 0.0
    """Road length that is worth a cubic metre of cut and fill [m/m³]."""
    cells: float = 1.0
    """Cell size of the routing grid, as a multiple of the one that suits the site."""


DEFAULT_SEARCH = RoadSearchOptions()


@dataclass(frozen=True)
class ServedLayout:
    """Items that roads reach, with their pads and the roads."""

    items: tuple[Item, ...]
    untrimmed: tuple[Item, ...]
    """Items before spare units were trimmed to the target."""
    pads: tuple[PadPlane | None, ...]
    """Pad of each item; None for arrays."""
    network: Network
    lost: tuple[Unplaced, ...]
    """Items that are left out, and why."""
    shortened: tuple[Item, ...] = ()
    """Items of the draft that were shortened or removed to give room to roads."""
    removed_rects: FloatArray = field_of(default_factory=lambda: np.empty((0, 4)), compare=False)
    """Rectangles that these freed, shape (n, 4) [m]."""


@dataclass(frozen=True)
class _RoadTask:
    """What stays the same while roads are searched for a draft."""

    field: Field
    site: RoadSite
    entries: tuple[Point, ...]
    """Requested entries."""
    criteria: RoadCriteria
    spec: Spec
    options: RoadSearchOptions
    give_way: Sequence[AssetKind]
    planes: Mapping[Item, PadPlane]
    """Balanced pads of all items but arrays."""

    @cached_property
    def units(self) -> tuple[SolarUnit, ...]:
        """Units that arrays may be made of."""
        return solar_units(self.spec)

    @cached_property
    def least_block_kw(self) -> float:
        """Smallest AC capacity of a power block beside larger ones [kW]."""
        return least_block_kw(self.spec)

    def terminal(self, key: int, item: Item) -> Terminal:
        """Terminal that stands for an item."""
        array = item.kind == "solar_array"
        plane = self.planes.get(item)
        gives_way = item.kind in self.give_way
        unit = unit_of(item, self.units) if gives_way else None
        reach = self.spec.number("site", "array_reach_m" if array else "road_reach_m")
        last = OTHER_PRIORITY if self.options.at_once or not array else ARRAY_PRIORITY
        return Terminal(
            key=key,
            footprint=box(*item.rect),
            reach_m=reach - REACH_MARGIN_M,
            priority=PRIORITY.get(item.kind, last),
            pad=None if plane is None else box(*item.pad_rect),
            pad_plane=None if plane is None else (plane.elevation_m, plane.grade_east, plane.grade_north),
            units=units_of(item, unit) if unit is not None else int(gives_way and not array),
            least_units=1 if unit is None else unit.least_units,
            unit_m=0.0 if unit is None else unit.pitch_x_m,
            min_radius_m=min_radius_to(item.kind, self.spec),
        )

    def obstacle(self, terminal: Terminal, item: Item) -> Polygon:
        """Ground that roads keep off around an item.

        What may give way is an obstacle without its side slopes.
        """
        plane = self.planes.get(item)
        if plane is None or terminal.units:
            return terminal.footprint if terminal.pad is None else terminal.pad
        side_slope = self.spec.number("earthwork", "side_slope")
        return pad_with_side_slopes(item.pad_rect, plane, self.field.ground, side_slope)


def connect_roads(
    context: PlacementContext,
    site: Site,
    draft: Draft,
    entry: Point | None,
    profile: Profile,
    options: RoadSearchOptions = DEFAULT_SEARCH,
    *,
    give_way: Sequence[AssetKind] = GIVE_WAY_KINDS,
    further: Sequence[Point] | None = None,
) -> ServedLayout:
    """Pads and roads for the items of a draft that roads reach.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    site : Site
        Boundary, cost zones, and entries besides the first.
    draft : Draft
        Items that roads are to reach.
    entry : Point, optional
        First requested entry.
    profile : str
        Kind of plant.
    options : RoadSearchOptions
        Options of the search for roads.
    give_way : sequence of str
        Kinds of assets that give way to roads: arrays lose units for a bend or turnaround, blocks of a yard are removed
        for a turnaround.
    further : sequence of Point, optional
        Entries besides the first; by default those of the site where one is requested.

    Raises
    ------
    InputError
        The entry lies too far from the boundary, or no road can start near it.
    """
    field, spec = context.field, context.spec
    cost_zones = road_cost_zones(site.exclusions, field.drainage, spec)
    task = _RoadTask(
        field,
        RoadSite(field.ground, field.allowed, None, site.boundary, cost_zones, existing=field.existing_roads),
        _requested_entries(site, entry, further),
        replace(road_criteria(spec, profile), earth_price=options.earth_price, cells=options.cells),
        spec,
        options,
        give_way,
        context.pad_planes(draft.items),
    )
    items, network, unplaced = _reachable(task, list(draft.items))
    shortened = tuple(items[k] for k in network.removed_units)
    rects = np.array([removed_rect(items[k], n, task.units) for k, n in network.removed_units.items()]).reshape(-1, 4)
    cause = UnreachedCause.TURNING_ROOM
    unplaced += [Unplaced(i.kind, 1, TURNING_ROOM, cause) for i in shortened if i.kind != "solar_array"]
    if shortened:
        items, network = shorten_items(items, network, task.units)
    pads, lost = tuple(task.planes.get(i) for i in items), merge_unplaced(unplaced)
    network = _with_unused_entries(site, task.entries, network)
    return ServedLayout(tuple(items), tuple(items), pads, network, lost, shortened, rects)


def _requested_entries(site: Site, entry: Point | None, further: Sequence[Point] | None) -> tuple[Point, ...]:
    """Requested entries, the first one first."""
    if further is None:
        further = [a.point for a in site.entries[1:]] if entry is not None else []
    return (*(() if entry is None else (entry,)), *further)


def _with_unused_entries(site: Site, requested: Sequence[Point], network: Network) -> Network:
    """Network with warnings that name requested entries without a road."""
    if network.entry is None or len(requested) < 2:
        return network
    used = (network.entry, *network.further_entries)
    unused = [e for e in requested if all(e.distance(u) > USED_ENTRY_M for u in used)]
    names = [min(site.entries, key=lambda a: a.point.distance(e)).name for e in unused if site.entries]
    warnings = [
        f"entry {name!r} is not used: nothing is built in its part of the site, or no legal road joins it to the plant"
        for name in names
    ]
    return replace(network, warnings=(*network.warnings, *warnings))


def _reachable(task: _RoadTask, items: list[Item]) -> tuple[list[Item], Network, list[Unplaced]]:
    """Items that roads reach, their network, and what is left out.

    Raises
    ------
    InternalError
        The last search still leaves items out; each leaves out more, so that this can't happen.
    """
    unplaced: list[Unplaced] = []
    penalties: Penalties = {}
    for attempt in range(MAX_ROUNDS):
        network, penalties = _route(task, items, penalties, may_retry=attempt < MAX_ROUNDS - 1)
        out = dict(network.unreached)
        out |= incomplete_blocks(items, out, task.least_block_kw)
        unplaced += [Unplaced(items[k].kind, 1, why.message, why.cause) for k, why in out.items()]
        if network.roads and out:
            return *renumber(items, network, out), unplaced
        items = [i for k, i in enumerate(items) if k not in out]
        if not (out and items):
            return items, network, unplaced
    raise InternalError(f"the road network did not settle in {MAX_ROUNDS} rounds; please report this site")


def _route(
    task: _RoadTask, items: Sequence[Item], penalties: Penalties, *, may_retry: bool
) -> tuple[Network, Penalties]:
    """Network of some items, and penalties for the next search.

    The network has no roads where they are worth a new search without what they don't reach. Areas of the site that no
    crossing joins have roads of their own.

    Parameters
    ----------
    task : _RoadTask
        What stays the same between searches.
    items : sequence of Item
        Items that roads are to reach.
    penalties : mapping
        Cost multiplier of road positions from the search before, by area.
    may_retry : bool
        Whether another search may follow.
    """
    found = _search_areas(task, items, penalties)
    without = {a: one for a, one in found.items() if isinstance(one, Network)}
    searches = {a: one for a, one in found.items() if isinstance(one, RoadSearch)}
    no_roads = _unreached(without.values())
    unreached = no_roads | _unreached(searches.values())
    if may_retry and searches and unreached and _worth_retry(items, unreached):
        networks = without | {a: search.without_roads() for a, search in searches.items()}
        return _merged(networks), {a: search.tree.penalty for a, search in searches.items()}
    roads = {a: settle_roads(search) for a, search in searches.items()}
    while roads:
        unreached = no_roads | _unreached(roads.values())
        served = {k for one in roads.values() for k in one.served}
        useless = incomplete_blocks(items, unreached, task.least_block_kw) if unreached else {}
        useless = {k: why for k, why in useless.items() if k in served}
        if not useless:
            break
        roads = {a: drop_terminals(one, useless) if useless.keys() & one.served else one for a, one in roads.items()}
    return _merged(without | {a: finish_roads(one) for a, one in roads.items()}), {}


def _search_areas(task: _RoadTask, items: Sequence[Item], penalties: Penalties) -> dict[int, RoadSearch | Network]:
    """Search for the roads of each area.

    Parameters
    ----------
    task, items, penalties
        As for `_route`.
    """
    terminals = [task.terminal(k, item) for k, item in enumerate(items)]
    obstacles = [task.obstacle(t, item) for t, item in zip(terminals, items, strict=True)]
    lanes = road_lanes(task.field, task.spec, task.criteria, obstacles)
    areas = access_areas(task.field, task.entries, lanes, task.criteria.width_m / 2 + task.criteria.clearance_m)
    area_of = areas.of_items(items)
    found: dict[int, RoadSearch | Network] = {}
    for a, area in enumerate(areas.areas):
        own = [terminals[k] for k in np.flatnonzero(area_of == a).tolist()]
        if own or not items:
            first = area.entries[0] if area.entries else None
            site = replace(task.site, entry=first, further_entries=area.entries[1:], lanes=area.lanes)
            found[a] = search_network(site, own, obstacles=obstacles, criteria=task.criteria, penalty=penalties.get(a))
    return found


def _unreached(found: Iterable[Network | RoadSearch | SettledRoads]) -> dict[int, Unreached]:
    """Why roads don't reach items, by number."""
    return {k: why for one in found for k, why in one.unreached.items()}


def _merged(networks: Mapping[int, Network]) -> Network:
    """One network of those of all areas."""
    return merge_networks([networks[a] for a in sorted(networks)])


def _worth_retry(items: Sequence[Item], unreached: Mapping[int, Unreached]) -> bool:
    """Whether roads that leave items out are searched again without those."""
    return len(items) <= RETRY_ITEMS or bool(incomplete_blocks(items, unreached))


def renumber(items: Sequence[Item], network: Network, out: Mapping[int, Unreached]) -> tuple[list[Item], Network]:
    """Items without those left out, and the network with the new numbers."""
    stay = [k for k in range(len(items)) if k not in out]
    number = {k: n for n, k in enumerate(stay)}
    served = {number[k]: road for k, road in network.served.items() if k in number}
    removed = {number[k]: units for k, units in network.removed_units.items() if k in number}
    return [items[k] for k in stay], replace(network, served=served, unreached={}, removed_units=removed)


def fill_beside_roads(context: PlacementContext, layout: ServedLayout, kw: float) -> ServedLayout:
    """Layout with more arrays on free ground beside its roads, of up to `kw`.

    They use what its inverter skids have left.
    """
    if not layout.network.roads or not any(i.kind == "inverter_skid" for i in layout.items):
        return layout
    reach = context.spec.number("site", "array_reach_m") - REACH_MARGIN_M
    more = backfill(context, layout.items, layout.network.roads, kw, reach)
    items = (*layout.items, *(item for item, _ in more))
    served = {k: road for k, (_, road) in enumerate(more, len(layout.items))}
    return replace(
        layout,
        items=items,
        untrimmed=items,
        pads=(*layout.pads, *[None] * len(more)),
        network=replace(layout.network, served={**layout.network.served, **served}),
    )
