"""The page of cards names each report, links it, and runs nothing."""

from pacifico.report.catalog.gallery import gallery_page
from pacifico.report.catalog.reports import CatalogEntry, read_entries


def test_cards_show_site_headline_and_link(write_report, collection, tmp_path):
    write_report(tmp_path / "north", collection)
    page = gallery_page(read_entries(tmp_path), title="Sites")
    assert '<a href="north/report.html">hillside</a>' in page
    assert "2026-11-30 10:01 UTC" in page
    assert "solar farm, balanced" in page
    assert "<dt>Capacity</dt>" in page
    assert "1 report, newest first" in page


def test_a_failed_run_is_in_words_without_a_link():
    page = gallery_page([CatalogEntry("south", "failed", note="the DEM is void")])
    assert "failed: the DEM is void" in page
    assert "<h2>south</h2>" in page


def test_the_page_runs_no_script_and_loads_nothing():
    page = gallery_page([CatalogEntry("a", "failed", note='<img src="http://x/y" onerror=alert(1)>')])
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<img" not in page
