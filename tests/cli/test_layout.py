"""`pacifico layout`: exit status, messages, and files that are whole or absent."""

import json
import os
from pathlib import Path

import pytest

from pacifico.cli import main


def refused(result, *words):
    """Status 2, one line that holds the words, and no file."""
    status, out, err, path = result
    assert status == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err
    for word in words:
        assert word in err
    assert not path.is_file()
    if path.parent.is_dir():
        assert list(path.parent.glob(".*part")) == []


def test_a_target_that_is_met_is_status_0(run):
    status, out, err, path = run("--capacity-kw", "4000")
    assert status == 0, err
    assert "MW AC" in out
    assert f"written: {path}" in out
    layout = json.loads(path.read_text(encoding="utf-8"))
    assert layout["pacifico"]["target_capacity_kw"] == 4000
    assert list(path.parent.iterdir()) == [path]


def test_a_target_that_is_not_met_is_status_1_and_written(run):
    status, _, err, path = run("--capacity-kw", "3000000")
    assert status == 1
    assert "of the 3,000,000 kW asked for are placed" in err
    assert json.loads(path.read_text(encoding="utf-8"))["features"]


def test_json_is_the_metrics_and_nothing_else(run):
    status, out, err, path = run("--capacity-kw", "3000000", "--json")
    said = json.loads(out)
    layout = json.loads(path.read_text(encoding="utf-8"))["pacifico"]
    assert status == 1
    assert said["metrics"] == layout["metrics"]
    assert said["warnings"] == layout["warnings"]
    assert said["unplaced"] == layout["unplaced"]
    assert said["out"] == str(path)
    assert err == ""


def test_the_same_command_writes_the_same_bytes(run, tmp_path):
    first = run("--capacity-kw", "4000", out=tmp_path / "a.geojson")[3].read_bytes()
    assert run("--capacity-kw", "4000", out=tmp_path / "b.geojson")[3].read_bytes() == first


def test_level_ground_needs_no_dem(run):
    status, _, err, path = run("--no-terrain", "--capacity-kw", "4000", dem=None)
    assert status == 0
    assert "level ground was assumed" in err
    assert json.loads(path.read_text(encoding="utf-8"))["pacifico"]["dem"]["source"] == "level ground"


def test_an_entry_is_taken(run):
    status, _, _, path = run("--capacity-kw", "4000", "--entry=-92.994,41.543")
    assert status == 0
    layout = json.loads(path.read_text(encoding="utf-8"))
    (entry,) = [f for f in layout["features"] if f["properties"]["kind"] == "entry"]
    assert entry["geometry"]["coordinates"] == pytest.approx([-92.994, 41.543], abs=2e-4)


def test_exclusions_stay_free(run, folder):
    import shapely

    west, south, size = -92.998, 41.542, 0.001
    pond = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [pond]}
    feature = {"type": "Feature", "properties": {"name": "pond", "buffer_m": 15}, "geometry": geometry}
    (folder / "ponds.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    status, _, _, path = run("--capacity-kw", "4000", "--exclusions", str(folder / "ponds.geojson"))
    assert status == 0
    layout = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert [f["properties"]["name"] for f in layout if f["properties"]["kind"] == "exclusion"] == ["pond"]
    built = [shapely.geometry.shape(f["geometry"]) for f in layout if f["properties"]["kind"] in ("asset", "pad")]
    assert min(shapely.Polygon(pond).distance(g) for g in built) > 1.3e-4  # 15 m are 1.35e-4 degrees of latitude


def test_existing_roads_are_used(run, folder):
    track = {"type": "LineString", "coordinates": [[-93.01, 41.5435], [-92.985, 41.5435]]}
    feature = {"type": "Feature", "properties": {"name": "track"}, "geometry": track}
    (folder / "roads.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    status, _, _, path = run("--capacity-kw", "4000", "--roads", str(folder / "roads.geojson"))
    assert status == 0
    layout = [f["properties"] for f in json.loads(path.read_text(encoding="utf-8"))["features"]]
    assert [f["existing"] for f in layout if f["kind"] == "exclusion"] == [True]
    assert "upgrade" in {f["crossing_type"] for f in layout if f["kind"] == "crossing" and f["over"] == "track"}


def test_rules_of_a_file_are_taken(run, folder):
    (folder / "rules.toml").write_text('[solar]\nmounting = "fixed"\n')
    status, _, _, path = run("--capacity-kw", "4000", "--spec", str(folder / "rules.toml"))
    assert status == 0
    layout = json.loads(path.read_text(encoding="utf-8"))["features"]
    arrays = [f["properties"] for f in layout if f["properties"].get("asset_type") == "solar_array"]
    assert {round(a["width_m"], 2) for a in arrays} <= {58.13, 26.13}


def test_a_larger_setback_and_a_gentler_road_are_kept(run):
    status, _, _, path = run("--capacity-kw", "2000", "--setback-m", "60", "--max-road-grade-pct", "6")
    assert status == 0
    layout = json.loads(path.read_text(encoding="utf-8"))
    assert layout["pacifico"]["metrics"]["max_road_grade_pct"] <= 6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--capacity-kw", "50"], ["100 to 5,000,000"]),
        (["--capacity-kw", "many"], ["'many' is not a number"]),
        (["--capacity-kw", "nan"], ["nan is out of range"]),
        (["--capacity-kw=-5"], ["-5 is out of range"]),
        (["--profile", "coal"], ["coal", "solar_farm"]),
        (["--strategy", "best"], ["best", "balanced"]),
        (["--entry", "here"], ["LON,LAT"]),
        (["--entry", "1,2,3"], ["LON,LAT"]),
        (["--entry=-200,41"], ["longitude and latitude"]),
        (["--entry=-93.5,41.5"], ["entry"]),
        (["--setback-m", "2000"], ["site.setback_m", "1000"]),
        (["--setback-m", "300"], ["setback of 300 m"]),
        (["--max-road-grade-pct", "30"], ["road.max_grade_pct", "20"]),
        (["--resolution-m", "0"], ["resolution"]),
        (["--spec", "missing.toml"], ["missing.toml"]),
        (["--exclusions", "missing.geojson"], ["missing.geojson"]),
        (["--roads", "missing.geojson"], ["missing.geojson"]),
        (["--no-terrain"], ["--no-terrain", "--dem"]),
        (["--colour", "red"], ["--colour"]),
        (["--profile", "gas_bess"], ["--capacity-kw"]),
        (["--profile", "bess", "--capacity-kw", "1000"], ["less than one unit"]),
    ],
)
def test_bad_options_are_refused(run, options, words):
    refused(run(*options), *words)


