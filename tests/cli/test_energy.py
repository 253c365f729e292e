"""`pacifico energy`: what it prints, and errors in a line."""

import json

import pytest

from pacifico.cli.main import main
from pacifico.layout.generate import generate_layout
from pacifico.site.boundary import read_site
from pacifico.terrain.dem import open_dem

pytest.importorskip("pvlib")
# pvlib 0.16 still asks pandas for what pandas 3 has renamed
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    site = read_site(_sample())
    out = tmp_path_factory.mktemp("energy") / "layout.geojson"
    generate_layout(site, open_dem(site, "sample"), target_capacity_kw=5000).write(out)
    return out


def _sample():
    from pacifico.terrain.sources import sample_site_path

    return sample_site_path()


def test_a_clear_sky_with_the_dems_horizon(layout, capsys):
    assert main(["energy", str(layout), "--dem", "sample"]) == 0
    out, err = capsys.readouterr()
    assert "MWh a year, an upper bound: clear sky all year" in out
    assert len([line for line in out.splitlines() if line.endswith("MWh")]) == 12
    assert "note: the horizon is that of the DEM" in err


def test_json_is_the_whole_result(layout, capsys):
    assert main(["energy", str(layout), "--dem", "sample", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["clear_sky"] is True
    assert found["ac_kw"] == pytest.approx(5000, abs=110)
    assert 0 < found["horizon_loss_share"] < 0.1
    assert 1500 < found["specific_yield_kwh_per_kwdc"] < 2600
    assert sum(found["monthly_mwh"]) == pytest.approx(found["annual_mwh"], abs=0.01)


def test_without_a_dem_the_horizon_is_flat_and_that_is_said(layout, capsys):
    assert main(["energy", str(layout), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["horizon_loss_share"] == 0
    assert any("no DEM was given: the horizon is taken as flat" in w for w in found["warnings"])


def test_backtracking_for_the_terrain_yields_more(layout, capsys):
    found = []
    for backtracking in ("standard", "terrain"):
        assert main(["energy", str(layout), "--dem", "sample", "--json", "--backtracking", backtracking]) == 0
        found.append(json.loads(capsys.readouterr().out))
    standard, terrain = found
    assert (standard["backtracking"], terrain["backtracking"]) == ("standard", "terrain")
    assert terrain["annual_mwh"] > standard["annual_mwh"]
    assert 0 < standard["row_shade_loss_share"] < 0.1
    assert len(standard["arrays"]) == len({a["array_id"] for a in standard["arrays"]}) > 5


def test_other_rows_than_the_layouts_are_told_of(layout, tmp_path, capsys):
    (tmp_path / "spec.toml").write_text("[solar]\ntracker_gcr = 0.6\n")
    assert main(["energy", str(layout), "--spec", str(tmp_path / "spec.toml")]) == 0
    assert "give the --spec that the layout was made with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.geojson"], "can't be read"),
        (["{layout}", "--weather", "none.epw"], "weather file none.epw can't be read"),
        (["{layout}", "--weather", "{layout}"], "neither EPW"),
        (["{layout}", "--spec", "none.toml"], "spec file none.toml"),
        (["{layout}", "--dem", "none.tif"], "none.tif"),
    ],
)
def test_errors_are_a_line_and_status_2(layout, capsys, arguments, said):
    assert main(["energy", *(a.format(layout=layout) for a in arguments)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_layout_without_arrays_is_refused(layout, tmp_path, capsys):
    content = json.loads(layout.read_text())
    content["features"] = [f for f in content["features"] if f["properties"].get("asset_type") != "solar_array"]
    (tmp_path / "bare.geojson").write_text(json.dumps(content))
    assert main(["energy", str(tmp_path / "bare.geojson"), "--dem", "sample"]) == 2
    assert "no solar array" in capsys.readouterr().err
