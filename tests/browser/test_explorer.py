"""The explorer notebook in a real JupyterLab."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pacifico.legend import ASSETS

playwright = pytest.importorskip("playwright.sync_api")

# the first run after an install compiles the kernels
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore_site.ipynb"


def set_readout(page, slider: str, value: str):
    readout = page.locator(".widget-inline-hbox", has_text=slider).locator(".widget-readout")
    readout.fill(value)
    readout.press("Enter")


def buildable_ha(page) -> float:
    record = page.locator(".widget-html tr", has_text="Buildable").inner_text()
    return float(re.search(r"Buildable\s+([\d.,]+)", record)[1].replace(",", ""))


def panel(page):
    return page.locator(".jp-OutputArea-output .widget-hbox").first


def test_explorer_notebook_in_a_browser(page, run_notebook, faults, shoot, asked_outside):
    run_notebook(NOTEBOOK)
    page.wait_for_selector(".leaflet-container path.leaflet-interactive", timeout=60_000)

    # terrain images cover the whole boundary
    images = page.locator(".leaflet-container img.leaflet-image-layer")
    images.nth(1).wait_for(timeout=30_000)
    assert images.count() == 2
    drawn = page.locator(".leaflet-overlay-pane svg g").first.bounding_box()
    image = images.first.bounding_box()
    assert image["x"] <= drawn["x"]
    assert image["x"] + image["width"] >= drawn["x"] + drawn["width"]
    assert page.locator(".leaflet-container path.leaflet-interactive").count() > 20

    # the layer control names the layers and switches them
    page.locator(".leaflet-control-layers").hover()
    named = [text.strip() for text in page.locator(".leaflet-control-layers-overlays label").all_inner_texts()]
    assert {"Hillshade", "Slope", "Boundary", "Buildable area", "Roads", "Solar array", "Substation", "Entry"} <= set(
        named
    )
    before = page.locator(".leaflet-container path.leaflet-interactive").count()
    page.locator(".leaflet-control-layers-overlays label", has_text="Solar array").locator("input").uncheck()
    page.wait_for_function(
        "n => document.querySelectorAll('.leaflet-container path.leaflet-interactive').length < n", arg=before
    )
    page.locator(".leaflet-control-layers-overlays label", has_text="Solar array").locator("input").check()
    page.mouse.move(5, 5)

    # a slider changes the layout
    set_readout(page, "Target, MW", "5")
    page.locator(".widget-html", has_text="of 5.00 MW AC").wait_for(timeout=30_000)
    shoot("explorer-solar_farm", panel(page))

    # pointing at an asset shows its details
    page.locator(f'.leaflet-container path[fill="{ASSETS["solar_array"][1]}"]').first.hover()
    page.locator(".leaflet-container .widget-html", has_text="solar_array-").wait_for(timeout=30_000)

    # a click selects an asset; a drag to a place that breaks a rule is refused with the reason
    arrays = page.locator(f'.leaflet-container path[fill="{ASSETS["solar_array"][1]}"]')
    count = arrays.count()
    # hover first, as a person does: the notebook may still scroll between press and release
    arrays.last.hover()
    page.locator(".leaflet-container .widget-html", has_text=f"solar_array-{count:04d}").wait_for(timeout=30_000)
    arrays.last.click(delay=100)
    tools = page.locator(".widget-vbox", has_text="Edit:").last
    tools.locator(".widget-html b", has_text="Edit: solar_array-").wait_for(timeout=30_000)
    marker = page.locator(".leaflet-marker-draggable")
    home = marker.bounding_box()
    x, y = home["x"] + home["width"] / 2, home["y"] + home["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 420, steps=8)
    page.mouse.up()
    tools.locator(".widget-html", has_text="boundary").wait_for(timeout=30_000)
    shoot("explorer-edit-refused", panel(page))
    playwright.expect.set_options(timeout=30_000)
    playwright.expect(arrays).to_have_count(count)
    assert marker.bounding_box()["y"] == pytest.approx(home["y"], abs=1)

    # it is removed and restored
    tools.get_by_role("button", name="Remove").click()
    playwright.expect(arrays).to_have_count(count - 1)
    tools.get_by_role("button", name="Undo").click()
    playwright.expect(arrays).to_have_count(count)

    # a rectangle drawn on the map stays free
    before = buildable_ha(page)
    page.locator(".leaflet-draw-draw-rectangle").click()
    field = page.locator(".leaflet-container").bounding_box()
    x, y = field["x"] + field["width"] / 2, field["y"] + field["height"] / 2
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    page.mouse.move(x + 20, y - 10, steps=5)
    page.mouse.up()
    page.locator(".widget-html tr", has_text="Buildable").filter(has_not_text=f"{before:,.1f} ").wait_for(
        timeout=30_000
    )
    assert buildable_ha(page) < before

    # another profile, other assets
    set_readout(page, "Target, MW", "50")
    page.locator(".widget-html", has_text="of 50.0 MW AC").wait_for(timeout=30_000)
    page.locator(".widget-dropdown", has_text="Profile").locator("select").select_option("Gas BESS")
    page.locator(".leaflet-container .widget-html", has_text="Gas turbine").wait_for(timeout=30_000)
    shoot("explorer-gas_bess", panel(page))

    # a request without a layout shows one line, and the old layout is removed
    page.locator(".widget-dropdown", has_text="Profile").locator("select").select_option("BESS")
    set_readout(page, "Target, MW", "0.1")
    page.locator(".widget-html", has_text="No layout:").wait_for(timeout=30_000)
    left = page.locator(f'.leaflet-container path[fill="{ASSETS["substation"][1]}"]')
    playwright.expect(left).to_have_count(0, timeout=30_000)

    assert faults() == []
    assert asked_outside == []
