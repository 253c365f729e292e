"""The runner's own steps; whole runs are in tests/worker."""

from __future__ import annotations

import socket
import threading
import time
from types import SimpleNamespace

import pytest

from pacifico.jobs.delivery import RunOutcome, RunTask
from pacifico.jobs.request import JobRequest
from pacifico.jobs.runner import job_inputs
from pacifico.jobs.runner.job_inputs import JobInputs
from pacifico.jobs.runner.processes import Child
from pacifico.jobs.runner.runner import NotebookRunner
from pacifico.jobs.settings import Settings
from pacifico.jobs.stop_signals import StoppedError, StopSignals

TASK = RunTask(request=JobRequest(owner="ann", site_id="s", dem="sample"), attempt=1, worker="w")


class Silent:
    """Starts no process: a child that never says anything."""

    def __init__(self):
        self.theirs = []

    def spawn(self, folder):
        ours, theirs = socket.socketpair()
        self.theirs.append(theirs)
        child = Child(folder, ours, 0, None)
        child.end = ours.close
        return child

    def close(self):
        for end in self.theirs:
            end.close()


@pytest.fixture
def runner(local_store, tmp_path):
    found = NotebookRunner(
        local_store, Settings(store="unused", owner="ann", scratch=tmp_path / "scratch"), Silent(), standby=False
    )
    yield found
    found.close()


def run_and_stop(runner, which):
    """Run, stop after 0.3 s, and return how long that took [s]."""
    signals = StopSignals()
    timer = threading.Timer(0.3, getattr(signals, which).set)
    timer.start()
    started = time.monotonic()
    with runner.workspace() as folder, pytest.raises(StoppedError):
        runner.run(TASK, folder, lambda *_: None, signals)
    timer.join()
    return time.monotonic() - started


@pytest.mark.parametrize("which", ["interrupt", "abandon"])
def test_a_stop_does_not_wait_for_a_host_that_is_silent(runner, monkeypatch, which):
    released = threading.Event()
    monkeypatch.setattr(job_inputs, "stage", lambda *_: released.wait(20))
    assert run_and_stop(runner, which) < 2
    released.set()


def test_a_stop_does_not_wait_for_a_kernel_that_starts(runner, monkeypatch, tmp_path):
    (tmp_path / "boundary").write_text("")
    monkeypatch.setattr(job_inputs, "stage", lambda *_: ({"boundary": tmp_path / "boundary"}, {}))
    assert run_and_stop(runner, "interrupt") < 2


def test_what_staging_raises_is_raised_by_the_run(runner, monkeypatch):
    def fail(*_):
        raise KeyError("suffix")

    monkeypatch.setattr(job_inputs, "stage", fail)
    with runner.workspace() as folder, pytest.raises(KeyError, match="suffix"):
        runner.run(TASK, folder, lambda *_: None, StopSignals())


def test_a_run_outside_its_workspace_is_refused(runner, tmp_path):
    with pytest.raises(RuntimeError, match="outside its workspace"):
        runner.run(SimpleNamespace(request=None), tmp_path, lambda *_: None, StopSignals())


class Terrain:
    """Terrain of a run, sent until the test lets it go."""

    def __init__(self, error=None):
        self.sending = threading.Event()
        self.sent = threading.Event()
        self.error = error

    def keep(self, signals):
        self.sending.set()
        if self.error is not None:
            raise self.error
        self.sent.wait(20)


def runs(runner, monkeypatch, terrain, outcome):
    """Have a run end at once with an outcome; its terrain is sent then."""
    monkeypatch.setattr("pacifico.jobs.runner.runner.stage_inputs", lambda *_: JobInputs({}, {}, terrain))
    monkeypatch.setattr(Child, "wait_ready", lambda *_: None)
    runner._watch = lambda *_: outcome


@pytest.mark.parametrize("which", ["interrupt", "abandon"])
def test_a_stop_does_not_wait_until_terrain_is_sent(runner, monkeypatch, tmp_path, which):
    terrain, signals = Terrain(), StopSignals()
    runs(runner, monkeypatch, terrain, RunOutcome(report=tmp_path))
    timer = threading.Thread(target=lambda: (terrain.sending.wait(20), getattr(signals, which).set()))
    timer.start()
    with runner.workspace() as folder:
        runner.run(TASK, folder, lambda *_: None, signals)
    assert not terrain.sent.is_set()
    terrain.sent.set()
    timer.join()


def test_no_terrain_is_sent_after_a_stop(runner, monkeypatch, tmp_path):
    terrain, signals = Terrain(), StopSignals()
    signals.interrupt.set()
    runs(runner, monkeypatch, terrain, RunOutcome(report=tmp_path, kind="cancelled"))
    with runner.workspace() as folder:
        runner.run(TASK, folder, lambda *_: None, signals)
    assert not terrain.sending.is_set()


def test_terrain_that_can_not_be_sent_costs_the_cache_alone(runner, monkeypatch, tmp_path, caplog):
    runs(runner, monkeypatch, Terrain(OSError("disk")), RunOutcome(report=tmp_path))
    with runner.workspace() as folder:
        assert runner.run(TASK, folder, lambda *_: None, StopSignals()).kind is None
    assert "terrain not kept" in caplog.text
