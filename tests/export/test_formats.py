"""Every export format: same bytes for the same layout, complete files or none."""

import hashlib
import json
import os
import subprocess
import sys

import ezdxf
import geopandas as gpd
import pyogrio
import pytest

from pacifico.errors import InputError
from pacifico.export import FORMATS, export


def test_the_same_layout_gives_the_same_bytes_in_another_process(layout, tmp_path):
    source = tmp_path / "layout.geojson"
    source.write_text(json.dumps(layout))
    script = (
        "import json, pathlib, sys; from pacifico.export import FORMATS, export; "
        "layout = json.loads(pathlib.Path(sys.argv[1]).read_text()); "
        "[export(layout, fmt, pathlib.Path(sys.argv[2]) / f'a.{fmt}') for fmt in FORMATS]"
    )
    digests = []
    for seed in ("here", "1", "4"):
        folder = tmp_path / seed
        folder.mkdir()
        if seed == "here":
            for fmt in FORMATS:
                export(layout, fmt, folder / f"a.{fmt}")
        else:
            other = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
            subprocess.run([sys.executable, "-c", script, source, folder], check=True, env=other)
        digests.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()})
    assert digests[0] == digests[1] == digests[2]
    assert len(digests[0]) == len(FORMATS) + 2  # a table of roads, and one of cables


@pytest.mark.parametrize("fmt", FORMATS)
def test_an_invalid_layout_leaves_the_old_file(fmt, layout, tmp_path):
    path = tmp_path / f"kept.{fmt}"
    path.write_text("before")
    next(f for f in layout["features"] if f["properties"]["kind"] == "road")["properties"]["width_m"] = "wide"
    with pytest.raises(InputError, match="width_m"):
        export(layout, fmt, path)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_missing_folder_is_refused(fmt, layout, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        export(layout, fmt, tmp_path / "none" / f"a.{fmt}")


def test_the_layout_is_not_changed(layout, made, tmp_path):
    for fmt in FORMATS:
        export(layout, fmt, tmp_path / f"a.{fmt}")
    assert layout == made


def test_an_unknown_format_is_refused_with_the_known_ones(layout, tmp_path):
    with pytest.raises(InputError, match="kmz, csv, dxf, landxml, gpkg"):
        export(layout, "dwg", tmp_path / "a.dwg")


def test_crossings_are_in_every_format(layout, tmp_path):
    road = next(f for f in layout["features"] if f["properties"]["kind"] == "road")
    properties = {
        "kind": "crossing", "crossing_id": "X001", "crossing_type": "culvert", "of_id": road["properties"]["road_id"],
        "over": "creek", "zone_type": "water", "drained_area_ha": None, "length_m": 20.0,
    }  # fmt: skip
    line = [xyz[:2] for xyz in road["geometry"]["coordinates"]]
    layout["features"].append(
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": line}, "properties": properties}
    )
    (kmz,) = export(layout, "kmz", tmp_path / "a.kmz")
    assert "Crossings" in [name for name, _ in pyogrio.list_layers(kmz)]
    (gpkg,) = export(layout, "gpkg", tmp_path / "a.gpkg")
    assert pyogrio.read_dataframe(gpkg, layer="crossing")["crossing_type"].tolist() == ["culvert"]
    (dxf,) = export(layout, "dxf", tmp_path / "a.dxf")
    assert [e.dxftype() for e in ezdxf.readfile(dxf).query('*[layer=="CROSSING"]')] == ["LWPOLYLINE"]
    (parquet,) = export(layout, "parquet", tmp_path / "a.parquet")
    assert gpd.read_parquet(parquet)["crossing_type"].dropna().tolist() == ["culvert"]
    (pdf,) = export(layout, "pdf", tmp_path / "a.pdf")
    assert pdf.stat().st_size > 1000
