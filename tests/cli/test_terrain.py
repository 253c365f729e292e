"""`pacifico terrain` on the sample ground, with what is kept free and how far from the boundary."""

from __future__ import annotations

import json

import pytest
import rasterio
import shapely

from pacifico.cli import main
from pacifico.site.boundary import read_site
from pacifico.terrain.sources import sample_site_path


@pytest.fixture
def run(tmp_path, capsys):
    def go(*options, out="out"):
        status = main.main(
            ["terrain", str(sample_site_path()), "--dem", "sample", "--out", str(tmp_path / out), *options]
        )
        said = capsys.readouterr()
        path = tmp_path / out / "summary.json"
        return status, said, json.loads(path.read_text()) if path.is_file() else None

    return go


def test_buildable_shares_are_of_what_setback_and_exclusions_leave(run, tmp_path):
    status, said, plain = run("--setback-m", "0", out="plain")
    assert status == 0
    assert "slope" in said.out
    _, _, usual = run(out="usual")
    assert usual["setback_m"] == 10.0  # the catalog's
    from pacifico.crs import LONLAT, reproject

    site = read_site(sample_site_path())
    west, south, east, north = site.boundary.bounds
    half = reproject(shapely.box(west - 50, south - 50, (west + east) / 2, north + 50), site.crs, LONLAT)
    wood = tmp_path / "wood.geojson"
    feature = {"type": "Feature", "properties": {"name": "wood"}, "geometry": json.loads(shapely.to_geojson(half))}
    wood.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    _, _, barred = run("--setback-m", "100", "--exclusions", str(wood), out="barred")
    for kind in plain["buildable"]:
        shares = [summary["buildable"][kind]["share"] for summary in (plain, usual, barred)]
        assert shares[0] >= shares[1] >= shares[2]
    shares = [summary["buildable"]["solar_array"]["share"] for summary in (plain, usual, barred)]
    assert shares[0] > shares[1] > 2 * shares[2] > 0
    why = barred["why_not_buildable_ha"]
    assert why["within 100 m of the boundary"] > 0
    assert why["exclusion: wood"] > 0.3 * site.area_ha
    assert sum(why.values()) == pytest.approx(site.area_ha, rel=1e-3)
    with rasterio.open(tmp_path / "barred" / "why_not_buildable.tif") as raster:
        names = [value for name, value in sorted(raster.tags().items()) if name.startswith("CATEGORY_")]
    assert {"outside the boundary", "within 100 m of the boundary", "exclusion: wood", "buildable"} <= set(names)
    assert any(name.startswith("over ") and "solar_array" in name for name in names)


def test_bad_input_is_one_line(run, tmp_path):
    none = str(tmp_path / "none.geojson")
    for options in (("--exclusions", none), ("--contour-interval-m", "0"), ("--exclusion-buffer-m", "5")):
        status, said, summary = run(*options, out="bad")
        assert status == 2, options
        assert said.err.count("\n") == 1, said.err
        assert summary is None
    with pytest.raises(SystemExit, match="2"):
        run("--setback-m", "-3")


def lonlat_ring(site):
    from pacifico.crs import LONLAT, reproject

    return shapely.get_coordinates(reproject(shapely.get_parts(site.boundary)[0].exterior, site.crs, LONLAT)).tolist()


def test_warnings_of_the_boundary_are_printed(tmp_path, capsys):
    ring = lonlat_ring(read_site(sample_site_path()))
    path = tmp_path / "open.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring[:-1]]}))
    given = ["terrain", str(path), "--dem", "sample"]
    assert main.main([*given, "--out", str(tmp_path / "out")]) == 0
    assert "1 ring was not closed" in capsys.readouterr().err
    assert main.main([*given, "--json"]) == 0
    assert any("1 ring was not closed" in warning for warning in json.loads(capsys.readouterr().out)["warnings"])
