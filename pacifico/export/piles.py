"""Rows and piles of a layout for drawings, from its piles.csv."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.files.stored import StoredLayout
    from pacifico.layout.model.plan import Plan

WHOLE = ("row", "pile", "in_window")
"""Columns of whole numbers."""
MEASURED = ("x", "y", "ground_m", "graded_ground_m", "top_m", "reveal_m", "embedment_m", "length_m", "ordered_m")
"""Columns of measures [m]."""


@dataclass(frozen=True, eq=False)
class PileSchedule:
    """Piles of a layout, row by row."""

    columns: Mapping[str, NDArray[Any]]
    """Columns of piles.csv; x and y in the layout's working CRS [m]."""

    def __post_init__(self) -> None:
        if not len(self.columns["x"]):
            raise InputError("there are no piles to draw; leave the piles out")

    def __len__(self) -> int:
        return len(self.columns["x"])

    @property
    def first_pile(self) -> IntArray:
        """First pile of each row."""
        array, row = self.columns["array"], self.columns["row"]
        found: IntArray = np.flatnonzero(np.r_[True, (array[1:] != array[:-1]) | (row[1:] != row[:-1])])
        return found

    @property
    def tops(self) -> FloatArray:
        """Easting, northing and height of each pile's top, shape (n, 3) [m]."""
        tops: FloatArray = np.column_stack([self.columns[name] for name in ("x", "y", "top_m")])
        return tops

    @property
    def feet(self) -> FloatArray:
        """Easting, northing and height of each pile's foot, shape (n, 3) [m]."""
        c = self.columns
        feet: FloatArray = np.column_stack([c["x"], c["y"], c["graded_ground_m"] - c["embedment_m"]])
        return feet

    def row_lines(self) -> list[BaseGeometry]:
        """Line over the tops of each row's piles."""
        counts = np.diff(np.r_[self.first_pile, len(self)])
        lines: list[BaseGeometry] = shapely.linestrings(
            self.tops, indices=np.repeat(np.arange(len(counts)), counts)
        ).tolist()
        return lines

    def require_of(self, layout: StoredLayout) -> None:
        """Refuse piles of another layout.

        Raises
        ------
        InputError
            An array of the piles isn't in the layout, or doesn't hold them.
        """
        arrays = {p["asset_id"]: p.geometry for p in layout.of_kind("asset") if p["asset_type"] == "solar_array"}
        points = shapely.points(self.tops[self.first_pile])
        for name, point in zip(self.columns["array"][self.first_pile].tolist(), points, strict=True):
            if name not in arrays or not shapely.dwithin(arrays[name], point, 1.0):
                where = "is not in the layout" if name not in arrays else "lies elsewhere in the layout"
                raise InputError(f"array {name} of the piles {where}; give the piles.csv that was written with it")


def schedule_of(plan: Plan) -> PileSchedule:
    """Piles of a plan.

    Raises
    ------
    InputError
        The plan has no piles yet.
    """
    frame = plan.piles
    xyz = shapely.get_coordinates(frame.geometry.to_numpy())
    columns = {name: frame[name].to_numpy() for name in ("array", *WHOLE, *MEASURED[2:])}
    return PileSchedule({**columns, "x": xyz[:, 0], "y": xyz[:, 1], "in_window": columns["in_window"].astype(np.int64)})


def read_piles(path: str | Path) -> PileSchedule:
    """Piles of a piles.csv.

    Raises
    ------
    InputError
        The file can't be read, or is no piles.csv.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise InputError(f"{path} can't be read as piles: {fault}") from None
    missing = [name for name in ("array", *WHOLE, *MEASURED) if not rows or rows[0].get(name) is None]
    if missing:
        raise InputError(f"{path} has no column {missing[0]}, or no piles; give the piles.csv of a layout")
    try:
        columns: dict[str, NDArray[Any]] = {name: np.array([float(r[name]) for r in rows]) for name in MEASURED}
        columns |= {name: np.array([int(r[name]) for r in rows], dtype=np.int64) for name in WHOLE}
    except (TypeError, ValueError) as fault:
        raise InputError(f"{path} holds what is no number ({fault}); give the piles.csv of a layout") from None
    if not all(np.isfinite(columns[name]).all() for name in MEASURED):
        raise InputError(f"{path} holds numbers that are not finite; give the piles.csv of a layout")
    return PileSchedule({"array": np.array([r["array"] for r in rows], dtype=object), **columns})
