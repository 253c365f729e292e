"""The job notebooks in a real JupyterLab: submit, follow, cancel, review and compare."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def three_designs(tmp_path):
    """Submit notebook with a third design, which the test cancels."""
    notebook = nbformat.read(NOTEBOOKS / "submit_jobs.ipynb", as_version=4)
    cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    cell.source += '\nprofiles = ["solar_farm", "bess", "gas_bess"]'
    path = tmp_path / "submit_jobs.ipynb"
    nbformat.write(notebook, path)
    return path


def test_job_notebooks_in_a_browser(page, run_notebook, three_designs, faults, shoot, asked_outside):
    run_notebook(three_designs)
    line = page.locator(".widget-html tr")
    line.filter(has_text="processing").first.wait_for(timeout=120_000)
    shoot("jobs-running")

    # cancel the last job
    page.locator(".widget-dropdown", has_text="Job").locator("select").select_option(index=2)
    page.get_by_role("button", name="Cancel", exact=True).click()
    line.filter(has_text="gas BESS").filter(has_text="cancelled").wait_for(timeout=30_000)

    page.locator(".widget-html", has_text="3 of 3 ended").wait_for(timeout=300_000)
    assert line.filter(has_text="completed").count() == 2
    shoot("jobs-ended")

    run_notebook(NOTEBOOKS / "review_reports.ipynb")
    cards = page.locator(".widget-gridbox > .widget-vbox")
    cards.nth(2).wait_for(timeout=30_000)
    assert cards.count() == 3
    assert page.locator(".widget-gridbox svg path").count() > 10
    shoot("gallery")

    # filter by status, then show all again
    status = page.locator(".widget-dropdown", has_text="Status").locator("select")
    status.select_option("cancelled")
    playwright.expect(cards).to_have_count(1, timeout=30_000)
    status.select_option("any")
    playwright.expect(cards).to_have_count(3, timeout=30_000)

    # a report opens in place, with its map
    page.get_by_role("button", name="Open", exact=True).first.click()
    report = page.frame_locator("iframe[srcdoc]")
    page.locator("iframe[srcdoc]").scroll_into_view_if_needed()
    report.locator(".leaflet-container").wait_for(timeout=60_000)
    report.locator(".leaflet-container path").nth(5).wait_for(state="attached", timeout=60_000)
    shoot("gallery-report", page.locator("iframe[srcdoc]"))

    # two are compared
    for number in (0, 1):
        page.get_by_role("button", name="Compare", exact=True).nth(number).click()
    page.locator(".widget-html table", has_text="total_capacity_kw").wait_for(timeout=30_000)
    shoot("gallery-compared", page.locator(".widget-html", has_text="unmoved").last)

    assert faults() == []
    assert asked_outside == []
