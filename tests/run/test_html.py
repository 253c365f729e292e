"""report.html: one file that asks for nothing else, whatever the names in it say."""

import re
import shutil
from html.parser import HTMLParser

import nbformat
import pytest

from pacifico.run import html

EVIL = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"


class Loads(HTMLParser):
    """Whatever would make a browser fetch something."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.scripts = 0

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        for name, value in attrs:
            if name in {"src", "href", "data", "poster", "srcset", "action"} and not str(value).startswith(
                ("data:", "#")
            ):
                self.found.append((tag, name, value))


def square(x, y, size):
    return {
        "type": "Polygon",
        "coordinates": [[[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]],
    }


@pytest.fixture
def layout():
    features = [
        ({"kind": "boundary", "name": EVIL}, square(-93, 42, 0.01)),
        ({"kind": "exclusion", "name": EVIL, "buffer_m": 10}, square(-92.998, 42.006, 0.001)),
        ({"kind": "asset", "asset_type": EVIL, "name": EVIL, "capacity_kw": 500.0}, square(-92.997, 42.002, 0.002)),
        ({"kind": "asset", "asset_type": "substation", "name": "S", "slope_deg": 1.25}, square(-92.994, 42.002, 0.001)),
        ({"kind": "pad", "pad_id": "P1", "asset_ids": ["S"]}, square(-92.9942, 42.0018, 0.0014)),
        (
            {"kind": "road", "road_id": "R1", "road_class": "spine", "max_grade_pct": 4.5},
            {"type": "LineString", "coordinates": [[-93, 42.001, 100], [-92.993, 42.001, 101]]},
        ),
        ({"kind": "entry", "name": EVIL}, {"type": "Point", "coordinates": [-93, 42.001]}),
    ]
    about = {
        "crs": "EPSG:32615",
        "profile": "solar_farm",
        "strategy": "balanced",
        "metrics": {"total_capacity_kw": 500.0},
    }
    return {
        "type": "FeatureCollection",
        "pacifico": about,
        "features": [{"type": "Feature", "properties": p, "geometry": g} for p, g in features],
    }


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+M8AAQUBAScY42YAAAAASUVORK5CYII="


@pytest.fixture
def notebook():
    v4 = nbformat.v4
    shown = {
        html.OVERLAY: {
            "name": EVIL,
            "bounds": [[41.99, -93.01], [42.02, -92.98]],
            "image": f"data:image/png;base64,{PIXEL}",
        },
        "text/plain": "map layer",
    }
    fetched = {html.OVERLAY: {"name": "far", "bounds": [[0, 0], [1, 1]], "image": "https://example.org/x.png"}}
    outputs = [
        v4.new_output("display_data", shown),
        v4.new_output("display_data", fetched),
        v4.new_output("display_data", {"image/png": PIXEL, "text/plain": "<Figure>"}),
        v4.new_output("display_data", {"text/plain": EVIL}),
        v4.new_output("stream", name="stdout", text=EVIL),
    ]
    return v4.new_notebook(cells=[v4.new_markdown_cell("# Title"), v4.new_code_cell("x = '<b>'", outputs=outputs)])


def test_the_page_loads_nothing_and_runs_only_its_own_scripts(notebook, layout):
    page = html.render(notebook, layout, title="t")
    loads = Loads()
    loads.feed(page)
    assert loads.found == []
    assert loads.scripts == 3  # the data, Leaflet, the map
    assert "sourceMappingURL" not in page
    assert not re.search(r"url\((?!data:|#)", page)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src &#39;none&#39;" in policy
    assert policy.count("sha256-") == 2
    assert "https://example.org" not in page
    assert "Leaflet 1.9.4, BSD 2-Clause" in page
    assert "Volodymyr Agafonkin" in page


def test_without_a_layout_there_is_no_map(notebook):
    page = html.render(notebook, None, title="my_notebook")
    assert "<h1>my notebook</h1>" in page
    assert "<script" not in page
    assert "script-src &#39;none&#39;" in page


def test_the_page_begins_with_the_result_and_one_switch_shows_the_code(notebook, layout):
    page = html.render(notebook, layout, title="t")
    assert page.count('type="checkbox" id="code"') == 1
    assert "<summary>code" not in page
    assert "<h1" not in page.split("<main>")[1]


def v4_cells(*cells):
    v4 = nbformat.v4
    return v4.new_notebook(cells=[v4.new_markdown_cell(c) if isinstance(c, str) else c for c in cells])


def code_with(data, *tags):
    v4 = nbformat.v4
    return v4.new_code_cell("x", outputs=[v4.new_output("display_data", data)], metadata={"tags": list(tags)})


def test_a_section_without_content_is_a_line_at_the_end(layout):
    nothing = code_with({"text/html": '<p class="nothing">not asked for</p>'})
    notebook = v4_cells("## Energy & sun", nothing, "## Costs", code_with({"text/html": "<p>42</p>"}))
    main = html.render(notebook, layout, title="t").split("<main>")[1]
    assert "<li><b>Energy &amp; sun</b>: not asked for</li>" in main
    assert main.index("42") < main.index("Not in this report")
    assert main.count("Energy &amp; sun") == 1


def test_the_picture_of_the_map_is_on_paper_only_and_once(layout):
    picture = code_with({"image/png": PIXEL, "text/plain": "<Figure>"}, html.PRINT_MAP)
    page = html.render(v4_cells("## Map", picture), layout, title="t")
    assert page.count(PIXEL) == 1
    assert '<div class="paper-map"><img' in page
    assert 'alt="Figure: Map"' in page
    # without a layout there is no map that it could stand for
    assert '<div class="output" tabindex="0"><img' in html.render(v4_cells("## Map", picture), None, title="t")


def test_ground_by_reason_reaches_the_page_as_data(layout):
    feature = {"type": "Feature", "geometry": None, "properties": {"key": EVIL, "name": EVIL, "colour": "#8c510a"}}
    bad = {"type": "Feature", "geometry": None, "properties": {"key": "x", "colour": "red;background:url(x)"}}
    page = html.render(v4_cells(code_with({html.LAND: {"features": [feature, bad]}})), layout, title="t")
    assert "#8c510a" in page
    assert "background:url" not in page


def test_heights_reach_the_page_with_their_script_only(layout):
    heights = {"corners": [[0, 1], [1, 1], [0, 0]], "columns": 2, "rows": 2, "heights": "AAAAAAAAAAA="}
    page = html.render(v4_cells(code_with({html.OVERLAY: {"image": ""}, html.RELIEF: heights})), layout, title="t")
    assert '"relief": {"corners"' in page or '"relief":{"corners"' in page
    assert 'id="relief-open"' in page
    assert html.RELIEF not in page
    loads = Loads()
    loads.feed(page)
    assert loads.found == []
    for without in ({}, {html.RELIEF: "no heights"}, {html.RELIEF: {"heights": 3}}):
        assert 'id="relief-open"' not in html.render(v4_cells(code_with(without)), layout, title="t")
    assert 'id="relief-open"' not in html.render(v4_cells(code_with({html.RELIEF: heights})), None, title="t")


def test_static_files_are_leaflet_as_released():
    import hashlib

    released = (html._STATIC / "leaflet.js").read_bytes() + b"//# sourceMappingURL=leaflet.js.map"
    assert b'version="1.9.4"' in released
    # `npm pack leaflet@1.9.4`, dist/leaflet.js
    assert hashlib.sha256(released).hexdigest() == "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a"


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium")
def test_in_a_browser_the_map_lives_and_nothing_is_fetched(notebook, layout, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    path = tmp_path / "report.html"
    path.write_text(html.render(notebook, layout, title="t"))
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync"
    )
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=flags.split())
        try:
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            asked, errors = [], []
            page.on("request", lambda r: asked.append(r.url))
            page.on("pageerror", lambda e: errors.append(str(e)))
            page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
            page.goto(path.as_uri())
            page.wait_for_selector("#map path.leaflet-interactive")
            assert page.locator("#map img.leaflet-image-layer").count() == 1
            assert page.evaluate("window.hacked") is None
            assert page.locator("h1").first.text_content() == EVIL

            # The layer control shows and hides; names are text.
            labels = page.locator(".leaflet-control-layers-overlays label")
            assert EVIL in " ".join(labels.all_text_contents())
            paths = page.locator("#map path").count()
            labels.filter(has_text="Substation").locator("input").uncheck()
            assert page.locator("#map path").count() == paths - 1

            # A popup tells the asset's figures, its hostile name as text.
            page.locator("#map path.leaflet-interactive").nth(0).wait_for()
            page.evaluate(
                "[...document.querySelectorAll('#map path.leaflet-interactive')]"
                ".find(e => e.getAttribute('fill') === '#666666').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
            )
            popup = page.locator(".leaflet-popup-content")
            popup.wait_for()
            assert popup.locator("strong").text_content() == EVIL
            assert "500\u00a0kW" in popup.text_content().replace(" ", "\u00a0")

            # It pans and zooms.
            before = page.locator("#map path").last.get_attribute("d")
            page.locator(".leaflet-control-zoom-in").click()
            page.wait_for_function(
                "b => [...document.querySelectorAll('#map path')].pop().getAttribute('d') !== b", arg=before
            )
            assert page.evaluate("window.hacked") is None
            assert errors == []
            assert [u for u in asked if not u.startswith("data:")] == [path.as_uri()]
        finally:
            browser.close()
