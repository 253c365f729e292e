"""Make edits again on another layout; those that break a limit are refused with their reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from pacifico.crs import LONLAT, transformer
from pacifico.errors import EditRefused
from pacifico.explorer.engine.messages import Refusal
from pacifico.layout.editing.editor import EditContext, add_asset, move_asset, remove_asset, rotate_asset

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.explorer.state.document import EditStep, LonLat
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.plan import Plan

SAME_PLACE_M = 0.1
"""Distance up to which two places are the same: coordinates have passed through degrees [m]."""
REACH_M = 60.0
"""Distance from the edited place up to which another layout's asset of the type is the one that was meant [m]."""
MOST_KEPT = 64
"""Most edited plans of a layout that are kept, so that undo finds them again."""


@dataclass(frozen=True)
class Replayed:
    """Plan after edits, and those that were refused."""

    plan: Plan
    refused: tuple[Refusal, ...] = ()


class Replay:
    """Edits of one layout.

    Parameters
    ----------
    plan : Plan
        The layout without edits.
    dem : DataArray
        DEM that it was made on.
    """

    def __init__(self, plan: Plan, dem: xr.DataArray) -> None:
        self._dem = dem
        self._context: EditContext | None = None
        self._known: dict[tuple[EditStep, ...], Replayed] = {(): Replayed(plan)}

    def run(self, edits: tuple[EditStep, ...]) -> Replayed:
        """Plan after some edits, in their order."""
        known = len(edits)
        while edits[:known] not in self._known:
            known -= 1
        found = self._known[edits[:known]]
        for position in range(known, len(edits)):
            found = self._apply(found, position, edits[position])
            if len(self._known) >= MOST_KEPT:
                self._known = {(): self._known[()]}
            self._known[edits[: position + 1]] = found
        return found

    def _apply(self, before: Replayed, position: int, step: EditStep) -> Replayed:
        """Plan after one more edit, or the same plan with a refusal."""
        if self._context is None:
            self._context = EditContext.of(before.plan, self._dem)
        try:
            plan = apply_step(before.plan, step, self._context)
        except EditRefused as refused:
            return Replayed(before.plan, (*before.refused, Refusal(position, step.words, str(refused))))
        return Replayed(plan, before.refused)


def apply_step(plan: Plan, step: EditStep, context: EditContext) -> Plan:
    """Plan after an edit.

    On another layout it is the asset of the type nearest to the edited place. A removed asset that isn't there, and a moved one that
    is where it was moved to, leave the plan as it is.

    Raises
    ------
    EditRefused
        The result would break a limit, or no such asset is there.
    """
    if step.operation == "add":
        return add_asset(plan, step.asset_type, context=context, at_lonlat=step.at)
    asset = find_asset(plan, step)
    if step.operation == "remove":
        return plan if asset is None else remove_asset(plan, asset.asset_id, context=context)
    if asset is None:
        if step.to is not None and _stands_at(plan, step, step.to):
            return plan
        raise EditRefused(
            f"no {step.asset_type.replace('_', ' ')} stands within {REACH_M:g} m of the place of the edit; undo the edit, or make it again"
        )
    if step.to is not None:
        return move_asset(plan, asset.asset_id, context=context, to_lonlat=step.to)
    if step.to_deg is not None:
        return rotate_asset(plan, asset.asset_id, context=context, to_deg=step.to_deg)
    raise EditRefused(f"{step.words} has neither a place nor an angle")


def find_asset(plan: Plan, step: EditStep) -> Asset | None:
    """Asset that an edit means.

    It is the same one, else the one at its place, else the nearest of its type.

    Only an asset at the very place is removed: another one is not meant.
    """
    place = _place(plan, step.at)
    own = [a for a in plan.asset_list if a.item.kind == step.asset_type]
    for asset in own:
        if asset.asset_id == step.asset_id and math.dist(asset.item.centre, place) <= SAME_PLACE_M:
            return asset
    point = shapely.Point(place)
    covering = [a for a in own if a.footprint.covers(point)]
    reach = covering or ([] if step.operation == "remove" else own)
    nearest = min(reach, key=lambda a: math.dist(a.item.centre, place), default=None)
    if nearest is None or (not covering and math.dist(nearest.item.centre, place) > REACH_M):
        return None
    return nearest


def _stands_at(plan: Plan, step: EditStep, lonlat: LonLat) -> bool:
    """Whether an asset of the edit's type stands at a place."""
    place = _place(plan, lonlat)
    return any(a.item.kind == step.asset_type and math.dist(a.item.centre, place) <= 1.0 for a in plan.asset_list)


def _place(plan: Plan, lonlat: LonLat) -> tuple[float, float]:
    """Place in the working CRS [m]."""
    x, y = transformer(LONLAT, plan.crs).transform(*lonlat)
    return float(x), float(y)
