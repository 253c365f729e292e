"""Stationing of roads: places every so many metres along a centreline, with ground and design heights."""

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

LEAST_M = 1.0
"""Stations nearer to each other than this are of no use to anybody."""


@dataclass(frozen=True)
class Station:
    """One place on a road's centreline."""

    road_id: str
    station_m: float
    """From the road's start, in plan [m]."""
    x: float
    y: float
    """Working CRS [m]."""
    design_m: float
    """Design height [m]."""
    grade_pct: float
    """Of the piece ahead (at the end, of the last one), positive uphill [%]."""
    ground_m: float | None = None
    """Ground on the centreline [m]; None where it is not known."""

    @property
    def label(self) -> str:
        """Kilometres and metres, as on a drawing: 0+025, and 1+203.45 where they are not whole."""
        km, m = divmod(round(self.station_m, 2), 1000.0)
        whole = abs(m - round(m)) < 0.005
        return f"{int(km)}+{round(m):03d}" if whole and round(m) < 1000 else f"{int(km)}+{m:06.2f}"

    @property
    def fill_m(self) -> float | None:
        """Design over ground [m]; negative in cut."""
        return None if self.ground_m is None else self.design_m - self.ground_m


def stations(plan: Plan, *, every_m: float = 25.0, ground: Ground | None = None) -> list[Station]:
    """Stations of all roads of a plan; see `stations_along`."""
    return stations_along([(r.road_id, r.line) for r in plan.road_list], every_m=every_m, ground=ground)


def stations_along(
    roads: Iterable[tuple[str, LineString]], *, every_m: float = 25.0, ground: Ground | None = None
) -> list[Station]:
    """Stations along roads: at the start, every `every_m`, and at the end.

    Parameters
    ----------
    roads : iterable of (str, LineString Z)
        Name and centreline with design heights, working CRS.
    every_m : float
        Distance between stations, in plan [m].
    ground : Ground, optional
        Heights of the ground; without it stations have none.

    Returns
    -------
    list of Station
        Road by road, in their order.

    Raises
    ------
    InputError
        Stations less than 1 m apart, or a line without heights.
    """
    if not every_m >= LEAST_M:
        raise InputError(f"stations every {every_m:g} m are too near to each other; give {LEAST_M:g} m or more")
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
        # an end within a centimetre of a station is that station
        at = np.append(at[at < run[-1] - 0.01], run[-1])
        x, y, z = (np.interp(at, run, xyz[:, k]) for k in range(3))
        piece = np.clip(np.searchsorted(run, at + 1e-9, side="right") - 1, 0, len(step) - 1)
        grade = 100.0 * np.diff(xyz[:, 2])[piece] / step[piece]
        known = np.full(len(at), np.nan) if ground is None else ground.at(x, y)
        for k in range(len(at)):
            here = None if np.isnan(known[k]) else float(known[k])
            out.append(Station(name, float(at[k]), float(x[k]), float(y[k]), float(z[k]), float(grade[k]), here))
    return out
