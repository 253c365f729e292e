"""Validation of a layout request: spec, entry, main limit, smallest unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shapely import Point

from pacifico import crs as crs_
from pacifico.errors import InputError
from pacifico.layout.criteria.asset_types import asset_type, solar_unit
from pacifico.layout.criteria.spec import PROFILES, STRATEGIES, Profile, Spec, make_spec

if TYPE_CHECKING:
    from pacifico.site.model import Site


def requested_spec(
    profile: str,
    strategy: str,
    target_kw: float | None,
    setback_m: float | None,
    max_road_grade_pct: float | None,
    spec: Mapping[str, Mapping[str, Any]] | None,
) -> Spec:
    """Spec of a request, with its choices checked.

    Raises
    ------
    InputError
        For an unknown choice or a value out of range.
    """
    if profile not in PROFILES:
        raise InputError(f"profile {profile!r} is unknown; choose from {', '.join(PROFILES)}")
    if strategy not in STRATEGIES:
        raise InputError(f"strategy {strategy!r} is unknown; choose from {', '.join(STRATEGIES)}")
    if target_kw is not None and not 100 <= target_kw <= 5_000_000:
        raise InputError(f"target capacity {target_kw:g} kW is out of range; give 100 to 5,000,000 kW")
    own: dict[str, dict[str, Any]] = {s: dict(r) for s, r in (spec or {}).items() if isinstance(r, Mapping)}
    make_spec(spec)
    if setback_m is not None:
        own.setdefault("site", {})["setback_m"] = setback_m
    if max_road_grade_pct is not None:
        own.setdefault("road", {})["max_grade_pct"] = max_road_grade_pct
    return make_spec(own)


def main_slope_limit(profile: Profile, spec: Spec) -> float:
    """Slope limit of the main asset of a profile [°]."""
    kinds = {"solar_farm": "solar_array", "hybrid": "solar_array", "wind_hybrid": "solar_array", "bess": "battery"}
    return spec.number(kinds.get(profile, "generator"), "slope_limit_deg")


def requested_entry(site: Site, entry: tuple[float, float] | None) -> Point | None:
    """Entry in the working CRS: the requested one, else the one in the file, else None."""
    if entry is None:
        return site.entries[0].point if site.entries else None
    lon, lat = entry
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InputError(
            f"entry {lon:g},{lat:g} is not a longitude and latitude; give degrees, such as --entry -93.68,41.95"
        )
    x, y = crs_.transformer(crs_.LONLAT, site.crs).transform(lon, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(
            f"entry {lon:g},{lat:g} is on another side of the earth; give a place within 60 m of the boundary"
        )
    return Point(x, y)


def smallest_unit_kw(profile: Profile, spec: Spec) -> float:
    """Smallest unit that counts towards the target of a profile [kW]."""
    if profile == "bess":
        return asset_type(spec, "battery").storage_kw
    if profile == "gas_bess":
        return min(asset_type(spec, "generator").capacity_kw, asset_type(spec, "gas_turbine").capacity_kw)
    if profile == "wind_hybrid" and spec.number("wind_hybrid", "wind_share") == 1.0:
        return asset_type(spec, "wind_turbine").capacity_kw
    return solar_unit(spec).ac_kw
