"""`pacifico layout` as a user meets it: exit status, one line of fault, nothing half done."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from pacifico.cli import main

RING = [[-93.000, 41.540], [-92.994, 41.540], [-92.994, 41.545], [-93.000, 41.545], [-93.000, 41.540]]


def feature(ring, **properties):
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def square(lon, lat, size):
    return [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A site of some 28 ha and a gently rolling DEM under it."""
    import rasterio
    from rasterio import Affine

    where = tmp_path_factory.mktemp("cli")
    (where / "site.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature(RING)]}))
    x, y = np.meshgrid(np.arange(130) * 10.0, np.arange(130) * 10.0)
    for name, z in (("dem", 100 + 0.01 * x + 2 * np.sin(y / 150)), ("steep", 0.6 * x), ("void", np.nan * x)):
        with rasterio.open(
            where / f"{name}.tif", "w", driver="GTiff", height=130, width=130, count=1, dtype="float32",
            crs="EPSG:32615", transform=Affine(10, 0, 499_600, 0, -10, 4_600_100), nodata=np.nan,
        ) as out:  # fmt: skip
            out.write(z.astype("float32"), 1)
    return where


@pytest.fixture
def run(folder, tmp_path, capsys):
    """Run `pacifico layout` in this process: status, stdout, stderr, output path."""

    def call(*options, dem="dem.tif", out=None, boundary="site.geojson"):
        out = out or tmp_path / "layout.geojson"
        ground = ["--dem", str(folder / dem)] if dem else []
        try:
            status = main.main(["layout", str(folder / boundary), *ground, *options, "--out", str(out)])
        except SystemExit as error:
            status = error.code
        said = capsys.readouterr()
        return status, said.out, said.err, out

    return call


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

    pond = square(-92.998, 41.542, 0.001)
    (folder / "ponds.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature(pond, name="pond", buffer_m=15)]})
    )
    status, _, _, path = run("--capacity-kw", "4000", "--exclusions", str(folder / "ponds.geojson"))
    assert status == 0
    layout = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert [f["properties"]["name"] for f in layout if f["properties"]["kind"] == "exclusion"] == ["pond"]
    built = [shapely.geometry.shape(f["geometry"]) for f in layout if f["properties"]["kind"] in ("asset", "pad")]
    assert min(shapely.Polygon(pond).distance(g) for g in built) > 1.3e-4  # 15 m are 1.35e-4 degrees of latitude


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
        (["--no-terrain"], ["--no-terrain", "--dem"]),
        (["--colour", "red"], ["--colour"]),
        (["--profile", "gas_bess"], ["--capacity-kw"]),
        (["--capacity-kw", "100"], ["less than one unit"]),
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


def test_a_service_that_fails_is_status_3(run, monkeypatch):
    from pacifico.errors import OutsideServiceError
    from pacifico.terrain import dem

    def fails(*_, **__):
        raise OutsideServiceError("elevation server: no answer\nwithin 30 s")

    monkeypatch.setattr(dem, "open_dem", fails)
    status, out, err, path = run()
    assert (status, out) == (3, "")
    assert err == "pacifico: elevation server: no answer within 30 s\n"
    assert not path.exists()


def command(*arguments, **more):
    script = "import sys; from pacifico.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", script, *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **more},
    )  # fmt: skip


def test_as_a_process_status_and_streams_are_the_same(folder, tmp_path):
    out = tmp_path / "layout.geojson"
    done = command("layout", folder / "site.geojson", "--dem", folder / "dem.tif", "--capacity-kw", 4000, "--out", out)
    assert done.returncode == 0, done.stderr
    assert out.is_file()
    bad = command("layout", folder / "site.geojson", "--dem", folder / "steep.tif", "--out", tmp_path / "b.geojson")
    assert bad.returncode == 2
    assert bad.stdout == ""
    assert len(bad.stderr.splitlines()) == 1
    assert bad.stderr.startswith("pacifico: ")


