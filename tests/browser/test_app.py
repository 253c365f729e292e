"""The app of `pacifico open --with app` without a boundary: drop a file, get the answer, download it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("voila")

# the first run after an install compiles the kernels
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """Address and folder of a running app."""
    folder = tmp_path_factory.mktemp("app") / "out"
    log = folder.parent / "app.log"
    command = [sys.executable, "-m", "pacifico", "open", "--with", "app", "--out", str(folder), "--no-browser"]
    command += ["--capacity-kw", "3000"]
    own = {"JUPYTER_CONFIG_DIR": str(folder.parent)}
    with log.open("wb") as out:
        server = subprocess.Popen(command, env={**os.environ, **own}, stdout=out, stderr=out, start_new_session=True)
    try:
        yield address(server, log), folder
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=30)


def address(server, log):
    """Address that the server prints when it listens."""
    limit = time.monotonic() + 90
    while time.monotonic() < limit and server.poll() is None:
        if found := re.search(r"http://(?:127\.0\.0\.1|localhost):\d+/", log.read_text()):
            return found[0]
        time.sleep(0.1)  # there is no event for a line of a log
    raise AssertionError(f"the app did not start:\n{log.read_text()}")


def boundary(name, west):
    ring = [[west, 41.54], [west + 0.006, 41.54], [west + 0.006, 41.546], [west, 41.546], [west, 41.54]]
    feature = {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def visit(page, url):
    page.goto(url, timeout=120_000)
    page.get_by_role("button", name="Lay out").wait_for(timeout=120_000)


_DROP = """([name, text]) => {
  const files = new DataTransfer();
  files.items.add(new File([text], name));
  const at = document.querySelector(".pacifico-drop");
  for (const type of ["dragover", "drop"]) at.dispatchEvent(new DragEvent(type, {dataTransfer: files, bubbles: true}));
}"""


def choose(page, name, content):
    """Choose a file through the button's dialog."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=re.compile("Boundary file")).click()
    chooser.value.set_files({"name": name, "mimeType": "application/json", "buffer": content})
    page.locator(".widget-html", has_text=name).wait_for(timeout=30_000)


def drop(page, name, content, elevation="level ground: no terrain"):
    page.locator(".widget-dropdown", has_text="Elevation").locator("select").select_option(elevation)
    page.evaluate(_DROP, [name, content.decode()])
    page.locator(".widget-html", has_text=name).wait_for(timeout=30_000)
    page.get_by_role("button", name="Lay out").click()


def has_layout(page, name):
    page.locator(".widget-html b", has_text=name).first.wait_for(timeout=120_000)
    page.locator(".widget-html tr", has_text=re.compile(r"^\s*Buildable")).first.wait_for(timeout=120_000)


def test_two_visitors_work_apart_and_download_what_they_made(app, page, browser, shoot, asked_outside, tmp_path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    url, folder = app
    page.set_viewport_size({"width": 1300, "height": 900})
    visit(page, url)
    found = axe.Axe().run(page, context={"include": [[".pacifico-explorer"]]}).response["violations"]
    assert [(v["impact"], v["id"]) for v in found if v["impact"] in {"serious", "critical"}] == []
    shoot("app-start")

    # what is no site is refused in one line, and the page stays
    drop(page, "notes.kml", b"<kml/>")
    page.locator(".widget-html", has_text="notes.kml: ").wait_for(timeout=30_000)

    with browser.new_context() as other_visitor:
        other = other_visitor.new_page()
        visit(other, url)
        visits = sorted(folder.glob("visit-*"))
        assert len(visits) == 2
        assert all(v.stat().st_mode & 0o077 == 0 for v in visits)
        drop(page, "north.geojson", boundary("North field", -93.0))
        drop(other, "south.geojson", boundary("South field", -94.0))
        has_layout(page, "North field")
        has_layout(other, "South field")
        assert other.get_by_text("North field").count() == 0
        shoot("app-layout")

        # report and sheet are downloaded; only the visitor's own folder holds them
        page.get_by_text("Save, report, compare", exact=True).click()
        page.get_by_role("button", name=re.compile("Report$")).click()
        links = page.locator("a[download]")
        links.first.wait_for(timeout=120_000)
        names = links.evaluate_all("all => all.map(a => a.download)")
        assert {"report.html", "site-plan.pdf"} <= set(names)
        for name, start in (("report.html", b"<!"), ("site-plan.pdf", b"%PDF"), ("North-field-report.zip", b"PK")):
            with page.expect_download() as download:
                page.locator(f"a[download='{name}']").click()
            saved = Path(tmp_path / name)
            download.value.save_as(saved)
            assert saved.read_bytes().startswith(start)
        shoot("app-downloads")
        assert sorted(len(list(v.glob("*report"))) for v in visits) == [0, 1]
    # Voila's page asks for its icons; it works without them
    assert {url.rpartition("/")[2] for url in asked_outside} <= {"all.min.css", "v4-shims.min.css"}


def test_the_demo_site_opens_on_a_phone_and_another_site_follows(app, page, shoot):
    url, _ = app
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, url)
    shoot("app-start-390")
    page.get_by_role("button", name="Demo site").click()
    has_layout(page, "Jacksboro")
    shoot("app-layout-390")
    page.get_by_role("button", name="Another site").click()
    page.get_by_role("button", name="Lay out").wait_for(timeout=30_000)
    choose(page, "other.geojson", boundary("Other field", -93.0))
