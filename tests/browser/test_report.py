"""A stored report in a browser: accessible, printable, usable by keyboard and on a phone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from pacifico.report.make import make_report

# the report with its levers is made first: minutes on a busy machine
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1200)]
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


_COLOURS = """() => {
  const canvas = document.querySelector("#relief canvas");
  const small = document.createElement("canvas");
  small.width = small.height = 64;
  const pen = small.getContext("2d");
  pen.drawImage(canvas, 0, 0, 64, 64);
  const pixels = pen.getImageData(0, 0, 64, 64).data;
  const seen = new Set();
  for (let k = 0; k < pixels.length; k += 4) seen.add(pixels.slice(k, k + 3).join());
  return seen.size;
}"""


def test_the_plan_is_shown_in_3d_and_the_map_comes_back(opened, asked_outside):
    button = opened.locator("#relief-open")
    canvas = opened.locator("#relief canvas")
    assert not canvas.is_visible()
    button.click()
    assert canvas.is_visible()
    assert not opened.locator("#map").is_visible()
    assert opened.evaluate(_COLOURS) > 100  # ground in its light, and the plan on it
    before = canvas.screenshot()
    canvas.press("ArrowLeft")
    assert canvas.screenshot() != before
    opened.locator("#relief select").select_option("5")
    found = Axe().run(opened).response["violations"]
    assert [(v["impact"], v["id"]) for v in found if v["impact"] in {"serious", "critical"}] == []
    button.click()
    assert opened.locator("#map path").first.is_visible()
    assert asked_outside == []


def test_without_webgl_the_map_stays(opened):
    opened.evaluate("HTMLCanvasElement.prototype.getContext = () => null")
    opened.locator("#relief-open").click()
    assert opened.locator("#relief-open").is_disabled()
    assert opened.locator("#map").is_visible()


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