@pytest.mark.parametrize(
    ("arguments", "status"), [([], 2), (["--help"], 0), (["--version"], 0), (["layout"], 2), (["lay"], 2)]
)
def test_usage(arguments, status, capsys):
    with pytest.raises(SystemExit) as caught:
        main.main(arguments)
    assert caught.value.code == status
    said = capsys.readouterr()
    assert bool(said.err) == bool(status)
    assert len(said.err.splitlines()) == (1 if status else 0)


def test_help_imports_nothing_heavy():
    script = "import sys\nfrom pacifico.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    script += "print(sorted({'geopandas','xarray','rasterio','matplotlib','numba','scipy'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_fault_of_ours_is_status_70_in_one_line(run, monkeypatch):
    from pacifico.layout import generate

    def fails(*_, **__):
        raise KeyError("spans")

    monkeypatch.setattr(generate, "generate_layout", fails)
    status, out, err, path = run()
    assert status == 70
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith(
        "pacifico: internal error, KeyError: 'spans'; this is a fault of pacifico: run it again with --debug"
    )
    assert not path.exists()
    status, _, err, _ = run("--debug")
    assert status == 70
    assert "Traceback" in err


def test_an_internal_error_is_status_70_not_bad_input(run, monkeypatch):
    from pacifico.errors import InternalError
    from pacifico.layout import generate

    def fails(*_, **__):
        raise InternalError("the road network did not settle in 9 rounds; please report this site")

    monkeypatch.setattr(generate, "generate_layout", fails)
    status, _, err, path = run()
    assert status == 70
    assert len(err.splitlines()) == 1
    assert "did not settle in 9 rounds" in err
    assert not path.exists()


def test_memory_that_runs_out_is_one_line_with_the_remedy(run, monkeypatch):
    from pacifico.layout import generate

    def fails(*_, **__):
        raise MemoryError("unable to allocate 3 TiB")

    monkeypatch.setattr(generate, "generate_layout", fails)
    status, _, err, _ = run()
    assert status == 70
    assert "out of memory: unable to allocate 3 TiB; choose a coarser --resolution-m" in err
    assert len(err.splitlines()) == 1


def test_the_traceback_of_a_fault_goes_to_the_log_file(run, monkeypatch, tmp_path):
    from pacifico.layout import generate

    def fails(*_, **__):
        raise KeyError("spans")

    monkeypatch.setattr(generate, "generate_layout", fails)
    status, _, err, _ = run("--log-file", str(tmp_path / "log.txt"))
    assert status == 70
    assert "Traceback" not in err
    assert "KeyError: 'spans'" in (tmp_path / "log.txt").read_text()


def test_coordinates_west_of_greenwich_are_values(run):
    status, _, err, _ = run("--entry", "-92.994,41.5425", "--capacity-kw", "1000")
    assert (status, "expected one argument" in err) == (0, False)


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        (["--entry", "-84.2,36.6"], ["--entry=-84.2,36.6"]),
        (["--setback-m", "-5"], ["--setback-m=-5"]),
        (["--json", "--entry", "1,2"], ["--json", "--entry", "1,2"]),
        (["a.kml", "-5"], ["a.kml", "-5"]),
        (["--entry=-84,36", "-5"], ["--entry=-84,36", "-5"]),
    ],
)
def test_values_that_begin_with_a_minus_are_joined_to_their_option(words, joined):
    assert main.join_negative_values(words) == joined


def test_abbreviated_options_are_refused(run):
    refused(run("--cap", "1000"), "unrecognized arguments: --cap")


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


def test_an_ascii_terminal_gets_every_message(folder, tmp_path):
    done = command(
        "layout", str(folder / "site.geojson"), "--dem", str(folder / "dem.tif"), "--out", str(tmp_path / "a.geojson"),
        LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_python_runs_the_package_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "pacifico", "--show-versions"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[0].startswith("pacifico ")
    assert "numpy" in done.stdout
