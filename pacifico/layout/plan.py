"""A layout, from site and ground to a plan: the engine's public face."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from shapely import MultiPolygon, Point, Polygon, box

from pacifico import crs as crs_
from pacifico.errors import CRSMismatchError, InputError, NoBuildableGroundError
from pacifico.grid import Ground
from pacifico.layout import buildable as ground_
from pacifico.layout.draft import Draft, Item, Unplaced
from pacifico.layout.earthwork import CorridorVolumes, EarthworkRules, PadPlane, balanced_pads, corridors
from pacifico.layout.metrics import measure
from pacifico.layout.programme import draft_layout, programme
from pacifico.layout.roads import Network, Road, RoadRules, Terminal, route_network
from pacifico.layout.spec import PROFILES, STRATEGIES, Profile, Spec, Strategy, make_spec

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import xarray as xr
    from pyproj import CRS

    from pacifico.layout.catalog import AssetKind
    from pacifico.site.model import Site, Zone

REACH_MARGIN_M = 1.0
"""Roads are asked to come this much nearer than the rule, so that rounding can't break it."""
MOST_ROUNDS = 8
"""Of leaving out what no road reaches; each round leaves out more, so that it ends."""
MOST_DRAFTS = 3
"""Of placing again elsewhere what no road reached."""


@dataclass(frozen=True)
class Asset:
    """One asset of a plan."""

    asset_id: str
    item: Item
    footprint: Polygon
    slope_deg: float
    """95th percentile under the footprint [°]."""
    aspect_deg: float
    elevation_m: float
    suitability: float
    """1 on level ground, 0 at the slope limit (mean slope under the footprint) [0-1]."""
    block_id: str
    service_road_id: str


@dataclass(frozen=True)
class Pad:
    """One graded pad and what stands on it."""

    pad_id: str
    asset_ids: tuple[str, ...]
    plane: PadPlane


@dataclass(frozen=True)
class Plan:
    """A layout; geometry in the working CRS `site.crs`, in metres."""

    site: Site
    profile: Profile
    strategy: Strategy
    target_capacity_kw: float | None
    dem: Mapping[str, Any]
    buildable: Polygon | MultiPolygon
    entry: Point
    asset_list: tuple[Asset, ...]
    pad_list: tuple[Pad, ...]
    road_list: tuple[Road, ...]
    road_volumes: tuple[CorridorVolumes, ...]
    unplaced: tuple[Unplaced, ...]
    warnings: tuple[str, ...]
    metrics: Mapping[str, Any]
    shortfall: str
    """Why less stands than was asked for; empty where all of it does."""

    @property
    def crs(self) -> CRS:
        """Working CRS."""
        return self.site.crs

    @property
    def assets(self) -> gpd.GeoDataFrame:
        """Assets, one a row, with the properties of layout.geojson."""
        return self._frame("asset")

    @property
    def pads(self) -> gpd.GeoDataFrame:
        """Pads, one a row."""
        return self._frame("pad")

    @property
    def roads(self) -> gpd.GeoDataFrame:
        """Roads with design heights, one a row."""
        return self._frame("road")

    def to_geojson(self) -> dict[str, Any]:
        """The plan as the FeatureCollection that the JSON Schema in this package describes (EPSG:4326)."""
        from pacifico.layout.geojson import collection  # noqa: PLC0415 (geojson reads plans)

        return collection(self)

    def write(self, path: str | Path) -> Path:
        """Write layout.geojson; the same plan gives the same bytes."""
        from pacifico.layout.geojson import write  # noqa: PLC0415

        return write(self, path)

    def _frame(self, kind: str) -> gpd.GeoDataFrame:
        import geopandas as gpd  # noqa: PLC0415 (1 s)

        from pacifico.layout.geojson import records  # noqa: PLC0415

        rows, geometries = records(self, kind)
        return gpd.GeoDataFrame(rows, geometry=list(geometries), crs=self.crs)


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
    rules = _rules(profile, strategy, target_capacity_kw, setback_m, max_road_grade_pct, spec)
    asked = programme(profile, target_capacity_kw, rules)
    if exclusions:
        site = replace(site, exclusions=(*site.exclusions, *exclusions))
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
        source_cell_m=float(dem.attrs.get("source_resolution_m", 0.0)),
    )
    main = _main_limit(profile, rules)
    if not ground_.buildable_mask(field, main).any():
        raise NoBuildableGroundError(_why_nothing(field, main, rules))
    where = _entry(site, entry)
    best: tuple[float, Draft, _Served] | None = None
    banned = np.empty((0, 4))
    lost = ""
    for _ in range(MOST_DRAFTS):
        draft = draft_layout(field, rules, asked, strategy, None if where is None else (where.x, where.y), banned)
        if not any(i.kind != "substation" for i in draft.items):
            break
        served = _serve(site, field, draft, where, rules, profile)
        got = _capacity(served.items, profile)
        if best is None or got > best[0]:
            best = (got, draft, served)
        lost = next(iter(served.network.unreached.values()), lost)
        kept = set(served.items)
        gone = [i.rect for i in draft.items if i not in kept]
        if target_capacity_kw is None or got >= target_capacity_kw - _smallest(draft.items) or not gone:
            break
        banned = np.concatenate([banned, np.array(gone)])
    if best is None or not best[2].items or best[2].network.entry is None:
        raise NoBuildableGroundError(_why_no_asset(draft, target_capacity_kw, lost))
    return _plan(
        site, field, dem, profile, strategy, target_capacity_kw, rules, best[1], best[2], best[2].network.entry
    )


