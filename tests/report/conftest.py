"""A small site on a plane, and a stored layout made by hand."""

import json

import numpy as np
import pytest
import shapely

from pacifico.crs import LONLAT, reproject, utm
from pacifico.grid import Grid
from pacifico.layout.files.stored import StoredLayout
from pacifico.site.model import Anchor, Site, Zone

CRS_ = utm(-93.0, 42.0)
X0, Y0 = (round(v, -1) for v in reproject(shapely.Point(-93.0, 42.0), LONLAT, CRS_).coords[0])
METRICS = {
    "total_capacity_kw": 500.0, "total_capacity_dc_kw": 650.0, "storage_kw": 0.0, "storage_kwh": 0.0, "asset_count": 2,
    "assets_by_type": {"solar_array": 1, "substation": 1}, "road_length_m": 700.0, "max_road_grade_pct": 5.0,
    "cut_volume_m3": 121.0, "fill_volume_m3": 102.0, "pad_cut_m3": 20.0, "pad_fill_m3": 10.0, "road_cut_m3": 100.0,
    "road_fill_m3": 90.0, "batter_cut_m3": 1.0, "batter_fill_m3": 2.0, "net_earthwork_m3": 19.0,
    "earthwork_p10_p90_m3": [200.0, 260.0], "site_area_ha": 48.0, "buildable_area_ha": 30.0,
    "buildable_area_p10_p90_ha": [28.0, 31.0], "capacity_kw_per_ha": 10.4, "served_share": 1.0,
}  # fmt: skip


@pytest.fixture
def site():
    boundary = shapely.box(X0, Y0, X0 + 800, Y0 + 600)
    creek = Zone(shapely.box(X0 + 600, Y0, X0 + 650, Y0 + 600), "creek <script>alert(1)</script>")
    return Site("hillside", CRS_, boundary, (creek,), (Anchor(shapely.Point(X0, Y0 + 300), "gate", is_entry=True),))


def plane_dem(*, east=0.03, north=0.01, source_m=5.0):
    grid = Grid(CRS_, X0 - 100, Y0 + 700, 5.0, 5.0, 160, 200)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    z = 100 + east * (x - X0) + north * (y - Y0)
    return grid.data_array(
        z, name="elevation", units="m", source="made.tif", sha256="", resolution_m=5.0, source_resolution_m=source_m,
        units_assumed="metres: no unit declared", surface_model=False, nodata_share=0.0, warnings=(),
    )  # fmt: skip


@pytest.fixture
def dem():
    return plane_dem()


def feature(kind, geometry, **properties):
    lonlat = reproject(geometry, CRS_, LONLAT)
    return {"type": "Feature", "geometry": shapely.geometry.mapping(lonlat), "properties": {"kind": kind, **properties}}


def road(name, *points):
    line = shapely.LineString([(X0 + x, Y0 + y, z) for x, y, z in points])
    return feature(
        "road", line, road_id=name, road_class="spine", width_m=6.0, length_m=line.length, max_grade_pct=4.0,
        mean_grade_pct=3.0, cut_m3=40.0, fill_m3=30.0,
    )  # fmt: skip


def asset(kind, x, y, width, length, **more):
    base = {
        "asset_id": f"{kind}-1", "asset_type": kind, "name": f"{kind} 1", "block_id": None, "capacity_kw": 0.0,
        "capacity_dc_kw": 0.0, "storage_kw": 0.0, "storage_kwh": 0.0, "rating_kva": 0.0, "length_m": length,
        "width_m": width, "rotation_deg": 0.0, "slope_deg": 1.8, "slope_limit_deg": 3.0, "aspect_deg": 251.6,
        "elevation_m": 110.0, "suitability": 0.4, "service_road_id": "R1",
    }  # fmt: skip
    return feature("asset", shapely.box(X0 + x, Y0 + y, X0 + x + width, Y0 + y + length), **{**base, **more})


@pytest.fixture
def collection(site):
    """Content of layout.geojson: two assets, one pad, and roads with a longest route of 500 + 200 m."""
    pad = shapely.box(X0 + 400, Y0 + 350, X0 + 440, Y0 + 390)
    features = [
        feature("boundary", site.boundary, name="hillside"),
        feature("buildable", shapely.box(X0 + 10, Y0 + 10, X0 + 590, Y0 + 500)),
        feature(
            "exclusion", site.exclusions[0].geometry, name=site.exclusions[0].name, zone_type="hard", buffer_m=0.0,
            cost_multiplier=1.0,
        ),
        feature("entry", shapely.Point(X0, Y0 + 300), name="gate"),
        asset("solar_array", 100, 100, 80, 60, capacity_kw=500.0, slope_limit_deg=10.0),
        asset("substation", 402, 352, 36, 36),
        feature(
            "pad", pad, pad_id="P1", asset_ids=["substation-1"], elevation_m=116.0, grade_east=0.0, grade_north=0.0,
            cut_m3=20.0, fill_m3=10.0, batter_cut_m3=1.0, batter_fill_m3=2.0,
        ),
        road("R1", (0, 300, 103.0), (200, 300, 110.0), (500, 300, 118.0)),
        road("R2", (500, 300, 118.0), (500, 500, 120.0)),
        road("R3", (200, 300, 110.0), (200, 250, 108.0)),
    ]  # fmt: skip
    about = {
        "schema_version": 2, "crs": f"EPSG:{CRS_.to_epsg()}", "profile": "solar_farm", "strategy": "balanced",
        "target_capacity_kw": 1000.0,
        "dem": {"source": "made.tif", "sha256": "", "resolution_m": 5.0, "units": "metres", "nodata_share": 0.0},
        "metrics": METRICS, "warnings": ["half of it <b>fits</b>"],
        "unplaced": [{"asset_type": "solar_array", "count": 1, "reason": "no ground under its slope limit is left"}],
    }  # fmt: skip
    return json.loads(json.dumps({"type": "FeatureCollection", "pacifico": about, "features": features}))


@pytest.fixture
def layout(collection):
    return StoredLayout.of(collection)
