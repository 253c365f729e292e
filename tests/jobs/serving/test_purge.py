"""Deleting a layout leaves nothing of it, whatever its state."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from pacifico.jobs import keys, local
from pacifico.jobs.attempt import LostError
from pacifico.jobs.delivery import RunOutcome
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.serving.owned import OwnedJobs
from pacifico.jobs.serving.purge import purge_layout, purge_site, purge_upload
from pacifico.jobs.settings import Settings
from pacifico.jobs.store.base import NotFoundError


@pytest.fixture
def jobs(tmp_path):
    return OwnedJobs(Settings(store=str(tmp_path / "store"), owner="ann"))


@pytest.fixture
def layout_id(jobs, tmp_path):
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    request = jobs.request(jobs.upload_site(path), dem="sample")
    jobs.accept(request)
    return request.layout_id


def left(jobs):
    return [e.key for e in jobs.store.list("owners/ann/") if "/sites/" not in e.key]


def test_nothing_is_left(jobs, layout_id):
    jobs.store.put(keys.artifact("ann", layout_id, 1, "inputs/dem.tif"), b"x", kind="reports")
    jobs.store.put(keys.edited("ann", layout_id, "0" * 64, "layout.geojson"), b"x", kind="reports")
    assert purge_layout(jobs.records, "ann", layout_id.upper()) >= 5
    assert left(jobs) == []
    with pytest.raises(NotFoundError):
        purge_layout(jobs.records, "ann", layout_id)


def test_a_running_attempt_commits_nothing_afterwards(jobs, layout_id, tmp_path):
    attempt = claim(jobs.records, "ann", layout_id, worker="w", settings=jobs.settings)
    purge_layout(jobs.records, "ann", layout_id)
    with pytest.raises(LostError):
        attempt.swap(lambda status, now: status)
    with pytest.raises(LookupError):
        claim(jobs.records, "ann", layout_id, worker="w", settings=jobs.settings)
    assert left(jobs) == []


def test_files_that_come_after_the_deletion_are_deleted_by_their_attempt(jobs, layout_id, tmp_path):
    """A run that does not know yet uploads its report; its commit finds no job."""

    class Runner:
        def workspace(self):
            return contextlib.nullcontext(tmp_path)

        def run(self, task, folder, on_stage, signals):
            purge_layout(jobs.records, "ann", layout_id)
            (folder / "report" / "inputs").mkdir(parents=True)
            (folder / "report" / "inputs" / "dem.tif").write_bytes(b"x")
            return RunOutcome(report=folder / "report")

    with pytest.raises(NotFoundError):
        local.run(jobs.records, "ann", layout_id, settings=jobs.settings, runner=Runner())
    assert left(jobs) == []
    store = Path(jobs.settings.store)
    assert {p.name for p in store.glob("owners/ann/*")} == {"sites"}  # and no empty folder


def test_an_upload_goes_with_its_record(jobs, tmp_path):
    path = tmp_path / "spec.toml"
    path.write_bytes(b"[site]")
    sha256 = jobs.upload_file(path).removeprefix("upload:")
    with pytest.raises(NotFoundError):
        purge_upload(jobs.store, "bob", sha256)
    assert purge_upload(jobs.store, "ann", sha256) == 2
    with pytest.raises(NotFoundError):
        purge_upload(jobs.store, "ann", sha256)


def test_an_unreadable_status_can_be_deleted(jobs, layout_id):
    jobs.store.put(keys.status("ann", layout_id), b"[]", kind="jobs")
    purge_layout(jobs.records, "ann", layout_id)
    assert left(jobs) == []


def test_a_site_goes_with_its_files(jobs, layout_id):
    (site,) = {e.key.split("/")[3] for e in jobs.store.list("owners/ann/sites/")}
    with pytest.raises(NotFoundError):
        purge_site(jobs.store, "bob", site)
    assert purge_site(jobs.store, "ann", site) == 2
    assert list(jobs.store.list("owners/ann/sites/")) == []
    with pytest.raises(NotFoundError):
        purge_site(jobs.store, "ann", site)
    assert jobs.status(layout_id)["status"] == "queued"
