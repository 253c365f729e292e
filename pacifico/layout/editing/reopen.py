"""Read a stored layout back as a plan that can be edited, priced and exported."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely
from shapely import Point, Polygon

from pacifico.crs import LONLAT, transformer
from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.criteria.request import smallest_unit_kw
from pacifico.layout.criteria.spec import Spec, make_spec
from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.earthwork.pads import graded_pads
from pacifico.layout.editing.context import EditContext
from pacifico.layout.editing.remeasure import shortfall_after
from pacifico.layout.electrical.cables import SOURCES, loads_mva
from pacifico.layout.files.stored import StoredFeature, StoredLayout
from pacifico.layout.model.assets import Asset, Item, Pad, Unplaced
from pacifico.layout.model.cables import Cable
from pacifico.layout.model.crossings import Crossing
from pacifico.layout.model.earthwork import PadPlane
from pacifico.layout.model.edits import Edit, Pose
from pacifico.layout.model.fences import Fence
from pacifico.layout.model.plan import Plan
from pacifico.layout.model.roads import Road
from pacifico.layout.placement.draft import capacity_of
from pacifico.layout.placement.power_blocks import SKID_CLEARANCE_M
from pacifico.layout.shortfall import why_less
from pacifico.site.model import Anchor, Site, Zone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import xarray as xr
    from pyproj import CRS
    from shapely import LineString

    from pacifico.array_types import FloatArray
    from pacifico.vocabulary import AssetKind

DEFAULT_ENTRY = "entry"
"""Name that layout.geojson gives an entry without one."""


def read_plan(path: str | Path, *, dem: xr.DataArray) -> Plan:
    """Read a layout.geojson as a plan.

    The plan equals the one that was written. Roads that earlier edits removed are known by name only: an asset that
    goes back to its old place gets a new spur.

    Parameters
    ----------
    path : str or Path
        File that `Plan.write` or `pacifico layout` wrote.
    dem : DataArray
        The DEM that the layout was made on; see `open_dem`. It gives the volumes that the file doesn't hold.

    Returns
    -------
    Plan
        For `pacifico.edit`, `Plan.bill_of_quantities` and every export.

    Raises
    ------
    InputError
        The file is no layout of pacifico, or the DEM is another one.

    Examples
    --------
    >>> plan = read_plan("layout.geojson", dem=dem)                             # doctest: +SKIP
    >>> editor = pacifico.edit(plan, dem)                                       # doctest: +SKIP
    """
    return plan_of(StoredLayout.read(path), dem)


def plan_of(stored: StoredLayout, dem: xr.DataArray) -> Plan:
    """Plan of a stored layout, measured on its DEM."""
    about = stored.about
    spec = make_spec(about.get("spec"))
    assets = tuple(stored_asset(f, spec) for f in stored.of_kind("asset"))
    buildable = stored.of_kind("buildable")
    plan = Plan(
        site=site_of(stored),
        profile=about["profile"],
        strategy=about["strategy"],
        target_capacity_kw=about["target_capacity_kw"],
        dem=about["dem"],
        buildable=buildable[0].geometry if buildable else Polygon(),
        entry=next((f.geometry for f in stored.of_kind("entry")), Point()),
        asset_list=assets,
        pad_list=tuple(_pad(f) for f in stored.of_kind("pad")),
        road_list=tuple(_road(f) for f in stored.of_kind("road")),
        road_volumes=(),
        unplaced=tuple(Unplaced(u["asset_type"], u["count"], u["reason"]) for u in about["unplaced"]),
        warnings=tuple(about["warnings"]),
        metrics=about["metrics"],
        shortfall="",
        cable_list=_cables(stored, assets),
        spec=spec,
        edits=tuple(_edit(e, stored.crs) for e in about.get("edits", ())),
        unreached_count=_unreached(about["metrics"], len(assets)),
        crossing_list=tuple(_crossing(f) for f in stored.of_kind("crossing")),
        fence_list=tuple(_fence(f) for f in stored.of_kind("fence")),
        further_entries=tuple(cast("Point", f.geometry) for f in stored.of_kind("entry")[1:]),
    )
    context = EditContext.of(plan, dem)
    plan = replace(plan, shortfall=_shortfall(plan), cable_warnings=_cable_warnings(plan, context))
    return _measured(plan, stored, context)


def site_of(stored: StoredLayout) -> Site:
    """Site of a stored layout."""
    entries = stored.of_kind("entry")
    zones = tuple(
        Zone(
            f.geometry,
            f["name"],
            f["zone_type"],
            f["buffer_m"],
            f["cost_multiplier"],
            crossable=f.properties.get("crossable"),
            drivable=f.properties.get("drivable", False),
        )
        for f in stored.of_kind("exclusion")
    )
    boundaries = stored.of_kind("boundary")
    return Site(
        stored.name,
        stored.crs,
        boundaries[0].geometry if len(boundaries) == 1 else stored.boundary,
        zones,
        tuple(Anchor(f.geometry, f["name"] or "", is_entry=True) for f in entries if f["name"] != DEFAULT_ENTRY),
    )


def stored_asset(feature: StoredFeature, spec: Spec) -> Asset:
    """Asset of a feature; its rectangle has the stored size about the footprint's centre."""
    kind = cast("AssetKind", feature["asset_type"])
    rotation = float(feature["rotation_deg"])
    centre = shapely.box(*feature.geometry.bounds).centroid
    a, b = feature["length_m"] / 2, feature["width_m"] / 2
    if rotation == 90.0:
        a, b = b, a
    block = feature["block_id"] or ""
    aspect = feature["aspect_deg"]
    item = Item(
        kind,
        (centre.x - a, centre.y - b, centre.x + a, centre.y + b),
        feature["slope_limit_deg"],
        capacity_kw=feature["capacity_kw"],
        capacity_dc_kw=feature["capacity_dc_kw"],
        storage_kw=feature["storage_kw"],
        storage_kwh=feature["storage_kwh"],
        rating_kva=feature["rating_kva"],
        block=int(block[1:]) - 1 if block[1:].isdecimal() else -1,
        rotation_deg=rotation,
        clearance_m=_clearance_m(kind, spec),
    )
    return Asset(
        feature["asset_id"],
        item,
        feature.geometry,
        feature["slope_deg"],
        float("nan") if aspect is None else aspect,
        feature["elevation_m"],
        feature["suitability"],
        block,
        feature["service_road_id"],
    )


