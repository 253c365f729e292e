"""layout.geojson: RFC 7946, EPSG:4326, 8 decimals, one order; the same plan gives the same bytes."""

from __future__ import annotations

import json
import math
import os
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapely import Point

from pacifico.crs import geojson_geometries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.generate import Plan

SCHEMA_VERSION = 1
KINDS = ("boundary", "buildable", "exclusion", "entry", "asset", "pad", "road", "cable")


@cache
def schema() -> dict[str, Any]:
    """JSON Schema of layout.geojson (2020-12)."""
    text = resources.files("pacifico.layout.files").joinpath("layout.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def collection(plan: Plan) -> dict[str, Any]:
    """Plan as a FeatureCollection."""
    features = []
    for kind in KINDS:
        rows, geometries = records(plan, kind)
        for row, shape in zip(rows, geojson_geometries(geometries, plan.crs), strict=True):
            features.append({"type": "Feature", "geometry": shape, "properties": {"kind": kind, **row}})
    return {
        "type": "FeatureCollection",
        "pacifico": {
            "schema_version": SCHEMA_VERSION,
            "crs": ":".join(plan.crs.to_authority() or (plan.crs.name,)),
            "profile": plan.profile,
            "strategy": plan.strategy,
            "target_capacity_kw": plan.target_capacity_kw,
            "dem": dict(plan.dem),
            "metrics": dict(plan.metrics),
            "warnings": list(plan.warnings),
            "unplaced": [{"asset_type": u.kind, "count": u.count, "reason": u.reason} for u in plan.unplaced],
            **({"edits": [_edit(e, plan.crs) for e in plan.edits]} if plan.edits else {}),
        },
        "features": features,
    }


def text(layout: dict[str, Any]) -> str:
    """FeatureCollection as JSON, one feature a line."""
    head = {k: v for k, v in layout.items() if k != "features"}
    lines = ",\n".join(_json(f) for f in layout["features"])
    return f'{_json(head)[:-1]},"features":[\n{lines}\n]}}\n'


def write(plan: Plan, path: str | Path) -> Path:
    """Write a plan; the file appears whole or not at all."""
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    whole = text(collection(plan))
    try:
        part.write_text(whole, encoding="utf-8", newline="\n")
        os.replace(part, target)  # noqa: PTH105 (atomic, also onto an existing file)
    finally:
        part.unlink(missing_ok=True)
    return target


def records(plan: Plan, kind: str) -> tuple[list[dict[str, Any]], Sequence[BaseGeometry]]:
    """Properties and geometries (working CRS) of the features of one kind."""
    site = plan.site
    if kind == "boundary":
        return [{"name": site.name}], [site.boundary]
    if kind == "buildable":
        return ([{}], [plan.buildable]) if not plan.buildable.is_empty else ([], [])
    if kind == "exclusion":
        rows: list[dict[str, Any]] = [
            {"name": z.name, "zone_type": z.zone_type, "buffer_m": z.buffer_m, "cost_multiplier": z.cost_multiplier}
            for z in site.exclusions
        ]
        return rows, [z.geometry for z in site.exclusions]
    if kind == "entry":
        return [{"name": next((a.name for a in site.entries), "entry")}], [plan.entry]
    if kind == "asset":
        return [_asset(a) for a in plan.asset_list], [a.footprint for a in plan.asset_list]
    if kind == "pad":
        return [_pad(p) for p in plan.pad_list], [p.plane.polygon for p in plan.pad_list]
    if kind == "cable":
        return [_cable(c) for c in plan.cable_list], [c.line for c in plan.cable_list]
    rows = [
        {
            "road_id": r.road_id,
            "road_class": r.road_class,
            "width_m": r.width_m,
            "length_m": round(r.length_m, 2),
            "max_grade_pct": round(r.max_grade_pct, 3),
            "mean_grade_pct": round(r.mean_grade_pct, 3),
            "cut_m3": round(v.cut_m3, 2),
            "fill_m3": round(v.fill_m3, 2),
        }
        for r, v in zip(plan.road_list, plan.road_volumes, strict=True)
    ]
    return rows, [r.line for r in plan.road_list]


def _asset(asset: Any) -> dict[str, Any]:
    item = asset.item
    west, south, east, north = item.rect
    turned = item.rotation_deg == 90.0
    return {
        "asset_id": asset.asset_id,
        "asset_type": item.kind,
        "name": asset.asset_id.replace("_", " ").replace("-", " "),
        "block_id": asset.block_id or None,
        "capacity_kw": item.capacity_kw,
        "capacity_dc_kw": item.capacity_dc_kw,
        "storage_kw": item.storage_kw,
        "storage_kwh": item.storage_kwh,
        "rating_kva": item.rating_kva,
        "length_m": round(north - south if turned else east - west, 3),
        "width_m": round(east - west if turned else north - south, 3),
        "rotation_deg": item.rotation_deg,
        "slope_deg": round(asset.slope_deg, 3),
        "slope_limit_deg": item.slope_limit_deg,
        "aspect_deg": None if math.isnan(asset.aspect_deg) else round(asset.aspect_deg, 2),
        "elevation_m": round(asset.elevation_m, 3),
        "suitability": round(asset.suitability, 4),
        "service_road_id": asset.service_road_id,
    }


def _pad(pad: Any) -> dict[str, Any]:
    plane = pad.plane
    return {
        "pad_id": pad.pad_id,
        "asset_ids": list(pad.asset_ids),
        "elevation_m": round(plane.elevation_m, 4),
        "grade_east": round(plane.grade_east, 6),
        "grade_north": round(plane.grade_north, 6),
        "cut_m3": round(plane.cut_m3, 2),
        "fill_m3": round(plane.fill_m3, 2),
        "batter_cut_m3": round(plane.batter_cut_m3, 2),
        "batter_fill_m3": round(plane.batter_fill_m3, 2),
    }


def _cable(cable: Any) -> dict[str, Any]:
    return {
        "cable_id": cable.cable_id,
        "from_id": cable.from_id,
        "to_id": cable.to_id,
        "voltage_kv": cable.voltage_kv,
        "length_m": round(cable.length_m, 2),
        "in_road_trench": cable.in_road_trench,
    }


def _edit(edit: Any, crs: Any) -> dict[str, Any]:
    """One change by hand; places as longitude and latitude."""

    def where(pose: Any) -> dict[str, Any] | None:
        if pose is None:
            return None
        x, y, rotation = pose
        place = geojson_geometries([Point(x, y)], crs)[0]
        return {"lonlat": place["coordinates"], "rotation_deg": rotation}

    zone = edit.kind in ("add_zone", "move_zone", "remove_zone")
    return {
        "kind": edit.kind,
        "asset_id": None if zone else edit.subject,
        "zone": edit.subject if zone else None,
        "from": where(edit.before),
        "to": where(edit.after),
        "also_removed": list(edit.also),
        "roads_removed": [r.road_id for r in edit.roads_removed],
        "roads_added": list(edit.roads_added),
        "note": edit.note,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
