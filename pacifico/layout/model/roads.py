"""What roads are: rules, what they are to reach, and the network that comes of it."""

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
    from pacifico.layout.criteria.asset_types import AssetKind
    from pacifico.layout.criteria.spec import Profile, Spec
    from pacifico.layout.model.earthwork import CorridorVolumes
    from pacifico.layout.model.unreached import Unreached

RoadClass = Literal["spine", "secondary", "spur"]


@dataclass(frozen=True)
class RoadCriteria:
    """Rules of site roads; defaults after the International Fire Code (2021), appendix D."""

    width_m: float = 6.1
    """Carriageway width, 20 ft."""
    max_grade: float = 0.10
    """Rise over run."""
    min_radius_m: float = 12.0
    """Radius of the inner edge in bends; a terminal may ask for more of the roads that lead to it."""
    max_cut_fill_m: float = 4.0
    """Most depth between ground and design, averaged over the width."""
    station_m: float = 10.0
    """Most distance between design heights."""
    turnaround_over_m: float = 45.0
    """Dead ends longer than this (150 ft) get a turnaround where there is room; infinite: none do."""
    turnaround_arm_m: float = 18.3
    """Length of each of its two arms, 60 ft."""
    clearance_m: float = 0.25
    """Kept between the strip and every edge."""
    earth_price: float = 0.0
    """Metres of road gone round for a cubic metre of cut and fill that ground across the way would ask for [m/m³]."""
    cells: float = 1.0
    """Size of the cells of the search, in those that suit the site's size."""
    grade_margin: float = 0.001
    """Left unused of `max_grade`, so that rounded coordinates keep it too."""

    def __post_init__(self) -> None:
        for name in ("width_m", "max_grade", "max_cut_fill_m", "station_m", "turnaround_arm_m", "clearance_m", "cells"):
            if not getattr(self, name) > 0:
                raise InputError(f"road rule {name} is {getattr(self, name)}; it must be above 0")
        if not 0 <= self.grade_margin < self.max_grade:
            raise InputError(
                f"road rule grade_margin is {self.grade_margin}; it must lie between 0 and max_grade ({self.max_grade})"
            )


DEFAULT_CRITERIA = RoadCriteria()


@dataclass(frozen=True)
class Terminal:
    """Something that a road must come near."""

    key: int
    """Number under which the network reports it."""
    footprint: Polygon
    """Working CRS; the centreline must come within `reach_m` of it [m]."""
    reach_m: float
    priority: int = 1
    """Low ones are reached first."""
    pad: Polygon | None = None
    """The pad it stands on: the road's height must meet it."""
    pad_plane: tuple[float, float, float] | None = None
    """Height at the pad's centroid [m], rise per metre eastwards and northwards."""
    units: int = 0
    """Equal parts from west to east, of which it gives up some at its ends where a road has no room to turn; 0: none."""
    unit_m: float = 0.0
    """From one of them to the next [m]; 0 for what goes altogether, as one."""
    min_radius_m: float = 0.0
    """Radius of the inner edge in bends on the way to it, where that is more than the rule's."""


@dataclass(frozen=True)
class Road:
    """One stretch between junctions, with its design heights."""

    road_id: str
    road_class: RoadClass
    line: LineString
    """Centreline with Z (design height), working CRS [m]; it leads away from the entry."""
    width_m: float
    length_m: float
    """In plan."""
    max_grade_pct: float
    mean_grade_pct: float

    def properties(self, volumes: CorridorVolumes) -> dict[str, Any]:
        """Properties of the road in layout.geojson.

        Parameters
        ----------
        volumes : CorridorVolumes
            Earthwork of this road.
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
    """All roads of a site."""

    roads: tuple[Road, ...]
    entry: Point | None
    """Where the roads begin; None where no road can start anywhere."""
    served: Mapping[int, str] = field(default_factory=dict)
    """Road that serves each terminal, by key."""
    unreached: Mapping[int, Unreached] = field(default_factory=dict)
    """Why each other terminal is not served, by key."""
    warnings: tuple[str, ...] = ()
    removed_units: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """Units removed in the west and in the east of shortened terminals, by key.

    A terminal that lost all its units is neither served nor unreached.
    """

    @property
    def length_m(self) -> float:
        """Of all roads, in plan."""
        return sum(r.length_m for r in self.roads)


def make_road(road_id: str, road_class: RoadClass, xyz: FloatArray, width_m: float) -> Road:
    """Road along vertices with design heights.

    Parameters
    ----------
    road_id : str
    road_class : str
    xyz : ndarray, shape (n, 3)
        Easting, northing and design height of each vertex [m], away from the entry.
    width_m : float
        Carriageway width [m].
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
    """Road rules of a spec; where turbines come in, all roads are at least as wide as theirs."""
    wind = profile == "wind_hybrid"
    return RoadCriteria(
        width_m=max(spec.number("wind_road", "width_m"), spec.number("road", "width_m"))
        if wind
        else spec.number("road", "width_m"),
        max_grade=spec.number("road", "max_grade_pct") / 100,
        min_radius_m=spec.number("road", "min_radius_m"),
        max_cut_fill_m=spec.number("road", "max_cut_fill_m"),
    )


def min_radius_to(kind: AssetKind, spec: Spec) -> float:
    """Inner radius of bends on the way to an asset, where more than the rule's: blades must round those to a turbine."""
    return spec.number("wind_road", "min_radius_m") if kind == "wind_turbine" else 0.0
