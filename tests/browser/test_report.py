"""A stored report in a browser: accessible, printable, usable by keyboard and on a phone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from pacifico.report.make import make_report

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTHS = {"desk": (1300, 900), "phone": (390, 844)}
MOST_PAGES = 7
"""Pages of A4 that a report may have: under eight."""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Report of the sample site, whose target is missed."""
    folder = tmp_path_factory.mktemp("report") / "report"
    assert make_report("sample", "sample", folder, target_capacity_kw=200_000, levers=True).status == "completed"
    return folder / "report.html"


@pytest.fixture(params=WIDTHS)
def opened(request, browser, report):
    """Page of the report; its policy is lifted so that the checker's own script may run."""
    width, height = WIDTHS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
    page = context.new_page()
    page.goto(report.as_uri())
    page.wait_for_selector("#map path")
    yield page
    context.close()


def test_axe_finds_nothing_serious(opened):
    found = Axe().run(opened).response["violations"]
    assert [(v["impact"], v["id"]) for v in found if v["impact"] in {"serious", "critical"}] == []


def test_the_page_is_no_wider_than_the_window(opened):
    assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_row_of_the_land_lights_its_ground(opened):
    row = opened.locator("tr[data-land=used]")
    before = opened.locator("#map path").count()
    row.get_by_role("button").press("Enter")
    assert row.get_by_role("button").get_attribute("aria-pressed") == "true"
    assert opened.locator("#map path").count() > before
    row.get_by_role("button").click()
    assert opened.locator("#map path").count() == before


def test_the_keyboard_reaches_an_asset(opened):
    opened.locator("#find").select_option(index=1)
    opened.locator(".leaflet-popup-content strong").wait_for()


def test_one_switch_shows_all_code(opened):
    assert opened.locator(".code:visible").count() == 0
    opened.locator("#code").check()
    assert opened.locator(".code:visible").count() > 10


def test_it_prints_on_few_pages_with_the_map_on_the_first(browser, report, tmp_path):
    page = browser.new_page()
    page.goto(report.as_uri())
    page.wait_for_selector("#map path")
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "report.pdf").read_bytes())) <= MOST_PAGES
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1032})  # A4 within its margins, at 96 dots an inch
    box = page.locator(".paper-map img").bounding_box()
    assert box["y"] + box["height"] < 1032
    page.close()
