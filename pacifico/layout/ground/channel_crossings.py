"""Crossings of finished roads and cables over channels."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.ops import substring

from pacifico.layout.criteria.crossings import channel_crossing_type
from pacifico.layout.ground.channels import CHANNEL_NAME
from pacifico.layout.model.crossings import Crossing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString, Point

    from pacifico.layout.criteria.crossings import CrossingType
    from pacifico.layout.criteria.water import WaterCriteria
    from pacifico.layout.ground.channels import SiteDrainage
    from pacifico.layout.model.cables import Cable
    from pacifico.layout.model.roads import Road

ONE_CROSSING_M = 25.0
"""Meetings with channels that follow within this distance are one crossing [m]."""
IN_ROAD_M = 2.0
"""Cables this near to a road's crossing lie in the road [m]."""
SAME_BORE_M = 1.0
"""Cables this near to another bore share it [m]."""
GRADE_OVER_M = 1.0
"""Shortest stretch over which the grade of a road is measured [m]."""


@dataclass(frozen=True)
class _Meeting:
    """Stretch of a line over channels."""

    line: LineString
    middle: Point
    drained_ha: float


@dataclass
class ChannelCrossings:
    """Crossings over channels, found one after the other."""

    drained: SiteDrainage
    criteria: WaterCriteria
    max_length_m: float
    """Longest crossing [m]."""
    over_water: Sequence[LineString] = ()
    """Crossings of drawn water: a channel below them is the same water."""
    found: list[Crossing] = field(default_factory=list)

    def add_roads(self, roads: Sequence[Road]) -> None:
        """Add the crossings of roads; roads that meet on a channel have one together."""
        reach = self.drained.half_width_m
        for road in roads:
            others = [*self.over_water, *(c.line for c in self.found if c.of_id != road.road_id)]
            for m in self._meetings(road.line, road.width_m / 2):
                if any(m.middle.distance(line) <= reach for line in others):
                    continue
                kind = channel_crossing_type(
                    m.drained_ha,
                    _grade_pct(road.line, m.line),
                    is_main=road.road_class == "spine",
                    criteria=self.criteria,
                )
                self._add(kind, road.road_id, m)

    def add_cables(self, cables: Sequence[Cable]) -> None:
        """Add the bores of cables that lie in no crossing of a road and share no bore."""
        in_road = [*self.over_water, *(c.line for c in self.found)]
        bores: list[LineString] = []
        for cable in cables:
            for m in self._meetings(cable.line, 0.0):
                if any(m.middle.distance(line) <= IN_ROAD_M for line in in_road):
                    continue
                if not any(m.middle.distance(line) <= SAME_BORE_M for line in bores):
                    bores.append(m.line)
                    self._add("bore", cable.cable_id, m)

    def _add(self, kind: CrossingType, of_id: str, m: _Meeting) -> None:
        """Add a crossing; its name is given later."""
        self.found.append(Crossing("", kind, of_id, CHANNEL_NAME, "water", m.line, round(m.drained_ha, 2)))

    def _meetings(self, line: LineString, half_width_m: float) -> list[_Meeting]:
        """Stretches over channels of a line with its width, from its start on."""
        channels, flat = self.drained.channels, shapely.force_2d(line)
        own = np.sort(channels.tree.query(flat, predicate="dwithin", distance=half_width_m))
        if not own.size:
            return []
        ties = shapely.shortest_line(flat, channels.tree.geometries[own])
        low = shapely.line_locate_point(flat, shapely.get_point(ties, 0))
        order = np.argsort(low, kind="stable")
        at, ha = low[order], channels.drained_ha[own][order]
        groups = np.split(np.arange(at.size), np.flatnonzero(np.diff(at) > ONE_CROSSING_M) + 1)
        return [m for g in groups for m in self._pieces(flat, at[g[0]], at[g[-1]], float(ha[g].max()))]

    def _pieces(self, flat: LineString, first: float, last: float, drained_ha: float) -> list[_Meeting]:
        """Stretch between two meetings with its banks, in pieces of the longest crossing at most.

        Parameters
        ----------
        flat : LineString
            Road or cable in plan.
        first, last : float
            Where it first and last meets a channel [m].
        drained_ha : float
            Largest area that drains through the stretch [ha].
        """
        start, end = max(first - self.drained.half_width_m, 0.0), min(last + self.drained.half_width_m, flat.length)
        count = max(int(np.ceil((end - start) / self.max_length_m - 1e-9)), 1) if self.max_length_m > 0 else 1
        cuts = np.linspace(start, end, count + 1)
        middle = flat.interpolate((first + last) / 2)
        return [
            _Meeting(substring(flat, a, b), middle if count == 1 else flat.interpolate((a + b) / 2), drained_ha)
            for a, b in pairwise(cuts.tolist())
            if b > a
        ]


def _grade_pct(road: LineString, stretch: LineString) -> float:
    """Grade of a road between the ends of a stretch [%]."""
    a, b = (road.interpolate(road.project(shapely.get_point(stretch, k))) for k in (0, -1))
    return float(100.0 * (b.z - a.z) / max(stretch.length, GRADE_OVER_M))
