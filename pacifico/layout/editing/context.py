"""Shared by the edits of one plan: ground, criteria and measurements."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from pacifico.errors import CRSMismatchError, InputError
from pacifico.grid import Ground
from pacifico.layout.criteria.request import main_slope_limit
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.electrical.cables import Collection, route_cables
from pacifico.layout.ground import buildable as ground_
from pacifico.layout.ground.channels import cable_cost_zones, site_drainage
from pacifico.layout.ground.crossings import MARGIN_M
from pacifico.layout.metrics import (
    REALIZATIONS,
    BuildableGround,
    buildable_draws,
    buildable_ground,
    tally,
    works_spread,
)
from pacifico.layout.model.racking import RACKING_METRICS
from pacifico.layout.model.roads import min_radius_to, road_criteria
from pacifico.layout.orientation.plans import PlanTurner, turner_of
from pacifico.layout.routing.routing_grid import parts_of
from pacifico.terrain.drainage.flow import flow_cell_m

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from numpy.typing import NDArray
    from shapely import MultiPolygon, Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.earthwork.criteria import EarthworkCriteria
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.ground.channels import SiteDrainage
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.crossings import Crossing
    from pacifico.layout.model.earthwork import PadPlane
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.roads import Road, RoadCriteria
    from pacifico.site.model import Site, Zone
    from pacifico.terrain.uncertainty import GentleDraws
    from pacifico.vocabulary import Profile

MOST_KEPT = 64
"""Largest number of zone sets whose ground is kept, so that undo finds it again."""


@dataclass
class _Memo:
    """Values already computed. They save time and never change a result."""

    fields: dict[tuple[Zone, ...], Field] = field(default_factory=dict)
    buildable: dict[tuple[Zone, ...], tuple[BuildableGround, Polygon | MultiPolygon]] = field(default_factory=dict)
    volumes: dict[bytes, NDArray[np.float64]] = field(default_factory=dict)
    """Cut and fill of a pad or road under each realization of the DEM error [m³]."""
    grounds: tuple[Ground, Ground] | None = None
    """Ground on the DEM's grid and on its finest grid; zones don't change it."""
    slope: FloatArray | None = None
    drainage: SiteDrainage | None = None
    """Channels; zones don't change them."""
    gentle: BaseGeometry | None = None
    draws: GentleDraws | None = None
    """Buildable cells under DEM errors, of the zones measured last."""


