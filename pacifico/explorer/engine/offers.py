"""What would help a refused edit: the nearest legal place, a skid, or a higher slope limit.

Each offer is tried on the plan before it is made, so that its button does what it says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.crs import LONLAT, transformer
from pacifico.errors import EditRefused, InputError
from pacifico.explorer.engine.messages import Offer
from pacifico.explorer.engine.replay import apply_step, find_asset
from pacifico.explorer.state.document import EditStep
from pacifico.layout.criteria.spec import catalog
from pacifico.layout.editing.editor import EditContext
from pacifico.layout.editing.place_checks import Surroundings, check_place, find_block, new_item
from pacifico.layout.model.assets import move_item, outline, pad_outline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import xarray as xr
    from shapely import Polygon

    from pacifico.array_types import FloatArray
    from pacifico.layout.model.assets import Asset, Item
    from pacifico.layout.model.plan import Plan

    _Made = tuple[EditStep, Plan]

SEARCH_M = 150.0
"""Distance up to which another place is searched; farther only where the next road is farther [m]."""
MOST_SEARCH_M = 600.0
"""Largest distance of a place that is offered [m]: beyond it, it is another design."""
CELLS = 40
"""Places tried from the centre to the edge of the search: 4 m apart within 150 m."""
MOST_CHECKS = 400
"""Most places checked against the limits of the ground, at about 0.5 ms each."""
MOST_TRIES = 8
"""Most places at which the edit is made whole, roads included, at about 0.1 s each."""
APART_M = 15.0
"""Distance between two places at which the edit is made whole: closer ones fail alike [m]."""
SKID_GAP_M = 2.0
"""Distance of an offered skid from the array that needs it [m]: its pad's apron and rounding."""
LIMIT_STEP_DEG = 0.5
"""Step in which a higher slope limit is offered [°]."""
_SIDES = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")


@dataclass(frozen=True)
class _Wish:
    """Refused edit, and its asset at the wished place."""

    plan: Plan
    context: EditContext
    step: EditStep
    item: Item
    asset_id: str
    """Identifier of the asset; of a new one, its type."""

    @property
    def around(self) -> Surroundings:
        """What the place is checked against."""
        others = [a for a in self.plan.asset_list if a.asset_id != self.asset_id]
        pads = [p for p in self.plan.pad_list if self.asset_id not in p.asset_ids]
        return Surroundings(self.plan.site, self.context.field(self.plan.site), self.context.spec, others, pads)


def offers_for(plan: Plan, dem: xr.DataArray, step: EditStep) -> tuple[Offer, ...]:
    """Offers that help a refused edit, each tried on the plan; empty where nothing helps.

    Parameters
    ----------
    plan : Plan
        Plan without the edit.
    dem : DataArray
        DEM that it was made on.
    step : EditStep
        The refused edit; only moved and new assets are helped.
    """
    context = EditContext.of(plan, dem)
    wish = _wish_of(plan, context, step)
    if wish is None:
        return ()
    found = (_skid(wish), _place(wish), _limit(wish))
    return tuple(offer for offer in found if offer is not None)


def _wish_of(plan: Plan, context: EditContext, step: EditStep) -> _Wish | None:
    """Asset of an edit at its wished place; None where the edit has none."""
    if step.operation == "add":
        try:
            item = new_item(plan, step.asset_type, None)
        except EditRefused:
            return None
        return _Wish(plan, context, step, move_item(item, _metres(plan, step.at)), step.asset_type)
    asset: Asset | None = find_asset(plan, step) if step.operation == "move" else None
    if asset is None or step.to is None:
        return None
    return _Wish(plan, context, step, move_item(asset.item, _metres(plan, step.to)), asset.asset_id)


def _skid(wish: _Wish) -> Offer | None:
    """Offer of a skid beside an array that has none with room; None where it isn't that."""
    around = wish.around
    if wish.item.kind != "solar_array" or find_block(wish.item, around.others) is not None:
        return None
    if not _is_legal(wish, wish.item):
        return None
    skid = move_item(new_item(wish.plan, "inverter_skid", None), wish.item.centre)
    beside = _Wish(wish.plan, wish.context, EditStep("add", "inverter_skid", wish.step.at), skid, "inverter_skid")

    def try_at(place: tuple[float, float]) -> _Made | None:
        step = EditStep("add", "inverter_skid", _degrees(wish.plan, place))
        with_skid = _made(wish.plan, step, wish.context)
        whole = None if with_skid is None else _made(with_skid, wish.step, wish.context)
        return None if whole is None else (step, whole)

    found = _search(beside, try_at, keep_off=outline(wish.item, SKID_GAP_M))
    if found is None:
        return None
    step, plan = found
    return Offer(f"Add a skid here too: {_cost(wish.plan, plan)}", (step, wish.step))


def _place(wish: _Wish) -> Offer | None:
    """Offer of the nearest place that keeps all limits."""

    def try_at(place: tuple[float, float]) -> _Made | None:
        there = _degrees(wish.plan, place)
        step = replace(wish.step, at=there) if wish.step.operation == "add" else replace(wish.step, to=there)
        plan = _made(wish.plan, step, wish.context)
        return None if plan is None else (step, plan)

    if wish.item.kind == "solar_array" and find_block(wish.item, wish.around.others) is None:
        return None  # skids without room are as far from the next place
    found = _search(wish, try_at)
    if found is None:
        return None
    step, plan = found
    x, y = np.subtract(_metres(wish.plan, step.to or step.at), wish.item.centre)
    side = _SIDES[round(math.degrees(math.atan2(y, x)) / 45) % 8]
    return Offer(f"Place it {math.hypot(x, y):,.0f} m to the {side}: {_cost(wish.plan, plan)}", (step,))


