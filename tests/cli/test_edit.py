"""`pacifico edit`: edits in their order, refusals in one line, and the same file as Python edits give."""

import json

import pytest

import pacifico
from pacifico.cli import main
from pacifico.layout.editing.reopen import read_plan


@pytest.fixture(scope="module")
def stored(folder):
    """A stored layout of the site."""
    out = folder / "layout.geojson"
    target = ["--capacity-kw", "4000", "--profile", "hybrid"]
    status = main.main(["layout", str(folder / "site.geojson"), "--dem", str(folder / "dem.tif"), *target, "--out", str(out)])  # fmt: skip
    assert status in (0, 1)
    return out


@pytest.fixture
def run(stored, folder, tmp_path, capsys):
    """Run `pacifico edit` in this process: status, stdout, stderr, output path."""

    def call(*words, dem="dem.tif", out=None):
        out = out or str(tmp_path / "edited.geojson")
        try:
            status = main.main(["edit", str(stored), "--dem", str(folder / dem), *words, "--out", out])
        except SystemExit as error:
            status = error.code
        said = capsys.readouterr()
        return status, said.out, said.err, tmp_path / "edited.geojson"

    return call


def arrays(path):
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return {f["properties"]["asset_id"]: f for f in features if f["properties"]["kind"] == "asset"}


def test_edits_are_applied_and_written(run, stored, folder):
    last = max(i for i in arrays(stored) if i.startswith("solar_array"))
    status, said, err, out = run("--remove", last)
    assert status == 1
    assert "written:" in said
    assert "stand after 1 edit" in err
    assert arrays(stored).keys() - arrays(out).keys() == {last}
    site = pacifico.read_site(folder / "site.geojson")
    dem = pacifico.open_dem(site, folder / "dem.tif")
    by_hand = pacifico.edit(read_plan(stored, dem=dem), dem).remove(last)
    assert read_plan(out, dem=dem) == pacifico.add_racking(by_hand, dem)


def test_edits_run_in_their_order_and_figures_come_as_json(run, stored, folder, capsys):
    last = max(arrays(stored), key=lambda i: arrays(stored)[i]["properties"]["capacity_kw"])
    ring = arrays(stored)[last]["geometry"]["coordinates"][0]
    lon, lat = (sum(p[k] for p in ring[:4]) / 4 for k in (0, 1))
    words = ["--remove", last, "--add", f"solar_array={lon:.8f},{lat:.8f}"]
    status = main.main(["edit", str(stored), "--dem", str(folder / "dem.tif"), *words, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert status in (0, 1)
    assert said["out"] is None
    assert said["metrics"]["asset_count"] == len(arrays(stored))


def test_standard_output_carries_the_layout(run, stored):
    last = max(i for i in arrays(stored) if i.startswith("solar_array"))
    _, said, _, out = run("--remove", last, out="-")
    assert json.loads(said)["pacifico"]["edits"][0]["asset_id"] == last
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no edit given"),
        (["--move", "solar_array-0001"], "is not ID=LON,LAT"),
        (["--move", "solar_array-9999=-92.997,41.542"], "there is no asset"),
        (["--move", "solar_array-0001=-92.9,41.542"], "outside the boundary"),
        (["--rotate", "solar_array-0001=north"], "is not ID=DEG"),
        (["--add", "windmill=-92.997,41.542"], "asset type 'windmill' is unknown"),
        (["--remove", "substation-0001"], "the only substation"),
        (["--remove-zone", "pond"], "0 zones are called 'pond'"),
    ],
)
def test_a_refused_edit_is_one_line_and_writes_nothing(run, words, said):
    status, _, err, out = run(*words)
    assert status == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert not out.exists()


def test_another_dem_is_refused(run):
    status, _, err, _ = run("--remove", "solar_array-0001", dem="steep.tif")
    assert status == 2
    assert "made on another DEM" in err


def test_zones_are_added_from_a_file(run, stored, folder, tmp_path):
    last = max(i for i in arrays(stored) if i.startswith("solar_array"))
    zone = tmp_path / "pond.geojson"
    content = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "pond"}, "geometry": arrays(stored)[last]["geometry"]}]}  # fmt: skip
    zone.write_text(json.dumps(content), encoding="utf-8")
    status, _, err, _ = run("--add-zone", str(zone))
    assert (status, "would cover" in err) == (2, True)
    status, _, err, out = run("--clear-zone", str(zone))
    assert status == 1, err
    assert last not in arrays(out)
