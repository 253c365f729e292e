"""The journey in a browser: upload, generate both ways, follow, review; and the pages without scripts."""

from __future__ import annotations

import pytest
from fixtures.raw_http import TOKEN
from fixtures.rest_server import SAMPLE, serve

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# As a page of anybody's own would: with the cookie of the login, and the XSRF token that it needs.
ASK = """async ([method, path, kind, body, prefer]) => {
  const xsrf = document.cookie.split('; ').find(c => c.startsWith('_xsrf=')).slice(6);
  const headers = {'X-XSRFToken': decodeURIComponent(xsrf).replaceAll('"', '')};
  if (kind) headers['Content-Type'] = kind;
  if (prefer) headers['Prefer'] = prefer;
  const reply = await fetch(document.body.dataset.api + path, {method, headers, body, credentials: 'same-origin'});
  return [reply.status, await reply.json()];
}"""


@pytest.fixture(scope="module")
def rest(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("review"), PACIFICO_SERVER_PROCESSES="1") as found:
        yield found


def test_the_journey(page, rest, asked_outside, shoot):
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{rest.base}/pacifico/reports?token={TOKEN}")
    page.wait_for_selector("h1:has-text('Gallery')")

    def ask(method, path, kind=None, body=None, prefer=None):
        return page.evaluate(ASK, [method, path, kind, body, prefer])

    status, added = ask(
        "POST", "/sites/upload?filename=site.kml", "application/vnd.google-earth.kml+xml", SAMPLE.read_text()
    )
    assert status == 201, added
    wanted = f'{{"site_id": "{added["site_id"]}", "target_capacity_kw": 1000}}'
    status, now = ask("POST", "/layouts/generate", "application/json", wanted)
    assert (status, now["status"]) == (200, "completed")
    status, later = ask("POST", "/layouts/generate", "application/json", wanted, "respond-async")
    assert (status, later["status"]) == (202, "queued")

    page.goto(f"{rest.base}/pacifico/reports/jobs")
    row = page.locator(f"tr:has(a[href$='{later['layout_id']}'])")
    row.locator("[data-field=status]:has-text('completed')").wait_for(timeout=240_000)  # the script follows it
    shoot("jobs")

    page.goto(f"{rest.base}/pacifico/reports/{later['layout_id']}")
    frame = page.frame_locator("iframe[sandbox='allow-scripts']")
    frame.locator("#map .leaflet-interactive").first.wait_for(timeout=60_000)
    shoot("report")

    page.goto(f"{rest.base}/pacifico/reports")
    for name, made in (("a", now), ("b", later)):
        page.locator(f"input[name={name}][value='{made['layout_id']}']").check()
    page.get_by_role("button", name="Compare A with B").click()
    page.wait_for_selector("h1:has-text('Comparison')")
    page.evaluate("Promise.all(Array.from(document.images, image => image.decode()))")
    shoot("compare")
    page.goto(f"{rest.base}/pacifico/api/docs")
    page.locator("summary:has-text('/layouts/generate')").first.click()
    assert page.get_by_text("Idempotency-Key").first.is_visible()
    shoot("api")
    assert complaints == []
    assert asked_outside == []


def test_it_works_without_scripts_by_keyboard_and_on_a_phone(browser, rest, shoot):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(f"{rest.base}/pacifico/reports?token={TOKEN}")
    page.locator("nav a:has-text('Jobs')").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/reports/jobs")
    page.get_by_role("button", name="Delete").first.click()
    page.wait_for_url("**/reports/jobs")
    shoot("phone", page)
    context.close()


@pytest.mark.parametrize("width", [1300, 390])
def test_no_page_is_wider_than_the_screen_and_prints_hide_the_navigation(browser, rest, shoot, width):
    rows = rest.get("/layouts?status=completed").json()["layouts"]
    if not rows:
        body = {"site_id": rest.upload(), "target_capacity_kw": 1000}
        rows = [rest.post("/layouts/generate", json=body).json()]
    made = rows[0]["layout_id"]
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(f"{rest.base}/pacifico/reports?token={TOKEN}")
    for name, path in (
        ("gallery", "/reports"), ("jobs", "/reports/jobs"), ("report", f"/reports/{made}"),
        ("compare", f"/reports/compare?a={made}&b={made}"), ("api", "/api/docs"), ("problem", "/reports/compare"),
    ):  # fmt: skip
        page.goto(f"{rest.base}/pacifico{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        shoot(f"{name}-{width}", page)
        page.emulate_media(media="print")
        assert not page.locator("nav").is_visible()
        page.emulate_media(media="screen")
    context.close()
