"""Versions of layout.geojson, and their upgrade.

Version 1 left side slopes out of cut, fill, net and the interval of earthwork, and its intervals came from roughened ground
alone, so that a value could lie outside its own. Version 2 has side slopes in all of them, and each value in its interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION = 2
"""Version that is written."""
READ_VERSIONS = (1, 2)
"""Versions that are read."""

_TOTALS = (
    "cut_volume_m3",
    "fill_volume_m3",
    "net_earthwork_m3",
    "batter_cut_m3",
    "batter_fill_m3",
    "buildable_area_ha",
)
_INTERVALS = ("earthwork_p10_p90_m3", "buildable_area_p10_p90_ha")
_LARGEST = 1e300
"""Numbers below this, and sums of them, are floats."""


def upgraded(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """Member `pacifico` as version 2 states it.

    Totals of version 1 get their side slopes. Its intervals move with the total and are widened where the value is outside;
    the middle is the value. Invalid metrics pass as they are, for the reader to refuse.

    Parameters
    ----------
    about : mapping
        Member `pacifico`, of version 1 or 2.
    """
    metrics: Any = about.get("metrics")
    if about.get("schema_version") != 1:
        return about
    if not _is_complete(metrics):
        return {**about, "schema_version": SCHEMA_VERSION}
    cut, fill, net, batter_cut, batter_fill, hectares = (float(metrics[name]) for name in _TOTALS)
    total = round(cut + batter_cut, 1) + round(fill + batter_fill, 1)
    earthwork = [v + batter_cut + batter_fill for v in metrics["earthwork_p10_p90_m3"]]
    changed = {
        "cut_volume_m3": round(cut + batter_cut, 1),
        "fill_volume_m3": round(fill + batter_fill, 1),
        "net_earthwork_m3": round(net + batter_cut - batter_fill, 1),
        "earthwork_p10_p90_m3": _widened(earthwork, total, 1),
        "earthwork_p50_m3": round(total, 1),
        "buildable_area_p10_p90_ha": _widened(metrics["buildable_area_p10_p90_ha"], hectares, 4),
        "buildable_area_p50_ha": hectares,
    }
    return {**about, "schema_version": SCHEMA_VERSION, "metrics": {**metrics, **changed}}


def _is_complete(metrics: Any) -> bool:
    """Whether metrics have all numbers that the upgrade needs."""

    def is_number(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST

    return isinstance(metrics, dict) and (
        all(is_number(metrics.get(name)) for name in _TOTALS)
        and all(
            isinstance(pair := metrics.get(name), list) and len(pair) == 2 and all(map(is_number, pair))
            for name in _INTERVALS
        )
    )


def _widened(pair: list[float], value: float, digits: int) -> list[float]:
    """Interval, rounded, and as wide as its value needs."""
    return [min(round(pair[0], digits), value), max(round(pair[1], digits), value)]


def source_cell_m(dem: Mapping[str, Any]) -> float:
    """Cell of the elevation's source [m]: heights interpolated to finer cells know no more.

    Parameters
    ----------
    dem : mapping
        Member `dem` of a layout.geojson. Older ones hold the cell of the layout alone.
    """
    return float(max(dem["resolution_m"], dem.get("source_resolution_m", 0.0)))
