"""Records of roads: criteria, terminals and the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from shapely import LineString

from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely import Point, Polygon

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.earthwork import CorridorVolumes
    from pacifico.layout.model.unreached import Unreached
    from pacifico.vocabulary import AssetKind, Profile

YARD_PROFILES: frozenset[Profile] = frozenset({"bess", "gas_bess"})
"""Plants that are one yard, with blocks between parallel lanes: there a second way out is near."""
RoadClass = Literal["spine", "secondary", "spur"]
"""Spine: towards terminals of the first priority. Spur: short dead end. Secondary: all others."""


@dataclass(frozen=True)
class RoadCriteria:
    """Design values of site roads; defaults from the IFC (2021), appendix D."""

    width_m: float = 6.1
    """Carriageway width [m]; 20 ft."""
    max_grade: float = 0.10
    """Steepest grade [rise/run]."""
    min_radius_m: float = 12.0
    """Radius of the inner edge in bends [m]; a terminal may require more on the way to it."""
    max_cut_fill_m: float = 4.0
    """Largest depth between ground and design, averaged over the width [m]."""
    station_m: float = 10.0
    """Largest distance between design heights [m]."""
    turnaround_over_m: float = 45.0
    """Dead ends longer than this (150 ft) get a turnaround where there is room [m]; infinite: none does."""
    turnaround_arm_m: float = 18.3
    """Length of each of its two arms [m]; 60 ft."""
    clearance_m: float = 0.25
    """Distance between the carriageway and every edge [m]."""
    earth_price: float = 0.0
    """Detour that is worth a cubic metre less of cut and fill [m/m³]."""
    cells: float = 1.0
    """Cell size of the search, as a multiple of the size chosen for the site [-]."""
    grade_margin: float = 0.001
    """Part of `max_grade` left unused, so that rounded coordinates keep the limit [rise/run]."""
    vertical_curve_m_per_pct: float = 1.6
    """Least length of a vertical curve for each per cent that the grade changes by [m]: V² / 395 at 25 km/h."""
    second_way_m: float = 0.0
    """Longest road of a loop between two dead ends, beyond the turnarounds that it saves [m]; 0: no loop."""

    def __post_init__(self) -> None:
        positive = ("width_m", "max_grade", "max_cut_fill_m", "station_m", "turnaround_arm_m", "clearance_m", "cells")
        for name in (*positive, "vertical_curve_m_per_pct"):
            if not getattr(self, name) > 0:
                raise InputError(f"road criterion {name} is {getattr(self, name)}; give a value above 0")
        if not 0 <= self.grade_margin < self.max_grade:
            raise InputError(
                f"road criterion grade_margin is {self.grade_margin}; give 0 or more and less than max_grade "
                f"({self.max_grade})"
            )


DEFAULT_CRITERIA = RoadCriteria()


@dataclass(frozen=True)
class Terminal:
    """Asset that a road must reach."""

    key: int
    """Number of the terminal in the network's results."""
    footprint: Polygon
    """Outline in the working CRS [m]."""
    reach_m: float
    """Largest distance between footprint and centreline [m]."""
    priority: int = 1
    """Lower values are reached first."""
    pad: Polygon | None = None
    """Its pad, whose height the road must meet."""
    pad_plane: tuple[float, float, float] | None = None
    """Height at the pad's centroid [m] and grades east and north [rise/run]."""
    units: int = 0
    """Equal units from west to east; units at its ends may be removed to make room for bends. 0: none."""
    least_units: int = 1
    """Fewest units that may be left; with fewer it is removed as a whole."""
    unit_m: float = 0.0
    """Distance from one unit to the next [m]; 0: it is removed as a whole."""
    min_radius_m: float = 0.0
    """Radius of the inner edge in bends on the way to it [m], where larger than the criteria's."""
    is_entry: bool = False
    """Whether it is a further entry of the site, and no asset."""


@dataclass(frozen=True)
class Road:
    """Road between two junctions, with its design heights."""

    road_id: str
    road_class: RoadClass
    line: LineString
    """Centreline away from the entry, working CRS, with design heights as Z [m]."""
    width_m: float
    length_m: float
    """Length in plan [m]."""
    max_grade_pct: float
    mean_grade_pct: float

    def properties(self, volumes: CorridorVolumes) -> dict[str, Any]:
        """Properties of the road in layout.geojson.

        Parameters
        ----------
        volumes : CorridorVolumes
            Volumes of this road.
        """
        return {
            "road_id": self.road_id,
            "road_class": self.road_class,
            "width_m": self.width_m,
            "length_m": round(self.length_m, 2),
            "max_grade_pct": round(self.max_grade_pct, 3),
            "mean_grade_pct": round(self.mean_grade_pct, 3),
            "cut_m3": round(volumes.cut_m3, 2),
            "fill_m3": round(volumes.fill_m3, 2),
        }


@dataclass(frozen=True)
class Network:
    """Road network of a site."""

    roads: tuple[Road, ...]
    entry: Point | None
    """Start of the network; None where no road can start."""
    served: Mapping[int, str] = field(default_factory=dict)
    """Road that serves each terminal, by key."""
    unreached: Mapping[int, Unreached] = field(default_factory=dict)
    """Why each other terminal is not served, by key."""
    warnings: tuple[str, ...] = ()
    removed_units: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """Units removed in the west and in the east of shortened terminals, by key.

    A terminal that lost all its units is neither served nor unreached.
    """
    further_entries: tuple[Point, ...] = ()
    """Other places where the network meets the boundary."""

    @property
    def length_m(self) -> float:
        """Length of all roads in plan [m]."""
        return sum(r.length_m for r in self.roads)


def make_road(road_id: str, road_class: RoadClass, xyz: FloatArray, width_m: float) -> Road:
    """Build a road from vertices with design heights.

    Parameters
    ----------
    road_id : str
        Identifier.
    road_class : {"spine", "secondary", "spur"}
        Spine: towards terminals of the first priority. Spur: short dead end.
    xyz : ndarray, shape (n, 3)
        Easting, northing and design height of each vertex, away from the entry [m].
    width_m : float
        Carriageway width [m].

    Returns
    -------
    Road
        Its length and grades are measured on the vertices.
    """
    run = np.hypot(*np.diff(xyz[:, :2], axis=0).T)
    rise = np.abs(np.diff(xyz[:, 2]))
    return Road(
        road_id,
        road_class,
        LineString(xyz),
        width_m,
        float(run.sum()),
        max_grade_pct=float((rise / run).max() * 100),
        mean_grade_pct=float(rise.sum() / run.sum() * 100),
    )


def road_criteria(spec: Spec, profile: Profile) -> RoadCriteria:
    """Road criteria of a spec; wind plants have wider roads."""
    wind = profile == "wind_hybrid"
    return RoadCriteria(
        width_m=max(spec.number("wind_road", "width_m"), spec.number("road", "width_m"))
        if wind
        else spec.number("road", "width_m"),
        max_grade=spec.number("road", "max_grade_pct") / 100,
        min_radius_m=spec.number("road", "min_radius_m"),
        max_cut_fill_m=spec.number("road", "max_cut_fill_m"),
        vertical_curve_m_per_pct=spec.number("road", "vertical_curve_m_per_pct"),
        second_way_m=spec.number("road", "second_way_m") if profile in YARD_PROFILES else 0.0,
    )


def min_radius_to(kind: AssetKind, spec: Spec) -> float:
    """Radius of bends that turbine blades need [m]; 0 for other assets."""
    return spec.number("wind_road", "min_radius_m") if kind == "wind_turbine" else 0.0
