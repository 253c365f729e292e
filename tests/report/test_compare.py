"""Two reports compared: parameters, metrics and geometry."""

import copy
import json

import pytest
import shapely

from pacifico.crs import LONLAT, reproject
from pacifico.errors import InputError
from pacifico.report.compare import compare
from pacifico.run import manifest


def stored(folder, collection, **parameters):
    folder.mkdir()
    (folder / "layout.geojson").write_text(json.dumps(collection))
    manifest.write(
        folder,
        {
            "request": {"notebook": "layout_report", "parameters": {"boundary": "inputs/a.kml", **parameters}},
            "inputs": {"boundary": {"path": "inputs/a.kml", "sha256": "ab" * 32}},
            "notebook": {"name": "layout_report", "sha256": "cd" * 32},
            "environment": {"pacifico": "0.1.0", "git_commit": None},
            "outcome": {"status": "completed", "error_message": None},
        },
    )
    return folder


def test_a_report_is_identical_to_itself(tmp_path, collection):
    a = stored(tmp_path / "a", collection, strategy="balanced")
    found = compare(a, a)
    assert found.identical
    assert "identical: same request, same figures, same geometry" in str(found)


def test_a_moved_array_and_a_removed_road_are_found(tmp_path, collection, layout):
    """An array moved 20 m east of its 80 m: 60 of 100 m in common; one road gone; two figures changed."""
    other = copy.deepcopy(collection)
    array = next(f for f in other["features"] if f["properties"].get("asset_type") == "solar_array")
    footprint = next(a.geometry for a in layout.of_kind("asset") if a["asset_type"] == "solar_array")
    moved = shapely.affinity.translate(footprint, 20.0, 0.0)
    array["geometry"] = shapely.geometry.mapping(reproject(moved, layout.crs, LONLAT))
    other["features"] = [f for f in other["features"] if f["properties"].get("road_id") != "R3"]
    other["pacifico"]["metrics"]["road_length_m"] = 650.0
    other["pacifico"]["metrics"]["assets_by_type"] = {"solar_array": 1, "substation": 1, "battery": 2}
    found = compare(
        stored(tmp_path / "a", collection, strategy="balanced", setback_m=None),
        stored(tmp_path / "b", other, strategy="density", setback_m=None),
    )
    assert not found.identical
    assert [(c.name, c.a, c.b) for c in found.parameters] == [("strategy", "balanced", "density")]
    assert [(c.name, c.a, c.b) for c in found.changed] == [
        ("assets_by_type: battery", 0, 2),
        ("road_length_m", 700.0, 650.0),
    ]
    places = {o.name: (o.a_count, o.b_count, o.same, o.shared) for o in found.geometry}
    assert places["Solar array"] == (1, 1, 0, pytest.approx(0.6, abs=1e-3))
    assert places["Substation"] == (1, 1, 1, pytest.approx(1.0))
    assert places["road"][:3] == (3, 2, 2)
    assert places["road"][3] == pytest.approx(700 / 750, abs=0.01)
    text = str(found)
    assert "-50 (-7.1 %)" in text
    assert "road_length_m" in text


def test_a_folder_without_a_report_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no manifest\.json"):
        compare(tmp_path, tmp_path)


def test_a_failed_run_has_nothing_to_compare(tmp_path, collection):
    a = stored(tmp_path / "a", collection)
    (a / "layout.geojson").unlink()
    with pytest.raises(InputError, match="holds no layout"):
        compare(a, a)


def test_a_strangers_report_leads_nowhere_else(tmp_path, collection):
    ours, stranger = stored(tmp_path / "a", collection), stored(tmp_path / "b", collection)
    (stranger / "layout.geojson").unlink()
    (stranger / "layout.geojson").symlink_to(ours / "layout.geojson")
    with pytest.raises(InputError, match="is a link"):
        compare(stranger, ours)
    (stranger / "manifest.json").unlink()
    (stranger / "manifest.json").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="is a link") as refused:
        compare(stranger, ours)
    assert "root:" not in str(refused.value)