def _rules(
    profile: str,
    strategy: str,
    target_kw: float | None,
    setback_m: float | None,
    max_road_grade_pct: float | None,
    spec: Mapping[str, Mapping[str, Any]] | None,
) -> Spec:
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


def _main_limit(profile: Profile, rules: Spec) -> float:
    """Slope limit of the asset that a profile is about [°]."""
    kinds = {"solar_farm": "solar_array", "hybrid": "solar_array", "wind_hybrid": "solar_array", "bess": "battery"}
    return rules.number(kinds.get(profile, "generator"), "slope_limit_deg")


def _why_nothing(field: ground_.Field, limit: float, rules: Spec) -> str:
    if field.placeable.is_empty:
        return (
            f"no buildable ground: exclusions and the setback of {rules.number('site', 'setback_m'):g} m leave nothing; "
            "reduce the setback or the exclusions"
        )
    known = field.slope[field.inside]
    if not known.size or np.isnan(known).all():
        return "no buildable ground: the DEM has no data inside the site; use a DEM that covers it"
    return (
        f"no buildable ground: the gentlest cell has a slope of {np.nanmin(known):.1f} deg, the limit is {limit:g} deg; "
        "raise slope_limit_deg in --spec or choose another site"
    )


def _why_no_asset(draft: Draft, target_kw: float | None, lost: str) -> str:
    reasons = "; ".join(f"{u.kind}: {u.reason}" for u in draft.unplaced if u.kind != "substation") or lost
    wanted = f" for a target of {target_kw:g} kW" if target_kw is not None else ""
    return (
        f"no buildable ground: not one asset can stand{wanted} ({reasons or 'the target is below the smallest unit'})"
    )


def _entry(site: Site, entry: tuple[float, float] | None) -> Point | None:
    """Entry in the working CRS: as asked for, else as named in the file, else None."""
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


def _capacity(items: Sequence[Item], profile: Profile) -> float:
    """What the target counts [kW]."""
    return sum(i.storage_kw if profile == "bess" else i.capacity_kw for i in items)


def _smallest(items: Sequence[Item]) -> float:
    return min((max(i.capacity_kw, i.storage_kw) for i in items if i.capacity_kw or i.storage_kw), default=0.0)


@dataclass(frozen=True)
class _Served:
    """Items that a road reaches, with their pads and the roads."""

    items: tuple[Item, ...]
    pads: tuple[PadPlane | None, ...]
    network: Network
    lost: tuple[Unplaced, ...]


def earthwork_rules(rules: Spec) -> EarthworkRules:
    """Earthwork rules of a spec."""
    return EarthworkRules(
        shrink=rules.number("earthwork", "shrink"),
        swell=rules.number("earthwork", "swell"),
        side_slope=rules.number("earthwork", "side_slope"),
        max_pad_grade=rules.number("earthwork", "max_pad_grade"),
    )


def road_rules(rules: Spec, profile: Profile) -> RoadRules:
    """Road rules of a spec: where turbines come in, blades must round the bends."""
    wind = profile == "wind_hybrid"
    return RoadRules(
        width_m=max(rules.number("wind_road", "width_m"), rules.number("road", "width_m"))
        if wind
        else rules.number("road", "width_m"),
        max_grade=rules.number("road", "max_grade_pct") / 100,
        min_radius_m=rules.number("wind_road" if wind else "road", "min_radius_m"),
        max_cut_fill_m=rules.number("road", "max_cut_fill_m"),
    )


