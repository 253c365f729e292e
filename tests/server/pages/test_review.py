"""Gallery, report, comparison and job table."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlencode

import pytest

from pacifico.jobs.serving.owned import OwnedJobs
from pacifico.jobs.settings import Settings


@pytest.fixture
def pages(rest):
    return f"{rest.base}/pacifico/reports"


def test_the_gallery_shows_the_layout_with_its_picture(rest, pages, layout):
    text = rest.get(f"{pages}?status=completed&site_id=").text
    assert f"/pacifico/reports/{layout['layout_id']}/picture.svg" in text
    picture = rest.get(f"{pages}/{layout['layout_id']}/picture.svg")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert picture.headers["Content-Security-Policy"].startswith("sandbox")
    assert picture.text.startswith("<svg")
    again = rest.get(f"{pages}/{layout['layout_id']}/picture.svg", headers={"If-None-Match": picture.headers["ETag"]})
    assert again.status_code == 304


def test_a_layout_without_a_report_has_its_figures(rest, pages, layout):
    text = rest.get(f"{pages}/{layout['layout_id']}").text
    assert "Capacity, AC" in text
    assert "export/kmz" in text
    assert "<iframe" not in text


def test_a_layout_compared_with_itself_is_identical(rest, pages, layout):
    text = rest.get(f"{pages}/compare?a={layout['layout_id']}&b={layout['layout_id']}").text
    assert "Identical" in text
    assert rest.get(f"{pages}/compare?a={layout['layout_id']}&b={uuid.uuid4()}").status_code == 404
    assert rest.get(f"{pages}/compare?a={layout['layout_id']}").status_code == 422


def test_the_table_of_jobs_and_its_buttons(rest, pages, site):
    layout_id = str(uuid.uuid4())
    body = {"site_id": site, "target_capacity_kw": 1000, "layout_id": layout_id}
    rest.post("/layouts/generate", json=body, headers={"Prefer": "respond-async"})
    text = rest.get(f"{pages}/jobs").text
    assert f'data-live="{layout_id}"' in text
    assert '<noscript><meta http-equiv="refresh"' in text
    assert f"/{layout_id}/cancel" in text
    cancelled = rest.post(f"{pages}/{layout_id}/cancel", allow_redirects=False)
    assert cancelled.status_code == 303
    assert f"/{layout_id}/delete" in rest.get(f"{pages}/jobs").text
    assert rest.post(f"{pages}/{layout_id}/delete", allow_redirects=False).status_code == 303
    assert rest.get(f"{pages}/{layout_id}").status_code == 404


def test_the_api_as_a_page_asks_nothing_elsewhere(rest):
    text = rest.get("/docs").text
    assert "/layouts/generate" in text
    assert not re.search(r"(src|href)=\"(https?:)?//", text)


def test_hostile_names_are_shown_as_text(rest, pages, tmp_path):
    """A site may have any name in the store: other clients write there too."""
    name = "<script>alert(1)</script>'\"&"
    jobs = OwnedJobs(Settings(store=str(rest.folder / "store"), owner="ann"))
    (tmp_path / "site.kml").write_bytes(b"<kml/>")
    request = jobs.request(jobs.upload_site(tmp_path / "site.kml", site_id=name), dem="sample")
    jobs.accept(request)
    jobs.records.fail("ann", request.layout_id, kind="request", message=f"no ground in {name}")
    for path in ("", "/jobs", f"/{request.layout_id}"):
        text = rest.get(pages + path).text
        assert "&lt;script&gt;" in text, path
        assert "<script>" not in text, path
    query = urlencode({"site_id": name})
    assert [row["site_id"] for row in rest.get(f"/layouts?{query}").json()["layouts"]] == [name]
    assert name in [row["site_id"] for row in rest.get("/sites?limit=100").json()["sites"]]
    assert rest.ask("DELETE", f"/layouts/{request.layout_id}").status_code == 200