def _clearance_m(kind: AssetKind, spec: Spec) -> float:
    """Distance that placement keeps free around an asset [m]."""
    if kind == "solar_array":
        return 0.0
    if kind == "substation":
        return spec.number("substation", "clearance_m")
    return SKID_CLEARANCE_M if kind == "inverter_skid" else asset_type(spec, kind).clearance_m


def _pad(feature: StoredFeature) -> Pad:
    """Pad of a feature."""
    plane = PadPlane(
        feature.geometry,
        elevation_m=feature["elevation_m"],
        grade_east=feature["grade_east"],
        grade_north=feature["grade_north"],
        cut_m3=feature["cut_m3"],
        fill_m3=feature["fill_m3"],
        batter_cut_m3=feature["batter_cut_m3"],
        batter_fill_m3=feature["batter_fill_m3"],
    )
    return Pad(feature["pad_id"], tuple(feature["asset_ids"]), plane)


def _road(feature: StoredFeature) -> Road:
    """Road of a feature."""
    return Road(
        feature["road_id"],
        feature["road_class"],
        cast("LineString", feature.geometry),
        feature["width_m"],
        feature["length_m"],
        feature["max_grade_pct"],
        feature["mean_grade_pct"],
    )


def _cables(stored: StoredLayout, assets: Sequence[Asset]) -> tuple[Cable, ...]:
    """Cables with their loads, summed from the sources towards the substation."""
    features = stored.of_kind("cable")
    circuits = Counter(f["from_id"] for f in features)
    following = {f["from_id"]: f["to_id"] for f in features}
    own = loads_mva([a.item for a in assets])
    load: Counter[str] = Counter()
    for asset in assets:
        passed: set[str] = set()
        at = asset.asset_id
        while at in following and at not in passed:
            load[at] += own.get(asset.item, 0.0)  # type: ignore[assignment]  # a Counter adds floats too
            passed.add(at)
            at = following[at]
    return tuple(
        Cable(
            f["cable_id"],
            f["from_id"],
            f["to_id"],
            f["voltage_kv"],
            cast("LineString", f.geometry),
            f["in_road_trench"],
            load[f["from_id"]] / circuits[f["from_id"]],
            f["length_m"],
        )
        for f in features
    )


