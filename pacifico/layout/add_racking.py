"""Add rows, piles and the ground graded under arrays to a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.metrics import REALIZATIONS, earthwork_totals, works_spread
from pacifico.layout.model.racking import RACKING_WARNING
from pacifico.layout.racking.design import design_racking
from pacifico.layout.racking.uncertainty import grading_spread

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.model.plan import Plan


def add_racking(plan: Plan, dem: xr.DataArray) -> Plan:
    """Plan with rows and piles designed; cut and fill hold the ground graded under arrays.

    Assets and roads stay as they are. The plan itself comes back where it has no solar array.

    Parameters
    ----------
    plan : Plan
        Layout; section ``racking`` of its spec names the racking.
    dem : DataArray
        DEM that the plan was made on.

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
    design = design_racking(plan, dem)
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
