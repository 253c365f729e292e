"""A report folder is complete, reproducible and free of traces of this machine."""

import json
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest

import pacifico
from pacifico.errors import DEMError, InputError, SiteError
from pacifico.report.compare import compare
from pacifico.report.make import make_report
from pacifico.run.reproduce import reproduce
from pacifico.terrain.sources import sample_site_path

TARGET = 8_000.0


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "report"
    stages = []
    outcome = make_report(
        "sample", "sample", folder, target_capacity_kw=TARGET, on_stage=lambda name, *_: stages.append(name)
    )
    assert outcome.completed, outcome.error_message
    return folder, outcome, stages


def test_the_folder_holds_all_files_of_a_report(report):
    folder, outcome, stages = report
    written = {
        "assets.csv", "cables.csv", "costs.csv", "cut-fill.tif", "land-use.geojson", "layout.geojson", "layout.kmz", "metrics.json",
        "piles.csv", "report.html", "report.ipynb", "roads.csv", "site-plan.pdf",
    }  # fmt: skip
    assert {p.name for p in folder.iterdir()} == written | {"inputs", "manifest.json"}
    assert {p.name for p in (folder / "inputs").iterdir()} == {"sample-site.kml", "dem.tif"}
    assert (folder / "inputs" / "sample-site.kml").read_bytes() == sample_site_path().read_bytes()
    assert stages == [
        "reading_inputs", "fetching_dem", "computing_slope", "analyzing_terrain", "placing_assets", "generating_roads",
        "computing_earthwork", "finalizing",
    ]  # fmt: skip
    assert set(outcome.outputs) == written


def test_the_layout_equals_that_on_the_full_dem(report, tmp_path):
    """Clipping the DEM does not change a byte of the layout."""
    site = pacifico.read_site(sample_site_path())
    dem = pacifico.open_dem(site, "sample")
    plan = pacifico.add_racking(pacifico.generate_layout(site, dem, target_capacity_kw=TARGET), dem)
    plan.write(tmp_path / "layout.geojson")
    folder, _, _ = report
    assert (folder / "piles.csv").read_bytes() == plan.write_piles(tmp_path / "piles.csv").read_bytes()
    assert (folder / "layout.geojson").read_bytes() == (tmp_path / "layout.geojson").read_bytes()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics.pop("shortfall") == plan.shortfall
    about = json.loads(json.dumps(plan.to_geojson()["pacifico"]))
    assert metrics.pop("headline") == about["headline"]
    assert metrics == about["metrics"]


def test_all_cells_ran_and_show_their_figures(report):
    folder, _, _ = report
    nb = nbformat.read(folder / "report.ipynb", as_version=4)
    code = [c for c in nb.cells if c.cell_type == "code"]
    assert {c.metadata.papermill.status for c in code} == {"completed"}
    pictures = [o for c in code for o in c.outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 10
    assert not [o for c in code for o in c.outputs if o.output_type == "stream"]


def test_no_file_holds_a_path_of_this_machine(report):
    folder, _, _ = report
    for name in ("layout.geojson", "metrics.json", "manifest.json", "report.ipynb", "report.html"):
        text = (folder / name).read_text()
        for path in {str(folder.parent), str(Path.home()) + "/", str(Path(pacifico.__file__).parents[1])}:
            assert path not in text, name


def test_a_report_is_reproduced_to_the_byte(report):
    folder, _, _ = report
    again = reproduce(folder)
    assert again.verdict == "identical", str(again)
    compared = (
        "assets.csv", "cables.csv", "costs.csv", "land-use.geojson", "layout.geojson", "layout.kmz", "metrics.json", "piles.csv",
        "roads.csv",
    )  # fmt: skip
    assert dict(again.files) == dict.fromkeys(compared, "identical")
    assert str(again).startswith("identical: 9 outputs")


def test_a_report_compares_as_identical_to_itself(report):
    folder, _, _ = report
    assert compare(folder, folder).identical


@pytest.mark.parametrize(
    ("name", "message"), [("inputs/dem.tif", "is not the file that"), ("inputs/sample-site.kml", "missing")]
)
def test_changed_or_missing_inputs_are_refused(report, tmp_path, name, message):
    folder, _, _ = report
    copy = shutil.copytree(folder, tmp_path / "copy")
    if message == "missing":
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(b"other")
    with pytest.raises(InputError, match=message):
        reproduce(copy)


@pytest.mark.parametrize(
    ("boundary", "dem", "options", "error"),
    [
        ("gone.kml", "sample", {}, SiteError),
        ("sample", "gone.tif", {}, DEMError),
        ("sample", None, {}, InputError),
        ("sample", "sample", {"terrain": False}, InputError),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_files(tmp_path, monkeypatch, boundary, dem, options, error):
    with tempfile.TemporaryDirectory() as scratch:
        monkeypatch.setattr(tempfile, "tempdir", scratch)
        with pytest.raises(error) as refused:
            make_report(tmp_path / boundary if "." in boundary else boundary, dem, tmp_path / "report", **options)
        assert "\n" not in str(refused.value)
        assert list(tmp_path.iterdir()) == []
        assert list(Path(scratch).iterdir()) == []


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        make_report("sample", "sample", tmp_path)


def test_a_site_without_buildable_ground_fails_in_its_report(tmp_path):
    outcome = make_report("sample", "sample", tmp_path / "report", setback_m=100.0, spec={"solar_array": {"slope_limit_deg": 0.5}, "substation": {"slope_limit_deg": 0.5}, "inverter_skid": {"slope_limit_deg": 0.5}}, max_road_grade_pct=1.0)  # fmt: skip
    assert (outcome.status, outcome.error_kind) == ("failed", "request")
    assert outcome.error_name == "NoBuildableGroundError"
    assert (tmp_path / "report" / "inputs" / "dem.tif").is_file()
    assert "NoBuildableGroundError" in (tmp_path / "report" / "report.html").read_text()
