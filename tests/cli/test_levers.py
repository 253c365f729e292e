"""`pacifico levers`: land, levers, GeoJSON and exit status."""

import json

import pytest

from pacifico.cli import main


@pytest.fixture
def levers(folder, capsys):
    def call(*more):
        status = main.main(["levers", str(folder / "site.geojson"), "--dem", str(folder / "dem.tif"), *more])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_land_and_levers_are_printed_and_written(levers, tmp_path):
    out = tmp_path / "land-use.geojson"
    status, text, _ = levers("--capacity-kw", "90000", "--out", str(out))
    assert status == 0
    assert "Largest risks:" in text
    assert "Setback" in text
    assert "road grade 12 % instead of 10 %" in text
    assert {f["properties"]["kind"] for f in json.loads(out.read_text())["features"]} == {"land_use"}


def test_json_holds_land_that_sums_to_the_site(levers):
    status, text, err = levers("--capacity-kw", "90000", "--json")
    said = json.loads(text)
    assert (status, err) == (0, "")
    assert sum(p["hectares"] for p in said["land"]) == pytest.approx(said["site_ha"])
    assert {lever["name"] for lever in said["levers"]} >= {"site.setback_m", "solar_array.slope_limit_deg"}
    assert [a["name"] for a in said["headline"]] == ["capacity", "cost", "earthwork", "risks"]
