"""The start page reads what was dropped, and opens the explorer of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pacifico.explorer.start.page import ELEVATIONS, FILE, LEVEL, start_page

RING = [[-93.0, 41.54], [-92.995, 41.54], [-92.995, 41.544], [-93.0, 41.544], [-93.0, 41.54]]
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
SITE = json.dumps({"type": "Polygon", "coordinates": [RING]}).encode()


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return start_page(profile="bess", target_capacity_kw=5_000.0)


def upload(button, name, content):
    button.value = (
        {"name": name, "type": "", "size": len(content), "content": memoryview(content), "last_modified": WHEN},
    )


def test_a_dropped_site_opens_its_explorer_and_another_may_follow(page):
    upload(page.boundary, "field.geojson", SITE)
    assert "field.geojson" in page.message.value
    page.elevation.value = LEVEL
    page.open.click()
    assert page.message.value == ""
    assert page.explorer.site.name == "field"
    assert page.explorer.outputs.downloads
    assert page.widget.children[1] is page.explorer.widget
    assert page.explorer.document.design.profile == "bess"
    page.another.click()
    assert len(page.widget.children) == 1
    assert not page.explorer.run.busy


@pytest.mark.parametrize(
    ("name", "content", "elevation", "message"),
    [
        ("", b"", LEVEL, "no boundary yet"),
        ("a<b.kml", b"<kml/>", LEVEL, "a&lt;b.kml: "),
        ("field.geojson", SITE, FILE, "no elevation yet"),
        ("field.geojson", SITE, "sample", "DEM"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line(page, name, content, elevation, message):
    if name:
        upload(page.boundary, name, content)
    page.elevation.value = elevation
    page.open.click()
    assert message in page.message.value
    assert page.explorer is None
    assert not page.open.disabled


def test_a_dropped_geotiff_is_chosen(page):
    assert page.dem.layout.display == "none"
    upload(page.dem, "a.tif", b"II*\x00")
    assert page.elevation.value == FILE
    assert page.dem.layout.display == ""


def test_the_elevations_may_be_restricted():
    assert [value for _, value in start_page().elevation.options] == list(ELEVATIONS)
    assert start_page(["/data/lidar.tif"]).elevation.options == (("lidar.tif", "/data/lidar.tif"),)


def test_a_visit_apart_says_that_its_files_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("atexit.register", lambda *_: None)
    start_page(apart=True)
    assert len(list(tmp_path.glob("visit-*"))) == 1
