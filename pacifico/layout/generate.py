"""Generate the layout of a site: the engine's entry point."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np
import shapely
from shapely import box

from pacifico.errors import CRSMismatchError, NoBuildableGroundError
from pacifico.grid import Ground, warnings_of
from pacifico.layout.criteria.asset_types import spec_for_target
from pacifico.layout.criteria.racking import array_slopes
from pacifico.layout.criteria.request import MAIN_ASSET, requested_entry, smallest_asset_kw, smallest_unit_kw
from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.economics.grading_limit import leave_out_graded
from pacifico.layout.economics.leave_out import leave_out
from pacifico.layout.electrical.cables import route_cables
from pacifico.layout.ground import buildable as ground_
from pacifico.layout.ground.channels import cable_cost_zones, site_drainage, water_notes
from pacifico.layout.ground.crossing_records import all_crossings
from pacifico.layout.ground.fences import plant_fences
from pacifico.layout.layout_request import checked_design, checked_request
from pacifico.layout.metrics import buildable_ground, dem_facts, tally, works_spread
from pacifico.layout.model.assets import Asset, Pad, asset_names, merge_unplaced
from pacifico.layout.model.plan import Plan
from pacifico.layout.orientation.frame import frame_of
from pacifico.layout.orientation.ground import turned_dem
from pacifico.layout.orientation.plans import PlanTurner
from pacifico.layout.orientation.site import restored_spec
from pacifico.layout.placement.context import PlacementContext
from pacifico.layout.placement.draft import capacity_of
from pacifico.layout.placement.skids import with_sized_skids
from pacifico.layout.search.problem import DesignProblem
from pacifico.layout.search.select import best_of
from pacifico.layout.shortfall import GroundShares, Land, why_less, why_no_asset, why_no_ground
from pacifico.stages import begin
from pacifico.terrain.drainage.flow import flow_cell_m
from pacifico.terrain.site_grid import require_budget

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from shapely import MultiPolygon, Point, Polygon

    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.design import DesignOptions
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.earthwork.criteria import EarthworkCriteria
    from pacifico.layout.electrical.cables import Collection
    from pacifico.layout.layout_request import LayoutRequest
    from pacifico.layout.metrics import BuildableGround
    from pacifico.layout.model.assets import Unplaced
    from pacifico.layout.model.crossings import Crossing
    from pacifico.layout.model.earthwork import CorridorVolumes
    from pacifico.layout.model.roads import Road
    from pacifico.layout.placement.draft import Draft
    from pacifico.site.model import Site, Zone
    from pacifico.stages import OnStage


def generate_layout(
    site: Site,
    dem: xr.DataArray,
    *,
    exclusions: Sequence[Zone] = (),
    on_stage: OnStage | None = None,
    **design: Unpack[DesignOptions],
) -> Plan:
    """Lay out an energy site on its terrain.

    Parameters
    ----------
    site : Site
        Boundary, exclusions and entries, from `read_site`.
    dem : xarray.DataArray
        Elevation in the site's CRS, dims (y, x), metres, NaN for nodata; from `open_dem`.
    profile : {"solar_farm", "gas_bess", "wind_hybrid", "hybrid", "bess"}
        Kind of plant.
    strategy : {"balanced", "density", "low_earthwork", "clustered"}
        Objective to optimise.
    target_capacity_kw : float, optional
        AC generation, for bess storage power [kW]; by default as much as the ground carries.
    setback_m : float, optional
        Setback of assets and pads from the boundary [m].
    max_road_grade_pct : float, optional
        Steepest grade of roads [%].
    entry : (float, float), optional
        Longitude and latitude of the site entry [°]; by default the site's own, else the cheapest on the boundary.
    poi : (float, float), optional
        Longitude and latitude of the point of interconnection [°], which the substation stays near; by default the
        site's own.
    spec : mapping, optional
        Catalog values to override, such as ``{"solar": {"tracker_gcr": 0.4}}``.
    exclusions : sequence of Zone
        Exclusions in addition to the site's.
    on_stage : callable, optional
        Called with name, percentage and message as each stage begins.

    Returns
    -------
    Plan
        Every asset in it has a road from the entry; `unplaced` lists the others with their reasons.

    Raises
    ------
    InputError
        A choice is unknown, or a value is out of range.
    CRSMismatchError, NoBuildableGroundError
        Site and DEM differ in CRS. No asset can be placed.

    Examples
    --------
    >>> plan = generate_layout(site, open_dem(site, "dem.tif"), target_capacity_kw=50_000)  # doctest: +SKIP
    """
    asked = checked_design(design)
    return layout_of(checked_request(site, asked, exclusions), dem, asked.entry, on_stage)


def layout_of(
    request: LayoutRequest,
    dem: xr.DataArray,
    entry: tuple[float, float] | None = None,
    on_stage: OnStage | None = None,
) -> Plan:
    """Lay out a site by a checked request.

    Parameters
    ----------
    request : LayoutRequest
        What to lay out, and where.
    dem : DataArray
        Elevation model.
    entry : (float, float), optional
        Requested entry, longitude and latitude [°].
    on_stage : callable, optional
        Called as each stage begins.
    """
    begin(on_stage, "computing_slope", 0, "computing slopes and buildable ground")
    where, frame = requested_entry(request.site, entry), frame_of(request.spec, dem)
    if frame is None:
        return _upright_layout(request, dem, where, on_stage)
    turned = request.turned(frame)
    ground = turned_dem(dem, frame, turned.site)
    plan = _upright_layout(turned, ground, where and frame.input(where), on_stage)
    turner = PlanTurner(frame, restored_spec(plan.spec, request.spec), plan.spec, dem_facts(dem), plan.dem)
    turner.know(request.site, turned.site)
    return turner.on_map(plan)


def _upright_layout(request: LayoutRequest, dem: xr.DataArray, entry: Point | None, on_stage: OnStage | None) -> Plan:
    """Layout with upright rows.

    Parameters
    ----------
    request : LayoutRequest
        What to lay out, and where.
    dem : DataArray
        Elevation model.
    entry : Point, optional
        Requested entry [m].
    on_stage : callable, optional
        Called as each stage begins.
    """
    field = _field(request, dem)
    problems = _problems(request, field, entry)
    with ThreadPoolExecutor(1) as aside:
        # buildable ground doesn't depend on the layout; two threads can't share one prepared geometry
        own = replace(field, placeable=shapely.transform(field.placeable, np.copy))
        buildable = aside.submit(_buildable, request, own, dem)
        begin(on_stage, "placing_assets", 10, "placing assets and routing roads")
        design = _search(request, problems)
        begin(on_stage, "computing_earthwork", 85, "measuring earthwork and routing cables")
        works = _works(request.site, field, design)
        begin(on_stage, "finalizing", 95, "adding up the metrics")
        plan = _plan(request, dem, design, works, buildable.result())
        for worth_it in (partial(leave_out_graded, dem=dem), leave_out):
            left = worth_it(plan, design.served)
            if left is not None:
                said = (*design.warnings, *left.warnings)
                design = design._replace(served=left.served, left_out=design.left_out + left.unplaced, warnings=said)
                plan = _plan(request, dem, design, _works(request.site, field, design), buildable.result())
    begin(on_stage, "completed", 100, "completed")
    return plan


class _Design(NamedTuple):
    """Best draft of the search, with its roads and its spec."""

    draft: Draft
    served: ServedLayout
    entry: Point
    spec: Spec
    left_out: tuple[Unplaced, ...] = ()
    """What is not worth its civil works."""
    warnings: tuple[str, ...] = ()
    """Warnings about what remains."""


class _Works(NamedTuple):
    """Features of a layout, with identifiers and volumes."""

    assets: tuple[Asset, ...]
    pads: tuple[Pad, ...]
    roads: tuple[Road, ...]
    volumes: tuple[CorridorVolumes, ...]
    """Earthwork of each road."""
    cables: Collection
    crossings: tuple[Crossing, ...]
    water_notes: tuple[str, ...]


def _field(request: LayoutRequest, dem: xr.DataArray) -> ground_.Field:
    """Ground of the site; refused where none of it is buildable."""
    require_budget(dem)
    site, spec, ground = request.site, request.spec, Ground.of(dem)
    if ground.grid.crs != site.crs:
        raise CRSMismatchError(
            f"the DEM is in {ground.grid.crs.name}, the site in {site.crs.name}; open it with pacifico.open_dem(site, ...)"
        )
    heights, source_cell_m = Ground.finest_of(dem), float(dem.attrs.get("source_resolution_m", 0.0))
    field = ground_.make_field(
        site,
        ground,
        heights,
        setback_m=spec.number("site", "setback_m"),
        setbacks=spec.setbacks,
        source_cell_m=source_cell_m,
        drainage=site_drainage(site, heights, spec, flow_cell_m(dem)),
    )
    if not ground_.buildable_mask(field, request.slope_limit_deg).any():
        raise NoBuildableGroundError(why_no_ground(field, request.slope_limit_deg, spec))
    return field


def _problems(request: LayoutRequest, field: ground_.Field, entry: Point | None) -> list[DesignProblem]:
    """Problems to solve, the first with array sizes that suit the target."""
    site, spec, profile = request.site, request.spec, request.profile
    capacities = request.capacities
    sized = spec_for_target(spec, capacities.solar_kw) if capacities.solar_kw else spec
    return [
        DesignProblem(site, PlacementContext(field, s), capacities, entry, profile, request.target_kw)
        for s in ([sized] if sized is spec else [sized, spec])
    ]


def _buildable(
    request: LayoutRequest, field: ground_.Field, dem: xr.DataArray
) -> tuple[Polygon | MultiPolygon, BuildableGround, GroundShares]:
    """Outline and area of buildable ground for the main asset type, and the shares of other ground."""
    site, limit = request.site, request.slope_limit_deg
    area = buildable_ground(site, field, dem, limit)
    slopes = array_slopes(request.spec) if MAIN_ASSET[request.profile] == "solar_array" else None
    return ground_.buildable_area(field, limit), area, GroundShares.of(site, field, limit, area.hectares, slopes)


def _search(request: LayoutRequest, problems: Sequence[DesignProblem]) -> _Design:
    """Best layout under the strategy; refused where no asset fits."""
    found, spec = best_of(problems, request.strategy, compare_stricter=request.compare_stricter)
    if found.served is None or found.served.network.entry is None:
        smallest_kw = smallest_asset_kw(request.profile, request.spec)
        raise NoBuildableGroundError(why_no_asset(found.draft, request.target_kw, smallest_kw, found.unreached))
    served = replace(found.served, items=with_sized_skids(found.served.items, spec))
    return _Design(found.draft, served, served.network.entry, spec)


def _works(site: Site, field: ground_.Field, design: _Design) -> _Works:
    """Number the features of a design, and route its cables."""
    served, spec = design.served, design.spec
    names = asset_names(served.items)
    statistics = ground_.zonal(field, np.array([i.rect for i in served.items]))
    assets = tuple(
        Asset(
            names[k],
            item,
            box(*item.rect, ccw=True),
            float(statistics.slope_deg[k]),
            float(statistics.aspect_deg[k]),
            float(statistics.elevation_m[k]),
            float(np.clip(1 - statistics.mean_slope_deg[k] / item.slope_limit_deg, 0, 1)),
            f"B{item.block + 1:03d}" if item.block >= 0 else "",
            served.network.served[k],
        )
        for k, item in enumerate(served.items)
    )
    planes = [(names[k], p) for k, p in enumerate(served.pads) if p is not None]
    pads = tuple(Pad(f"P{n:04d}", (name,), plane) for n, (name, plane) in enumerate(planes, 1))
    roads = served.network.roads
    volumes = corridors(
        field.ground, [r.line for r in roads], [r.width_m for r in roads], criteria=earthwork_criteria(spec)
    )
    cost_zones = cable_cost_zones(site.exclusions, field.drainage, spec)
    cables = route_cables(field, assets, roads, spec=spec, cost_zones=cost_zones)
    crossings = all_crossings(field, roads, cables.cables, spec)
    centres = np.array([i.centre for i in served.items])
    notes = water_notes(field.drainage, centres, spec)
    return _Works(assets, pads, roads, tuple(volumes), cables, crossings, notes)


def _plan(
    request: LayoutRequest,
    dem: xr.DataArray,
    design: _Design,
    works: _Works,
    buildable: tuple[Polygon | MultiPolygon, BuildableGround, GroundShares],
) -> Plan:
    """Plan with its metrics and warnings.

    Parameters
    ----------
    request : LayoutRequest
        Profile, strategy, target and site.
    dem : DataArray
        Elevation model.
    design : _Design
        Result of the search.
    works : _Works
        Features of the layout.
    buildable : (Polygon or MultiPolygon, BuildableGround, GroundShares)
        Outline and area of buildable ground, and what takes the rest of the site.
    """
    (outline, area, shares), site, served, spec = buildable, request.site, design.served, design.spec
    unplaced = merge_unplaced((*design.draft.unplaced, *served.lost, *design.left_out))
    placed_kw, unit_kw = capacity_of(served.items, request.profile), smallest_unit_kw(request.profile, spec)
    land = Land(shares, request.profile, spec)
    shortfall = why_less(placed_kw, request.target_kw, unit_kw, unplaced, land, over_grid=request.over_grid)
    unreached = sum(u.count for u in served.lost)
    return Plan(
        site=site,
        profile=request.profile,
        strategy=request.strategy,
        target_capacity_kw=request.target_kw,
        dem=dem_facts(dem),
        buildable=outline,
        entry=design.entry,
        asset_list=works.assets,
        pad_list=works.pads,
        road_list=works.roads,
        road_volumes=works.volumes,
        unplaced=unplaced,
        warnings=(
            *site.warnings,
            *warnings_of(dem),
            *served.network.warnings,
            *works.cables.warnings,
            *works.water_notes,
            *design.warnings,
            *([shortfall] if shortfall else []),
        ),
        metrics=_metrics(site, dem, works, earthwork_criteria(spec), unreached, area) | works.cables.metrics,
        shortfall=shortfall,
        cable_list=works.cables.cables,
        spec=spec,
        unreached_count=unreached,
        cable_warnings=works.cables.warnings,
        crossing_list=works.crossings,
        fence_list=plant_fences(request.site, works.assets, works.roads),
        further_entries=served.network.further_entries,
    )


def _metrics(
    site: Site,
    dem: xr.DataArray,
    works: _Works,
    criteria: EarthworkCriteria,
    unreached: int,
    buildable: BuildableGround,
) -> dict[str, Any]:
    """Metrics of a layout without its cables.

    Parameters
    ----------
    site : Site
        Site with its true area.
    dem : DataArray
        Elevation model, with its error.
    works : _Works
        Features of the layout.
    criteria : EarthworkCriteria
        Criteria of pads and roads.
    unreached : int
        Assets that no road reaches.
    buildable : BuildableGround
        Area of buildable ground.
    """
    pads, roads = works.pads, works.roads
    spread = works_spread(dem, [p.plane for p in pads], roads, criteria).sum(axis=1)
    return tally(
        site, works.assets, pads, roads, works.volumes, unreached=unreached, spread_m3=spread, buildable=buildable
    )
