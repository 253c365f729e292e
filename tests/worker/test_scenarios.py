"""What can happen to a job, made to happen: real workers, kernels and signals, a real server over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from pacifico.jobs import keys
from pacifico.jobs.queue import Pointer


def processes_in(folder):
    """Processes that work within a folder: runners and kernels of jobs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if str(path.readlink()).startswith(str(folder)):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_a_job_from_message_to_report(world):
    layout_id = world.submit()
    worker = world.worker("--burst")
    status = world.reaches(layout_id, "completed")
    assert (status.attempt, status.asset_count, status.total_capacity_kw, status.progress_pct) == (1, 3, 1000, 100)
    assert worker.wait(60) == 0
    world.settled()
    out = world.check_report(status)
    assert (out / "inputs" / "boundary.kml").read_bytes() == b"<kml/>"
    start, end = world.lines(worker)
    assert (start["event"], start["layout_id"], start["attempt"]) == ("start", layout_id, 1)
    assert (end["event"], end["ending"], end["AssetCount"]) == ("end", "completed", 3)
    metrics = {m["Name"] for m in end["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert metrics >= {"JobSeconds", "QueueSeconds", "Failures", "AssetCount"}
    assert all(name in end for name in metrics)
    assert world.client.list(status="completed")[0]["layout_id"] == layout_id
    assert processes_in(world.scratch) == []


@pytest.mark.parametrize(
    ("parameters", "env", "kind", "words"),
    [
        ({"fail": "cell"}, {}, "request", "ValueError: no such ground"),
        pytest.param({"unknown": 1}, {}, "request", "'unknown' is not a parameter", marks=pytest.mark.slow),
        pytest.param(
            {"seconds": 60.0}, {"PACIFICO_JOB_TIMEOUT_S": "3"}, "timeout", "limit of 3 s", marks=pytest.mark.slow
        ),
        pytest.param(
            {"fail": "memory", "seconds": 0.5},
            {"PACIFICO_JOB_MEMORY_MB": "600"},
            "memory",
            "more than 629 MB",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_fault_of_the_request_is_told_once_and_acknowledged(world, parameters, env, kind, words):
    layout_id = world.submit(**parameters)
    worker = world.worker("--burst", **env)
    status = world.reaches(layout_id, "failed")
    assert (status.error_kind, status.attempt) == (kind, 1)
    assert words in status.error_message
    assert worker.wait(60) == 0
    world.settled()
    assert not any(world.dead.depth().values())
    if "unknown" not in parameters:
        out = world.client.fetch(layout_id, world.tmp / "out")
        assert json.loads((out / "manifest.json").read_text())["outcome"]["status"] == "failed"
    assert world.lines(worker)[-1]["ErrorKind"] == kind


@pytest.mark.slow
@pytest.mark.parametrize(("fail", "words"), [("service", "503"), ("exit", "SIGKILL"), ("disk", "No space left")])
def test_a_fault_of_the_surroundings_comes_again_then_ends_as_a_dead_letter(world, fail, words):
    layout_id = world.submit(fail=fail)
    world.worker()
    status = world.reaches(layout_id, "failed")
    assert status.attempt == 3
    assert words in status.error_message
    world.settled()
    assert sum(world.dead.depth().values()) == 1
    assert world.client.redrive(layout_id)["status"] == "queued"
    world.until(lambda: world.status(layout_id).attempt == 6 and world.status(layout_id).terminal, 60, "three more")


@pytest.mark.slow
def test_an_unreadable_message_is_recorded_and_ends_as_a_dead_letter(world):
    stranger = Pointer("ann", str(uuid.uuid4()))
    for body in ("hello", '{"schema_version": 2, "new": true}', stranger.to_body()):
        world.queue._client.send_message(QueueUrl=world.queue.url, MessageBody=body)
    worker = world.worker()
    world.until(lambda: world.dead.depth()["waiting"] == 3, 60, "3 dead letters")
    told = [line for line in world.lines(worker) if line["ending"] == "unreadable"]
    assert {line["body"] for line in told} >= {"hello"}
    assert len(told) == 9


@pytest.mark.slow
def test_a_kernel_killed_by_others_is_tried_again(world):
    layout_id = world.submit(seconds=4.0)
    world.worker()
    status = world.running(layout_id)
    kernels = [p for p in processes_in(world.scratch) if b"forkserver" in Path(f"/proc/{p}/cmdline").read_bytes()]
    assert kernels
    victims = [p for p in kernels if Path(f"/proc/{p}/oom_score_adj").read_text().strip() == "800"]
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    status = world.reaches(layout_id, "completed")
    assert status.attempt == 2


@pytest.mark.slow
def test_sigterm_lets_a_short_job_finish(world):
    layout_id = world.submit(seconds=3.0)
    other = world.submit()
    worker = world.worker()
    world.running(layout_id)
    worker.terminate()
    assert worker.wait(40) == 0
    assert world.status(layout_id).status == "completed"
    assert world.status(other).attempt == 0  # it took no more


@pytest.mark.slow
def test_sigterm_hands_a_long_job_back(world):
    layout_id = world.submit(seconds=6.0)
    worker = world.worker(PACIFICO_STOP_GRACE_S="1")
    world.running(layout_id)
    worker.terminate()
    assert worker.wait(40) == 0
    status = world.status(layout_id)
    assert (status.status, status.attempt, status.error_kind) == ("queued", 1, None)
    [message] = world.until(lambda: world.queue.receive(wait_s=1, visibility_s=0), 20, "a fresh copy")
    assert message.receives == 1  # a polite stop costs no receive
    kept = [e.key for e in world.client._store.list(keys.attempt("ann", layout_id, 1) + "/")]
    assert any(key.endswith("report.ipynb") for key in kept)
    world.worker("--burst")
    assert world.reaches(layout_id, "completed").attempt == 2


@pytest.mark.slow
def test_a_zombie_does_not_win(world):
    layout_id = world.submit(seconds=5.0)
    zombie = world.worker()
    first = world.running(layout_id)
    zombie.send_signal(signal.SIGSTOP)
    world.worker()
    second = world.until(lambda: (s := world.status(layout_id)).attempt == 2 and s, 60, "a takeover")
    assert second.nonce != first.nonce
    zombie.send_signal(signal.SIGCONT)  # its notebook has ended meanwhile, and it would commit
    status = world.reaches(layout_id, "completed")
    assert status.attempt == 2
    world.check_report(status)
    world.until(lambda: any(line["event"] == "end" for line in world.lines(zombie)), 30, "the zombie's own word")
    assert next(line["ending"] for line in world.lines(zombie) if line["event"] == "end") == "lost"
    assert world.status(layout_id).revision == status.revision
    world.settled()


@pytest.mark.slow
def test_a_message_delivered_twice_is_one_run(world):
    layout_id = world.submit(seconds=2.0)
    for _ in range(3):
        world.queue.send(Pointer("ann", layout_id))
    for _ in range(2):
        world.worker()
    status = world.reaches(layout_id, "completed")
    assert status.attempt == 1
    world.settled(60)
    assert world.status(layout_id) == status
    assert not any(world.dead.depth().values())


@pytest.mark.slow
def test_a_lost_delete_is_acknowledged_without_a_run(world):
    lost = []
    world.proxy.rule = lambda call: (
        "swallow" if call.name == "sqs:DeleteMessage" and not lost and not lost.append(1) else None
    )
    layout_id = world.submit()
    worker = world.worker()
    status = world.reaches(layout_id, "completed")
    world.settled(60)
    assert lost
    assert world.status(layout_id) == status
    world.until(lambda: "acknowledged" in [line.get("ending") for line in world.lines(worker)], 30, "the ack")


@pytest.mark.slow
def test_an_expired_visibility_costs_no_second_run(world):
    world.proxy.rule = lambda call: "swallow" if call.name == "sqs:ChangeMessageVisibility" else None
    layout_id = world.submit(seconds=9.0)  # past the 6 s for which the message is hidden
    for _ in range(2):
        world.worker()
    status = world.reaches(layout_id, "completed")
    assert status.attempt == 1
    world.proxy.rule = lambda call: None
    world.settled(60)
    endings = [line["ending"] for w in world.workers for line in world.lines(w) if line["event"] == "end"]
    assert "handed back" in endings


@pytest.mark.slow
def test_a_store_that_fails_and_lags(world):
    def rule(call):
        if call.name.startswith("s3:"):
            if call.number % 3 == 0:
                return 500
            if call.number % 5 == 0:
                return lambda: time.sleep(1.0)
            if call.number % 7 == 0:
                return "drop reply"  # it was done, and nobody heard
        return None

    world.proxy.rule = rule
    ids = [world.submit() for _ in range(3)]
    world.worker()
    for layout_id in ids:
        status = world.reaches(layout_id, "completed", seconds=120)
        world.check_report(status)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [5, 60])
def test_a_queue_that_is_gone_for_a_while(world, seconds):
    layout_id = world.submit(seconds=1.0)
    worker = world.worker()
    world.running(layout_id)
    gone = time.monotonic()
    world.proxy.rule = lambda call: (
        "drop" if call.name.startswith("sqs:") and time.monotonic() < gone + seconds else None
    )
    assert world.reaches(layout_id, "completed").attempt == 1  # the store alone decides
    after = world.submit()
    world.reaches(after, "completed", seconds=seconds + 60)
    world.settled(60)
    assert worker.poll() is None
    assert world.status(layout_id).attempt == 1


@pytest.mark.slow
def test_cancel_kills_the_kernel(world):
    layout_id = world.submit(seconds=120.0)
    worker = world.worker("--standby", "off")
    world.running(layout_id)
    assert world.client.cancel(layout_id)["status"] == "cancelled"
    world.until(
        lambda: "cancelled" in [line.get("ending") for line in world.lines(worker)], 20, "the attempt's finding out"
    )
    world.settled()
    world.until(lambda: not list((world.scratch).glob("pacifico-job-*")), 10, "no processes or folders left")
    status = world.status(layout_id)
    assert (status.status, status.error_kind, dict(status.artifacts)) == ("cancelled", "cancelled", {})


@pytest.mark.slow
def test_a_clock_ten_minutes_off_changes_nothing(world):
    layout_id = world.submit(seconds=6.0)
    behind = world.worker(PACIFICO_TEST_SKEW="-600")
    world.running(layout_id)
    world.worker(PACIFICO_TEST_SKEW="600")
    world.queue.send(Pointer("ann", layout_id))
    status = world.reaches(layout_id, "completed")
    assert status.attempt == 1
    assert abs(status.finished_at.timestamp() - time.time()) < 30
    [start] = [line for line in world.lines(behind) if line["event"] == "start"]
    assert 0 <= start["queue_seconds"] < 60


@pytest.mark.slow
def test_a_full_disk_is_the_surroundings_fault(world):
    small = world.tmp / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk here")
    try:
        (small / "filler").write_bytes(b"x" * 60_000)
        layout_id = world.submit()
        full = world.worker(PACIFICO_SCRATCH=str(small))
        world.until(lambda: world.status(layout_id).error_kind == "service", 60, "a release")
        assert "No space left" in world.status(layout_id).error_message
        full.terminate()
        full.wait(60)
        world.worker("--burst")
        assert world.reaches(layout_id, "completed").attempt >= 2
    finally:
        for process in world.workers:
            if process.poll() is None:
                process.kill()
                process.wait()
        subprocess.run(["umount", "-l", str(small)], check=True)


def walk(world, number, when):
    """Kill a worker at its n-th request to store or queue; give the request's name, None past the last."""
    layout_id = world.submit()
    hit = []
    base = len(world.proxy.calls)

    def rule(call):
        if call.number - base == number and not hit:
            hit.append(call.name)
            return (when, victim.kill)
        return None

    victim = world.worker("--burst", "--standby", "off")
    world.proxy.rule = rule
    victim.wait(60)
    world.proxy.rule = lambda call: None
    rescuer = world.worker("--burst", "--standby", "off")
    status = world.reaches(layout_id, "completed")
    rescuer.wait(60)
    world.settled(60)
    world.check_report(status)
    assert status.attempt <= 2
    assert [row["status"] for row in world.client.list() if row["layout_id"] == layout_id] == ["completed"]
    assert world.status(layout_id) == status
    return hit[0] if hit else None


@pytest.mark.slow
@pytest.mark.parametrize(("number", "when"), [(3, "after"), (14, "before")])
def test_a_worker_killed_at_some_steps(world, number, when):
    assert walk(world, number, when)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_killed_at_every_step(world, when):
    names = []
    while name := walk(world, len(names), when):
        names.append(name)
    print(f"killed {when} each of {len(names)} requests: {names}")
    assert any("status.json" in name for name in names)
    assert "sqs:DeleteMessage" in names


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_messages_with_a_worker_killed_every_five_seconds(world):
    """4 workers, one killed with SIGKILL every 5 s: completed once each, or failed with its message a dead letter."""
    count = int(os.environ.get("PACIFICO_TEST_MESSAGES") or 1000)
    requests = [world.client.request(world.site, dem="sample", target_capacity_kw=1000) for _ in range(count)]
    started = time.monotonic()
    assert {r["status"] for r in world.client.submit_many(requests)} == {"queued"}
    ids = {r.layout_id for r in requests}
    sent = time.monotonic() - started
    busy = {"PACIFICO_LEASE_S": "15", "PACIFICO_VISIBILITY_S": "20"}  # two cores for five processes and their kernels
    crew = [world.worker(**busy) for _ in range(4)]
    kills = 0

    def states():
        return Counter(row["status"] for row in world.client.list(limit=None) if row["layout_id"] in ids)

    def work_off(*, kill):
        nonlocal kills
        last, end = time.monotonic(), time.monotonic() + 3 * count + 300
        while sum((found := states())[name] for name in ("completed", "failed")) < count:
            assert time.monotonic() < end, f"{found} {world.queue.depth()}\n{world.said()[-3000:]}"
            if kill and time.monotonic() - last > 5:
                last, place = time.monotonic(), kills % 4
                crew[place].kill()
                crew[place].wait()
                crew[place] = world.worker(**busy)
                kills += 1
            time.sleep(0.5)
        world.settled(120)

    work_off(kill=True)
    seconds = time.monotonic() - started
    statuses = {layout_id: world.status(layout_id) for layout_id in ids}
    found = Counter(s.status for s in statuses.values())
    lost = [i for i, s in statuses.items() if s.status == "failed"]
    assert set(found) <= {"completed", "failed"}
    letters = set()

    def all_found():  # workers look into them too, and hide them while they do
        letters.update(json.loads(m.body)["layout_id"] for m in world.dead.receive(wait_s=1, visibility_s=1, most=10))
        return set(lost) <= letters

    world.until(all_found, 150, "a dead letter for each failed job")
    for status in statuses.values():
        if status.status == "completed":
            assert "manifest.json" in status.artifacts
    for layout_id in lost:
        assert world.client.redrive(layout_id)["status"] == "queued"
    work_off(kill=False)
    assert states() == {"completed": count}
    attempts = Counter(world.status(i).attempt for i in ids)
    print(
        f"{count} messages sent in {sent:.1f} s, worked off in {seconds:.0f} s with {kills} kills: "
        f"{dict(found)}, {len(letters)} dead letters, attempts {dict(attempts)}; after a redrive {dict(states())}"
    )
    ended = Counter(
        line["layout_id"]
        for worker in world.workers
        for line in world.lines(worker)
        if line["event"] == "end" and line["ending"] == "completed"
    )
    assert max(ended.values()) == 1  # no job was completed twice


def test_a_notebook_sees_no_credentials_and_nothing_of_the_job_before(world):
    ids = [world.submit(notebook="spy") for _ in range(2)]
    worker = world.worker("--burst")
    reports = []
    for layout_id in ids:
        out = world.check_report(world.reaches(layout_id, "completed"))
        reports.append(json.loads((out / "spy.json").read_text()))
    worker.wait(60)
    for seen in reports:
        told = json.dumps([seen["environ"], seen["self"], [p for p in seen["parents"] if p[0] != os.getpid()][:2]])
        for secret in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PACIFICO_QUEUE_URL", "PACIFICO_STORE"):
            assert secret not in told, secret
        assert (seen["before"], seen["files"], seen["module"]) == ([], [], None)
        assert "LEFT_BEHIND" not in seen["environ"]
        assert seen["cwd"].startswith(seen["home"])
    first, second = reports
    assert first["home"] != second["home"]
    assert first["group"] != second["group"]
    assert first["random"][0] != second["random"][0]
    assert first["random"][1] != second["random"][1]
