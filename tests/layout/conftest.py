"""Sites and ground made in memory: squares on planes, waves and rough relief."""

from types import SimpleNamespace

import numpy as np
import pytest
from pyproj import CRS
from shapely import box

from pacifico.grid import Grid, Ground
from pacifico.layout.ground.buildable import make_field
from pacifico.site.model import Site

UTM = CRS.from_epsg(32615)
WEST, SOUTH = 500_000.0, 4_600_000.0


def at(x0, y0, x1, y1):
    """Box with coordinates from the south-west corner of the site."""
    return box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


def site_of(width=600.0, height=600.0, **more):
    boundary = more.pop("boundary", None) or at(0, 0, width, height)
    return Site("test site", UTM, boundary, **more)


def ground_of(height, width=600.0, depth=600.0, dx=10.0, dy=None, halo=100.0):
    """Ground with z = height(x, y), coordinates from the site's corner, `halo` of it around the site."""
    dy = dy or dx
    nx, ny = round((width + 2 * halo) / dx), round((depth + 2 * halo) / dy)
    grid = Grid(UTM, WEST - halo, SOUTH - halo + ny * dy, dx, dy, ny, nx)
    x, y = np.meshgrid(grid.x_centres() - WEST, grid.y_centres() - SOUTH)
    return Ground(grid, np.asarray(height(x, y), dtype=np.float64) + np.zeros(grid.shape))


def dem_of(ground, **attrs):
    said = {
        "units": "m",
        "source": "memory",
        "sha256": "",
        "source_resolution_m": ground.grid.dx,
        "units_assumed": "metres",
        "nodata_share": 0.0,
        "warnings": (),
    }
    return ground.grid.data_array(ground.z, name="elevation", **(said | attrs))


def field_of(site, ground, *, setback_m=0.0):
    return make_field(site, ground, ground, setback_m=setback_m, source_cell_m=ground.grid.dx)


def level(x, y):
    return 100.0 + 0.0 * x


def rolling(x, y):
    """Mostly gentle; in places steeper than 10 degrees."""
    return 100.0 + 0.015 * x + 9.0 * np.sin(x / 55.0) * np.cos(y / 75.0)


@pytest.fixture(scope="session")
def make():
    """Builders of sites, ground, DEMs and fields."""
    return SimpleNamespace(
        at=at, site=site_of, ground=ground_of, dem=dem_of, field=field_of, level=level, rolling=rolling,
        west=WEST, south=SOUTH, crs=UTM,
    )  # fmt: skip