@dataclass(frozen=True)
class EditContext:
    """Ground and criteria for edits of one site, DEM and design.

    Edits work in the frame of the rows, where arrays are upright: DEM, spec and crossings are in it.
    """

    dem: xr.DataArray
    profile: Profile
    spec: Spec
    crossings: tuple[Crossing, ...] = ()
    """Crossings of the plan's roads: new roads may use them too."""
    turner: PlanTurner | None = None
    """Turns plans into the frame of their rows; None where rows run north to south."""
    _memo: _Memo = field(default_factory=_Memo, repr=False, compare=False)

    @classmethod
    def of(cls, plan: Plan, dem: xr.DataArray) -> EditContext:
        """Context of a plan and the DEM that it was made on.

        Raises
        ------
        CRSMismatchError, InputError
            The DEM is another one.
        """
        ground = Ground.of(dem)
        if ground.grid.crs != plan.crs:
            raise CRSMismatchError(
                f"the DEM is in {ground.grid.crs.name}, the plan in {plan.crs.name}; give the DEM that the plan was made on"
            )
        sha256, cell = str(dem.attrs.get("sha256", "")), round(ground.grid.dx, 3)
        if sha256 != plan.dem["sha256"] or cell != plan.dem["resolution_m"]:
            raise InputError(
                f"the plan was made on another DEM ({plan.dem['source']}, {plan.dem['resolution_m']:g} m, not {cell:g} m); "
                "give that DEM, or generate the layout again"
            )
        units = str(dem.attrs.get("units_assumed", ""))
        if units != plan.dem["units"]:
            raise InputError(
                f"the plan was made on heights in {plan.dem['units']!r}, these are in {units!r}; open the DEM with the same "
                "units (--dem-units)"
            )
        turner = None
        if (turned := turner_of(plan, dem)) is not None:
            turner, dem = turned
            plan = turner.in_frame(plan)
        crossings = tuple(c for c in plan.crossing_list if c.crossing_type != "bore")
        return cls(dem, plan.profile, plan.spec, crossings, turner)

    def in_frame(self, plan: Plan) -> Plan:
        """Plan of the map in the frame of its rows."""
        return plan if self.turner is None else self.turner.in_frame(plan)

    def on_map(self, plan: Plan) -> Plan:
        """Plan of the frame on the map."""
        return plan if self.turner is None else self.turner.on_map(plan)

    def zone_in_frame(self, zone: Zone) -> Zone:
        """Zone of the map in the frame."""
        return zone if self.turner is None else self.turner.zone(zone)

    def place_in_frame(self, place: tuple[float, float]) -> tuple[float, float]:
        """Easting and northing in the frame [m]."""
        return place if self.turner is None else self.turner.frame.point(*place)

    def way_in_frame(self, way: tuple[float, float]) -> tuple[float, float]:
        """Distance to the east and to the north, along the axes of the frame [m]."""
        return way if self.turner is None else self.turner.frame.vector(*way)

    def rotation_in_frame(self, rotation_deg: float) -> float:
        """Rotation in the frame, anticlockwise [°]."""
        return rotation_deg if self.turner is None else self.turner.frame.rotation(rotation_deg)

    @property
    def roads(self) -> RoadCriteria:
        """Criteria of new roads; in wind plants, bends suit turbine transport."""
        usual = road_criteria(self.spec, self.profile)
        if self.profile != "wind_hybrid":
            return usual
        return replace(usual, min_radius_m=max(usual.min_radius_m, min_radius_to("wind_turbine", self.spec)))

    @property
    def earthwork(self) -> EarthworkCriteria:
        """Criteria of pads and side slopes."""
        return earthwork_criteria(self.spec)

    def field(self, site: Site) -> Field:
        """Ground of a site without its exclusion zones."""
        memo, key = self._memo, site.exclusions
        if key not in memo.fields:
            if len(memo.fields) >= MOST_KEPT:
                memo.fields.clear()
            if memo.grounds is None:
                memo.grounds = Ground.of(self.dem), Ground.finest_of(self.dem)
            source_cell_m = float(self.dem.attrs.get("source_resolution_m", 0.0))
            if memo.drainage is None:
                memo.drainage = site_drainage(site, memo.grounds[1], self.spec, flow_cell_m(self.dem))
            memo.fields[key] = ground_.make_field(
                site,
                *memo.grounds,
                setback_m=self.spec.number("site", "setback_m"),
                setbacks=self.spec.setbacks,
                source_cell_m=source_cell_m,
                slope=memo.slope,
                drainage=memo.drainage,
            )
            memo.slope = memo.fields[key].slope
            if self.crossings and memo.fields[key].barriers:
                memo.fields[key] = self._with_crossings(memo.fields[key])
        return memo.fields[key]

    def _with_crossings(self, field: Field) -> Field:
        """Ground with the lanes of the plan's crossings."""
        half_width_m = self.roads.width_m / 2 + self.roads.clearance_m + MARGIN_M
        over = shapely.union_all([b.area for b in field.barriers])
        lanes = [c.line.buffer(half_width_m) for c in self.crossings]
        parts = parts_of(shapely.union_all([field.allowed, *(shapely.intersection(lane, over) for lane in lanes)]))
        return replace(field, allowed=parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts))

    def buildable(self, site: Site) -> tuple[BuildableGround, Polygon | MultiPolygon]:
        """Buildable ground of the profile's main asset: its area and its outline."""
        memo, key = self._memo, site.exclusions
        if key not in memo.buildable:
            if len(memo.buildable) >= MOST_KEPT:
                memo.buildable.clear()
            limit, place = main_slope_limit(self.profile, self.spec), self.field(site)
            # zones change neither slope nor DEM error: only cells that they close or open are drawn again
            memo.draws = buildable_draws(place, self.dem, limit, before=memo.draws)
            if memo.gentle is None:
                memo.gentle = ground_.gentle_area(place, limit)
            memo.buildable[key] = (
                buildable_ground(site, place, self.dem, limit, draws=memo.draws),
                ground_.buildable_area(place, limit, gentle=memo.gentle),
            )
        return memo.buildable[key]

    def spread(self, planes: Sequence[PadPlane], roads: Sequence[Road]) -> NDArray[np.float64]:
        """Cut plus fill of all works, then under each DEM error [m³]."""
        known = self._memo.volumes
        keys = [p.polygon.wkb for p in planes] + [r.line.wkb + str(r.width_m).encode() for r in roads]
        if not keys:
            return np.zeros(1 + REALIZATIONS)
        new_planes = [p for p, k in zip(planes, keys[: len(planes)], strict=True) if k not in known]
        new_roads = [r for r, k in zip(roads, keys[len(planes) :], strict=True) if k not in known]
        if new_planes or new_roads:
            found = works_spread(self.dem, new_planes, new_roads, self.earthwork)
            new_keys = [p.polygon.wkb for p in new_planes] + [r.line.wkb + str(r.width_m).encode() for r in new_roads]
            known.update(zip(new_keys, found.T, strict=True))
        total: NDArray[np.float64] = np.array([known[k] for k in keys]).T.sum(axis=1)
        return total

    def metrics(self, plan: Plan, collection: Collection) -> dict[str, Any]:
        """Metrics of an edited plan, as if measured from scratch.

        Parameters
        ----------
        plan : Plan
            The plan after the edit; its metrics are still those before it.
        collection : Collection
            Its collection cables.
        """
        found = tally(
            plan.site,
            plan.asset_list,
            plan.pad_list,
            plan.road_list,
            plan.road_volumes,
            unreached=plan.unreached_count,
            spread_m3=self.spread([p.plane for p in plan.pad_list], plan.road_list),
            buildable=self.buildable(plan.site)[0],
        )
        kept = {k: v for k, v in plan.metrics.items() if k not in found and k not in RACKING_METRICS}
        return found | kept | collection.metrics

    def cables(self, site: Site, assets: Sequence[Asset], roads: Sequence[Road]) -> Collection:
        """Collection cables of all assets."""
        zones = cable_cost_zones(site.exclusions, self.field(site).drainage, self.spec)
        # trenches are routed around upright rectangles: an asset at an angle counts with its bounds
        upright = [
            a
            if a.item.rotation_deg in (0.0, 90.0)
            else replace(a, item=replace(a.item, rect=a.footprint.bounds, rotation_deg=0.0))
            for a in assets
        ]
        return route_cables(self.field(site), upright, roads, spec=self.spec, cost_zones=zones)