def _limit(wish: _Wish) -> Offer | None:
    """Offer of a slope limit at which the wished place is legal; None where slope isn't the cause."""
    kind, rule = wish.item.kind, "slope_limit_deg"
    if _is_legal(wish, wish.item):
        return None
    now, most = wish.context.spec.number(kind, rule), float(catalog()[kind][rule]["max"])
    limits = np.arange(math.floor(now / LIMIT_STEP_DEG) + 1, most / LIMIT_STEP_DEG + 0.5) * LIMIT_STEP_DEG
    for limit in limits.tolist():
        raised = replace(wish.context, spec=wish.context.spec.with_rules(kind, {rule: limit}))
        if _is_legal(replace(wish, context=raised), replace(wish.item, slope_limit_deg=limit)):
            words = f"Allow {limit:g}° for {plural(kind)}, and lay out again"
            return Offer(words, (wish.step,), (kind, rule, limit))
    return None


def _search(
    wish: _Wish, try_at: Callable[[tuple[float, float]], _Made | None], *, keep_off: Polygon | None = None
) -> _Made | None:
    """Edit and plan at the nearest place at which an edit succeeds; None without one.

    Parameters
    ----------
    wish : _Wish
        The asset at the middle of the search.
    try_at : callable
        Makes the edit at easting and northing [m]; returns None if it is refused.
    keep_off : Polygon, optional
        Ground that the asset must not touch.
    """
    tried: list[tuple[float, float]] = []
    for checks, place in enumerate(_candidates(wish, keep_off)):
        if checks >= MOST_CHECKS or len(tried) >= MOST_TRIES:
            break
        if any(math.dist(place, other) < APART_M for other in tried):
            continue
        if _is_legal(wish, move_item(wish.item, place)):
            tried.append(place)
            if (found := try_at(place)) is not None:
                return found
    return None


def _candidates(wish: _Wish, keep_off: Polygon | None) -> Iterator[tuple[float, float]]:
    """Places on open ground, the nearest first: those within reach of a road, then those that need a new one.

    Parameters
    ----------
    wish : _Wish
        The asset at the middle of the search.
    keep_off : Polygon, optional
        Ground that the asset must not touch.
    """
    around, spec = wish.around, wish.context.spec
    reach_m = spec.number("site", "array_reach_m" if wish.item.kind == "solar_array" else "road_reach_m")
    roads = shapely.union_all([r.line for r in wish.plan.road_list])
    footprint = outline(wish.item)
    radius_m = min(max(SEARCH_M, float(shapely.distance(roads, footprint)) + SEARCH_M), MOST_SEARCH_M)
    offsets = _offsets(radius_m)
    taken = _moved(pad_outline(wish.item) or footprint, offsets)
    own = _moved(footprint, offsets)
    shapely.prepare(around.field.placeable)
    shapely.prepare(roads)
    keep = shapely.covers(around.field.placeable, taken)
    if keep_off is not None:
        keep &= ~shapely.intersects(keep_off, own)
    blocked = [*(a.footprint for a in around.others), *(p.plane.polygon for p in around.pads)]
    if blocked:
        inside = shapely.buffer(taken, -0.01, join_style="mitre")
        keep[np.unique(shapely.STRtree(blocked).query(inside, predicate="intersects")[0])] = False
    near = shapely.dwithin(roads, own, reach_m)
    x, y = wish.item.centre
    for dx, dy in (*offsets[keep & near].tolist(), *offsets[keep & ~near].tolist()):
        yield x + dx, y + dy


def _offsets(radius_m: float) -> FloatArray:
    """Offsets of a lattice within a radius, the nearest first, shape (n, 2) [m]."""
    line = np.linspace(-radius_m, radius_m, 2 * CELLS + 1)
    every = np.stack([a.ravel() for a in np.meshgrid(line, line)], axis=1)
    away = np.hypot(every[:, 0], every[:, 1])
    order = np.argsort(away, kind="stable")
    return every[order[away[order] <= radius_m]]


def _moved(shape: Polygon, offsets: FloatArray) -> np.ndarray:
    """Copies of a polygon at offsets [m]."""
    ring = shapely.get_coordinates(shape)
    copies: np.ndarray = shapely.polygons(ring[None] + offsets[:, None])
    return copies


def _is_legal(wish: _Wish, item: Item) -> bool:
    """Whether an item keeps the limits of ground, zones and neighbours at its place."""
    try:
        check_place(wish.asset_id, item, wish.around)
    except EditRefused:
        return False
    return True


def _made(plan: Plan, step: EditStep, context: EditContext) -> Plan | None:
    """Plan after an edit; None where it is refused."""
    try:
        return apply_step(plan, step, context)
    except InputError:
        return None


def plural(kind: str) -> str:
    """Asset type in words, more than one."""
    words = kind.replace("_", " ")
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _cost(before: Plan, after: Plan) -> str:
    """Difference of the total cost in words."""
    difference = (after.bill_of_quantities().total - before.bill_of_quantities().total) / 1e6
    return f"{difference:+,.2f} million USD"


def _metres(plan: Plan, lonlat: tuple[float, float]) -> tuple[float, float]:
    """Place in the working CRS [m]."""
    x, y = transformer(LONLAT, plan.crs).transform(*lonlat)
    return float(x), float(y)


def _degrees(plan: Plan, place: tuple[float, float]) -> tuple[float, float]:
    """Place as longitude and latitude [°]."""
    lon, lat = transformer(plan.crs, LONLAT).transform(*place)
    return float(lon), float(lat)
