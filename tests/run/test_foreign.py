"""A stranger's report: what it may name, and what it may not."""

from __future__ import annotations

import os

import pytest

from pacifico.errors import InputError
from pacifico.run import foreign, notebooks


@pytest.fixture
def report(tmp_path):
    folder = tmp_path / "report"
    (folder / "inputs").mkdir(parents=True)
    (folder / "inputs" / "dem.tif").write_bytes(b"II*\x00rest")
    (tmp_path / "secret").write_text("secret")
    return folder


def test_a_file_of_the_report_is_found(report):
    assert foreign.file_in(report, "inputs/dem.tif").read_bytes() == b"II*\x00rest"


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/passwd",
        "inputs/../../secret",
        "inputs",
        "",
        ".",
        "inputs//dem.tif",
        "C:\\x",
        "a\0b",
        3,
        None,
        ["a"],
        "x" * 600,
    ],
)
def test_no_path_leads_out(report, name):
    with pytest.raises(InputError) as refused:
        foreign.file_in(report, name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["link", "inputs/link", "linked/secret", "pipe"])
def test_links_and_pipes_are_refused(report, name):
    (report / "link").symlink_to(report.parent / "secret")
    (report / "inputs" / "link").symlink_to("/etc/passwd")
    (report / "linked").symlink_to(report.parent)
    os.mkfifo(report / "pipe")
    with pytest.raises(InputError, match="plain file"):
        foreign.file_in(report, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("boundary", "/home/ann/site.kml"), ("boundary", "../site.kml"), ("boundary", "~/site.kml"), ("dem", "/vsicurl/https://x/y"),
        ("dem", "file:///etc/passwd"), ("dem", "NETCDF:/etc/x"), ("exclusions", "inputs/../../x"), ("weather", "C:\\w.epw"),
        ("rules", "/etc/passwd"), ("roads", "/etc/passwd"), ("rules", "./pack.toml"), ("dem", "<VRTDataset/>"), ("dem", "WMS:http://x"),
    ],
)  # fmt: skip
def test_a_parameter_that_names_a_file_outside_is_refused(name, value):
    with pytest.raises(InputError, match="outside the report"):
        foreign.check_parameters({name: value}, {})


def test_sources_on_the_network_are_told():
    given = {
        "boundary": "sample",
        "dem": "3dep",
        "exclusions": "https://host/layer",
        "weather": None,
        "rules": "ifc-appendix-d",
    }
    assert foreign.check_parameters(given, {}) == ["3dep", "https://host/layer"]
    assert foreign.check_parameters({"dem": "s3://bucket/dem.tif"}, {}) == ["s3://bucket/dem.tif"]
    assert foreign.check_parameters({"rules": {"a": 1}, "dem": "sample"}, {}) == []


def test_what_is_an_input_is_read_from_the_report(report):
    files = {"dem": report / "inputs" / "dem.tif"}
    assert foreign.check_parameters({"dem": "https://host/dem.tif"}, files) == []
    (report / "inputs" / "dem.tif").write_text("<VRTDataset><SourceFilename>/etc/passwd</SourceFilename></VRTDataset>")
    with pytest.raises(InputError, match="no GeoTIFF"):
        foreign.check_parameters({}, files)


def test_the_network_is_refused_unless_it_is_allowed():
    foreign.require_network([], allowed=False)
    foreign.require_network(["3dep"], allowed=True)
    with pytest.raises(InputError, match=r"3dep over the network.*--allow-network"):
        foreign.require_network(["3dep"], allowed=False)


def test_notebooks_that_act_for_an_owner_make_no_report():
    foreign.check_template(notebooks.find("layout_report"))
    for name in ("submit_jobs", "review_reports"):
        with pytest.raises(InputError, match="works with jobs"):
            foreign.check_template(notebooks.find(name))
