"""Racking design of a plan: rows, piles and graded ground of all its arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import CRSMismatchError
from pacifico.grid import Ground
from pacifico.layout.criteria.racking import racking_criteria
from pacifico.layout.model.racking import RACKING_WARNING, GradedCells, PileTable, RackingDesign, RowTable
from pacifico.layout.racking.balance import BalanceGroups, balanced
from pacifico.layout.racking.grading import TOLERANCE_M, least_grading
from pacifico.layout.racking.grading_problem import grading_problem
from pacifico.layout.racking.lattice import KeepOff
from pacifico.layout.racking.row_steps import SAME_STEP_M
from pacifico.layout.racking.rows import array_rows, rows_by_azimuth

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.racking import RackingCriteria
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.racking.balance import BalancedGradings
    from pacifico.layout.racking.grading import Grading
    from pacifico.layout.racking.grading_lp import KnownParts

SCHEDULE_CELL_M = 3.0
"""Largest cell of a DEM on which piles are more than an index [m]: two cells to a span between piles."""
SAME_SLOPE = 1e-6
"""Difference of slopes that is rounding, of heights to some µm over a few metres [rise/run]."""


def design_racking(plan: Plan, dem: xr.DataArray, *, known: KnownParts | None = None) -> RackingDesign:
    """Racking design of a plan.

    Ground is graded where piles would leave their reveal window, inside the boundary and clear of exclusions, pads and
    roads. Cut plus fill is least, balanced within power blocks or the site where ``racking.grading_balance`` says so, then
    the steel of the piles.

    Parameters
    ----------
    plan : Plan
        Layout; its spec names the racking.
    dem : DataArray
        DEM that the plan was made on.
    known : dict, optional
        Parts of the linear programs that were solved for a similar plan, which aren't solved again; grows.

    Raises
    ------
    CRSMismatchError
        The DEM is in another CRS than the plan.
    InputError
        The DEM has no ground under a row.
    """
    ground = Ground.finest_of(dem)
    if ground.grid.crs != plan.crs:
        raise CRSMismatchError(
            f"the DEM is in {ground.grid.crs.name}, the plan in {plan.crs.name}; give the DEM that the plan was made on"
        )
    criteria = racking_criteria(plan.spec)
    groups = rows_by_azimuth(array_rows(plan.asset_list, plan.spec), criteria)
    keep_off, side_slope = kept_ground(plan), plan.spec.number("earthwork", "side_slope")
    known = {} if known is None else known
    found: Sequence[Grading] = [
        least_grading(grading_problem(rows, ground, criteria, keep_off=keep_off, side_slope=side_slope), known)
        for rows in groups
    ]
    bound_m3 = sum(g.bound_m3 for g in found)
    unbalanced: tuple[str, ...] = ()
    if balance := balance_groups(plan):
        result = balanced(found, balance, known)
        found, bound_m3, unbalanced = result.gradings, result.bound_m3, balance_warnings(plan, result)
    rows, piles = row_table(found), pile_table(found, criteria)
    lengths, counts = np.unique(piles.ordered_m(criteria.pile_length_step_m).round(3), return_counts=True)
    over = arrays_over(rows, criteria)
    return RackingDesign(
        criteria.name,
        rows,
        piles,
        tuple(_graded_cells(g) for g in found),
        bound_m3,
        float(piles.length_m.sum()) * criteria.pile_kg_per_m / 1000.0,
        {f"{m:g}": round(n / len(piles.row), 4) for m, n in zip(lengths.tolist(), counts.tolist(), strict=True)},
        over,
        (*_warnings(piles, over, criteria, float(dem.attrs.get("source_resolution_m", 0.0))), *unbalanced),
    )


def balance_groups(plan: Plan) -> BalanceGroups | None:
    """Groups of arrays whose cut and fill are balanced; None without balance."""
    within = plan.spec.choice("racking", "grading_balance")
    if within == "none":
        return None
    block = {a.asset_id: a.item.block for a in plan.asset_list if a.item.kind == "solar_array"}
    number = {b: k for k, b in enumerate(sorted(set(block.values())))}
    of_array = {name: number[b] if within == "block" else 0 for name, b in block.items()}
    return BalanceGroups(of_array, plan.spec.number("earthwork", "shrink"))


def balance_warnings(plan: Plan, result: BalancedGradings) -> tuple[str, ...]:
    """Warning of cut and fill that don't balance, with the largest volumes."""
    if not len(result.unbalanced):
        return ()
    rest = result.cut_m3 * (1.0 - result.shrink) - result.fill_m3
    worst = int(max(result.unbalanced, key=lambda g: abs(float(rest[g]))))
    where, other = "the site", "none"
    if plan.spec.choice("racking", "grading_balance") == "block":
        where = f"{len(result.unbalanced):,} of {len(rest):,} power blocks, such as one"
        other = "site or none"
    text = (
        f"cut and fill under arrays don't balance in {where} with {result.cut_m3[worst]:,.0f} m³ of cut and "
        f"{result.fill_m3[worst]:,.0f} m³ of fill, {abs(rest[worst]):,.0f} m³ too {'little' if rest[worst] > 0 else 'much'}: "
        f"slopes and ground that is kept leave no room; set racking.grading_balance to {other}"
    )
    return (RACKING_WARNING + text,)


def kept_ground(plan: Plan) -> KeepOff:
    """Ground of a plan that must not be graded under arrays."""
    import shapely  # noqa: PLC0415 (the records above need none)

    zones = [z.with_buffer for z in plan.site.exclusions if z.zone_type != "cost"]
    pads = [p.plane.polygon for p in plan.pad_list]
    lines = np.array([shapely.force_2d(r.line) for r in plan.road_list], dtype=object)
    strips = shapely.buffer(lines, [r.width_m / 2 for r in plan.road_list], quad_segs=4)
    return KeepOff(plan.site.boundary, [*zones, *pads, *strips])


