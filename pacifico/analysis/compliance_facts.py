"""Facts of a stored layout that rules check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from shapely import LineString

from pacifico.analysis.compliance import AssetFact, Facts, RoadFact
from pacifico.layout.files.stored import parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def facts_of_layout(layout: Mapping[str, Any], *, heights_m: Mapping[str, float] | None = None) -> Facts:
    """Facts of a layout.geojson that rules check.

    Parameters
    ----------
    layout : mapping
        Content of the file, from `read_layout`.
    heights_m : mapping, optional
        Height of asset types above ground [m]: a stored layout doesn't state it.

    Raises
    ------
    InputError
        It is no layout written by pacifico.
    """
    parts = parts_of(layout)
    return Facts(
        parts.of_kind("boundary")[0].geometry,
        float(parts.about["metrics"]["site_area_ha"]),
        tuple(
            AssetFact(p["asset_id"], p["asset_type"], p.geometry, float(p["slope_deg"])) for p in parts.of_kind("asset")
        ),
        tuple(
            RoadFact(
                p["road_id"],
                LineString(shapely.get_coordinates(p.geometry, include_z=True)),
                float(p["width_m"]),
                float(p["max_grade_pct"]),
            )
            for p in parts.of_kind("road")
        ),
        tuple((str(p["name"]), p.geometry) for p in parts.of_kind("exclusion")),
        tuple(p.geometry for p in parts.of_kind("entry")),
        dict(heights_m or {}),
    )
