"""Why not more in the explorer: land lights up, and is measured only when it is asked for."""

import numpy as np
import pytest
from shapely import box

from pacifico.crs import utm
from pacifico.explorer import explore
from pacifico.grid import Grid
from pacifico.site.model import Site, Zone

CRS = utm(-84.2, 36.6)
X, Y = 750_000.0, 4_054_000.0


@pytest.fixture
def explorer():
    site = Site("Farm", CRS, box(X, Y, X + 300, Y + 300), (Zone(box(X + 200, Y, X + 300, Y + 100), "<i>wood"),))
    grid = Grid(CRS, X - 100, Y + 400, 10, 10, 50, 50)
    east, _ = np.meshgrid(grid.x_centres() - X, grid.y_centres() - Y)
    made = explore(site, grid.data_array(300 + 0.02 * east, name="elevation", units="m"), target_capacity_kw=50_000)
    made.wait()
    return made


def unfold(explorer):
    """Open the section and wait for the land."""
    explorer.why.widget.selected_index = 0
    explorer.why.wait()


def names(explorer):
    return [layer.name for layer in explorer.map.layers]


def test_the_land_is_measured_when_the_section_opens(explorer):
    assert explorer.why.land is None
    unfold(explorer)
    assert explorer.why.land.site_ha == pytest.approx(9.0, abs=0.1)
    assert len(explorer.why.parts.children) == len(explorer.why.land.parts)


def test_a_click_lights_the_ground_and_another_one_dims_it(explorer):
    unfold(explorer)
    button = explorer.why.parts.children[-1]
    assert button.description.startswith("Used: ")
    button.value = True
    assert names(explorer)[-1] == "Land: used"
    button.value = False
    assert "Land: used" not in names(explorer)


def test_another_layout_is_explained_anew(explorer):
    unfold(explorer)
    explorer.why.parts.children[-1].value = True
    before = explorer.why.land
    explorer.setback_m.value = 40.0
    explorer.wait()
    explorer.why.wait()
    assert explorer.why.land is not before
    assert explorer.why.lit == {}
    assert not any(name.startswith("Land: ") for name in names(explorer))
    explorer.why.widget.selected_index = None
    explorer.setback_m.value = 20.0
    explorer.wait()
    assert explorer.why.land is None


def test_levers_are_listed_on_request(explorer):
    explorer.why.solve.click()
    explorer.why.wait()
    assert "setback 5 m instead of 10 m" in explorer.why.levers.value
    assert "without &lt;i&gt;wood" in explorer.why.levers.value
    assert not explorer.why.solve.disabled
