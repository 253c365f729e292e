"""Reports of a folder are read with care: each gives an entry, and none of them stops the others."""

import pytest

from pacifico.errors import InputError
from pacifico.report.catalog import reports
from pacifico.report.catalog.reports import read_entries


def test_a_report_gives_site_design_headline_and_files(write_report, collection, tmp_path):
    write_report(tmp_path / "north", collection)
    (entry,) = read_entries(tmp_path)
    assert (entry.name, entry.title, entry.design) == ("north", "hillside", "solar farm, balanced")
    assert entry.status == "completed"
    assert entry.note == ""
    assert entry.made.isoformat() == "2026-11-30T10:01:00+00:00"
    assert entry.answers[0].label == "Capacity"
    assert dict(entry.figures)["total_capacity_kw"] == 500.0
    assert entry.boundary.bounds == pytest.approx((-93.0, 42.0, -92.99, 42.005), abs=0.01)
    assert entry.files == ("report.html", "layout.geojson", "manifest.json")
    assert entry.picture.startswith("<svg")


def test_the_newest_comes_first(write_report, collection, tmp_path):
    write_report(tmp_path / "a", collection, finished="2026-11-01T00:00:00+00:00")
    write_report(tmp_path / "b", collection, finished="2026-11-02T00:00:00+02:00")
    write_report(tmp_path / "c", collection, finished="no time")
    assert [e.name for e in read_entries(tmp_path)] == ["b", "a", "c"]


def test_a_failed_run_says_why(write_report, tmp_path):
    write_report(tmp_path / "north", None, outcome={"status": "failed", "error_message": "the DEM\nis void"})
    (entry,) = read_entries(tmp_path)
    assert (entry.status, entry.note, entry.boundary) == ("failed", "the DEM is void", None)


def test_what_is_no_report_is_named_and_stops_nothing(write_report, collection, tmp_path, monkeypatch):
    write_report(tmp_path / "good", collection)
    write_report(tmp_path / "bad-manifest", collection, request="all of it")
    broken = write_report(tmp_path / "bad-layout", collection)
    (broken / "layout.geojson").write_text("{}")
    write_report(tmp_path / "odd name", collection)
    (tmp_path / "other").mkdir()
    entries = {e.name: e for e in read_entries(tmp_path)}
    assert set(entries) == {"good", "bad-manifest", "bad-layout", "odd name"}
    assert entries["good"].note == ""
    assert entries["bad-manifest"].status == "unreadable"
    assert "request is a str" in entries["bad-manifest"].note
    assert "FeatureCollection" in entries["bad-layout"].note
    assert "letters, digits" in entries["odd name"].note
    assert entries["odd name"].files == ()
    monkeypatch.setattr(reports, "LARGEST_LAYOUT", 10)
    assert "at most" in next(e for e in read_entries(tmp_path) if e.name == "good").note


def test_links_out_of_the_folder_are_not_followed(write_report, collection, tmp_path):
    secret = tmp_path / "secret.html"
    secret.write_text("secret")
    outside = write_report(tmp_path / "outside" / "report", collection)
    folder = tmp_path / "reports"
    report = write_report(folder / "north", collection)
    (report / "report.html").unlink()
    (report / "report.html").symlink_to(secret)
    (folder / "linked").symlink_to(outside)
    (entry,) = read_entries(folder)
    assert "report.html" not in entry.files


@pytest.mark.parametrize("where", ["empty", "missing"])
def test_a_folder_without_reports_is_refused(where, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="report folders"):
        read_entries(tmp_path / where)


def test_too_many_reports_are_refused(write_report, tmp_path, monkeypatch):
    monkeypatch.setattr(reports, "MOST_REPORTS", 1)
    write_report(tmp_path / "a", None)
    write_report(tmp_path / "b", None)
    with pytest.raises(InputError, match="more than 1"):
        read_entries(tmp_path)
