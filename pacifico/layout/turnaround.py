"""Turnarounds at dead ends: two arms that a long vehicle backs into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

from pacifico.layout.alignment import stations_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pacifico.grid import Ground
    from pacifico.layout.roads import RoadRules
    from pacifico.layout.routing import Lattice

    Floats = NDArray[np.float64]

# Both arms across the end, else one across and one ahead; then the same, askew. Degrees from the road's direction.
ARMS = tuple((a + t, b + t) for t in (0, 15, -15, 30, -30) for a, b in ((90, -90), (90, 0), (-90, 0)))


def turnarounds(
    lattice: Lattice, ground: Ground, roads: Sequence[Floats], ends: Sequence[int], *, rules: RoadRules
) -> tuple[list[Floats], int]:
    """Arms of hammerheads at dead ends, and how many dead ends have no room for one.

    Parameters
    ----------
    lattice : Lattice
        What the arms must keep clear of.
    ground : Ground
        Heights to follow.
    roads : sequence of (k, 3) float
        All roads with their design heights; an arm keeps the road's width from those it does not continue.
    ends : sequence of int
        Roads whose far end is dead.
    rules : RoadRules
        Width, grade, depth and length of an arm.

    Returns
    -------
    arms : list of (k, 3) float
        Two for each turnaround; each begins at the dead end, at its height.
    without : int
        Dead ends longer than `rules.turnaround_over_m` that got none.

    References
    ----------
    International Fire Code (2021), D103.4 and figure D103.1.
    """
    lines = [LineString(r) for r in roads]
    tree = shapely.STRtree(lines)
    arms: list[Floats] = []
    built: list[tuple[float, float, LineString]] = []
    without = 0
    for c in ends:
        if lines[c].length <= rules.turnaround_over_m:
            continue
        near = tree.query(lines[c].interpolate(lines[c].length), "dwithin", 2 * rules.turnaround_arm_m)
        x, y = roads[c][-1, :2]
        others = [lines[k] for k in near.tolist() if k != c]
        others += [a for ax, ay, a in built if np.hypot(ax - x, ay - y) < 3 * rules.turnaround_arm_m]
        for pair in ARMS:
            both = [_arm(lattice, ground, roads[c], angle, others, rules) for angle in pair]
            if both[0] is not None and both[1] is not None:
                arms += [both[0], both[1]]
                built += [(x, y, LineString(both[0])), (x, y, LineString(both[1]))]
                break
        else:
            without += 1
    return arms, without


def _arm(
    lattice: Lattice, ground: Ground, road: Floats, angle: float, others: Sequence[LineString], rules: RoadRules
) -> Floats | None:
    """One arm with its heights; None where it does not fit."""
    end, way = road[-1, :2], road[-1, :2] - road[-2, :2]
    way = way / np.hypot(*way)
    turn = np.radians(angle)
    ahead = np.array([way[0] * np.cos(turn) - way[1] * np.sin(turn), way[0] * np.sin(turn) + way[1] * np.cos(turn)])
    tip = end + ahead * rules.turnaround_arm_m
    if not lattice.fence.clear(end, tip) or lattice.blind.crossed(end, tip):
        return None
    line = LineString([end, tip])
    if line.intersection(LineString(road[:, :2])).geom_type != "Point":  # a road that curls may be met again
        return None
    if any(line.distance(o) < rules.width_m for o in others):
        return None
    s = stations_of([np.array([end, tip])], [-1], ground, width_m=rules.width_m, station_m=rules.station_m)
    z = [float(road[-1, 2])]
    for k in range(1, len(s.xy)):
        rise = (rules.max_grade - rules.grade_margin) * float(s.distance[k])
        z.append(float(np.clip(s.ground[k], z[-1] - rise, z[-1] + rise)))
    if np.abs(np.array(z) - s.ground)[1:].max() > rules.max_cut_fill_m:
        return None
    return np.column_stack([s.xy, z])
