"""Add rows, piles and the ground graded under arrays to a plan."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from pacifico.layout.criteria.request import smallest_unit_kw
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.editing.asset_edits import remove_arrays
from pacifico.layout.editing.context import EditContext
from pacifico.layout.metrics import REALIZATIONS, earthwork_totals, works_spread
from pacifico.layout.model.assets import Unplaced, merge_unplaced
from pacifico.layout.model.racking import RACKING_WARNING
from pacifico.layout.placement.draft import capacity_of
from pacifico.layout.racking.design import design_racking
from pacifico.layout.racking.uncertainty import grading_spread
from pacifico.layout.shortfall import why_less

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.racking import RackingDesign
    from pacifico.layout.racking.grading_lp import KnownParts

NOT_GRADABLE = (
    "left out: grading can't bring its piles and slopes within the limits of {racking} beside ground that is kept (roads, pads, "
    "exclusions, outside the boundary); lower racking.graded_slope_factor"
)
"""Reason of arrays that can't be graded."""


def add_racking(plan: Plan, dem: xr.DataArray) -> Plan:
    """Plan with rows and piles designed; cut and fill hold the ground graded under arrays.

    Arrays whose ground can't be graded to the racking's limits are left out, with their reason in `unplaced`; an edited
    plan keeps them, with a warning. The plan itself comes back where it has no solar array.

    Parameters
    ----------
    plan : Plan
        Layout; section ``racking`` of its spec names the racking.
    dem : DataArray
        DEM that the plan was made on.

    Returns
    -------
    Plan
        With `racking` and its metrics, without arrays that can't be graded, and totals of cut and fill that hold the ground graded under arrays.

    Raises
    ------
    CRSMismatchError
        The DEM is in another CRS than the plan.
    InputError
        The DEM has no ground under a row.

    Examples
    --------
    >>> plan = add_racking(generate_layout(site, dem), dem)  # doctest: +SKIP
    >>> plan.metrics["pile_count"], plan.piles  # doctest: +SKIP
    """
    if not any(a.item.kind == "solar_array" for a in plan.asset_list):
        return plan
    plan, design = _gradable(plan, dem)
    planes = [p.plane for p in plan.pad_list]
    spread = works_spread(dem, planes, plan.road_list, earthwork_criteria(plan.spec)).sum(axis=1)
    spread = spread + grading_spread(plan, dem, REALIZATIONS)
    totals = earthwork_totals(planes, plan.road_volumes, spread, arrays_m3=design.volumes_m3)
    return replace(
        plan,
        racking=design,
        metrics={**plan.metrics, **totals, **design.metrics()},
        warnings=(*(w for w in plan.warnings if not w.startswith(RACKING_WARNING)), *design.warnings),
    )


def _gradable(plan: Plan, dem: xr.DataArray) -> tuple[Plan, RackingDesign]:
    """Plan without arrays that can't be graded, with its design; the same where all can be, or none."""
    known: KnownParts = {}  # most of the ground stays the same where an array is left out
    design = design_racking(plan, dem, known=known)
    while design.arrays_beyond and not plan.edits:
        arrays = {a.asset_id for a in plan.asset_list if a.item.kind == "solar_array"}
        if arrays <= set(design.arrays_beyond):
            break
        plan = leave_out_arrays(plan, design, dem)
        design = design_racking(plan, dem, known=known)
    return plan, design


def leave_out_arrays(plan: Plan, design: RackingDesign, dem: xr.DataArray) -> Plan:
    """Plan without the arrays of its design that can't be graded, with their reason in `unplaced`."""
    new = remove_arrays(plan, design.arrays_beyond, context=EditContext.of(plan, dem))
    gone = Counter(a.item.kind for a in plan.asset_list) - Counter(a.item.kind for a in new.asset_list)
    reason = NOT_GRADABLE.format(racking=design.racking)
    unplaced = merge_unplaced((*plan.unplaced, *(Unplaced(kind, n, reason) for kind, n in gone.items())))
    placed_kw = capacity_of([a.item for a in new.asset_list], plan.profile)
    shortfall = why_less(placed_kw, plan.target_capacity_kw, smallest_unit_kw(plan.profile, plan.spec), unplaced)
    warnings = (*(w for w in new.warnings if w != new.shortfall), *([shortfall] if shortfall else []))
    return replace(new, edits=plan.edits, unplaced=unplaced, shortfall=shortfall, warnings=warnings)
