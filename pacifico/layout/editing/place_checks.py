"""Checks of an asset's new place, against the limits that placement keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import Polygon

from pacifico import crs as crs_
from pacifico.errors import EditRefused
from pacifico.layout.criteria.asset_types import PAD_APRON_M, asset_type, solar_unit, substation_type
from pacifico.layout.criteria.racking import ArraySlopes, array_slopes
from pacifico.layout.ground.buildable import ROUNDING, STEEP_SHARE, Zonal, zonal
from pacifico.layout.model.assets import Item, outline, pad_outline
from pacifico.layout.orientation.frame import AZIMUTH_RULE
from pacifico.layout.placement.draft import item_of, of_units
from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Asset, Pad
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site
    from pacifico.vocabulary import AssetKind

SLACK_M = 0.002
"""Rounding allowed in distances [m]: two coordinates of a stored layout, 8 decimals of a degree each."""
TOUCH_M2 = 0.01
"""Overlap of two footprints or pads that counts as rounding [m²]."""


@dataclass(frozen=True)
class Surroundings:
    """What the place of an asset is checked against."""

    site: Site
    field: Field
    spec: Spec
    others: Sequence[Asset]
    """All other assets."""
    pads: Sequence[Pad]
    """Pads of the other assets."""


def statistics(field: Field, item: Item) -> Zonal:
    """Slope, aspect and elevation under an item's footprint, one value each."""
    upright = zonal(field, np.array([item.rect]))
    if item.rotation_deg in (0.0, 90.0):
        return upright
    shape = outline(item)
    slope, area = _cells(field, shape)
    order = np.argsort(slope, kind="stable")
    slope, area = slope[order], np.where(np.isnan(slope[order]), 0.0, area[order])
    below = np.cumsum(area)
    p95 = slope[np.searchsorted(below, (0.95 - ROUNDING) * below[-1])]
    mean = float(np.nan_to_num(slope) @ area) / below[-1]
    corners = shapely.get_coordinates(shape)[:4]
    sides = (corners + np.roll(corners, -1, axis=0)) / 2
    height = field.ground.at(sides[:, 0], sides[:, 1])
    (along, up), (across, over) = (((sides[i] - sides[j]), float(height[i] - height[j])) for i, j in ((0, 2), (1, 3)))
    rise = along * up / (along @ along) + across * over / (across @ across)
    aspect = np.nan if np.hypot(*rise) <= 1e-9 else float(np.degrees(np.arctan2(-rise[0], -rise[1])) % 360)
    return Zonal(np.array([p95]), np.array([mean]), np.array([aspect]), np.array([height.mean()]))


def _cells(field: Field, shape: Polygon) -> tuple[FloatArray, FloatArray]:
    """Slope [°] and covered area [m²] of cells under a polygon.

    Off the grid the slope is NaN.
    """
    g = field.grid
    west, south, east, north = shape.bounds
    c = np.arange(int(np.floor((west - g.x0) / g.dx)), int(np.ceil((east - g.x0) / g.dx)))
    r = np.arange(int(np.floor((g.y0 - north) / g.dy)), int(np.ceil((g.y0 - south) / g.dy)))
    column, row = (a.ravel() for a in np.meshgrid(c, r))
    x, y = g.x0 + column * g.dx, g.y0 - row * g.dy
    cells = shapely.box(x, y - g.dy, x + g.dx, y)
    shapely.prepare(shape)
    # only cells on the outline are cut
    edge = ~shapely.covers(shape, cells)
    area = np.full(len(cells), g.cell_area_m2)
    area[edge] = shapely.area(shapely.intersection(cells[edge], shape))
    off = (column < 0) | (row < 0) | (column >= g.nx) | (row >= g.ny)
    slope = field.slope[np.clip(row, 0, g.ny - 1), np.clip(column, 0, g.nx - 1)]
    return np.where(off, np.nan, slope), area


def check_place(asset_id: str, item: Item, around: Surroundings) -> None:
    """Refuse a place that breaks a limit of the layout.

    Parameters
    ----------
    asset_id : str
        Name of the asset in messages.
    item : Item
        The asset at its new place.
    around : Surroundings
        Ground to search.

    Raises
    ------
    EditRefused
    """
    shape = outline(item)
    taken = pad_outline(item) or shape
    _check_polygons(asset_id, taken, around)
    _check_ground(asset_id, item, around)
    _check_neighbours(asset_id, item, taken, around)
    _check_pads(asset_id, taken, around.pads)
    if item.kind == "wind_turbine":
        _check_wind(asset_id, item, around)


