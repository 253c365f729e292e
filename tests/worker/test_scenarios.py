"""What can happen to a job, made to happen: real workers, kernels and signals, a real server over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from pacifico.jobs import keys
from pacifico.jobs.queue import Pointer

#: For a worker that is to lose its job: another may have it soon. All others keep theirs on a busy machine, too.
FORGETFUL = {"PACIFICO_LEASE_S": "4", "PACIFICO_VISIBILITY_S": "6"}


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
    assert worker.wait(180) == 0
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
    assert worker.wait(180) == 0
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
    world.until(lambda: world.status(layout_id).attempt == 6 and world.status(layout_id).terminal, what="three more")


@pytest.mark.slow
def test_an_unreadable_message_is_recorded_and_ends_as_a_dead_letter(world):
    stranger = Pointer("ann", str(uuid.uuid4()))
    for body in ("hello", '{"schema_version": 2, "new": true}', stranger.to_body()):
        world.queue._client.send_message(QueueUrl=world.queue.url, MessageBody=body)
    worker = world.worker()
    world.until(lambda: world.dead.depth()["waiting"] == 3, what="3 dead letters")
    told = [line for line in world.lines(worker) if line["ending"] == "unreadable"]
    assert {line["body"] for line in told} >= {"hello"}
    assert len(told) == 9


@pytest.mark.slow
def test_a_kernel_killed_by_others_is_tried_again(world):
    layout_id = world.submit(gated=True)
    world.worker()
    status = world.running(layout_id)
    kernels = [p for p in processes_in(world.scratch) if b"forkserver" in Path(f"/proc/{p}/cmdline").read_bytes()]
    assert kernels
    victims = [p for p in kernels if Path(f"/proc/{p}/oom_score_adj").read_text().strip() == "800"]
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    world.open_gate()
    status = world.reaches(layout_id, "completed")
    assert status.attempt == 2


@pytest.mark.slow
def test_sigterm_lets_a_short_job_finish(world):
    layout_id = world.submit(gated=True)
    other = world.submit()
    worker = world.worker()
    world.running(layout_id)
    worker.terminate()
    world.open_gate()
    assert worker.wait(120) == 0
    assert world.status(layout_id).status == "completed"
    assert world.status(other).attempt == 0  # it took no more


@pytest.mark.slow
def test_sigterm_hands_a_long_job_back(world):
    layout_id = world.submit(gated=True)
    worker = world.worker(PACIFICO_STOP_GRACE_S="1")
    world.running(layout_id)
    worker.terminate()
    assert worker.wait(120) == 0
    status = world.status(layout_id)
    assert (status.status, status.attempt, status.error_kind) == ("queued", 1, None)
    [message] = world.until(lambda: world.queue.receive(wait_s=1, visibility_s=0), 20, "a fresh copy")
    assert message.receives == 1  # a polite stop costs no receive
    kept = [e.key for e in world.client._store.list(keys.attempt("ann", layout_id, 1) + "/")]
    assert any(key.endswith("report.ipynb") for key in kept)
    world.open_gate()
    world.worker("--burst")
    assert world.reaches(layout_id, "completed").attempt == 2


@pytest.mark.slow
def test_a_zombie_does_not_win(world):
    """Stopped past its lease, continued while another runs the job: its own run has ended, and it would commit."""
    layout_id = world.submit(gated=True)
    zombie = world.worker(**FORGETFUL)
    first = world.running(layout_id)
    zombie.send_signal(signal.SIGSTOP)
    world.open_gate()
    told = threading.Event()
    hold = world.front(lambda call: told.wait if call.name == "s3:PUT manifest.json" else None)
    other = world.worker(AWS_ENDPOINT_URL=hold)
    second = world.until(lambda: (s := world.status(layout_id)).attempt == 2 and s, what="a takeover")
    assert second.nonce != first.nonce
    zombie.send_signal(signal.SIGCONT)
    world.says("lost", zombie)
    assert world.status(layout_id).nonce == second.nonce
    told.set()
    status = world.reaches(layout_id, "completed")
    assert (status.attempt, status.nonce) == (2, second.nonce)
    world.check_report(status)
    world.says("completed", other)
    world.settled()
    assert "completed" not in world.endings(zombie)
    assert world.status(layout_id) == status


@pytest.mark.slow
def test_a_message_delivered_twice_is_one_run(world):
    layout_id = world.submit(gated=True)
    for _ in range(3):
        world.queue.send(Pointer("ann", layout_id))
    for _ in range(2):
        world.worker()
    world.running(layout_id)
    world.says("handed back")  # whoever has not the job meets a live lease
    world.open_gate()
    status = world.reaches(layout_id, "completed")
    assert status.attempt == 1
    world.settled()
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
    world.settled()
    assert lost
    assert world.status(layout_id) == status
    world.says("acknowledged", worker)


@pytest.mark.slow
def test_an_expired_visibility_costs_no_second_run(world):
    lease = {"PACIFICO_LEASE_S": "10", "PACIFICO_VISIBILITY_S": "12"}
    world.proxy.rule = lambda call: "swallow" if call.name == "sqs:ChangeMessageVisibility" else None
    layout_id = world.submit(gated=True)
    for _ in range(2):
        world.worker(**lease)
    world.running(layout_id)
    world.says("handed back")  # the message showed again after 12 s, and the job's lease was alive
    world.open_gate()
    status = world.reaches(layout_id, "completed")
    assert status.attempt == 1
    world.proxy.rule = lambda call: None
    world.settled()
    assert world.status(layout_id) == status


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
        status = world.reaches(layout_id, "completed", seconds=300)
        world.check_report(status)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [5, 60])
def test_a_queue_that_is_gone_for_a_while(world, seconds):
    layout_id = world.submit(gated=True)
    worker = world.worker()
    world.running(layout_id)
    gone = time.monotonic()
    world.proxy.rule = lambda call: (
        "drop" if call.name.startswith("sqs:") and time.monotonic() < gone + seconds else None
    )
    world.open_gate()
    assert world.reaches(layout_id, "completed").attempt == 1  # the store alone decides
    after = world.submit()
    world.reaches(after, "completed", seconds=seconds + 180)
    world.settled()
    assert worker.poll() is None
    assert world.status(layout_id).attempt == 1


@pytest.mark.slow
def test_cancel_kills_the_kernel(world):
    layout_id = world.submit(gated=True)
    worker = world.worker("--standby", "off")
    world.running(layout_id)
    assert world.client.cancel(layout_id)["status"] == "cancelled"
    world.says("cancelled", worker)
    world.settled()
    world.until(lambda: not list(world.scratch.glob("pacifico-job-*")), what="no folders left")
    world.until(lambda: not processes_in(world.scratch), what="no processes left")
    status = world.status(layout_id)
    assert (status.status, status.error_kind, dict(status.artifacts)) == ("cancelled", "cancelled", {})


@pytest.mark.slow
@pytest.mark.parametrize("skew", [-600, 600])
def test_a_clock_ten_minutes_off_changes_nothing(world, skew):
    layout_id = world.submit(gated=True)
    wrong = world.worker(PACIFICO_TEST_SKEW=str(skew))
    world.running(layout_id)
    other = world.worker(PACIFICO_TEST_SKEW=str(-skew))
    world.queue.send(Pointer("ann", layout_id))
    world.says("handed back", other)  # 20 minutes ahead or behind, it still sees that the lease is alive
    world.open_gate()
    status = world.reaches(layout_id, "completed")
    assert status.attempt == 1
    assert abs(status.finished_at.timestamp() - time.time()) < 60
    [start] = [line for line in world.lines(wrong) if line["event"] == "start"]
    assert 0 <= start["queue_seconds"] < 120


@pytest.mark.slow
def test_a_dead_lease_is_seen_whatever_the_clock(world):
    layout_id = world.submit(gated=True)
    victim = world.worker(PACIFICO_TEST_SKEW="600", **FORGETFUL)
    world.running(layout_id)
    victim.kill()
    world.open_gate()
    world.worker(PACIFICO_TEST_SKEW="-600")
    assert world.reaches(layout_id, "completed").attempt == 2


@pytest.mark.slow
def test_five_workers_at_once(world):
    ids = [world.submit(gated=True) for _ in range(5)]
    crew = world.worker("--concurrency", "5")
    running = [world.running(layout_id) for layout_id in ids]
    assert len({status.worker for status in running}) == 5
    world.open_gate()
    assert [world.reaches(layout_id, "completed").attempt for layout_id in ids] == [1] * 5
    crew.terminate()
    assert crew.wait(120) == 0


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
        world.until(lambda: world.status(layout_id).error_kind == "service", what="a release")
        assert "No space left" in world.status(layout_id).error_message
        full.terminate()
        full.wait(120)
        world.worker("--burst")
        assert world.reaches(layout_id, "completed").attempt >= 2
    finally:
        for process in world.workers:
            if process.poll() is None:
                process.kill()
                process.wait()
        subprocess.run(["umount", "-l", str(small)], check=True)


class Walk:
    """Kills a worker at one of its requests to store or queue, and has a second one, that waits, finish the job."""

    def __init__(self, world):
        self.world = world
        self.free, self.held = threading.Event(), threading.Event()
        self.rescuer = world.worker(AWS_ENDPOINT_URL=world.front(self._hold))

    def _hold(self, call):
        # Not for longer than who asks will wait: a message sent to nobody would count as received.
        if call.name == "sqs:ReceiveMessage" and not self.free.is_set():
            self.held.set()
            return None if self.free.wait(10) else "drop"
        return None

    def steps(self):
        """All steps of a job up to the deletion of its message, each as its name and how often it came before."""
        self.run(None, "after")  # later jobs find their terrain in the cache
        for _ in range(TRIES):
            found, attempt, _ = self.run(None, "after")
            if attempt == 1:  # else the machine was too busy for the lease, and that run is no model
                break
        else:
            raise AssertionError(f"no job came to its end within one lease; the last took {attempt} attempts: {found}")
        seen, steps = Counter(), []
        for step in found[: found.index("sqs:DeleteMessage") + 1]:
            seen[step] += 1
            steps.append((step, seen[step]))
        # How often a lease is renewed is a matter of the machine: two renewals stand for all.
        return [(step, n) for step, n in steps if n <= 2 or step not in RENEWAL]

    def kill_at(self, wanted, when):
        """Kill a worker at a step; where a busy machine lost the job before it came, with another job."""
        for _ in range(TRIES):
            steps, _, hit = self.run(wanted, when)
            if hit:
                return
        raise AssertionError(f"{wanted} did not come: {steps}")

    def run(self, wanted, when):
        """Kill at a step, before or after the server hears it, and have the job finished.

        Return the steps of the killed worker, the job's last attempt, and whether the step came. The job's notebook goes
        on only after two renewals, so these come in every run.
        """
        world, hit, steps, lock = self.world, threading.Event(), [], threading.Lock()
        world.gate.unlink(missing_ok=True)
        self.free.clear()
        self.held.clear()
        assert self.held.wait(180)  # it asks for nothing now
        world.until(lambda: not any(world.queue.depth().values()))
        layout_id = world.submit(gated=True)

        def rule(call):
            with lock:
                steps.append(call.step)
                if all(steps.count(step) >= 2 for step in RENEWAL):
                    world.open_gate()
                if hit.is_set() or (call.step, steps.count(call.step)) != wanted:
                    return None
                hit.set()
            return (when, victim.kill)

        victim = world.worker("--burst", "--standby", "off", PACIFICO_LEASE_S="8", PACIFICO_VISIBILITY_S="10")
        world.proxy.rule = rule
        victim.wait(180)
        world.proxy.rule = lambda call: None
        world.open_gate()
        self.free.set()
        status = world.reaches(layout_id, "completed")
        world.settled()
        world.check_report(status)
        assert status.attempt <= 3
        assert [row["status"] for row in world.client.list() if row["layout_id"] == layout_id] == ["completed"]
        assert world.status(layout_id) == status
        assert self.rescuer.poll() is None
        return steps, status.attempt, hit.is_set()


#: Jobs with which a step is tried: on a busy machine a worker may lose its job before the step comes.
TRIES = 3

#: Steps that renew a lease and keep its message hidden.
RENEWAL = ("s3:PUT status.json renewed", "sqs:ChangeMessageVisibility")


@pytest.mark.parametrize(
    ("step", "when"), [("s3:PUT status.json processing", "after"), ("s3:PUT status.json completed", "before")]
)
def test_a_worker_killed_at_some_steps(world, step, when):
    Walk(world).kill_at((step, 1), when)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_killed_at_every_step(world, when):
    walk = Walk(world)
    steps = walk.steps()
    for step in steps:
        walk.kill_at(step, when)
    print(f"killed {when} each of {len(steps)} requests: {steps}")
    assert {step for step, _ in steps} >= {
        *RENEWAL,
        "s3:PUT status.json processing",
        "s3:PUT status.json completed",
        "s3:PUT manifest.json",
        "sqs:DeleteMessage",
    }


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
    straight = {"AWS_ENDPOINT_URL": world.proxy.target.geturl()}
    crew = [world.worker(**straight) for _ in range(4)]
    kills, over = 0, threading.Event()

    def states():
        return Counter(row["status"] for row in world.client.list(limit=None) if row["layout_id"] in ids)

    def kill():
        nonlocal kills
        while not over.wait(5):
            place = kills % 4
            crew[place].kill()
            crew[place].wait()
            crew[place] = world.worker(**straight)
            kills += 1

    def work_off():
        end = time.monotonic() + 3 * count + 300
        while sum((found := states())[name] for name in ("completed", "failed")) < count:
            assert time.monotonic() < end, f"{found} {world.queue.depth()}\n{world.said()[-3000:]}"
            time.sleep(2)
        world.settled(300)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        work_off()
    finally:
        over.set()
        killer.join()
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
    work_off()
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
