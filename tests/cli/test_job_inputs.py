"""Inputs of jobs are read and checked before they are submitted."""

import json

import pytest

from pacifico.cli.job_inputs import boundary_as_geojson, exclusions_as_geojson
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
