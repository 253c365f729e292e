"""Facts of a stored layout that rules check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from shapely import LineString

from pacifico.analysis.compliance import AssetFact, Facts, RoadFact
from pacifico.layout.files.stored import StoredLayout

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
    stored = StoredLayout.of(layout)
    return Facts(
        stored.of_kind("boundary")[0].geometry,
        float(stored.about["metrics"]["site_area_ha"]),
        tuple(
            AssetFact(f["asset_id"], f["asset_type"], f.geometry, float(f["slope_deg"]))
            for f in stored.of_kind("asset")
        ),
        tuple(
            RoadFact(
                f["road_id"],
                LineString(shapely.get_coordinates(f.geometry, include_z=True)),
                float(f["width_m"]),
                float(f["max_grade_pct"]),
            )
            for f in stored.of_kind("road")
        ),
        tuple((str(f["name"]), f.geometry) for f in stored.of_kind("exclusion")),
        tuple(f.geometry for f in stored.of_kind("entry")),
        dict(heights_m or {}),
    )
