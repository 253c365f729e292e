"""The explorer notebook in a real JupyterLab."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

from pacifico.crs import LONLAT, reproject
from pacifico.explorer.app import AppSource, write_app_notebook
from pacifico.legend import ASSETS
from pacifico.site.boundary import read_site

playwright = pytest.importorskip("playwright.sync_api")

# the first run after an install compiles the kernels
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore_site.ipynb"


def set_readout(page, slider: str, value: str):
    readout = page.locator(".widget-inline-hbox", has_text=slider).locator(".widget-readout")
    readout.fill(value)
    readout.press("Enter")


def buildable_row(page):
    return page.locator(".widget-html tr", has_text=re.compile(r"^\s*Buildable"))


def buildable_ha(page) -> float:
    record = buildable_row(page).inner_text()
    return float(re.search(r"Buildable\s+([\d.,]+)", record)[1].replace(",", ""))


def panel(page):
    return page.locator(".jp-OutputArea-output .widget-hbox").first


def forget_sessions(lab):
    """Remove the sessions of earlier tests: they share the folder."""
    for path in lab[1].glob("*.session.json"):
        path.unlink()


def test_explorer_notebook_in_a_browser(page, run_notebook, faults, shoot, asked_outside, lab):
    forget_sessions(lab)
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

    # the plan is saved, pinned and compared
    page.get_by_text("Save, report, compare", exact=True).click()
    page.get_by_role("button", name=re.compile(r"Save$")).click()
    page.locator(".widget-html", has_text="written: ").wait_for(timeout=30_000)
    assert list(lab[1].glob("*.layout.geojson"))
    page.get_by_text("Save, report, compare", exact=True).click()

    # pointing at an asset shows its details
    page.locator(f'.leaflet-container path[fill="{ASSETS["solar_array"][1]}"]').first.hover()
    page.locator(".leaflet-container .widget-html", has_text="solar_array-").wait_for(timeout=30_000)

    # a click selects an asset; a drag to a place that breaks a rule is refused with the reason
    arrays = page.locator(f'.leaflet-container path[fill="{ASSETS["solar_array"][1]}"]')
    count = arrays.count()
    arrays.last.hover()
    page.locator(".leaflet-container .widget-html", has_text=f"solar_array-{count:04d}").wait_for(timeout=30_000)
    tools = page.locator(".widget-vbox", has_text="Edit:").last
    selected = tools.locator(".widget-html b", has_text="Edit: solar_array-")
    arrays.last.click(delay=100)
    with contextlib.suppress(playwright.TimeoutError):
        selected.wait_for(timeout=5_000)
    if not selected.is_visible():  # JupyterLab scrolled to the cell between press and release: the second click counts
        arrays.last.click(delay=100)
    selected.wait_for(timeout=30_000)
    marker = page.locator(".leaflet-marker-draggable")
    home = marker.bounding_box()
    x, y = home["x"] + home["width"] / 2, home["y"] + home["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 420, steps=8)
    page.mouse.up()
    tools.locator(".widget-html", has_text="boundary").wait_for(timeout=30_000)
    page.locator(".widget-html", has_text="would help").wait_for(timeout=30_000)
    shoot("explorer-edit-refused", panel(page))
    playwright.expect.set_options(timeout=30_000)
    playwright.expect(arrays).to_have_count(count)
    assert marker.bounding_box()["y"] == pytest.approx(home["y"], abs=1)

    # it is removed and restored
    tools.get_by_role("button", name="Remove").click()
    playwright.expect(arrays).to_have_count(count - 1)
    page.get_by_role("button", name="Undo").click()
    playwright.expect(arrays).to_have_count(count)

    # a removal is a constraint: it holds on the next layout too
    tools.get_by_role("button", name="Remove").click()
    playwright.expect(arrays).to_have_count(count - 1)

    # a rectangle drawn on the map stays free
    before = buildable_ha(page)
    page.locator(".leaflet-draw-draw-rectangle").click()
    field = page.locator(".leaflet-container").bounding_box()
    x, y = field["x"] + field["width"] / 2, field["y"] + field["height"] / 2
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    page.mouse.move(x + 20, y - 10, steps=5)
    page.mouse.up()
    buildable_row(page).filter(has_not_text=f"{before:,.1f} ").wait_for(timeout=30_000)
    assert buildable_ha(page) < before
    drawn = page.locator(".leaflet-overlay-pane path[stroke-dasharray]")
    assert drawn.count() >= 1
    shoot("explorer-zone", panel(page))

    # one undo stack: the zone goes and stays away, the edit before it is still there
    page.get_by_role("button", name="Undo").click()
    buildable_row(page).filter(has_text=f"{before:,.1f} ").wait_for(timeout=30_000)
    playwright.expect(arrays).to_have_count(count - 1)
    page.get_by_role("button", name="Redo").click()
    buildable_row(page).filter(has_not_text=f"{before:,.1f} ").wait_for(timeout=30_000)

    # the pointer reads the ground
    page.mouse.move(x + 100, y + 40)
    page.locator(".leaflet-bottom .pacifico-card", has_text=", slope ").wait_for(timeout=30_000)

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


_RESTART = """async path => {
  const app = window.jupyterapp;
  const panel = Array.from(app.shell.widgets('main')).find(widget => widget.context?.path === path);
  await panel.sessionContext.session.kernel.restart();
  await panel.sessionContext.session.kernel.info;
  await app.commands.execute('notebook:run-all-cells');
}"""


def test_work_is_found_again_after_a_restart_and_the_kernel_stays_free(page, run_notebook, faults, shoot, lab):
    playwright.expect.set_options(timeout=60_000)
    page.set_viewport_size({"width": 1100, "height": 900})
    forget_sessions(lab)
    run_notebook(NOTEBOOK)
    page.wait_for_selector(".leaflet-container path.leaflet-interactive", timeout=60_000)
    buildable_row(page).first.wait_for(timeout=60_000)
    before = buildable_ha(page)

    # at this width nothing of the panel is out of sight to the side
    frame = page.locator(".jp-OutputArea-output:has(.leaflet-container)").bounding_box()
    for part in (page.locator(".leaflet-container"), page.locator(".widget-dropdown", has_text="Profile")):
        box = part.bounding_box()
        assert box["x"] >= frame["x"] - 1
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
    shoot("explorer-narrow")

    # a zone is typed with a buffer
    page.get_by_text("Type a zone", exact=True).click()
    page.locator("textarea[placeholder^=WKT]").fill(middle_of_the_sample())
    page.locator(".widget-text", has_text="Buffer, m").locator("input").fill("60")
    page.locator(".widget-text", has_text="Buffer, m").locator("input").press("Enter")
    page.get_by_role("button", name="Add zone").click()
    buildable_row(page).filter(has_not_text=f"{before:,.1f} ").wait_for()
    after = buildable_ha(page)
    assert after < before
    (session,) = lab[1].glob("*.session.json")
    assert '"typed"' in session.read_text()

    # while a layout is computed, the kernel answers, and Stop keeps the layout before
    set_readout(page, "Target, MW", "60")
    page.get_by_role("button", name="Stop").click()
    page.locator(".widget-html", has_text="Stopped.").wait_for()
    shoot("explorer-stopped", panel(page))
    page.get_by_role("button", name="Undo").click()
    playwright.expect(page.locator(".widget-html", has_text="Stopped.")).to_have_count(0)

    # after a restart of the kernel the zone is still there
    page.evaluate(_RESTART, NOTEBOOK.name)
    page.locator(".widget-html", has_text="continued from").wait_for()
    buildable_row(page).first.wait_for()
    assert buildable_ha(page) == pytest.approx(after)
    assert faults() == []


def test_the_notebook_of_open_fills_the_window_and_is_accessible(page, run_notebook, faults, shoot, tmp_path, lab):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    forget_sessions(lab)
    page.set_viewport_size({"width": 1300, "height": 900})
    source = AppSource("sample", "sample", design={"target_capacity_kw": 5_000.0})
    run_notebook(write_app_notebook(tmp_path / "explore.ipynb", source))
    page.wait_for_selector(".leaflet-container path.leaflet-interactive", timeout=60_000)
    buildable_row(page).first.wait_for(timeout=60_000)
    assert page.locator(".leaflet-container").bounding_box()["height"] == pytest.approx(900 - 96, abs=2)

    # nothing serious in our part of the page: its frame is JupyterLab's
    page.locator(".pacifico-explorer .noUi-handle[aria-label='Target, MW']").wait_for()
    for title in ("", "Type a zone", "Places", "Save, report, compare"):
        if title:
            page.get_by_text(title, exact=True).click()
        found = axe.Axe().run(page, context={"include": [[".pacifico-explorer"]]}).response["violations"]
        assert [(title, v["impact"], v["id"]) for v in found if v["impact"] in {"serious", "critical"}] == []
    shoot("explorer-open")
    assert faults() == []


def middle_of_the_sample() -> str:
    """Middle of the sample site, as it would be typed."""
    site = read_site(NOTEBOOK.parents[1] / "pacifico" / "data" / "sample-site.kml")
    lon, lat = reproject(site.boundary.representative_point(), site.crs, LONLAT).coords[0]
    return f"{lon:.6f}, {lat:.6f}"