def _check_polygons(asset_id: str, taken: Polygon, around: Surroundings) -> None:
    """Refuse ground outside the boundary, on a zone or within the setback."""
    site, spec = around.site, around.spec
    if around.field.placeable.covers(taken):
        return
    outside = shapely.difference(taken, site.boundary).area
    if outside > 0:
        raise EditRefused(
            f"{asset_id} would lie outside the boundary with {outside:,.1f} of its {taken.area:,.0f} m²; "
            "choose a place inside the boundary"
        )
    for zone in site.exclusions:
        if zone.zone_type != "cost":
            near = float(shapely.distance(zone.geometry, taken))
            if near < zone.buffer_m or (near == 0.0 and shapely.intersection(zone.geometry, taken).area > 0):
                raise EditRefused(
                    f"{asset_id} would stand {near:.1f} m from exclusion zone {zone.name or 'without a name'!r}, "
                    f"which keeps {zone.buffer_m:g} m free around it; choose a place clear of it, or remove the zone"
                )
    if around.field.drainage.area.intersects(taken):
        half_width_m = around.field.drainage.half_width_m
        raise EditRefused(
            f"{asset_id} would stand within {half_width_m:g} m of a drainage line; choose a place clear of it"
        )
    distance = float(site.boundary.boundary.distance(taken))
    setback = max(spec.number("site", "setback_m"), *(s.setback_m for s in spec.setbacks), 0.0)
    raise EditRefused(
        f"{asset_id} would stand {distance:.1f} m from the boundary, the setback is {setback:g} m; "
        f"move it {max(setback - distance, 0.1):.1f} m inwards, or make the layout with a smaller setback"
    )


def _check_ground(asset_id: str, item: Item, around: Surroundings) -> None:
    """Refuse steep or unknown ground under the footprint or pad."""
    field, limits = around.field, _slope_limits(item, around.spec)
    for margin, what in ((0.0, "footprint"), *(((PAD_APRON_M, "pad"),) if item.kind != "solar_array" else ())):
        if item.rotation_deg in (0.0, 90.0):
            rect = np.array([item.rect]) + np.array([-margin, -margin, margin, margin])
            sieve = field.sieve(limits)
            unknown, steep = float(sieve.unknown.share(rect)[0]), float(sieve.steep.share(rect)[0])
        else:
            slope, area = _cells(field, outline(item, margin))
            unknown = float(area[np.isnan(slope)].sum() / area.sum())
            steep = float(area[slope > item.slope_limit_deg].sum() / area.sum())
        if unknown > ROUNDING:
            raise EditRefused(
                f"{asset_id} would stand on ground without elevation: {unknown:.0%} of its {what}, none is allowed; "
                "choose another place, or a DEM that covers this one"
            )
        if steep > STEEP_SHARE:
            raise EditRefused(
                f"{asset_id} would stand on ground that is too steep: {steep:.0%} of its {what} is over "
                f"{_said(limits, around.spec.number(*AZIMUTH_RULE))}, {STEEP_SHARE:.0%} may be; choose gentler ground"
            )


def _slope_limits(item: Item, spec: Spec) -> float | ArraySlopes:
    """Slope limits of the ground under an item; those of rows hold for upright arrays."""
    if item.kind != "solar_array" or item.rotation_deg not in (0.0, 90.0):
        return item.slope_limit_deg
    slopes = replace(array_slopes(spec), any_deg=item.slope_limit_deg)
    return slopes.turned if item.rotation_deg == 90.0 else slopes


def _said(limits: float | ArraySlopes, azimuth_deg: float) -> str:
    """Slope limits in words, with directions on the map."""
    if not isinstance(limits, ArraySlopes):
        return f"{limits:g}°"
    north, east = f"{100 * limits.north:.3g} %", f"{100 * limits.east:.3g} %"
    if azimuth_deg == 0.0:
        ways = f"{north} north and {east} east"
    else:
        ways = f"{north} towards {azimuth_deg % 360:g}° and {east} towards {(azimuth_deg + 90) % 360:g}°"
    return f"{limits.any_deg:g}°, or over what is graded for its rows: {ways}"