def _crossing(feature: StoredFeature) -> Crossing:
    """Crossing of a feature."""
    return Crossing(
        feature["crossing_id"],
        feature["crossing_type"],
        feature["of_id"],
        feature["over"],
        feature["zone_type"],
        cast("LineString", feature.geometry),
        feature["drained_area_ha"],
        feature["length_m"],
    )


def _fence(feature: StoredFeature) -> Fence:
    """Fence of a feature."""
    return Fence(feature["fence_id"], cast("LineString", feature.geometry), int(feature["gates"]), feature["length_m"])


def _edit(about: Mapping[str, Any], crs: CRS) -> Edit:
    """Edit of an entry in the file."""
    subject = about["asset_id"] or about["zone"] or ""
    return Edit(
        about["kind"],
        subject,
        subject.rpartition("-")[0] if about["asset_id"] else "",
        before=_pose(about["from"], crs),
        after=_pose(about["to"], crs),
        also=tuple(about["also_removed"]),
        removed_ids=tuple(about["roads_removed"]),
        roads_added=tuple(about["roads_added"]),
        note=about["note"],
    )


def _pose(about: Mapping[str, Any] | None, crs: CRS) -> Pose | None:
    """Pose in the working CRS."""
    if about is None:
        return None
    x, y = transformer(LONLAT, crs).transform(*about["lonlat"][:2])
    return float(x), float(y), float(about["rotation_deg"])


def _unreached(metrics: Mapping[str, Any], count: int) -> int:
    """Assets that no road reached, from the share that one does."""
    share = float(metrics["served_share"])
    return round(count / share - count) if share > 0 else 0


def _shortfall(plan: Plan) -> str:
    """Why capacity is missing, as the plan's warnings say it; empty where none is."""
    if plan.edits:
        text = shortfall_after(plan, plan.asset_list, len(plan.edits))
        return text if text in plan.warnings else ""
    placed_kw = capacity_of([a.item for a in plan.asset_list], plan.profile)
    smallest_kw = smallest_unit_kw(plan.profile, plan.spec)
    # coordinates of a file are rounded: shares of ground, which the whole text holds, may differ by a cell
    start = why_less(placed_kw, plan.target_capacity_kw, smallest_kw, ()).split(":")[0]
    text = why_less(placed_kw, plan.target_capacity_kw, smallest_kw, plan.unplaced)
    return next((w for w in plan.warnings if w == text or (start and w.startswith(start))), "")


def _cable_warnings(plan: Plan, context: EditContext) -> tuple[str, ...]:
    """Warnings about cables: there are none where every source has one."""
    cabled = {c.from_id for c in plan.cable_list}
    if all(a.asset_id in cabled for a in plan.asset_list if a.item.kind in SOURCES):
        return ()
    here = context.in_frame(plan)
    found = context.cables(here.site, here.asset_list, here.road_list).warnings
    return tuple(w for w in plan.warnings if w in found)


def _measured(plan: Plan, stored: StoredLayout, context: EditContext) -> Plan:
    """Plan with the volumes that the file doesn't hold; those that it holds stay as they are."""
    here = context.in_frame(plan)
    ground, criteria = context.field(here.site).ground, context.earthwork
    lines, widths = [r.line for r in here.road_list], [r.width_m for r in here.road_list]
    volumes = tuple(
        replace(v, cut_m3=f["cut_m3"], fill_m3=f["fill_m3"])
        for v, f in zip(corridors(ground, lines, widths, criteria=criteria), stored.of_kind("road"), strict=True)
    )
    outlines = [p.plane.polygon for p in here.pad_list]
    measured = graded_pads(ground, outlines, _planes(here.pad_list), criteria=criteria) if outlines else []
    pads = tuple(
        replace(p, plane=replace(p.plane, max_cut_m=m.max_cut_m, max_fill_m=m.max_fill_m, open_edge_m=m.open_edge_m))
        for p, m in zip(plan.pad_list, measured, strict=True)
    )
    return replace(plan, road_volumes=volumes, pad_list=pads)


def _planes(pads: Sequence[Pad]) -> FloatArray:
    """Heights and grades of pads, one row each."""
    return np.array([(p.plane.elevation_m, p.plane.grade_east, p.plane.grade_north) for p in pads], dtype=np.float64)
