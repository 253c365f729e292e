"""Many sites in several designs; a bad file does not stop the others."""

from __future__ import annotations

import shutil

import pytest

from pacifico.errors import InputError
from pacifico.explorer import boundary_files, submit_sites
from pacifico.jobs import local
from pacifico.terrain.sources import sample_site_path

DESIGNS = [{"generation_profile": "solar_farm", "target_capacity_kw": 20_000}, {"generation_profile": "bess"}]


@pytest.fixture
def started(monkeypatch):
    """Jobs handed to the background process, which is not started."""
    found = []
    monkeypatch.setattr(local, "start_background", found.extend)
    return found


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "sites"
    home.mkdir()
    shutil.copy(sample_site_path(), home / "b valley.kml")
    (home / "a broken.kml").write_text("<kml")
    (home / "notes.txt").write_text("not a boundary")
    return home


def test_each_site_is_submitted_in_each_design(client, folder, started):
    submitted = submit_sites(client, boundary_files(folder), dem="sample", designs=DESIGNS)
    assert list(submitted.labels.values()) == [
        "Jacksboro valley demo site: solar farm, balanced, 20 MW",
        "Jacksboro valley demo site: BESS, balanced, all that fits",
    ]
    assert started == [(client.owner, layout_id) for layout_id in submitted.labels]
    requests = [client._records.request(client.owner, layout_id)[0] for layout_id in submitted.labels]
    assert [r.generation_profile for r in requests] == ["solar_farm", "bess"]
    assert {r.dem for r in requests} == {"sample"}
    text = str(submitted.table)
    assert "a broken.kml" in text
    assert "rejected" in text


def test_a_design_out_of_range_is_refused_with_its_site(client, folder, started):
    designs = [{"target_capacity_kw": 5.0}, {}]
    submitted = submit_sites(client, [folder / "b valley.kml"], dem="sample", designs=designs)
    assert len(submitted.labels) == len(started) == 1
    assert [status for _, status, _ in submitted.rows] == ["queued", "rejected"]


def test_a_raster_file_is_uploaded(client, folder, started, tmp_path):
    raster = tmp_path / "dem.tif"
    raster.write_bytes(b"II*\0")
    submitted = submit_sites(client, [folder / "b valley.kml"], dem=str(raster))
    (layout_id,) = submitted.labels
    request, _ = client._records.request(client.owner, layout_id)
    assert request.dem.startswith("upload:")


def test_a_folder_without_boundaries_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no boundary"):
        boundary_files(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        boundary_files(tmp_path / "absent")
