"""What edits of one plan share: the ground as the engine sees it, and measures that were taken already."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.errors import CRSMismatchError, InputError
from pacifico.grid import Ground
from pacifico.layout.criteria.request import main_slope_limit
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.electrical.cables import Collection, route_cables
from pacifico.layout.ground import buildable as ground_
from pacifico.layout.metrics import (
    REALIZATIONS,
    BuildableGround,
    buildable_draws,
    buildable_ground,
    tally,
    works_spread,
)
from pacifico.layout.model.roads import min_radius_to, road_criteria

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from numpy.typing import NDArray
    from shapely import MultiPolygon, Polygon

    from pacifico.layout.criteria.spec import Profile, Spec
    from pacifico.layout.earthwork.criteria import EarthworkCriteria
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Asset, Pad
    from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.roads import Road, RoadCriteria
    from pacifico.site.model import Site, Zone

MOST_KEPT = 64
"""Sets of zones whose ground is kept, so that undoing finds it again."""


@dataclass(frozen=True)
class EditContext:
    """Ground, rules and caches for edits of plans of one site, DEM and design. Its caches never change a result."""

    dem: xr.DataArray
    profile: Profile
    spec: Spec
    _fields: dict[tuple[Zone, ...], Field] = field(default_factory=dict, repr=False, compare=False)
    _buildable: dict[tuple[Zone, ...], tuple[BuildableGround, Polygon | MultiPolygon]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _works: dict[bytes, NDArray[np.float64]] = field(default_factory=dict, repr=False, compare=False)
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What zones don't change: heights, slope and gentle ground; and the draws of the ground measured last."""

    @classmethod
    def of(cls, plan: Plan, dem: xr.DataArray) -> EditContext:
        """Bench for a plan and the DEM it was made on.

        Raises
        ------
        CRSMismatchError, InputError
            For another DEM.
        """
        ground = Ground.of(dem)
        if ground.grid.crs != plan.crs:
            raise CRSMismatchError(
                f"the DEM is in {ground.grid.crs.name}, the plan in {plan.crs.name}; give the DEM that the plan was made on"
            )
        said, cell = str(dem.attrs.get("sha256", "")), round(ground.grid.dx, 3)
        if said != plan.dem["sha256"] or cell != plan.dem["resolution_m"]:
            raise InputError(
                f"the plan was made on another DEM ({plan.dem['source']}, {plan.dem['resolution_m']:g} m, not {cell:g} m); "
                "give that one, or lay the site out anew"
            )
        return cls(dem, plan.profile, plan.spec)

    @property
    def roads(self) -> RoadCriteria:
        """Rules of roads; what is laid anew may lead to a turbine, and is bent as gently as that asks for."""
        usual = road_criteria(self.spec, self.profile)
        if self.profile != "wind_hybrid":
            return usual
        return replace(usual, min_radius_m=max(usual.min_radius_m, min_radius_to("wind_turbine", self.spec)))

    @property
    def earthwork(self) -> EarthworkCriteria:
        """Rules of pads and side slopes."""
        return earthwork_criteria(self.spec)

    def field(self, site: Site) -> Field:
        """Ground with the site's zones taken out."""
        key = site.exclusions
        if key not in self._fields:
            if len(self._fields) >= MOST_KEPT:
                self._fields.clear()
            if "ground" not in self._known:
                self._known["ground"] = Ground.of(self.dem), Ground.finest_of(self.dem)
            self._fields[key] = ground_.make_field(
                site,
                *self._known["ground"],
                setback_m=self.spec.number("site", "setback_m"),
                setbacks=self.spec.setbacks,
                source_cell_m=float(self.dem.attrs.get("source_resolution_m", 0.0)),
                slope=self._known.get("slope"),
            )
            self._known["slope"] = self._fields[key].slope
        return self._fields[key]

    def buildable(self, site: Site) -> tuple[BuildableGround, Polygon | MultiPolygon]:
        """Buildable ground of the profile's main asset: its measure and its outline."""
        key = site.exclusions
        if key not in self._buildable:
            if len(self._buildable) >= MOST_KEPT:
                self._buildable.clear()
            limit, place = main_slope_limit(self.profile, self.spec), self.field(site)
            # zones change neither slopes nor the DEM's error: only cells that they close or open are looked at again
            draws = buildable_draws(place, self.dem, limit, before=self._known.get("draws"))
            gentle = self._known["gentle"] if "gentle" in self._known else ground_.gentle_area(place, limit)
            self._known.update(draws=draws, gentle=gentle)
            self._buildable[key] = (
                buildable_ground(site, place, self.dem, limit, draws=draws),
                ground_.buildable_area(place, limit, gentle=gentle),
            )
        return self._buildable[key]

    def spread(self, planes: Sequence[PadPlane], roads: Sequence[Road]) -> NDArray[np.float64]:
        """Cut + fill of all works, as it is and under errors of the DEM [m³]; each work is measured once."""
        keys = [p.polygon.wkb for p in planes] + [r.line.wkb + str(r.width_m).encode() for r in roads]
        new_planes = [p for p, k in zip(planes, keys[: len(planes)], strict=True) if k not in self._works]
        new_roads = [r for r, k in zip(roads, keys[len(planes) :], strict=True) if k not in self._works]
        if new_planes or new_roads:
            found = works_spread(self.dem, new_planes, new_roads, self.earthwork)
            fresh = [p.polygon.wkb for p in new_planes] + [r.line.wkb + str(r.width_m).encode() for r in new_roads]
            self._works.update(zip(fresh, found.T, strict=True))
        if not keys:
            return np.zeros(1 + REALIZATIONS)
        total: NDArray[np.float64] = np.array([self._works[k] for k in keys]).T.sum(axis=1)
        return total

    def metrics(
        self,
        plan: Plan,
        site: Site,
        assets: Sequence[Asset],
        pads: Sequence[Pad],
        roads: Sequence[Road],
        volumes: Sequence[CorridorVolumes],
        collection: Collection | None,
    ) -> dict[str, Any]:
        """Metrics of what stands after an edit: the same numbers as measuring all of it again."""
        share = float(plan.metrics["served_share"])
        found = tally(
            site,
            assets,
            pads,
            roads,
            volumes,
            unreached=round(len(plan.asset_list) / share - len(plan.asset_list)),
            spread_m3=self.spread([p.plane for p in pads], roads),
            buildable=self.buildable(site)[0],
        )
        kept = {k: v for k, v in plan.metrics.items() if k not in found}
        return found | (kept if collection is None else kept | collection.metrics)

    def cables(self, site: Site, assets: Sequence[Asset], roads: Sequence[Road]) -> Collection:
        """Collection cables of all assets."""
        zones = [z for z in site.exclusions if z.zone_type == "cost"]
        # trenches go round upright rectangles: what stands askew is gone round by its bounds
        upright = [
            a
            if a.item.rotation_deg in (0.0, 90.0)
            else replace(a, item=replace(a.item, rect=a.footprint.bounds, rotation_deg=0.0))
            for a in assets
        ]
        return route_cables(self.field(site), upright, roads, spec=self.spec, cost_zones=zones)
