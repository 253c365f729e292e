"""Stationing: regular stations along roads, with ground and design heights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely import LineString

    from pacifico.grid import Ground
    from pacifico.layout.model.plan import Plan

MIN_SPACING_M = 1.0
"""Least distance between stations [m]: below it, a table of stations has no use."""
SAME_STATION_M = 0.01
"""A road's end nearer than this to a station is that station [m]."""


@dataclass(frozen=True)
class Station:
    """Station on a road's centreline."""

    road_id: str
    station_m: float
    """Distance from the road's start, in plan [m]."""
    x: float
    y: float
    """Easting and northing in the working CRS [m]."""
    design_m: float
    """Design height [m]."""
    grade_pct: float
    """Grade of the segment ahead, or of the last one at the end; uphill is positive [%]."""
    ground_m: float | None = None
    """Ground height on the centreline [m]; None where it is unknown."""

    @property
    def label(self) -> str:
        """Kilometres and metres as on a drawing: 0+025, or 1+203.45."""
        km, m = divmod(round(self.station_m, 2), 1000.0)
        whole = abs(m - round(m)) < 0.005
        return f"{int(km)}+{round(m):03d}" if whole and round(m) < 1000 else f"{int(km)}+{m:06.2f}"

    @property
    def fill_m(self) -> float | None:
        """Height of design above ground [m]; negative in cut."""
        return None if self.ground_m is None else self.design_m - self.ground_m


def stations(plan: Plan, *, every_m: float = 25.0, ground: Ground | None = None) -> list[Station]:
    """Stations of all roads of a plan; parameters as `stations_along`."""
    return stations_along([(r.road_id, r.line) for r in plan.road_list], every_m=every_m, ground=ground)


def stations_along(
    roads: Iterable[tuple[str, LineString]], *, every_m: float = 25.0, ground: Ground | None = None
) -> list[Station]:
    """Stations along roads: at the start, every `every_m`, and at the end.

    Parameters
    ----------
    roads : iterable of (str, LineString)
        Identifier, and centreline in the working CRS with design heights as Z [m].
    every_m : float
        Distance between stations in plan [m].
    ground : Ground, optional
        Ground heights; without it stations have none.

    Returns
    -------
    list of Station
        Road by road, in their order.

    Raises
    ------
    InputError
        Stations less than 1 m apart, or a line without heights.
    """
    if not every_m >= MIN_SPACING_M:
        raise InputError(f"stations every {every_m:g} m are too near to each other; give {MIN_SPACING_M:g} m or more")
    out: list[Station] = []
    for name, line in roads:
        if not line.has_z:
            raise InputError(f"road {name} has no design heights; give lines with Z")
        xyz = shapely.get_coordinates(line, include_z=True)
        step = np.hypot(*np.diff(xyz[:, :2], axis=0).T)
        keep = np.append(True, step > 0)
        xyz, step = xyz[keep], step[step > 0]
        run = np.concatenate([[0.0], np.cumsum(step)])
        at = np.arange(0.0, run[-1], every_m)
        at = np.append(at[at < run[-1] - SAME_STATION_M], run[-1])
        x, y, z = (np.interp(at, run, xyz[:, k]) for k in range(3))
        segment = np.clip(np.searchsorted(run, at + 1e-9, side="right") - 1, 0, len(step) - 1)
        grade = 100.0 * np.diff(xyz[:, 2])[segment] / step[segment]
        heights = np.full(len(at), np.nan) if ground is None else ground.at(x, y)
        for k in range(len(at)):
            height = None if np.isnan(heights[k]) else float(heights[k])
            out.append(Station(name, float(at[k]), float(x[k]), float(y[k]), float(z[k]), float(grade[k]), height))
    return out