def test_bad_files_are_refused(run, folder, tmp_path):
    (folder / "broken.geojson").write_text("{")
    refused(run(boundary="broken.geojson"), "broken.geojson")
    refused(run(boundary="absent.kml"), "absent.kml")
    refused(run(dem="absent.tif"), "absent.tif")
    refused(run(dem="site.geojson"), "site.geojson")
    refused(run(dem=None), "--no-terrain")
    (folder / "bad.toml").write_text("[solar]\ngcr = 2\n")
    refused(run("--spec", str(folder / "bad.toml")), "solar.gcr")


def test_no_ground_is_refused_with_its_reason(run):
    refused(run(dem="steep.tif"), "gentlest cell", "10 deg")
    refused(run(dem="void.tif"), "data")


def test_an_output_that_cannot_be_written_is_refused_before_the_work(run, folder, tmp_path, monkeypatch):
    from pacifico.layout import generate

    def worked(*_, **__):
        raise AssertionError("worked before it looked at --out")

    monkeypatch.setattr(generate, "generate_layout", worked)
    refused(run(out=tmp_path / "none" / "layout.geojson"), "none", "create it")
    status, _, err, _ = run(out=tmp_path)
    assert status == 2
    assert "is a folder" in err


def test_a_failure_leaves_the_older_file_alone(run, tmp_path):
    older = tmp_path / "older.geojson"
    older.write_text("older")
    assert run(dem="steep.tif", out=older)[0] == 2
    assert older.read_text() == "older"
    assert list(tmp_path.iterdir()) == [older]


def test_a_full_disk_leaves_nothing_behind(run, tmp_path, monkeypatch):
    from pathlib import Path

    def full(self, *_, **__):
        self.touch()
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    status, _, err, _ = run("--capacity-kw", "2000")
    assert status == 2
    assert "No space left on device" in err
    assert list(tmp_path.iterdir()) == []


def test_all_that_fits_is_status_0(run):
    status, _, _, path = run()
    assert status == 0
    assert path.is_file()


def test_json_needs_no_output_file(folder, capsys):
    status = main.main(["layout", str(folder / "site.geojson"), "--dem", str(folder / "dem.tif"), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (status, said["out"]) == (0, None)
    assert said["metrics"]["asset_count"] > 0


def test_a_dash_is_standard_output(run):
    status, out, _, _ = run("--capacity-kw", "1000", out="-")
    assert status == 0
    assert json.loads(out)["type"] == "FeatureCollection"


def test_a_layout_without_any_output_is_refused(folder, capsys):
    assert main.main(["layout", str(folder / "site.geojson"), "--dem", str(folder / "dem.tif")]) == 2
    assert "no output given: add --out FILE" in capsys.readouterr().err


def test_devices_and_links_are_written_through(run, tmp_path):
    real, link = tmp_path / "real.geojson", tmp_path / "link.geojson"
    real.write_text("old")
    link.symlink_to(real)
    status, _, _, _ = run("--capacity-kw", "1000", out=link)
    assert status == 0
    assert link.is_symlink()
    assert json.loads(real.read_text())["type"] == "FeatureCollection"
    device = Path(os.devnull)
    before = device.stat().st_rdev
    status, _, _, _ = run("--capacity-kw", "1000", out=device)
    assert (status, device.is_char_device(), device.stat().st_rdev) == (0, True, before)
