"""Short jobs over a real S3 and SQS server, with killed workers and a failing network, under the simulation's checker.

`PACIFICO_TEST_JOBS=10000 python -m pytest -m slow -s tests/simulation/test_emulator.py` runs ten thousand.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from pathlib import Path

import boto3
import pytest

from pacifico.jobs import keys
from pacifico.jobs.client import JobClient
from simulation.checker import Checker, Job
from simulation.emulated_worker import BAD_KW, fail_requests
from simulation.scheduler import Process

ROOT = Path(__file__).parents[2]
RATE = 0.03
CREW = 3
JOBS_BETWEEN_KILLS = 20  # of one worker, on average
WAVE = 200  # jobs submitted at once: the emulator's time for a message grows with the length of its queue
JOBS = int(os.environ.get("PACIFICO_TEST_JOBS") or 200)
PART = 500  # jobs with a bucket and queues of their own: the emulator's time for a request grows with the size of its bucket
MOST_ROUNDS = 50  # of submissions until every job of a wave is sent
LOOKED_AT = 40  # jobs whose status is read between two looks at the crew


class Crew:
    """Worker processes that are killed after a few jobs, and replaced."""

    def __init__(self, folder, rng):
        self._folder = folder
        self._rng = rng
        self._workers = []
        self.kills = 0
        for place in range(CREW):
            self._workers.append(self._start(place))

    def _start(self, place):
        name = f"w{place}-{self.kills}"
        path = self._folder / f"{name}.log"
        with path.open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("emulated_worker.py")), name, str(RATE)],
                env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log,
            )  # fmt: skip
        return worker, path, self._rng.randint(2, 2 * JOBS_BETWEEN_KILLS)

    def kill_some(self):
        """Kill the workers that have begun as many jobs as they may."""
        for place, (worker, path, most) in enumerate(self._workers):
            assert worker.poll() is None, f"worker {place} ended by itself: {path.read_text()[-3000:]}"
            if path.read_bytes().count(b'{"event": "start"') >= most:
                worker.kill()
                worker.wait()
                self.kills += 1
                self._workers[place] = self._start(place)

    def endings(self):
        """How deliveries ended, as the workers logged it."""
        lines = (line for path in self._folder.glob("*.log") for line in path.read_text().splitlines())
        return [json.loads(line) for line in lines if line.startswith('{"event": "end"') and line.endswith("}")]

    def close(self):
        for worker, _, _ in self._workers:
            worker.send_signal(signal.SIGTERM)
        for worker, _, _ in self._workers:
            try:
                worker.wait(30)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


@pytest.fixture
def client(bucket, queues, monkeypatch, tmp_path):
    boto3.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for name, value in {
        "PACIFICO_STORE": f"s3://{bucket}", "PACIFICO_QUEUE_URL": queues[0], "PACIFICO_DLQ_URL": queues[1],
        "PACIFICO_OWNER": "ann", "PACIFICO_LEASE_S": "8", "PACIFICO_VISIBILITY_S": "12", "PACIFICO_WAIT_S": "1",
        "PACIFICO_RETRY_S": "0.5", "PACIFICO_SWEEP_S": "2", "PACIFICO_SCRATCH": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = JobClient()
    boundary = tmp_path / "site.kml"
    boundary.write_bytes(b"<kml/>")
    client.upload_site(boundary, site_id="s")
    return client


def submit(client, numbers, rng):
    """Submit jobs over the failing network, each until its client heard of it."""
    jobs = {}
    for number in numbers:
        bad = rng.random() < 0.05
        request = client.request(
            "s", dem="sample", idempotency_key=str(number), target_capacity_kw=BAD_KW if bad else 1000
        )
        jobs[request.layout_id] = Job(request, good=not bad)
    end = fail_requests(RATE, rng)
    try:
        left = [job.request for job in jobs.values()]
        for _ in range(MOST_ROUNDS):
            responses = client.submit_many(left)
            unsure = {r["layout_id"] for r in responses if r["status"] in ("unsent", "rejected")}
            left = [request for request in left if request.layout_id in unsure]
            if not left:
                break
        assert not left, responses
    finally:
        end()
    return jobs


def history(bucket, layout_id):
    """Every status that was written, in order, with its time."""
    s3 = boto3.client("s3")
    key = keys.status("ann", layout_id)
    versions = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    for version in reversed(versions):
        body = s3.get_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])["Body"].read()
        yield body, version["LastModified"].timestamp()


def judge(checker, bucket, job):
    """Give the checker every write of a job's status. Who writes is known by the nonce; ages are those of the versions."""
    holder, before, key = Process("client"), None, keys.status("ann", job.layout_id)
    for data, at in history(bucket, job.layout_id):
        status = json.loads(data)
        if status["status"] == "processing" and status["nonce"] not in job.nonces:
            holder = Process(status["worker"])
        age_s = None if before is None else at - before + 1.0  # dates have whole seconds
        checker.on_status(holder, key, data, age_s, 0.0)
        before = at


def submit_wave(client, numbers, rng):
    """Submit jobs, and cancel one in twenty of them."""
    jobs = submit(client, numbers, rng)
    for layout_id in rng.sample(sorted(jobs), len(jobs) // 20):
        jobs[layout_id].cancels += 1
        client.cancel(layout_id)
    return jobs


def drop_ended(client, waiting):
    """Look at some of the jobs in turn, and take those that have ended from the queue."""
    for _ in range(min(len(waiting), LOOKED_AT)):
        layout_id = waiting.popleft()
        if client.status(layout_id)["status"] not in ("completed", "failed", "cancelled"):
            waiting.append(layout_id)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(0, JOBS, PART))
def test_short_jobs_with_kills_and_faults(client, bucket, tmp_path, first):
    count = min(PART, JOBS - first)
    rng = random.Random(first + 1)
    started = time.monotonic()
    logs = Path(tempfile.mkdtemp(dir=tmp_path))
    jobs, waiting = {}, deque()
    crew = Crew(logs, rng)
    try:
        deadline = time.monotonic() + 600 + 3 * count
        while len(jobs) < count or waiting:
            if len(jobs) < count and len(waiting) <= WAVE // 2:
                wave = submit_wave(client, range(len(jobs), min(len(jobs) + WAVE, count)), rng)
                jobs |= wave
                waiting.extend(wave)
            drop_ended(client, waiting)
            assert time.monotonic() < deadline, "\n".join(
                p.read_text()[-2000:] for p in sorted(logs.glob("*.log"))[-3:]
            )
            time.sleep(0.2)  # a log sends no events
            crew.kill_some()
        seconds = time.monotonic() - started
        endings = crew.endings()
    finally:
        crew.close()
    checker = Checker()
    for job in jobs.values():
        checker.add(job)
        judge(checker, bucket, job)
    objects = {}
    for job in jobs.values():
        assert job.terminal
        for name in job.status["artifacts"]:
            key = keys.artifact("ann", job.layout_id, job.status["attempt"], name)
            objects[key] = (client._store.read(key).data,)
    checker.at_end(objects, {row["layout_id"] for row in client.list(limit=None)}, keys.artifact)
    assert checker.violations == []
    completed = Counter(line["layout_id"] for line in endings if line["ending"] == "completed")
    assert max(completed.values()) == 1
    states = Counter(job.status["status"] for job in jobs.values())
    print(
        f"{count} jobs from {first} on in {seconds:.0f} s with {crew.kills} kills: {dict(states)}; "
        f"attempts {dict(Counter(job.status['attempt'] for job in jobs.values()))}; "
        f"deliveries {dict(Counter(line['ending'] for line in endings))}"
    )
