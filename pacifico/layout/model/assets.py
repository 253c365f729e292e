"""Records of assets, pads and unplaced assets."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from shapely import Polygon, box
from shapely.affinity import rotate

from pacifico.layout.criteria.asset_types import PAD_APRON_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.model.earthwork import PadPlane
    from pacifico.layout.model.unreached import UnreachedCause
    from pacifico.vocabulary import AssetKind


@dataclass(frozen=True, repr=False)
class Asset:
    """Placed asset with its ground and its service road."""

    asset_id: str
    item: Item
    footprint: Polygon
    """True outline in the working CRS [m]."""
    slope_deg: float
    """95th percentile of the slope under the footprint [°]."""
    aspect_deg: float
    """Downhill direction, clockwise from north [°]; NaN on level ground."""
    elevation_m: float
    """Mean ground elevation [m]."""
    suitability: float
    """1 on level ground, 0 where the mean slope is at the limit [0-1]."""
    block_id: str
    """Power block; empty without one."""
    service_road_id: str

    def __repr__(self) -> str:
        x, y = self.item.centre
        return f"<Asset {self.asset_id}: at ({x:.1f}, {y:.1f}) m, {self.item.rotation_deg:g}°>"

    def properties(self) -> dict[str, Any]:
        """Properties of the asset in layout.geojson."""
        item = self.item
        west, south, east, north = item.rect
        across = item.rotation_deg == 90.0
        return {
            "asset_id": self.asset_id,
            "asset_type": item.kind,
            "name": self.asset_id.replace("_", " ").replace("-", " "),
            "block_id": self.block_id or None,
            "capacity_kw": item.capacity_kw,
            "capacity_dc_kw": item.capacity_dc_kw,
            "storage_kw": item.storage_kw,
            "storage_kwh": item.storage_kwh,
            "rating_kva": item.rating_kva,
            "length_m": round(north - south if across else east - west, 3),
            "width_m": round(east - west if across else north - south, 3),
            "rotation_deg": item.rotation_deg,
            "slope_deg": round(self.slope_deg, 3),
            "slope_limit_deg": item.slope_limit_deg,
            "aspect_deg": None if math.isnan(self.aspect_deg) else round(self.aspect_deg, 2),
            "elevation_m": round(self.elevation_m, 3),
            "suitability": round(self.suitability, 4),
            "service_road_id": self.service_road_id,
        }


@dataclass(frozen=True)
class Pad:
    """Graded pad with its assets."""

    pad_id: str
    asset_ids: tuple[str, ...]
    plane: PadPlane
    """Design plane and volumes."""

    def properties(self) -> dict[str, Any]:
        """Properties of the pad in layout.geojson."""
        plane = self.plane
        return {
            "pad_id": self.pad_id,
            "asset_ids": list(self.asset_ids),
            "elevation_m": round(plane.elevation_m, 4),
            "grade_east": round(plane.grade_east, 6),
            "grade_north": round(plane.grade_north, 6),
            "cut_m3": round(plane.cut_m3, 2),
            "fill_m3": round(plane.fill_m3, 2),
            "batter_cut_m3": round(plane.batter_cut_m3, 2),
            "batter_fill_m3": round(plane.batter_fill_m3, 2),
        }


@dataclass(frozen=True)
class Item:
    """Rectangle for one asset, with its ratings."""

    kind: AssetKind
    rect: tuple[float, float, float, float]
    """West, south, east, north in the working CRS [m]."""
    slope_limit_deg: float
    """Steepest natural ground for this asset type [°]."""
    capacity_kw: float = 0.0
    """AC generation [kW]."""
    capacity_dc_kw: float = 0.0
    storage_kw: float = 0.0
    storage_kwh: float = 0.0
    rating_kva: float = 0.0
    block: int = -1
    """Power block of a solar array or skid; -1 without one."""
    rotation_deg: float = 0.0
    """Anticlockwise from east [°]; the rectangle is drawn unrotated except at 90°."""
    clearance_m: float = 0.0
    """Distance to keep free around it [m]; assets placed later keep it too."""

    @property
    def centre(self) -> tuple[float, float]:
        """Centre of the rectangle [m]."""
        west, south, east, north = self.rect
        return (west + east) / 2, (south + north) / 2

    @property
    def pad_rect(self) -> tuple[float, float, float, float]:
        """West, south, east, north of its pad [m]."""
        west, south, east, north = self.rect
        return west - PAD_APRON_M, south - PAD_APRON_M, east + PAD_APRON_M, north + PAD_APRON_M


@dataclass(frozen=True)
class Unplaced:
    """Requested assets without a place, with the reason."""

    kind: AssetKind
    count: int
    reason: str
    cause: UnreachedCause | None = field(default=None, compare=False)
    """Kind of reason, where no road reaches them."""


def outline(item: Item, grow: float = 0.0) -> Polygon:
    """Footprint of an item, expanded by a margin [m] with square corners.

    At 0° and 90°, `item.rect` is the footprint itself. At any other angle, it is rotated about its centre.
    """
    west, south, east, north = item.rect
    upright = box(west - grow, south - grow, east + grow, north + grow, ccw=True)
    return upright if item.rotation_deg in (0.0, 90.0) else rotate(upright, item.rotation_deg, origin="center")


def pad_outline(item: Item) -> Polygon | None:
    """Pad of an item; None for solar arrays, which stand on piles."""
    return None if item.kind == "solar_array" else outline(item, PAD_APRON_M)


def move_item(item: Item, to: tuple[float, float]) -> Item:
    """Move an item's centre to easting and northing [m]."""
    x, y = item.centre
    dx, dy = to[0] - x, to[1] - y
    west, south, east, north = item.rect
    return replace(item, rect=(west + dx, south + dy, east + dx, north + dy))


def rotate_item(item: Item, rotation_deg: float) -> Item:
    """Rotate an item to an angle, anticlockwise from east [°]."""
    angle = rotation_deg % 180.0
    west, south, east, north = item.rect
    x, y = item.centre
    a, b = (east - west) / 2, (north - south) / 2
    if item.rotation_deg == 90.0:
        a, b = b, a
    if angle == 90.0:
        a, b = b, a
    return replace(item, rect=(x - a, y - b, x + a, y + b), rotation_deg=angle)


def asset_names(items: Sequence[Item]) -> list[str]:
    """Identifiers of items, counted by asset type in their order."""
    counts: Counter[str] = Counter()
    names = []
    for item in items:
        counts[item.kind] += 1
        names.append(f"{item.kind}-{counts[item.kind]:04d}")
    return names


def merge_unplaced(unplaced: Sequence[Unplaced]) -> tuple[Unplaced, ...]:
    """Merge entries of the same asset type and reason."""
    merged: dict[tuple[AssetKind, str], Unplaced] = {}
    for u in unplaced:
        known = merged.get((u.kind, u.reason))
        merged[u.kind, u.reason] = u if known is None else replace(known, count=known.count + u.count)
    return tuple(merged.values())
