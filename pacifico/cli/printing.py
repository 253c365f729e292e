"""."""

from __future__ import annotations

from typing import Any


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _headline(metrics: Any) -> str:
    storage = f", {metrics['storage_kwh'] / 1000:,.0f} MWh storage" if metrics["storage_kwh"] else ""
    return (
        f"{metrics['total_capacity_kw'] / 1000:,.1f} MW AC{storage} in {metrics['asset_count']:,} assets on "
        f"{metrics['buildable_area_ha']:,.1f} of {metrics['site_area_ha']:,.1f} ha buildable; "
        f"{metrics['road_length_m'] / 1000:,.2f} km of road up to {metrics['max_road_grade_pct']:.1f} %; "
        f"cut {metrics['cut_volume_m3']:,.0f} m3, fill {metrics['fill_volume_m3']:,.0f} m3"
    )
