"""Tables of rows and piles: GeoDataFrames and piles.csv."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.errors import InputError
from pacifico.layout.criteria.racking import racking_criteria
from pacifico.layout.racking.rows import array_rows, rows_by_azimuth

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.racking import RackingDesign

PILE_COLUMNS = (
    "array", "row", "pile", "x", "y", "ground_m", "graded_ground_m", "top_m", "reveal_m", "embedment_m", "length_m", "ordered_m",
    "in_window",
)  # fmt: skip
"""Columns of piles.csv; x and y in the working CRS [m]."""


def rows_frame(plan: Plan) -> gpd.GeoDataFrame:
    """Rows of a plan with their piles; heights where its racking is designed, else NaN."""
    import geopandas as gpd  # noqa: PLC0415 (1 s)

    if plan.racking is not None:
        table = plan.racking.rows
        names, number, ends, first = list(table.array_id), table.number, table.ends, table.first_pile
    else:
        groups = rows_by_azimuth(array_rows(plan.asset_list, plan.spec), racking_criteria(plan.spec))
        names = [g.arrays[i].array_id for g in groups for i in g.array_of.tolist()]
        number = np.concatenate([np.zeros(0, np.int64), *(g.number for g in groups)])
        flat = np.concatenate([np.zeros((0, 2, 2)), *(g.ends_xy() for g in groups)])
        ends = np.concatenate([flat, np.full((*flat.shape[:2], 1), np.nan)], axis=2)
        counts = np.concatenate([np.zeros(0, np.int64), *(np.diff(g.first_pile) for g in groups)])
        first = np.concatenate([[0], np.cumsum(counts)])
    heights = ends[:, :, 2]
    lines = shapely.linestrings(ends[:, :, :2] if np.isnan(heights).any() else ends)
    columns = {
        "array": names,
        "row": number,
        "piles": np.diff(first),
        "length_m": np.hypot(*(ends[:, 1, :2] - ends[:, 0, :2]).T),
        "start_m": heights[:, 0],
        "end_m": heights[:, 1],
    }
    return gpd.GeoDataFrame(columns, geometry=list(lines), crs=plan.crs)


def piles_frame(plan: Plan) -> gpd.GeoDataFrame:
    """Piles of a plan whose racking is designed."""
    import geopandas as gpd  # noqa: PLC0415 (1 s)

    columns = _pile_columns(plan, _designed(plan))
    points = shapely.points(columns.pop("x"), columns.pop("y"), columns["top_m"])
    return gpd.GeoDataFrame(columns, geometry=list(points), crs=plan.crs)


def _designed(plan: Plan) -> RackingDesign:
    """Racking design of a plan; refused without one."""
    if plan.racking is None:
        raise InputError("the plan has no piles yet; design them with pacifico.add_racking(plan, dem)")
    return plan.racking


def _pile_columns(plan: Plan, design: RackingDesign) -> dict[str, np.ndarray]:
    """Columns of the table of piles."""
    rows, piles = design.rows, design.piles
    step = plan.spec.number("racking", "pile_length_step_m")
    return {
        "array": np.array(rows.array_id, dtype=object)[piles.row],
        "row": rows.number[piles.row],
        "pile": np.arange(len(piles.row)) - rows.first_pile[piles.row] + 1,
        "x": piles.x,
        "y": piles.y,
        "ground_m": piles.ground_m,
        "graded_ground_m": piles.graded_m,
        "top_m": piles.top_m,
        "reveal_m": piles.reveal_m,
        "embedment_m": np.full(len(piles.row), piles.embedment_m),
        "length_m": piles.length_m,
        "ordered_m": piles.ordered_m(step),
        "in_window": ~piles.outside,
    }


def piles_csv(plan: Plan) -> str:
    """piles.csv of a plan whose racking is designed, to a tenth of a millimetre."""
    columns = _pile_columns(plan, _designed(plan))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PILE_COLUMNS)
    cells = [
        [f"{v:.4f}" for v in values.tolist()] if values.dtype == np.float64
        else [int(v) for v in values.tolist()] if values.dtype != object
        else values.tolist()
        for values in (columns[name] for name in PILE_COLUMNS)
    ]  # fmt: skip
    writer.writerows(zip(*cells, strict=True))
    return text.getvalue()


def write_piles(plan: Plan, path: str | Path) -> Path:
    """Write piles.csv; equal plans give equal bytes."""
    from pathlib import Path  # noqa: PLC0415 (as in `Plan.write`)

    target = Path(path)
    target.write_text(piles_csv(plan), encoding="utf-8", newline="")
    return target