def _serve(
    site: Site, field: ground_.Field, draft: Draft, entry: Point | None, rules: Spec, profile: Profile
) -> _Served:
    """Pads and roads for a draft; what no road reaches is left out until all that stays is reached."""
    items = list(draft.items)
    planes = dict(
        zip(
            (i for i in items if i.kind != "solar_array"),
            balanced_pads(
                field.ground, [box(*i.pad_rect) for i in items if i.kind != "solar_array"], rules=earthwork_rules(rules)
            ),
            strict=True,
        )
    )
    lost: list[Unplaced] = []
    for _ in range(MOST_ROUNDS):
        terminals = [_terminal(k, i, planes.get(i), rules) for k, i in enumerate(items)]
        obstacles = [t.pad if t.pad is not None else t.footprint for t in terminals]
        network = route_network(
            field.ground,
            field.allowed,
            terminals,
            entry=entry,
            obstacles=obstacles,
            rules=road_rules(rules, profile),
            cost_zones=[z for z in site.exclusions if z.zone_type == "cost"],
            boundary=site.boundary,
        )
        out = {int(key): reason for key, reason in network.unreached.items()}
        out |= _orphans(items, out)
        for k, reason in out.items():
            lost.append(Unplaced(items[k].kind, 1, reason))
        if not out:
            break
        items = [i for k, i in enumerate(items) if k not in out]
        if not items:
            break
    else:
        raise InputError(f"the road network did not settle in {MOST_ROUNDS} rounds; please report this site")
    return _Served(tuple(items), tuple(planes.get(i) for i in items), network, _merged(lost))


def _terminal(index: int, item: Item, plane: PadPlane | None, rules: Spec) -> Terminal:
    array = item.kind == "solar_array"
    return Terminal(
        key=str(index),
        footprint=box(*item.rect),
        reach_m=rules.number("site", "array_reach_m" if array else "road_reach_m") - REACH_MARGIN_M,
        priority=0 if item.kind == "substation" else 2 if array else 1,
        pad=None if plane is None else box(*item.pad_rect),
        pad_plane=None if plane is None else (plane.elevation_m, plane.grade_east, plane.grade_north),
    )


def _orphans(items: Sequence[Item], out: Mapping[int, str]) -> dict[int, str]:
    """Arrays whose skid is out, and skids whose arrays all are: one is of no use without the other."""
    skids = {i.block: k for k, i in enumerate(items) if i.kind == "inverter_skid"}
    left = {i.block for k, i in enumerate(items) if i.kind == "solar_array" and k not in out}
    more = {}
    for k, item in enumerate(items):
        if k in out or item.block < 0:
            continue
        if item.kind == "solar_array" and skids[item.block] in out:
            more[k] = f"its inverter skid is not reached: {out[skids[item.block]]}"
        elif item.kind == "inverter_skid" and item.block not in left:
            more[k] = "no array of its power block is reached"
    return more


def _plan(
    site: Site,
    field: ground_.Field,
    dem: xr.DataArray,
    profile: Profile,
    strategy: Strategy,
    target_kw: float | None,
    rules: Spec,
    draft: Draft,
    served: _Served,
    entry: Point,
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
            road_of[str(k)],
        )
        for k, item in enumerate(served.items)
    )
    planes = [(names[k], p) for k, p in enumerate(served.pads) if p is not None]
    pads = tuple(Pad(f"P{n:04d}", (name,), plane) for n, (name, plane) in enumerate(planes, 1))
    roads = served.network.roads
    volumes = tuple(
        corridors(field.ground, [r.line for r in roads], [r.width_m for r in roads], rules=earthwork_rules(rules))
    )
    area = ground_.buildable_area(field, _main_limit(profile, rules))
    unplaced = _merged((*draft.unplaced, *served.lost))
    got = _capacity(served.items, profile)
    shortfall = _shortfall(got, target_kw, _smallest(served.items), unplaced)
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
            *dem.attrs.get("warnings", ()),
            *served.network.warnings,
            *([shortfall] if shortfall else []),
        ),
        metrics=measure(
            site,
            field,
            dem,
            _main_limit(profile, rules),
            assets,
            pads,
            roads,
            volumes,
            served.lost,
            earthwork_rules(rules),
        ),
        shortfall=shortfall,
    )


def _merged(unplaced: Sequence[Unplaced]) -> tuple[Unplaced, ...]:
    """One entry for each asset type and reason."""
    counts: dict[tuple[AssetKind, str], int] = {}
    for u in unplaced:
        counts[u.kind, u.reason] = counts.get((u.kind, u.reason), 0) + u.count
    return tuple(Unplaced(kind, n, reason) for (kind, reason), n in counts.items())


def _names(items: Sequence[Item]) -> list[str]:
    """Identifiers, counted for each type in the order of placing."""
    seen: dict[str, int] = {}
    out = []
    for item in items:
        seen[item.kind] = seen.get(item.kind, 0) + 1
        out.append(f"{item.kind}-{seen[item.kind]:04d}")
    return out


def _shortfall(got: float, target_kw: float | None, smallest: float, unplaced: Sequence[Unplaced]) -> str:
    """One line where less stands than was asked for."""
    missing = "; ".join(f"{u.count} x {u.kind}: {u.reason}" for u in unplaced)
    if target_kw is not None and got <= target_kw - smallest:
        return f"{got:,.0f} kW of the {target_kw:,.0f} kW asked for are placed" + (
            f" ({missing})" if missing else ": the site's good ground is used up"
        )
    return f"not everything is placed ({missing})" if missing else ""


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
