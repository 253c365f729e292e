import json

import pytest

from pacifico.cli.main import main


@pytest.fixture
def stored(layout, tmp_path):
    path = tmp_path / "layout.geojson"
    path.write_text(json.dumps(layout))
    return path


@pytest.mark.parametrize("fmt", ["kmz", "csv", "dxf", "landxml", "gpkg", "parquet", "pdf"])
def test_writes_each_format_and_says_where(fmt, stored, tmp_path, capsys):
    out = tmp_path / f"out.{fmt}"
    assert main(["export", str(stored), "--format", fmt, "--out", str(out)]) == 0
    assert out.stat().st_size > 500
    assert f"written: {out}" in capsys.readouterr().out


def test_what_is_no_layout_is_one_line_and_status_2(tmp_path, capsys):
    path = tmp_path / "other.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    assert main(["export", str(path), "--format", "pdf", "--out", str(tmp_path / "out.pdf")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "give a layout.geojson" in said.err
    assert [p.name for p in tmp_path.iterdir()] == ["other.geojson"]


def test_contours_are_for_the_sheet_alone(stored, tmp_path, capsys):
    assert main(["export", str(stored), "--format", "kmz", "--dem", "sample", "--out", str(tmp_path / "a.kmz")]) == 2
    assert "leave it out" in capsys.readouterr().err


def test_ground_that_does_not_hold_the_site_is_refused(stored, tmp_path, capsys):
    out = tmp_path / "a.pdf"
    assert main(["export", str(stored), "--format", "pdf", "--dem", "sample", "--out", str(out)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize("fmt", ["kmz", "pdf"])
def test_a_folder_as_file_is_refused(fmt, stored, tmp_path, capsys):
    assert main(["export", str(stored), "--format", fmt, "--out", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_stations_of_the_roads_go_beside_the_tables(stored, tmp_path, capsys):
    import csv

    out = tmp_path / "tables"
    out.mkdir()
    assert main(["export", str(stored), "--format", "csv", "--stations-m", "25", "--out", str(out)]) == 0
    assert f"written: {out / 'stations.csv'}" in capsys.readouterr().out
    with (out / "stations.csv").open() as file:
        rows = list(csv.DictReader(file))
    with (out / "roads.csv").open() as file:
        roads = {r["road_id"]: float(r["length_m"]) for r in csv.DictReader(file)}
    assert {r["road_id"] for r in rows} == set(roads)
    assert rows[0]["station"] == "0+000"
    assert rows[0]["ground_m"] == rows[0]["fill_m"] == ""
    last = {r["road_id"]: float(r["station_m"]) for r in rows}
    assert all(abs(last[k] - length) < 0.02 for k, length in roads.items())


@pytest.mark.parametrize(
    ("fmt", "every", "said"), [("kmz", "25", "goes with --format csv"), ("csv", "0.2", "too near")]
)
def test_stations_that_make_no_sense_are_refused(fmt, every, said, stored, tmp_path, capsys):
    out = tmp_path / f"a.{fmt}"
    assert main(["export", str(stored), "--format", fmt, "--stations-m", every, "--out", str(out)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fmt", "said"), [("csv", "--piles goes with --format kmz or dxf or gpkg"), ("gpkg", "can't be read as piles")]
)
def test_piles_of_no_file_or_for_no_drawing_are_refused(fmt, said, stored, tmp_path, capsys):
    out = tmp_path / f"a.{fmt}"
    assert main(["export", str(stored), "--format", fmt, "--piles", str(tmp_path / "none.csv"), "--out", str(out)]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_name_with_the_ending_of_another_format_is_refused(stored, tmp_path, capsys):
    assert main(["export", str(stored), "--format", "landxml", "--out", str(tmp_path / "a.kmz")]) == 2
    assert "name it a.xml" in capsys.readouterr().err
    assert main(["export", str(stored), "--format", "landxml", "--out", str(tmp_path / "a.xml")]) == 0
