"""A layout, from site and ground to a plan: the engine's public face."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from pacifico.errors import CRSMismatchError, NoBuildableGroundError
from pacifico.grid import Ground, warnings_of
from pacifico.layout.criteria.asset_types import spec_for_target
from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.criteria.request import main_slope_limit, requested_entry, requested_spec, smallest_unit_kw
from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.electrical.cables import route_cables
from pacifico.layout.ground import buildable as ground_
from pacifico.layout.metrics import buildable_ground, measure
from pacifico.layout.model.assets import Asset, Pad, merge_unplaced
from pacifico.layout.model.plan import Plan
from pacifico.layout.placement.context import PlacementContext
from pacifico.layout.placement.draft import capacity_of as capacity_of  # noqa: PLC0414 (for those who import it from here)
from pacifico.layout.search.problem import DesignProblem
from pacifico.layout.search.select import best_of
from pacifico.layout.shortfall import why_less, why_no_asset, why_no_ground

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    import xarray as xr

    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.spec import Profile, Spec, Strategy
    from pacifico.layout.metrics import BuildableGround
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.draft import Draft
    from pacifico.site.model import Site, Zone


def generate_layout(
    site: Site,
    dem: xr.DataArray,
    *,
    profile: Profile = "solar_farm",
    strategy: Strategy = "balanced",
    target_capacity_kw: float | None = None,
    setback_m: float | None = None,
    max_road_grade_pct: float | None = None,
    entry: tuple[float, float] | None = None,
    exclusions: Sequence[Zone] = (),
    spec: Mapping[str, Mapping[str, Any]] | None = None,
) -> Plan:
    """Lay out an energy site on its terrain.

    Parameters
    ----------
    site : Site
        As `read_site` returns it.
    dem : xarray.DataArray
        As `open_dem` returns it: dims (y, x), in the site's CRS, metres, NaN for nodata.
    profile, strategy : str
        What to build, and what to win at.
    target_capacity_kw : float, optional
        AC generation (for bess: storage power) [kW]; without it as much as the ground carries.
    setback_m : float, optional
        Of assets and pads from the boundary [m].
    max_road_grade_pct : float, optional
        Steepest road [%].
    entry : (float, float), optional
        Longitude and latitude of the site entry [°]; by default the file's, else the cheapest on the boundary.
    exclusions : sequence of Zone
        Besides those of the site.
    spec : mapping, optional
        Rules of the catalog to override, such as ``{"solar": {"tracker_gcr": 0.4}}``.

    Returns
    -------
    Plan
        Everything in it can be reached from the entry; what could not be placed is in `unplaced` with its reason.

    Raises
    ------
    InputError
        For an unknown choice or a value out of range.
    CRSMismatchError
        Where site and DEM differ in CRS.
    NoBuildableGroundError
        Where nothing at all can stand.

    Examples
    --------
    >>> site = read_site("site.kml")                                           # doctest: +SKIP
    >>> plan = generate_layout(site, open_dem(site, "dem.tif"), target_capacity_kw=50_000)  # doctest: +SKIP
    """
    rules = requested_spec(profile, strategy, target_capacity_kw, setback_m, max_road_grade_pct, spec)
    asked = requested_capacities(profile, target_capacity_kw, rules)
    if exclusions:
        site = replace(site, exclusions=(*site.exclusions, *exclusions))
    if entry is not None:
        # the entry asked for stands in the place of the file's
        site = replace(site, anchors=tuple(a for a in site.anchors if not a.is_entry))
    ground = Ground.of(dem)
    if ground.grid.crs != site.crs:
        raise CRSMismatchError(
            f"the DEM is in {ground.grid.crs.name}, the site in {site.crs.name}; open it with pacifico.open_dem(site, ...)"
        )
    field = ground_.make_field(
        site,
        ground,
        Ground.finest_of(dem),
        setback_m=rules.number("site", "setback_m"),
        setbacks=rules.setbacks,
        source_cell_m=float(dem.attrs.get("source_resolution_m", 0.0)),
    )
    main = main_slope_limit(profile, rules)
    if not ground_.buildable_mask(field, main).any():
        raise NoBuildableGroundError(why_no_ground(field, main, rules))
    where = requested_entry(site, entry)
    sized = spec_for_target(rules, asked.solar_kw) if asked.solar_kw else rules
    problems = [
        DesignProblem(site, PlacementContext(field, r), asked, where, profile, target_capacity_kw)
        for r in ([sized] if sized is rules else [sized, rules])
    ]
    with ThreadPoolExecutor(1) as aside:
        # what the site itself gives does not wait for what is built on it; two threads share no prepared geometry
        own = replace(field, placeable=shapely.transform(field.placeable, np.copy))
        good = aside.submit(lambda: (ground_.buildable_area(own, main), buildable_ground(site, own, dem, main)))
        found, rules = best_of(problems, strategy)
        if found.served is None or found.served.network.entry is None:
            raise NoBuildableGroundError(why_no_asset(found.draft, target_capacity_kw, found.unreached))
        served, site_entry = found.served, found.served.network.entry
        return _plan(
            site, field, dem, profile, strategy, target_capacity_kw, rules, found.draft, served, site_entry, good
        )


def _plan(
    site: Site,
    field: ground_.Field,
    dem: xr.DataArray,
    profile: Profile,
    strategy: Strategy,
    target_kw: float | None,
    spec: Spec,
    draft: Draft,
    served: ServedLayout,
    entry: Point,
    good: Future[tuple[Polygon | MultiPolygon, BuildableGround]],
) -> Plan:
    """Number what stands, measure it and say what is missing."""
    names = _names(served.items)
    zones = ground_.zonal(field, np.array([i.rect for i in served.items]))
    road_of = served.network.served
    assets = tuple(
        Asset(
            names[k],
            item,
            box(*item.rect, ccw=True),
            float(zones.slope_deg[k]),
            float(zones.aspect_deg[k]),
            float(zones.elevation_m[k]),
            float(np.clip(1 - zones.mean_slope_deg[k] / item.slope_limit_deg, 0, 1)),
            f"B{item.block + 1:03d}" if item.block >= 0 else "",
            road_of[k],
        )
        for k, item in enumerate(served.items)
    )
    planes = [(names[k], p) for k, p in enumerate(served.pads) if p is not None]
    pads = tuple(Pad(f"P{n:04d}", (name,), plane) for n, (name, plane) in enumerate(planes, 1))
    roads = served.network.roads
    volumes = tuple(
        corridors(field.ground, [r.line for r in roads], [r.width_m for r in roads], criteria=earthwork_criteria(spec))
    )
    collection = route_cables(
        field, assets, roads, spec=spec, cost_zones=[z for z in site.exclusions if z.zone_type == "cost"]
    )
    area, hectares = good.result()
    unplaced = merge_unplaced((*draft.unplaced, *served.lost))
    got = capacity_of(served.items, profile)
    shortfall = why_less(got, target_kw, smallest_unit_kw(profile, spec), unplaced)
    about = _about(dem)
    return Plan(
        site=site,
        profile=profile,
        strategy=strategy,
        target_capacity_kw=target_kw,
        dem=about,
        buildable=area,
        entry=entry,
        asset_list=assets,
        pad_list=pads,
        road_list=roads,
        road_volumes=volumes,
        unplaced=unplaced,
        warnings=(
            *site.warnings,
            *warnings_of(dem),
            *served.network.warnings,
            *collection.warnings,
            *([shortfall] if shortfall else []),
        ),
        metrics=measure(
            site,
            field,
            dem,
            main_slope_limit(profile, spec),
            assets,
            pads,
            roads,
            volumes,
            served.lost,
            earthwork_criteria(spec),
            hectares,
        )
        | collection.metrics,
        shortfall=shortfall,
        cable_list=collection.cables,
        spec=spec,
        unreached_count=sum(u.count for u in served.lost),
        cable_warnings=collection.warnings,
    )


def _names(items: Sequence[Item]) -> list[str]:
    """Identifiers, counted for each type in the order of placing."""
    seen: dict[str, int] = {}
    out = []
    for item in items:
        seen[item.kind] = seen.get(item.kind, 0) + 1
        out.append(f"{item.kind}-{seen[item.kind]:04d}")
    return out


def _about(dem: xr.DataArray) -> dict[str, Any]:
    """What the layout says of its DEM."""
    share = float(dem.attrs.get("nodata_share", math.nan))
    return {
        "source": str(dem.attrs.get("source", "")),
        "sha256": str(dem.attrs.get("sha256", "")),
        "resolution_m": round(float(dem["x"].values[1] - dem["x"].values[0]), 3),
        "units": str(dem.attrs.get("units_assumed", "")),
        "nodata_share": None if math.isnan(share) else round(share, 6),
    }
