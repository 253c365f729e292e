"""The page of cards beside stored reports in a browser: accessible, no wider than a phone."""

import copy

import pytest
from axe_playwright_python.sync_playwright import Axe

from pacifico.report.catalog.stac import write_catalog

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTHS = {"desk": (1300, 900), "phone": (390, 844)}


@pytest.fixture(params=WIDTHS)
def opened(request, browser, write_report, layout, tmp_path):
    """Page of a completed, a short and a failed report."""
    pytest.importorskip("pystac")
    short = copy.deepcopy(layout)
    short["pacifico"]["headline"][0]["alarm"] = True
    write_report(tmp_path / "north", layout)
    write_report(tmp_path / "south", short)
    write_report(tmp_path / "west", None, outcome={"status": "failed", "error_message": "the elevation model is void"})
    write_catalog(tmp_path)
    width, height = WIDTHS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
    page = context.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    yield page
    context.close()


def test_axe_finds_nothing_serious(opened):
    found = Axe().run(opened).response["violations"]
    assert [(v["impact"], v["id"]) for v in found if v["impact"] in {"serious", "critical"}] == []


def test_cards_fit_the_window_and_lead_to_reports(opened):
    assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert opened.locator(".card").count() == 3
    opened.get_by_role("link", name="Test ridge").first.click()
    assert opened.title() == "Report"
