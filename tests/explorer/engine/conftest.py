"""A small field on gently rolling ground."""

from __future__ import annotations

import numpy as np
import pytest
from shapely import box

from pacifico.crs import utm
from pacifico.explorer.engine.messages import LayoutRequest, Terrain
from pacifico.grid import Grid
from pacifico.layout.criteria.design import Design
from pacifico.site.model import Site

CRS = utm(-84.2, 36.6)
X, Y = 750_000.0, 4_054_000.0


@pytest.fixture(scope="session")
def terrain():
    grid = Grid(CRS, X - 100, Y + 700, 10, 10, 80, 80)
    east, _ = np.meshgrid(grid.x_centres() - X, grid.y_centres() - Y)
    dem = grid.data_array(300 + 0.02 * east, name="elevation", units="m")
    return Terrain("field", Site("Field", CRS, box(X, Y, X + 600, Y + 600)), dem)


@pytest.fixture(scope="session")
def request_of():
    """Function that makes a request for a target [MW] and edits."""

    def make(mw, *edits, exclusions=()):
        return LayoutRequest(Design(target_capacity_kw=1000.0 * mw), tuple(exclusions), tuple(edits))

    return make
