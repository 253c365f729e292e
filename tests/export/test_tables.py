"""CSV tables hold the properties of layout.geojson, safe for spreadsheets."""

import csv
import io

import pytest
import shapely

from pacifico.export import export
from pacifico.export.tables import PLACE, write_csv
from pacifico.layout.files.stored import StoredLayout, columns


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def tables_of(layout, folder):
    return write_csv(layout, folder / "assets.csv", folder / "roads.csv", folder / "cables.csv")


def test_rows_hold_every_asset_road_and_cable(layout, tmp_path):
    for path, kind in zip(tables_of(layout, tmp_path), ("asset", "road", "cable"), strict=True):
        text = [f["properties"] for f in layout["features"] if f["properties"]["kind"] == kind]
        rows = rows_of(path)
        assert list(rows[0]) == [*columns(kind), *PLACE]
        assert len(rows) == len(text) > 0
        for row, properties in zip(rows, text, strict=True):
            assert {k: row[k] for k in columns(kind)} == {k: as_cell(properties[k]) for k in columns(kind)}


def as_cell(value):
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_cables_end_at_assets_of_the_table(layout, tmp_path):
    assets, _, cables = (rows_of(path) for path in tables_of(layout, tmp_path))
    known = {row["asset_id"] for row in assets}
    assert cables
    assert all({row["from_id"], row["to_id"]} <= known for row in cables)
    total = sum(float(row["length_m"]) for row in cables)
    assert total == pytest.approx(layout["pacifico"]["metrics"]["cable_length_m"], abs=0.01 * len(cables))


def test_a_layout_without_cables_has_a_header_alone(layout, tmp_path):
    layout["features"] = [f for f in layout["features"] if f["properties"]["kind"] != "cable"]
    *_, path = tables_of(layout, tmp_path)
    assert path.read_text() == ",".join([*columns("cable"), *PLACE]) + "\n"


def test_places_are_inside_footprints_and_on_lines(layout, tmp_path):
    parts = StoredLayout.of(layout)
    for path, kind in zip(tables_of(layout, tmp_path), ("asset", "road", "cable"), strict=True):
        for row, part in zip(rows_of(path), parts.of_kind(kind), strict=True):
            assert part.geometry.distance(shapely.Point(float(row["x"]), float(row["y"]))) < 0.001
            assert part.lonlat.distance(shapely.Point(float(row["lon"]), float(row["lat"]))) < 2e-8


def test_files_are_utf8_with_line_feeds_for_any_name(hostile, tmp_path):
    for path in tables_of(hostile, tmp_path)[:2]:
        data = path.read_bytes()
        assert b"\r" not in data
        assert not data.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
        assert data.count(b"\n") == len(rows)
        texts = [cell for row in rows[1:] for cell in row if "cmd" in cell]
        assert texts
        assert all(cell.startswith("'=cmd") for cell in texts)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(1)", "  =1", "\t=1", "\r\n=1", "＝1", "\u200b=1"])
def test_no_text_is_a_formula(name, layout, tmp_path):
    asset = next(f for f in layout["features"] if f["properties"]["kind"] == "asset")
    asset["properties"]["name"] = name
    path, *_ = tables_of(layout, tmp_path)
    assert rows_of(path)[0]["name"].startswith("'")


def test_negative_numbers_stay_numbers(layout, tmp_path):
    asset = next(f for f in layout["features"] if f["properties"]["kind"] == "asset")
    asset["properties"]["elevation_m"] = -12.5
    path, *_ = tables_of(layout, tmp_path)
    assert rows_of(path)[0]["elevation_m"] == "-12.5"


def test_tables_go_to_a_folder_or_beside_a_file(layout, tmp_path):
    assert [p.name for p in export(layout, "csv", tmp_path)] == ["assets.csv", "roads.csv", "cables.csv"]
    names = ["hill.csv", "hill-roads.csv", "hill-cables.csv"]
    assert [p.name for p in export(layout, "csv", tmp_path / "hill.csv")] == names


def test_stations_are_a_fourth_table_where_a_distance_is_given(layout, dem, tmp_path):
    written = export(layout, "csv", tmp_path, ground=dem, stations_m=20.0)
    assert [p.name for p in written] == ["assets.csv", "roads.csv", "cables.csv", "stations.csv"]
    assert all(p.exists() for p in written)
    beside = export(layout, "csv", tmp_path / "hill.csv", ground=dem, stations_m=20.0)
    assert beside[-1].name == "hill-stations.csv"


def test_places_are_centroids_and_midpoints_to_the_millimetre(layout, tmp_path):
    for path, kind in zip(tables_of(layout, tmp_path), ("asset", "road", "cable"), strict=True):
        for row, part in zip(rows_of(path), StoredLayout.of(layout).of_kind(kind), strict=True):
            is_line = part.geometry.geom_type == "LineString"
            place = part.geometry.interpolate(part.geometry.length / 2) if is_line else part.geometry.centroid
            assert (row["x"], row["y"]) == (f"{place.x:.3f}", f"{place.y:.3f}")
            assert all(len(row[c].partition(".")[2]) == 8 for c in ("lon", "lat"))


def test_stations_are_a_given_distance_apart_in_the_written_file(layout, dem, tmp_path):
    written = export(layout, "csv", tmp_path, ground=dem, stations_m=20.0)
    rows = rows_of(written[-1])
    road = rows[0]["road_id"]
    at = [float(r["station_m"]) for r in rows if r["road_id"] == road]
    assert at[:3] == [0, 20, 40]
    assert all(r["ground_m"] for r in rows)
    without = export(layout, "csv", tmp_path / "plain.csv", stations_m=20.0)
    assert not any(r["ground_m"] for r in rows_of(without[-1]))
