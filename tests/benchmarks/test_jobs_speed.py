"""Speed of jobs: throughput against `papermill` commands, latency, polls and listings.

    pytest -m benchmark -s tests/benchmarks/test_jobs_speed.py

Throughputs are compared within one run, with two jobs at a time and as many on both sides, so that a busy machine slows both.
They are those of a running crew: each of its workers has run a job before. The limits in seconds hold on an idle machine.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pacifico.compiling import compile_kernels
from pacifico.data import sample_site_path
from pacifico.jobs import keys
from pacifico.jobs.queue import Pointer
from pacifico.run import notebooks

WORKER = Path(__file__).resolve().parent.parent / "worker"
_spec = importlib.util.spec_from_file_location("worker_conftest", WORKER / "conftest.py")
_worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_worker)
server, aws, bucket, queues, world = _worker.server, _worker.aws, _worker.bucket, _worker.queues, _worker.world

SHIPPED = notebooks.folder()
"""Folder of the shipped notebooks; `world` names another one."""

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

JOBS = int(os.environ.get("PACIFICO_TEST_JOBS") or 12)
AT_ONCE = 2

SAMPLE_KW = 20_000
POLL_S = 0.5
"""Pause between two looks at the jobs: each look asks the emulator for every open job, on the cores that are measured."""


@pytest.fixture
def warm(world):
    """Start function of workers that import everything in advance."""
    del world.env["PACIFICO_TEST_COLD"]

    def start(*options, **env):
        return world.worker(*options, AWS_ENDPOINT_URL=os.environ["AWS_ENDPOINT_URL"], **env)

    yield start
    world.env["PACIFICO_TEST_COLD"] = "1"


def requests_of(world, count, site=None, **fields):
    fields = {"dem": "sample", "target_capacity_kw": 1000, "notebook": "brief", **fields}
    return [world.client.request(site or world.site, **fields) for _ in range(count)]


def run_jobs(world, requests):
    """Seconds from the first message until all jobs are completed [s]."""
    started = time.perf_counter()
    world.client.submit_many(requests)
    found = world.client.wait([r.layout_id for r in requests], timeout_s=900, poll_s=POLL_S)
    seconds = time.perf_counter() - started
    assert {body["status"] for body in found.values()} == {"completed"}
    return seconds


def warm_up(world, crew, **fields):
    """Run jobs until every worker of a crew has completed one: then its imports are done and its next kernel is ready."""
    while len({line["worker"] for line in world.lines(crew) if line["event"] == "end"}) < AT_ONCE:
        run_jobs(world, requests_of(world, AT_ONCE, **fields))


def papermill(folder, count, notebook, *parameters):
    """Seconds of as many papermill commands [s]."""
    pytest.importorskip("papermill")

    def run(number):
        out = folder / f"papermill-{number}"
        (out / "inputs").mkdir(parents=True)
        command = [sys.executable, "-m", "papermill", str(notebook), str(out / "out.ipynb"), *parameters]
        subprocess.run([*command, "--cwd", str(out), "--no-progress-bar"], check=True, capture_output=True)
        assert (out / "metrics.json").exists()

    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, range(count)))
    return time.perf_counter() - started


def test_workers_run_three_times_as_many_jobs_as_papermill(world, warm, tmp_path, record_property):
    boundary = tmp_path / "site.kml"
    boundary.write_bytes(b"<kml/>")
    notebook = WORKER / "notebooks" / "brief.ipynb"
    per_minute = {"papermill": 60 * JOBS / papermill(tmp_path, JOBS, notebook, "-p", "boundary", str(boundary))}
    for standby in ("fork", "process"):
        crew = warm("--concurrency", str(AT_ONCE), "--standby", standby)
        warm_up(world, crew)
        per_minute[standby] = 60 * JOBS / run_jobs(world, requests_of(world, JOBS))
        crew.terminate()
        assert crew.wait(120) == 0
    _show(per_minute, record_property)
    assert per_minute["fork"] >= 3 * per_minute["papermill"]
    assert per_minute["fork"] > per_minute["process"]  # a new process imports everything again for each job


def test_reports_of_the_sample_are_four_times_as_many_as_by_papermill(
    world, warm, tmp_path, record_property, monkeypatch
):
    """Compare on the shipped notebook: a report of the sample site, whole."""
    compile_kernels()
    monkeypatch.setattr(notebooks, "folder", lambda: SHIPPED)
    notebook = notebooks.find("layout_report").path
    asked = ["-p", "boundary", "sample", "-p", "dem", "sample", "-p", "target_capacity_kw", str(SAMPLE_KW)]
    per_minute = {"papermill": 60 * JOBS / papermill(tmp_path, JOBS, notebook, *asked)}
    site = world.client.upload_site(sample_site_path())
    fields = {"site": site, "notebook": "layout_report", "target_capacity_kw": SAMPLE_KW}
    crew = warm("--concurrency", str(AT_ONCE), "--standby", "fork", PACIFICO_TEST_SHIPPED="1")
    warm_up(world, crew, **fields)
    per_minute["fork"] = 60 * JOBS / run_jobs(world, requests_of(world, JOBS, **fields))
    crew.terminate()
    assert crew.wait(120) == 0
    _show(per_minute, record_property)
    assert per_minute["fork"] >= 4 * per_minute["papermill"]


def _show(per_minute, record_property):
    print({name: f"{value:.1f} jobs/min" for name, value in per_minute.items()})
    for name, value in per_minute.items():
        record_property(f"{name}_jobs_per_minute", round(value, 1))


def test_job_starts_fast_with_a_warm_standby(world, warm, record_property):
    """Measure the time from message to first notebook line."""
    warm()
    run_jobs(world, requests_of(world, 1))
    waits = []
    for request in requests_of(world, 11):
        world.client._records.submit(request)
        time.sleep(3)  # until the next kernel is ready, as after a pause in the queue
        sent = time.time()
        world.queue.send(Pointer(world.client.owner, request.layout_id))
        status = world.reaches(request.layout_id, "completed")
        key = keys.artifact(world.client.owner, request.layout_id, status.attempt, "started.json")
        waits.append(json.loads(world.client._store.read(key).data) - sent)
    median = statistics.median(waits)
    print(f"queue to first cell: p50 {median:.3f} s, all {[round(w, 3) for w in sorted(waits)]}")
    record_property("queue_to_start_p50_seconds", round(median, 3))
    assert median < 0.3


def test_submissions_and_polls_are_fast(world, record_property):
    submits, polls = [], []
    for request in requests_of(world, 20):
        started = time.perf_counter()
        world.client.submit(request)
        submits.append(time.perf_counter() - started)
        started = time.perf_counter()
        world.client.status(request.layout_id)
        polls.append(time.perf_counter() - started)
    slowest = {"submit": max(submits), "status": max(polls)}
    print({name: f"{1000 * value:.0f} ms at most" for name, value in slowest.items()})
    record_property("submit_seconds", round(slowest["submit"], 3))
    record_property("status_seconds", round(slowest["status"], 3))
    assert slowest["submit"] < 2
    assert slowest["status"] < 0.5


def test_listing_ten_thousand_layouts_takes_ten_pages_and_less_than_three_seconds(world, record_property):
    client = world.client
    state = ["completed", "failed", "queued", "cancelled"]
    first_ms = 1_700_000_000_000
    names = [
        keys.hint("ann", str(uuid.uuid4()), created_ms=first_ms + n * 1000, revision=3, status=state[n % 4])
        for n in range(10_000)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: client._store.put(key, b"", kind="jobs"), names))
    pages, own = [], time.process_time()
    client._store._client.meta.events.register(
        "before-send.s3.ListObjectsV2", lambda **_: pages.append(time.perf_counter())
    )
    started = time.perf_counter()
    rows = client.list(status="failed", limit=None)
    seconds, own = time.perf_counter() - started, time.process_time() - own
    assert len(rows) == 2500
    assert len(pages) == 10  # S3 gives at most 1000 keys a page
    print(
        f"10,000 layouts listed by status in {seconds:.2f} s, {own:.2f} s of it in this process, the rest in the emulator"
    )
    record_property("list_10000_seconds", round(seconds, 2))
    record_property("list_10000_own_seconds", round(own, 2))
    assert seconds < 3