def row_table(found: Sequence[Grading]) -> RowTable:
    """Rows of all gradings with the heights of their ends."""
    names: list[str] = []
    number, ends, counts, beside = [], [], [], []
    for g in found:
        rows = g.problem.rows
        names += [rows.arrays[i].array_id for i in rows.array_of.tolist()]
        number.append(rows.number)
        ends.append(np.concatenate([rows.ends_xy(), _end_heights(g)[:, :, None]], axis=2))
        counts.append(np.diff(rows.first_pile))
        beside.append(_beside(g))
    first = np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, int), *counts]))]).astype(np.int64)
    return RowTable(
        tuple(names),
        np.concatenate([np.zeros(0, np.int64), *number]),
        np.concatenate([np.zeros((0, 2, 3)), *ends]),
        first,
        *np.concatenate([np.zeros((3, 0)), *beside], axis=1),
    )


def _end_heights(grading: Grading) -> FloatArray:
    """Height of each tube at both ends, straight on from its outer piles, shape (n, 2) [m]."""
    rows, tube = grading.problem.rows, grading.tube
    heights = []
    for outer, inner, end in (
        (rows.first_pile[:-1], rows.first_pile[:-1] + 1, rows.start),
        (rows.first_pile[1:] - 1, rows.first_pile[1:] - 2, rows.end),
    ):
        s = rows.pile_along
        heights.append(tube[outer] + (tube[outer] - tube[inner]) / (s[outer] - s[inner]) * (end - s[outer]))
    return np.stack(heights, axis=1)


def _beside(grading: Grading) -> FloatArray:
    """Largest height difference to the next row [m], steepest ground across and along each row, shape (3, n)."""
    rows = grading.problem.rows
    a, b, along = rows.neighbours()
    row = rows.row_of
    found = np.zeros((3, len(rows.start)))
    rise = np.abs(grading.graded_ground[b] - grading.graded_ground[a])
    run = np.where(along, rows.pile_along[b] - rows.pile_along[a], rows.across[row[b]] - rows.across[row[a]])
    step = np.abs(grading.tube[b] - grading.tube[a])
    for into, which, values in ((0, ~along, step), (1, ~along, rise / np.abs(run)), (2, along, rise / np.abs(run))):
        np.maximum.at(found[into], row[a[which]], values[which])
    return found


def pile_table(found: Sequence[Grading], criteria: RackingCriteria) -> PileTable:
    """Piles of all gradings."""
    before = np.cumsum([0, *(len(g.problem.rows.start) for g in found)])
    columns = [
        (g.problem.rows.row_of + before[i], *g.problem.rows.pile_xy, g.problem.pile_ground, g.graded_ground, g.tube,
         g.excess_m > 10 * TOLERANCE_M)
        for i, g in enumerate(found)
    ]  # fmt: skip
    none = (np.zeros(0, np.int64), *[np.zeros(0)] * 5, np.zeros(0, bool))
    row, x, y, ground, graded, top, outside = (np.concatenate(c) for c in zip(none, *columns, strict=True))
    return PileTable(row, x, y, ground, graded, top, criteria.embedment_m, outside)


def _graded_cells(grading: Grading) -> GradedCells:
    """Cells of graded ground in map coordinates."""
    lattice = grading.problem.lattice
    x, y = lattice.map_places(grading.nodes)
    return GradedCells(lattice.frame.azimuth_deg, lattice.cell_m, x, y, grading.correction)


def arrays_over(rows: RowTable, criteria: RackingCriteria) -> tuple[str, ...]:
    """Arrays with rows beyond the racking's slope along or across, or its height difference, in their order."""
    over = (
        (rows.largest_step_m > criteria.max_row_step_m + SAME_STEP_M)
        | (rows.steepest_across > criteria.max_slope_across + SAME_SLOPE)
        | (rows.steepest_along > criteria.max_slope_along + SAME_SLOPE)
    )
    return tuple(dict.fromkeys(rows.array_id[k] for k in np.flatnonzero(over).tolist()))


def _warnings(piles: PileTable, over: Sequence[str], criteria: RackingCriteria, cell_m: float) -> tuple[str, ...]:
    """Warnings about piles.

    Parameters
    ----------
    piles : PileTable
        Piles of the design.
    over : sequence of str
        Arrays beyond the racking's slopes or height difference.
    criteria : RackingCriteria
        Limits of the racking.
    cell_m : float
        Cell of the DEM's source [m].
    """
    said = []
    if len(piles.row) and cell_m > SCHEDULE_CELL_M:
        said.append(
            f"piles follow ground of {cell_m:.3g} m cells: they are an index to compare layouts by, not a schedule to order from"
        )
    outside = int(piles.outside.sum())
    if outside:
        said.append(
            f"{outside:,} of {len(piles.row):,} piles stay outside the reveal window of {criteria.min_reveal_m:g} to "
            f"{criteria.max_reveal_m:g} m: ground beside roads, pads, exclusions or the boundary can't be graded; move their arrays"
        )
    if over:
        said.append(
            f"{len(over):,} arrays stay steeper than {100 * criteria.max_slope_along:g} % along or {100 * criteria.max_slope_across:g} % "
            f"across their rows, or have neighbouring rows more than {criteria.max_row_step_m:g} m apart in height, such as {over[0]}: "
            "ground beside roads, pads, exclusions or the boundary can't be graded; move them"
        )
    return tuple(RACKING_WARNING + text for text in said)