def _check_neighbours(asset_id: str, item: Item, taken: Polygon, around: Surroundings) -> None:
    """Refuse an overlap or a short clearance to another asset.

    Parameters
    ----------
    asset_id : str
        Identifier of the asset.
    item : Item
        The asset at its new place.
    taken : Polygon
        Pad of the item, or its footprint without one.
    around : Surroundings
        Ground to search.
    """
    others, spec, shape = around.others, around.spec, outline(item)
    if not others:
        return
    footprints = np.array([a.footprint for a in others], dtype=object)
    reach_m = max(clearance(item.kind, a.item.kind, spec) for a in others)
    near = np.flatnonzero(shapely.dwithin(footprints, shape, reach_m + SLACK_M))
    gaps = shapely.distance(footprints[near], shape)
    for k in near[np.argsort(gaps, kind="stable")].tolist():
        other = others[k]
        shared = float(shapely.intersection(other.footprint, shape).area)
        if shared > TOUCH_M2:
            raise EditRefused(
                f"{asset_id} would overlap {other.asset_id} by {shared:,.1f} m²; choose free ground, or move {other.asset_id} first"
            )
        gap, least = float(shapely.distance(other.footprint, shape)), clearance(item.kind, other.item.kind, spec)
        if gap < least - SLACK_M:
            raise EditRefused(
                f"{asset_id} would stand {gap:.2f} m from {other.asset_id}, the clearance is {least:g} m; "
                f"move it {least - gap:.2f} m away"
            )
        if shapely.intersection(other.footprint, taken).area > TOUCH_M2:
            raise EditRefused(
                f"the pad of {asset_id} would reach under {other.asset_id}; a pad is {PAD_APRON_M:g} m wider than its "
                "footprint on every side: move it so far away"
            )


def _check_pads(asset_id: str, taken: Polygon, pads: Sequence[Pad]) -> None:
    """Refuse an overlap with the pad of another asset."""
    for pad in pads:
        shared = float(shapely.intersection(pad.plane.polygon, taken).area)
        if shared > TOUCH_M2:
            raise EditRefused(
                f"{asset_id} would share {shared:,.1f} m² with the pad of {', '.join(pad.asset_ids)}; pads stay clear of each other"
                ": move it further away"
            )


def clearance(a: str, b: str, spec: Spec) -> float:
    """Least distance between the footprints of two types of asset [m]."""
    if a == b == "solar_array":
        if spec.choice("solar", "mounting") == "fixed":
            return min(spec.number("solar", "pair_gap_m"), 1.0)
        row_gap = spec.number("solar", "tracker_collector_m") * (1 / spec.number("solar", "tracker_gcr") - 1)
        return min(spec.number("solar", "pair_gap_m"), row_gap)
    if "inverter_skid" in (a, b):
        return PAD_APRON_M if "solar_array" in (a, b) else 3.0
    return max(0.0 if kind == "solar_array" else spec.number(kind, "clearance_m") for kind in (a, b))


def _check_wind(asset_id: str, item: Item, around: Surroundings) -> None:
    """Refuse a turbine near the boundary or in another one's wake."""

    def value(name: str) -> float:
        """Rule of the turbine."""
        return around.spec.number("wind_turbine", name)

    setback = value("setback_tip_heights") * (value("hub_m") + value("rotor_m") / 2)
    x, y = item.centre
    distance = float(around.field.outline.boundary.distance(shapely.Point(x, y)))
    if distance < setback - SLACK_M:
        raise EditRefused(
            f"{asset_id} would stand {distance:.0f} m from the boundary, its setback is {setback:.0f} m "
            f"({value('setback_tip_heights'):g} x tip height); move it {setback - distance:.0f} m inwards"
        )
    bearing = np.radians(value("wind_from_deg"))
    along = value("spacing_downwind_rotors") * value("rotor_m")
    across = value("spacing_crosswind_rotors") * value("rotor_m")
    for other in around.others:
        if other.item.kind != "wind_turbine":
            continue
        dx, dy = other.item.centre[0] - x, other.item.centre[1] - y
        u, v = dx * np.sin(bearing) + dy * np.cos(bearing), dx * np.cos(bearing) - dy * np.sin(bearing)
        if np.hypot(u / along, v / across) < 1.0 - 1e-9:
            raise EditRefused(
                f"{asset_id} would stand {np.hypot(dx, dy):.0f} m from {other.asset_id}, inside its spacing of {along:.0f} m along "
                f"and {across:.0f} m across the wind; move it out of that ellipse"
            )


