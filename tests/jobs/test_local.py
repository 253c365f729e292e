"""Jobs without a queue: run here, in the foreground or behind, through the same lifecycle."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pacifico.jobs import local
from pacifico.jobs.client import JobClient
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.runner.processes import ProcessSpawner
from pacifico.jobs.settings import from_environment
from pacifico.jobs.store.base import PermissionDeniedError

SHORT = str(Path(__file__).parents[1] / "worker" / "short.py")


@pytest.fixture
def client(tmp_path, monkeypatch):
    for name in ("PACIFICO_QUEUE_URL", "PACIFICO_DLQ_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PACIFICO_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PACIFICO_OWNER", "ann")
    monkeypatch.setenv("PACIFICO_LEASE_S", "4")
    monkeypatch.setenv("PACIFICO_TEST_COLD", "1")
    return JobClient(from_environment(), spawner=ProcessSpawner((sys.executable, SHORT, "child")))


def ask(client, tmp_path, **parameters):
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    return client.request(client.upload_site(path), dem="sample", target_capacity_kw=1000, parameters=parameters)


def test_a_foreground_job_is_done_when_submit_returns(client, tmp_path):
    request = ask(client, tmp_path)
    response = client.submit(request)
    assert response["status"] == "completed"
    status = client.status(request.layout_id)
    assert (status["attempt"], status["asset_count"], status["stalled"]) == (1, 3, False)
    assert (client.fetch(request.layout_id, tmp_path / "out") / "report.html").is_file()
    assert client.submit(request) == {
        "layout_id": request.layout_id,
        "status": "completed",
        "message": "Layout is completed already",
    }


@pytest.mark.slow
def test_a_failed_one_says_why_and_runs_again(client, tmp_path):
    request = ask(client, tmp_path, fail="service")
    assert client.submit(request)["status"] == "failed"
    assert client.status(request.layout_id)["error_kind"] == "service"
    assert client.redrive(request.layout_id)["status"] == "failed"
    assert client.status(request.layout_id)["attempt"] == 2


@pytest.mark.slow
def test_a_background_job_outlives_its_command_and_a_killed_one_reads_as_failed(client, tmp_path):
    done, killed = ask(client, tmp_path), ask(client, tmp_path, seconds=100.0)
    records = client._records
    for request in (done, killed):
        records.submit(request)
    jobs = [("ann", done.layout_id), ("ann", killed.layout_id)]
    local.start_background(jobs, command=(sys.executable, SHORT, "background"))
    assert client.wait([done.layout_id], timeout_s=60)[done.layout_id]["status"] == "completed"
    end = time.monotonic() + 60
    while (found := client.status(killed.layout_id))["status"] != "processing":
        assert time.monotonic() < end
        time.sleep(0.05)
    os.kill(int(found["worker"].split(":")[2]), signal.SIGKILL)
    ended = client.wait([killed.layout_id], timeout_s=20)[killed.layout_id]
    assert (ended["status"], ended["error_kind"]) == ("failed", "lost")
    assert "redrive it" in ended["error_message"]


def test_reading_a_status_leaves_a_job_of_the_same_host_and_process_id_alone(client, tmp_path):
    """Two containers that share a store: equal host names and ids, other processes."""
    request = ask(client, tmp_path)
    records = client._records
    records.submit(request)
    name = f"local:{socket.gethostname()}:{os.getpid()}:{'0' * 32}"
    claim(records, "ann", request.layout_id, worker=name, settings=client.settings)
    assert client.status(request.layout_id)["status"] == "processing"


def test_who_may_only_read_is_shown_a_job_whose_process_has_ended(client, tmp_path, monkeypatch):
    """Whoever may write ends it."""
    code = "from pacifico.jobs.process_lock import process_name; print(process_name())"
    name = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    request = ask(client, tmp_path)
    client._records.submit(request)
    claim(client._records, "ann", request.layout_id, worker=name, settings=client.settings)

    def refuse(*_, **__):
        raise PermissionDeniedError("access denied")

    with monkeypatch.context() as reader:
        for write in ("swap", "put", "create"):
            reader.setattr(client._store, write, refuse)
        assert client.status(request.layout_id)["status"] == "processing"
    assert client.status(request.layout_id)["status"] == "failed"
