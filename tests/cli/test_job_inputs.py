"""Inputs of jobs are read and checked before they are submitted."""

import json

import pytest

from pacifico.cli.job_inputs import boundary_as_geojson, check_files, exclusions_as_geojson
from pacifico.data import sample_site_path
from pacifico.errors import InputError


def test_a_boundary_becomes_geojson():
    features = json.loads(boundary_as_geojson(sample_site_path(), None))["features"]
    assert {f["geometry"]["type"] for f in features} >= {"Polygon"}


def test_exclusions_of_several_files_become_one(tmp_path):
    pond = {
        "type": "Polygon",
        "coordinates": [[[-84.25, 36.57], [-84.249, 36.57], [-84.249, 36.571], [-84.25, 36.571], [-84.25, 36.57]]],
    }
    for name in ("a", "b"):
        feature = {"type": "Feature", "properties": {"name": name}, "geometry": pond}
        (tmp_path / f"{name}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    content, _ = exclusions_as_geojson(sample_site_path(), None, [str(tmp_path / f"{n}.geojson") for n in "ab"], 5.0)
    assert [f["properties"]["name"] for f in json.loads(content)["features"]] == ["a", "b"]


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        exclusions_as_geojson(sample_site_path(), None, [str(tmp_path / "nowhere.geojson"), "x.kml"], None)


@pytest.mark.parametrize("kind", ["exclusions", "roads", "weather"])
def test_a_file_beside_the_boundary_is_read_before_the_job_is_sent(kind, tmp_path):
    path = tmp_path / "broken.geojson"
    path.write_text('{"type": "FeatureCollection", "features": [')
    given = {"boundary": sample_site_path(), "layer": None, kind: [path] if kind == "exclusions" else path}
    with pytest.raises(InputError, match=r"broken\.geojson"):
        check_files(given)


def test_files_that_can_be_read_pass(tmp_path):
    road = {"type": "LineString", "coordinates": [[-84.19, 36.58], [-84.18, 36.59]]}
    path = tmp_path / "roads.geojson"
    path.write_text(json.dumps({"type": "Feature", "properties": {"name": "Farm road"}, "geometry": road}))
    check_files({"boundary": sample_site_path(), "layer": None, "roads": path, "exclusions": [path]})