def find_block(item: Item, assets: Sequence[Asset], *, reach_m: float = 0.0) -> int | None:
    """Power block of a solar array; None without a skid in reach.

    An array keeps its own block if it can. Otherwise it joins the nearest skid with room.

    Parameters
    ----------
    item : Item
        The array.
    assets : sequence of Asset
        All other assets.
    reach_m : float
        Distance to its own skid that is allowed even if it is beyond cable reach [m].
    """
    load_kw: dict[int, float] = {}
    for a in assets:
        if a.item.kind == "solar_array":
            load_kw[a.item.block] = load_kw.get(a.item.block, 0.0) + a.item.capacity_kw
    x, y = item.centre
    best = (np.inf, -1)
    for a in assets:
        if a.item.kind != "inverter_skid":
            continue
        distance = float(np.hypot(a.item.centre[0] - x, a.item.centre[1] - y))
        if a.item.block == item.block and item.block >= 0 and distance <= max(BLOCK_REACH_M, reach_m) + SLACK_M:
            return item.block
        room = load_kw.get(a.item.block, 0.0) + item.capacity_kw <= a.item.rating_kva + SLACK_M
        if distance <= BLOCK_REACH_M and room:
            best = min(best, (distance, a.item.block))
    return best[1] if best[1] >= 0 else None


def no_block(asset_id: str, item: Item) -> str:
    """Message for an array without an inverter skid."""
    return (
        f"{asset_id} of {item.capacity_kw:,.0f} kW would have no inverter skid with that much to spare within "
        f"{BLOCK_REACH_M:g} m; add an inverter_skid there first"
    )


def resolve_place(
    plan: Plan,
    metres: tuple[float, float] | None,
    degrees: tuple[float, float] | None,
    names: tuple[str, str],
) -> tuple[float, float]:
    """Place in the working CRS [m], given in metres or degrees.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    metres : (float, float), optional
        Easting and northing in the working CRS [m].
    degrees : (float, float), optional
        Longitude and latitude [°].
    names : (str, str)
        Names of the two parameters in messages.

    Raises
    ------
    EditRefused
        Neither or both are given, or the place is out of range.
    """
    if (metres is None) == (degrees is None):
        raise EditRefused(f"give one place, {names[0]}=(x, y) in {plan.crs.name} or {names[1]}=(lon, lat) in degrees")
    if degrees is not None:
        lon, lat = degrees
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise EditRefused(
                f"{names[1]} {lon:g},{lat:g} is no longitude and latitude; give degrees, such as -93.68,41.95"
            )
        metres = crs_.transformer(crs_.LONLAT, plan.crs).transform(lon, lat)
    assert metres is not None  # noqa: S101 (one of the two is given)
    x, y = float(metres[0]), float(metres[1])
    if not (np.isfinite(x) and np.isfinite(y)):
        raise EditRefused(f"the place {x:g},{y:g} is not finite; give one near the site")
    return x, y


def new_item(plan: Plan, kind: AssetKind, units: int | None) -> Item:
    """Item of a type in the catalog's size, centred on the origin."""
    spec = plan.spec
    if kind == "solar_array":
        unit = solar_unit(spec)
        n = unit.most_units if units is None else units
        if not 1 <= n <= unit.most_units:
            raise EditRefused(
                f"an array of {n} units is out of range; give 1 to {unit.most_units} units of {unit.ac_kw:.0f} kW"
            )
        width_m = n * unit.pitch_x_m - unit.gap_x_m
        rect = (-width_m / 2, -unit.height_m / 2, width_m / 2, unit.height_m / 2)
        return of_units(Item(kind, rect, spec.number("solar_array", "slope_limit_deg")), rect, n, unit)
    if kind == "substation":
        existing = [a.item for a in plan.asset_list if a.item.kind == "substation"]
        size = substation_type(spec, max((i.rating_kva for i in existing), default=1e5) / 1e3)
    else:
        size = asset_type(spec, kind)
    a, b = size.length_m / 2, size.width_m / 2
    return item_of(size, np.array([-a, -b, a, b]))
