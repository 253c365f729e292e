"""Leave arrays out of a layout whose grading costs more than a limit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.economics.civil_costs import civil_works
from pacifico.layout.economics.leave_out import LeftOut, without_assets
from pacifico.layout.placement.skids import least_block_kw
from pacifico.layout.racking.design import design_racking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr

    from pacifico.array_types import BoolArray, FloatArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.model.assets import Item
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.racking import RackingDesign

SMALL_REST = (
    "left out: so many arrays of its power block cost more than max_grading_usd_per_kw that its skid isn't worth it"
)
"""Reason of what is left of a power block."""


def leave_out_graded(plan: Plan, served: ServedLayout, dem: xr.DataArray) -> LeftOut | None:
    """Layout without arrays whose grading costs more than the limit; None where there are none.

    Each array is judged by the grading of the whole layout. What is left out under a limit is left out under every lower
    one too.

    Parameters
    ----------
    plan : Plan
        Plan of the layout, with its limit in `spec`.
    served : ServedLayout
        The layout; its items are the plan's assets, in the same order.
    dem : DataArray
        DEM that the plan was made on.
    """
    limit = plan.spec.number("economics", "max_grading_usd_per_kw")
    items = [a.item for a in plan.asset_list]
    if limit <= 0 or not any(i.kind == "solar_array" for i in items):
        return None
    cost = grading_usd_per_kw(plan, design_racking(plan, dem))
    kept = arrays_kept(items, cost, limit, least_block_kw(plan.spec))
    dearest = float(cost[kept].max())
    warnings = () if dearest <= limit else (_warning(dearest, limit),)
    out = [k for k, i in enumerate(items) if i.kind == "solar_array" and not kept[k]]
    if not out:
        return LeftOut(served, (), warnings) if warnings else None
    reason = why(cost[[k for k in out if cost[k] > limit]], limit)
    blocks = {items[k].block for k in out} - {i.block for k, i in enumerate(items) if kept[k]}
    skids = [k for k, i in enumerate(items) if i.kind == "inverter_skid" and i.block in blocks]
    reasons = {k: reason if cost[k] > limit else SMALL_REST for k in out} | dict.fromkeys(skids, reason)
    return replace(without_assets(plan, served, civil_works(plan), reasons), warnings=warnings)


def grading_usd_per_kw(plan: Plan, design: RackingDesign) -> FloatArray:
    """Cost of the ground graded under each asset, by its AC capacity, shape (n,) [USD/kW].

    Cut and fill count at their unit costs. A graded cell beside arrays belongs to the nearest one. Assets without rows
    have 0.

    Parameters
    ----------
    plan : Plan
        Layout with its unit costs.
    design : RackingDesign
        Its graded ground.
    """
    arrays = [k for k, a in enumerate(plan.asset_list) if a.item.kind == "solar_array"]
    tree = shapely.STRtree([plan.asset_list[k].footprint for k in arrays])
    cut, fill = (plan.spec.number("costs", part) for part in ("cut", "fill"))
    usd = np.zeros(len(plan.asset_list))
    for cells in design.graded:
        if len(cells.x):
            (_, nearest), volume = (
                tree.query_nearest(shapely.points(cells.x, cells.y), all_matches=False),
                cells.volumes_m3,
            )
            np.add.at(usd, np.array(arrays)[nearest], np.where(volume < 0, -volume * cut, volume * fill))
    capacity = np.array([a.item.capacity_kw for a in plan.asset_list])
    cost: FloatArray = np.divide(usd, capacity, out=np.zeros(len(usd)), where=usd > 0)
    return cost


def arrays_kept(items: Sequence[Item], cost: FloatArray, limit: float, least_kw: float) -> BoolArray:
    """Arrays that stay under a limit; a higher limit never keeps less capacity.

    A rest of a power block too small for a skid goes too, unless it is the largest rest: a plant keeps one.

    Parameters
    ----------
    items : sequence of Item
        All assets.
    cost : ndarray, shape (n,)
        Cost of grading under each [USD/kW].
    limit : float
        Limit on it [USD/kW].
    least_kw : float
        Smallest power block that is worth a skid [kW].
    """
    arrays = [k for k, i in enumerate(items) if i.kind == "solar_array"]
    within = [k for k in arrays if cost[k] <= limit] or [min(arrays, key=lambda k: float(cost[k]))]
    whole, rest = (_block_kw(items, some) for some in (arrays, within))
    largest = max(rest, key=lambda block: rest[block])
    stay = {b for b, kw in rest.items() if b == largest or kw >= least_kw or kw == whole[b]}
    kept = np.zeros(len(items), dtype=bool)
    kept[[k for k in within if items[k].block in stay]] = True
    return kept


def _block_kw(items: Sequence[Item], some: Sequence[int]) -> Mapping[int, float]:
    """AC capacity of some arrays by power block, in the order of blocks [kW]."""
    kw: dict[int, float] = defaultdict(float)
    for k in sorted(some, key=lambda k: items[k].block):
        kw[items[k].block] += items[k].capacity_kw
    return kw


def why(cost: FloatArray, limit: float) -> str:
    """Why arrays were left out, by the cost of grading under them [USD/kW]."""
    low, high = f"{cost.min():,.0f}", f"{cost.max():,.0f}"
    return (
        f"left out: {low if low == high else f'{low} to {high}'} USD/kW of grading under its rows, over the limit of "
        f"{limit:,.0f} USD/kW; raise max_grading_usd_per_kw"
    )


def _warning(cost: float, limit: float) -> str:
    """Warning that what remains costs more than a limit [USD/kW]."""
    return (
        f"what remains costs {cost:,.0f} USD/kW of grading under its rows, over the limit of {limit:,.0f} USD/kW: no array "
        "costs less; raise max_grading_usd_per_kw, or take --racking terrain_following"
    )
