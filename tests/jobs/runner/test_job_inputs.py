"""Inputs of one attempt, from a real store."""

from __future__ import annotations

import threading

import pytest

from pacifico.jobs.delivery import RunTask
from pacifico.jobs.runner import job_inputs
from pacifico.jobs.runner.job_inputs import stage_inputs
from pacifico.jobs.serving.owned import OwnedJobs
from pacifico.jobs.settings import Settings
from pacifico.jobs.stop_signals import StoppedError, StopSignals
from pacifico.jobs.store.base import NotFoundError


@pytest.fixture
def jobs(tmp_path):
    return OwnedJobs(Settings(store=str(tmp_path / "store"), owner="ann"))


def task(jobs, site_id):
    request = jobs.request(site_id, dem="sample", target_capacity_kw=1000)
    return RunTask(request=request, attempt=1, worker="w")


def test_files_parameters_and_terrain_are_those_of_the_request(jobs, tmp_path):
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    found = stage_inputs(
        task(jobs, jobs.upload_site(path)), jobs.store, jobs.settings, tmp_path / "work", StopSignals()
    )
    assert found.files["boundary"].read_bytes() == b"<kml/>"
    assert (found.parameters["dem"], found.parameters["target_capacity_kw"]) == ("sample", 1000)


def test_what_staging_raises_is_raised(jobs, tmp_path):
    with pytest.raises(NotFoundError):
        stage_inputs(task(jobs, "none"), jobs.store, jobs.settings, tmp_path / "work", StopSignals())


def test_a_stop_does_not_wait_for_a_silent_host(jobs, tmp_path, monkeypatch):
    begun, released, signals = threading.Event(), threading.Event(), StopSignals()

    def stage(*_):
        begun.set()
        signals.abandon.set()
        released.wait(20)

    monkeypatch.setattr(job_inputs, "stage", stage)
    with pytest.raises(StoppedError):
        stage_inputs(task(jobs, "s"), jobs.store, jobs.settings, tmp_path / "work", signals)
    assert begun.is_set()
    released.set()
