"""Rows and piles in GIS, CAD and Google Earth: the same places and heights as in piles.csv."""

import zipfile
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pytest
import shapely

import pacifico
from pacifico.errors import InputError
from pacifico.export import export, kmz
from pacifico.export.piles import MEASURED, read_piles, schedule_of
from pacifico.layout.files.stored import StoredLayout

KML = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture(scope="module")
def piled(make, tmp_path_factory):
    """Plan with racking, its layout and its piles.csv."""
    dem = make.dem(make.ground(lambda x, y: 100 + 0.02 * x + 1.5 * np.sin(x / 31.0) * np.cos(y / 17.0)))
    plan = pacifico.add_racking(pacifico.generate_layout(make.site(), dem, target_capacity_kw=800), dem)
    path = plan.write_piles(tmp_path_factory.mktemp("piles") / "piles.csv")
    return SimpleNamespace(plan=plan, layout=plan.to_geojson(), path=path, schedule=read_piles(path))


def test_piles_of_a_file_are_those_of_the_plan(piled):
    ours, read = schedule_of(piled.plan), piled.schedule
    assert len(read) == piled.plan.metrics["pile_count"]
    assert len(read.first_pile) == piled.plan.metrics["row_count"]
    for name in MEASURED:
        np.testing.assert_allclose(read.columns[name], ours.columns[name], atol=1e-4)
    assert (read.columns["array"] == ours.columns["array"]).all()


def test_a_geopackage_has_layers_of_rows_and_piles(piled, tmp_path):
    (path,) = export(piled.layout, "gpkg", tmp_path / "a.gpkg", piles=piled.schedule)
    rows, piles = (gpd.read_file(path, layer=name) for name in ("row", "pile"))
    assert rows.piles.sum() == len(piles) == len(piled.schedule)
    assert len(rows) == piled.plan.metrics["row_count"]
    np.testing.assert_allclose(
        shapely.get_coordinates(piles.geometry, include_z=True)[:, 2], piled.schedule.columns["top_m"]
    )
    np.testing.assert_allclose(piles.reveal_m, piled.schedule.columns["reveal_m"])
    lines = shapely.force_2d(piled.plan.rows.geometry.to_numpy())
    assert shapely.distance(shapely.force_2d(rows.geometry.to_numpy()), lines).max() < 0.01


def test_a_drawing_has_piles_from_foot_to_top(piled, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    (path,) = export(piled.layout, "dxf", tmp_path / "a.dxf", piles=piled.schedule)
    space = ezdxf.readfile(path).modelspace()
    lines, columns = space.query('LINE[layer=="PILE"]'), piled.schedule.columns
    assert len(lines) == len(piled.schedule)
    assert len(space.query('POLYLINE[layer=="ROW"]')) == piled.plan.metrics["row_count"]
    lengths = [line.dxf.end.z - line.dxf.start.z for line in lines]
    np.testing.assert_allclose(lengths, columns["length_m"], atol=3e-4)
    np.testing.assert_allclose([line.dxf.end.z for line in lines], columns["top_m"], atol=1e-6)


def folders(path):
    with zipfile.ZipFile(path) as archive:
        document = ET.fromstring(archive.read("doc.kml"))[0]
    return {f.findtext(f"{KML}name"): f for f in document.findall(f"{KML}Folder")}


def test_google_earth_has_rows_by_array_and_piles_that_are_off(piled, tmp_path, monkeypatch):
    (path,) = export(piled.layout, "kmz", tmp_path / "a.kmz", piles=piled.schedule)
    found = folders(path)
    rows, piles = found[f"Rows: {piled.plan.metrics['row_count']}"], found[f"Piles: {len(piled.schedule)}"]
    arrays = [a.asset_id for a in piled.plan.asset_list if a.item.kind == "solar_array"]
    assert sorted(p.findtext(f"{KML}name") for p in rows.iter(f"{KML}Placemark")) == sorted(arrays)
    assert {p.findtext(f"{KML}visibility") for p in piles.iter(f"{KML}Placemark")} == {"0"}
    first = piles.find(f".//{KML}coordinates").text.split()
    assert [float(p.split(",")[2]) for p in first] == [
        0.0,
        pytest.approx(piled.schedule.columns["reveal_m"][0], abs=0.006),
    ]
    monkeypatch.setattr(kmz, "MAX_PILES", 10)
    few = folders(export(piled.layout, "kmz", tmp_path / "b.kmz", piles=piled.schedule)[0])
    assert "more than 10" in few[f"Piles: {len(piled.schedule)}"].findtext(f"{KML}description")
    assert f"Rows: {piled.plan.metrics['row_count']}" in few


@pytest.mark.parametrize("fmt", ["kmz", "dxf", "gpkg"])
def test_the_same_piles_give_the_same_bytes(fmt, piled, tmp_path):
    made = [export(piled.layout, fmt, tmp_path / f"{n}.{fmt}", piles=piled.schedule)[0].read_bytes() for n in "ab"]
    assert made[0] == made[1]


def test_piles_of_another_layout_are_refused(piled, tmp_path):
    shifted = dict(piled.schedule.columns, x=piled.schedule.columns["x"] + 500.0)
    with pytest.raises(InputError, match="lies elsewhere"):
        type(piled.schedule)(shifted).require_of(StoredLayout.of(piled.layout))
    renamed = dict(piled.schedule.columns, array=np.full(len(piled.schedule), "solar_array-9999", dtype=object))
    with pytest.raises(InputError, match="is not in the layout"):
        export(piled.layout, "gpkg", tmp_path / "a.gpkg", piles=type(piled.schedule)(renamed))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("text", "message"), [
    ("", "no piles"), ("array,row\nA,1\n", "no column pile"), (None, "can't be read"),
])  # fmt: skip
def test_other_files_are_refused(text, message, tmp_path):
    path = tmp_path / "piles.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_piles(path)


@pytest.mark.parametrize("value", ["tall", "nan", ""])
def test_a_measure_that_is_no_number_is_refused(value, piled, tmp_path):
    lines = piled.path.read_text().splitlines()
    cells = lines[1].split(",")
    cells[lines[0].split(",").index("top_m")] = value
    (tmp_path / "piles.csv").write_text("\n".join([lines[0], ",".join(cells)]))
    with pytest.raises(InputError, match=r"give the piles\.csv"):
        read_piles(tmp_path / "piles.csv")


def test_formats_without_rows_take_no_piles(piled, tmp_path):
    with pytest.raises(InputError, match="kmz or dxf or gpkg"):
        export(piled.layout, "csv", tmp_path / "a", piles=piled.schedule)
