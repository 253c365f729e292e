"""Check a layout's request: its rules, its entry and its smallest unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shapely import Point

from pacifico import crs as crs_
from pacifico.errors import InputError
from pacifico.layout.criteria.asset_types import asset_type, battery_part, check_array_sizes, solar_unit
from pacifico.layout.criteria.racking import racking_criteria
from pacifico.layout.criteria.spec import Spec, make_spec
from pacifico.vocabulary import PROFILES, STRATEGIES, Profile

if TYPE_CHECKING:
    from pacifico.site.model import Site
    from pacifico.vocabulary import AssetKind

MIN_TARGET_KW, MAX_TARGET_KW = 100, 5_000_000
"""Range of target capacities: from about one solar unit to the largest plants under study [kW]."""
MAIN_ASSET: dict[Profile, AssetKind] = {
    "solar_farm": "solar_array",
    "gas_bess": "generator",
    "wind_hybrid": "solar_array",
    "hybrid": "solar_array",
    "bess": "battery",
}
"""Asset type whose slope limit defines buildable ground."""


def requested_spec(
    profile: str,
    strategy: str,
    target_kw: float | None,
    setback_m: float | None,
    max_road_grade_pct: float | None,
    spec: Mapping[str, Mapping[str, Any]] | None,
) -> Spec:
    """Spec of a request, its choices checked.

    Parameters
    ----------
    profile, strategy : str
        What to build, and the objective to optimise.
    target_kw : float, optional
        Target capacity [kW].
    setback_m : float, optional
        Distance of assets and pads from the boundary [m]; overrides `spec`.
    max_road_grade_pct : float, optional
        Grade limit of roads [%]; overrides `spec`.
    spec : mapping, optional
        Rules of the catalog to override.

    Raises
    ------
    InputError
        A choice is unknown or a value is out of range.
    """
    if profile not in PROFILES:
        raise InputError(f"profile {profile!r} is unknown; choose from {', '.join(PROFILES)}")
    if strategy not in STRATEGIES:
        raise InputError(f"strategy {strategy!r} is unknown; choose from {', '.join(STRATEGIES)}")
    if target_kw is not None and not MIN_TARGET_KW <= target_kw <= MAX_TARGET_KW:
        raise InputError(
            f"target capacity {target_kw:g} kW is out of range; give {MIN_TARGET_KW} to {MAX_TARGET_KW:,} kW"
        )
    make_spec(spec)
    overrides: dict[str, dict[str, Any]] = {s: dict(r) for s, r in (spec or {}).items() if isinstance(r, Mapping)}
    if setback_m is not None:
        overrides.setdefault("site", {})["setback_m"] = setback_m
    if max_road_grade_pct is not None:
        overrides.setdefault("road", {})["max_grade_pct"] = max_road_grade_pct
    made = make_spec(overrides)
    racking_criteria(made)  # refuses a racking that doesn't carry the mounting
    check_array_sizes(made)
    return made


def main_slope_limit(profile: Profile, spec: Spec) -> float:
    """Slope limit of a profile's main asset [°]."""
    return spec.number(MAIN_ASSET[profile], "slope_limit_deg")


def requested_entry(site: Site, entry: tuple[float, float] | None) -> Point | None:
    """Site entry in the working CRS, or None.

    Parameters
    ----------
    site : Site
        Entries of the boundary file, and the working CRS.
    entry : (float, float), optional
        Requested longitude and latitude [°]; it replaces the file's entry.

    Raises
    ------
    InputError
        The entry is no longitude and latitude, or has no place in the working CRS.
    """
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
    """Capacity of the smallest unit that a profile adds [kW]."""
    if profile == "bess":
        return battery_part(spec, 1).storage_kw
    if profile == "gas_bess":
        return min(asset_type(spec, "generator").capacity_kw, asset_type(spec, "gas_turbine").capacity_kw)
    if profile == "wind_hybrid" and spec.number("wind_hybrid", "wind_share") == 1.0:
        return asset_type(spec, "wind_turbine").capacity_kw
    return solar_unit(spec).ac_kw


def smallest_asset_kw(profile: Profile, spec: Spec) -> float:
    """Capacity of the smallest asset that a profile places [kW]: a solar array has several rows."""
    unit, smallest_kw = solar_unit(spec), smallest_unit_kw(profile, spec)
    return unit.least_units * unit.ac_kw if smallest_kw == unit.ac_kw else smallest_kw
