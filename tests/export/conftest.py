"""A small layout made by the engine on a tilted plane, and one whose every name is hostile."""

import copy
import json

import numpy as np
import pytest
import shapely
from pyproj import CRS

from pacifico.grid import Grid
from pacifico.layout.generate import generate_layout
from pacifico.site.model import Anchor, Site, Zone

UTM = CRS.from_epsg(32615)
WEST, SOUTH = 500_000.0, 4_600_000.0
HOSTILE = (
    "=cmd|' /C calc'!A0 <script>alert(\"1\")</script> ../../etc/passwd $x^2$ 東京 %%d ^J\r\n\x00\x1b\u202e" + "x" * 120
)


def box(x0, y0, x1, y1):
    return shapely.box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


@pytest.fixture(scope="session")
def site():
    hole = shapely.Polygon(box(0, 0, 420, 380).exterior, [box(300, 300, 330, 330).exterior])
    gate = Anchor(shapely.Point(WEST, SOUTH + 100), "gate", is_entry=True)
    return Site("Test ridge", UTM, hole, (Zone(box(200, 0, 230, 90), "pond", "buffered", 5.0),), (gate,))


@pytest.fixture(scope="session")
def dem():
    grid = Grid(UTM, WEST - 100, SOUTH + 500, 5.0, 5.0, 120, 130)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    return grid.data_array(
        100 + 0.02 * (x - WEST) + 0.01 * (y - SOUTH), name="elevation", units="m", source="made.tif", sha256="",
        resolution_m=5.0, source_resolution_m=5.0, units_assumed="metres: no unit declared", surface_model=False,
        nodata_share=0.0, warnings=(),
    )  # fmt: skip


@pytest.fixture(scope="session")
def made(site, dem):
    """Gas and storage: pads, roads, several types."""
    plan = generate_layout(site, dem, profile="gas_bess", target_capacity_kw=20_000)
    return json.loads(json.dumps(plan.to_geojson()))


@pytest.fixture
def layout(made):
    return copy.deepcopy(made)


@pytest.fixture
def hostile(layout):
    """The same layout; wherever its contract lets text stand, text that would harm a careless reader."""
    for feature in layout["features"]:
        properties = feature["properties"]
        for key in ("name", "asset_id", "block_id", "service_road_id", "pad_id", "road_id"):
            if key in properties:
                properties[key] = HOSTILE
        if "asset_ids" in properties:
            properties["asset_ids"] = [HOSTILE, "@SUM(1)"]
    layout["pacifico"]["warnings"] = [HOSTILE] * 40
    layout["pacifico"]["dem"]["source"] = HOSTILE
    return layout


def of_kind(layout, kind):
    return [f["properties"] for f in layout["features"] if f["properties"]["kind"] == kind]
