"""A layout under way shows its progress and can be stopped; an event loop brings its result."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from shapely import box

from pacifico.crs import utm
from pacifico.explorer import explore
from pacifico.grid import Grid
from pacifico.site.model import Site

CRS = utm(-84.2, 36.6)
X, Y = 750_000.0, 4_054_000.0


@pytest.fixture(scope="module")
def ground():
    grid = Grid(CRS, X - 100, Y + 700, 10, 10, 80, 80)
    east, _ = np.meshgrid(grid.x_centres() - X, grid.y_centres() - Y)
    return (
        Site("Field", CRS, box(X, Y, X + 600, Y + 600)),
        grid.data_array(300 + 0.02 * east, name="elevation", units="m"),
    )


@pytest.fixture
def explorer(ground):
    return explore(*ground, target_capacity_kw=4000.0)


def test_progress_is_shown_while_it_computes(explorer):
    assert explorer.run.busy
    assert explorer.run.widget.layout.display == "flex"
    explorer.wait()
    assert explorer.run.widget.layout.display == "none"
    assert not explorer.run.busy
    explorer.capacity_mw.value = 5.0
    assert "the layout before" in explorer.status.value
    assert "pacifico-stale" in explorer.map._dom_classes
    explorer.wait()
    assert explorer.status.value == ""
    assert "pacifico-stale" not in explorer.map._dom_classes


def test_stop_keeps_the_layout_before_and_lay_out_goes_on(explorer):
    before = explorer.plan
    explorer.capacity_mw.value = 5.0
    explorer.run.stop_button.click()
    assert not explorer.run.busy
    assert "Stopped" in explorer.status.value
    assert explorer.plan is before
    assert "pacifico-stale" in explorer.map._dom_classes
    explorer.resume.click()
    assert explorer.plan.target_capacity_kw == 5000
    assert explorer.resume.layout.display == "none"
    explorer.run.stop()  # nothing to stop
    assert explorer.status.value == ""


def test_moves_never_queue_up(explorer):
    for mw in (2.0, 3.0, 4.0, 5.0):
        explorer.capacity_mw.value = mw
    assert explorer.plan.target_capacity_kw == 5000
    for _ in range(3):
        explorer.undo.click()
    assert explorer.plan.target_capacity_kw == 2000


def test_the_loop_of_a_kernel_shows_the_layout(ground):
    async def cell():
        explorer = explore(*ground, target_capacity_kw=3000.0)
        shown = asyncio.Event()
        explorer.figures.observe(lambda _: shown.set(), names="value")
        await asyncio.wait_for(shown.wait(), 120)  # other cells run meanwhile
        return explorer

    explorer = asyncio.run(cell())
    assert "3.00 MW" in explorer.figures.value


def test_a_first_picture_comes_before_the_layout(explorer):
    explorer.wait()
    layers = explorer.map.layers
    seen = []
    show = explorer._pictured
    explorer.run._callbacks.__dict__["on_picture"] = lambda picture: (seen.append(picture), show(picture))
    explorer.capacity_mw.value = 6.0
    explorer.run.engine.wait(lambda: bool(seen) or not explorer.run.busy)
    if seen and explorer.run.busy:  # the layout may be as fast
        assert "before roads" in explorer.status.value
        assert {layer.name: layer for layer in explorer.map.layers}["Roads"].data["features"] == []
    explorer.wait()
    assert "before roads" not in explorer.status.value
    assert {layer.name: layer for layer in explorer.map.layers}["Roads"].data["features"]
    assert explorer.map.layers == layers  # the same objects: what is switched off stays off
