"""The state machine of `pacifico.jobs.lifecycle`, driven by hypothesis over the real local store.

The queue is a model (messages, receives, a dead-letter list); statuses, swaps and leases are the real ones. Time passes by
setting a status file's mtime back, which is all that a lease goes by.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.attempt import Attempt, LostError
from pacifico.jobs.delivery import Ending, RunOutcome
from pacifico.jobs.lifecycle import claim, deliver
from pacifico.jobs.records import Records
from pacifico.jobs.request import JobRequest, UnknownVersionError
from pacifico.jobs.settings import Settings
from pacifico.jobs.stop_signals import StoppedError
from pacifico.jobs.store.base import PermissionDeniedError, StoreError
from pacifico.jobs.store.local import LocalStore

OWNER = "ann@example.com"
JOBS = [str(uuid.UUID(int=n)) for n in range(1, 4)]
SETTINGS = Settings(store="unused", owner=OWNER, lease_s=60, visibility_s=120)


@dataclass
class Letter:
    layout_id: str
    sent: float
    generation: int = 0
    receives: int = 0
    hidden: bool = False
    gone: bool = False


@dataclass
class Worker:
    letter: Letter
    attempt: Attempt
    results: list[str] = field(default_factory=list)


class Jobs(RuleBasedStateMachine):
    working = Bundle("working")

    @initialize()
    def begin(self):
        self.root = Path(tempfile.mkdtemp(prefix="model-"))
        self.records = Records(LocalStore(self.root))
        self.letters: list[Letter] = []
        self.dead: list[Letter] = []
        self.commits: dict[str, list[int]] = {name: [] for name in JOBS}
        self.generation = dict.fromkeys(JOBS, 0)
        for name in JOBS[:2]:
            self.submit(name, "")

    def teardown(self):
        if not hasattr(self, "root"):
            return
        try:
            self.drain()
            self.redrive_all()
        finally:
            shutil.rmtree(self.root)

    # --- the world

    def send(self, layout_id):
        self.letters.append(Letter(layout_id, self.records.now(), self.generation[layout_id]))

    def visible(self):
        return [letter for letter in self.letters if not letter.gone and not letter.hidden]

    def receive(self):
        for letter in self.visible():
            if letter.receives >= 3:
                letter.gone = True
                self.dead.append(letter)
                continue
            letter.receives += 1
            letter.hidden = True
            return letter
        return None

    def age(self, layout_id, seconds):
        path = self.root / keys.status(OWNER, layout_id)
        if path.exists():
            stat = path.stat()
            os.utime(path, (stat.st_atime, stat.st_mtime - seconds))

    def state(self, layout_id):
        return self.records.read(OWNER, layout_id).status

    def submitted(self):
        return [name for name in JOBS if (self.root / keys.status(OWNER, name)).exists()]

    # --- the client

    @rule(layout_id=st.sampled_from(JOBS), crash=st.sampled_from(["", "after request", "before send"]))
    def submit(self, layout_id, crash):
        request = JobRequest(layout_id=layout_id, owner=OWNER, site_id="s", target_capacity_kw=1000, dem="sample")
        if crash == "after request" and layout_id not in self.submitted():
            return  # nobody was told that it is submitted
        held = self.records.submit(request)
        if crash != "before send" and held.status.status == "queued":
            self.send(layout_id)
        elif crash == "before send" and held.status.status == "queued":
            self.send(layout_id)  # the user, told nothing, submits again

    @rule(layout_id=st.sampled_from(JOBS))
    def cancel(self, layout_id):
        if layout_id in self.submitted():
            before = self.state(layout_id)
            after = self.records.cancel(OWNER, layout_id).status
            assert after.status == (before.status if before.terminal else "cancelled")

    @rule(layout_id=st.sampled_from(JOBS))
    def redrive(self, layout_id):
        if layout_id in self.submitted() and self.state(layout_id).status == "failed":
            # Seconds pass between a dead letter and its redrive; here, the letters grow older instead.
            for letter in [*self.letters, *self.dead]:
                letter.sent -= 10 if letter.layout_id == layout_id else 0
            self.generation[layout_id] += 1
            assert self.records.redrive(OWNER, layout_id, force=True).status.status == "queued"
            self.sweep()  # an idle worker looks before the message comes: the old letters say nothing about the job
            assert self.state(layout_id).status == "queued"
            self.send(layout_id)

    # --- workers

    @rule(target=working)
    def start(self):
        letter = self.receive()
        if letter is None:
            return None
        before = self.records.read(OWNER, letter.layout_id)
        got = claim(self.records, OWNER, letter.layout_id, worker="w", settings=SETTINGS)
        assert isinstance(got, Attempt) != (before.alive or before.status.terminal)
        if isinstance(got, Attempt):
            return Worker(letter, got)
        if got.status.terminal:
            letter.gone = True
        else:
            assert got.alive
            self.send(letter.layout_id)
            letter.gone = True
        return None

    @rule(worker=working, stage=st.sampled_from([*states.STAGES, "unknown"]))
    def renew(self, worker, stage):
        if worker is None:
            return
        worker.attempt.progress(stage, "")
        before = self.state(worker.letter.layout_id)
        try:
            worker.attempt.swap(worker.attempt._renewed)
        except LostError:
            assert before.status != "processing" or before.nonce != worker.attempt.status.nonce or worker.results
        else:
            assert before.nonce == worker.attempt.status.nonce

    @rule(
        worker=consumes(working),
        how=st.sampled_from(["completed", "failed", "released", "stopped"]),
        crash=st.booleans(),
    )
    def end(self, worker, how, crash):
        if worker is None:
            return
        attempt, letter = worker.attempt, worker.letter
        change = {
            "completed": lambda s, now: states.completed(s, artifacts={}, metrics={"asset_count": 3}, now=now),
            "failed": lambda s, now: states.failed(s, kind="request", message="m", now=now),
            "released": lambda s, now: states.released(s, reason="m", kind="service", now=now),
            "stopped": lambda s, now: states.released(s, reason="m", kind=None, now=now),
        }[how]
        try:
            attempt.swap(change)
        except LostError:
            return  # the message is another's, or returns
        if how == "completed":
            self.commits[letter.layout_id].append(attempt.status.attempt)
        if crash or how == "released":
            return  # hidden, and visible again in time
        if how == "stopped":
            self.send(letter.layout_id)
        letter.gone = True

    @rule(worker=consumes(working))
    def kill(self, worker):
        """SIGKILL: nothing more is heard of it."""

    @rule()
    def poison(self):
        """Whoever takes the next message is killed, three times over: it ends as a dead letter."""
        taken = [letter for letter in self.visible()[:1] if not self.records.read(OWNER, letter.layout_id).alive]
        for letter in taken:
            while not letter.gone:
                for other in self.letters:
                    other.hidden = other is not letter
                self.age(letter.layout_id, 61)
                self.start()
            for other in self.letters:
                other.hidden = False

    @rule(layout_id=st.sampled_from(JOBS))
    def lease_ends(self, layout_id):
        self.age(layout_id, 61)

    @rule(layout_id=st.sampled_from(JOBS))
    def silence(self, layout_id):
        """Nothing is heard of its workers for long: lease and visibility both end."""
        self.age(layout_id, 61)
        for letter in self.letters:
            letter.hidden = letter.hidden and letter.layout_id != layout_id

    @rule(n=st.integers(0, 20))
    def visibility_ends(self, n):
        hidden = [letter for letter in self.letters if letter.hidden and not letter.gone]
        if hidden:
            hidden[n % len(hidden)].hidden = False

    @rule()
    def sweep(self):
        for letter in self.dead:
            before = self.records.read(OWNER, letter.layout_id)
            after = self.records.fail_dead(
                OWNER, letter.layout_id, sent=letter.sent, receives=3, queue_empty=bool
            ).status
            old = letter.generation < self.generation[letter.layout_id]
            if before.alive or before.status.terminal or old:
                assert after.status == before.status.status

    # --- what always holds

    @invariant()
    def one_result_each(self):
        if not hasattr(self, "commits"):
            return
        for layout_id, commits in self.commits.items():
            assert len(commits) <= 1, f"{layout_id} completed by attempts {commits}"
            if commits:
                status = self.state(layout_id)
                assert (status.status, status.attempt) == ("completed", commits[0])

    def drain(self):
        """Let honest workers have the rest: nothing stays stuck, nothing is lost."""
        for _ in range(200):
            for name in JOBS:
                self.age(name, 61)
            for letter in self.letters:
                letter.hidden = False
            if not self.visible():
                break
            self.end(self.start(), "completed", crash=False)
        for name in JOBS:
            self.age(name, 61)
        self.sweep()
        self.one_result_each()
        for layout_id in self.submitted():
            status = self.state(layout_id)
            assert status.terminal, f"{layout_id} stays {status.status}"

    def redrive_all(self):
        """What failed is put back by hand, and honest workers complete all of it."""
        failed = [name for name in self.submitted() if self.state(name).status == "failed"]
        for name in failed:
            self.redrive(name)
        self.drain()
        for name in failed:
            assert self.state(name).status == "completed", f"{name} is not completed after a redrive"


Jobs.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestJobs = Jobs.TestCase


@pytest.mark.parametrize("content", [b"{", b'{"schema_version": 1, "owner": "' + b"x" * 300 + b'"}'])
def test_a_request_that_cant_be_read_ends_its_job(tmp_path, content):
    records = Records(LocalStore(tmp_path))
    request = JobRequest(layout_id=JOBS[0], owner=OWNER, site_id="s", dem="sample")
    records.submit(request)
    path = tmp_path / keys.request(OWNER, JOBS[0])
    path.chmod(0o600)
    path.write_bytes(content)
    found = claim(records, OWNER, JOBS[0], worker="w", settings=SETTINGS)
    assert not isinstance(found, Attempt)
    assert (found.status.status, found.status.error_kind) == ("failed", "request")
    assert "request" in found.status.error_message


def test_a_request_that_was_replaced_is_not_run(tmp_path):
    records = Records(LocalStore(tmp_path))
    request = JobRequest(layout_id=JOBS[0], owner=OWNER, site_id="s", dem="sample")
    records.submit(request)
    path = tmp_path / keys.request(OWNER, JOBS[0])
    path.chmod(0o600)
    path.write_bytes(request.model_copy(update={"site_id": "other"}).to_bytes())
    found = claim(records, OWNER, JOBS[0], worker="w", settings=SETTINGS)
    assert (found.status.status, found.status.error_kind) == ("failed", "request")
    assert "is not the submitted one" in found.status.error_message


# one delivery, whatever its run comes to


class FakeStop:
    """A worker that runs on, or must stop."""

    def __init__(self, *, requested=False):
        self.requested = requested

    def watch(self, _signals):
        return nullcontext()


class FakeRunner:
    """Runner whose run leaves a file, then returns an outcome or raises."""

    def __init__(self, folder, ending):
        self.folder = folder
        self.ending = ending

    def workspace(self):
        return nullcontext(self.folder)

    def run(self, _task, folder, on_stage, _signals):
        on_stage("placing_assets", "")
        (folder / "report").mkdir()
        (folder / "report" / "metrics.json").write_text("{}")
        if callable(self.ending):
            self.ending()
            return RunOutcome(report=folder / "report")
        if isinstance(self.ending, Exception):
            raise self.ending
        return replace(self.ending, report=folder / "report")


@pytest.fixture
def local(tmp_path):
    records = Records(LocalStore(tmp_path / "store"))
    request = JobRequest(layout_id=str(uuid.uuid4()), owner="ann", site_id="s", dem="sample")
    records.submit(request)
    return records, request


def delivered(local, tmp_path, ending, *, stop=False, receives=1):
    records, request = local
    folder = tmp_path / "work"
    folder.mkdir()
    return deliver(
        records,
        "ann",
        request.layout_id,
        worker="w",
        settings=SETTINGS,
        runner=FakeRunner(folder, ending),
        stop=FakeStop(requested=stop),
        receives=receives,
    )


ENDED = RunOutcome(report=Path())


@pytest.mark.parametrize(
    ("ending", "found", "do", "status", "kind"),
    [
        (ENDED, Ending.COMPLETED, "delete", "completed", None),
        (replace(ENDED, kind="request", message="no ground"), Ending.FAILED, "delete", "failed", "request"),
        (replace(ENDED, kind="timeout", message="too long"), Ending.FAILED, "delete", "failed", "timeout"),
        (replace(ENDED, kind="service", message="away"), Ending.RELEASED, "hide", "queued", "service"),
        (replace(ENDED, kind="lost", message="died"), Ending.RELEASED, "hide", "queued", "lost"),
        (replace(ENDED, kind="cancelled", message="stop"), Ending.RELEASED, "hide", "queued", "lost"),
        (InputError("no such site"), Ending.FAILED, "delete", "failed", "request"),
        (StoppedError("stop"), Ending.RELEASED, "hide", "queued", "lost"),
        (OSError("disk full"), Ending.RELEASED, "hide", "queued", "service"),
        (ZeroDivisionError("odd"), Ending.FAILED, "delete", "failed", "service"),
    ],
)
def test_each_end_of_a_run_is_written_and_settles_its_message(local, tmp_path, ending, found, do, status, kind):
    result = delivered(local, tmp_path, ending)
    stored = local[0].read("ann", local[1].layout_id).status
    assert (result.ending, result.do, result.kind) == (found, do, kind)
    assert stored == result.status
    assert (stored.status, stored.attempt) == (status, 1)
    assert bool(stored.artifacts) == (status in ("completed", "failed") and not isinstance(ending, ZeroDivisionError))
    if status == "failed":
        assert stored.error_kind == kind


@pytest.mark.parametrize("ending", [replace(ENDED, kind="cancelled"), StoppedError("stop")])
def test_a_worker_that_must_stop_hands_its_job_back_at_once(local, tmp_path, ending):
    result = delivered(local, tmp_path, ending, stop=True)
    assert (result.ending, result.do, result.delay_s) == (Ending.HANDED_BACK, "copy", 0.0)
    assert local[0].read("ann", local[1].layout_id).status.status == "queued"


@pytest.mark.parametrize(("receives", "pause_s"), [(1, 15), (2, 30), (3, 60), (6, 480), (7, 900), (40, 900)])
def test_a_pause_doubles_with_every_receive_up_to_a_quarter_of_an_hour(local, tmp_path, receives, pause_s):
    assert SETTINGS.retry_s == 15
    assert delivered(local, tmp_path, OSError("away"), receives=receives).delay_s == pause_s


def test_a_job_that_had_ended_is_acknowledged_without_a_run(local, tmp_path):
    records, request = local
    records.fail("ann", request.layout_id, kind="request", message="no ground")
    result = delivered(local, tmp_path, ENDED)
    assert (result.ending, result.do, result.status.status) == (Ending.ACKNOWLEDGED, "delete", "failed")
    assert not (tmp_path / "work" / "report").exists()


def test_a_job_that_another_worker_holds_is_delivered_again_when_its_lease_is_over(local, tmp_path):
    records, request = local
    claim(records, "ann", request.layout_id, worker="other", settings=SETTINGS)
    result = delivered(local, tmp_path, ENDED)
    assert (result.ending, result.do, result.status.worker) == (Ending.HANDED_BACK, "copy", "other")
    assert SETTINGS.lease_s - 1 <= result.delay_s <= SETTINGS.lease_s + 1
    assert not (tmp_path / "work" / "report").exists()


def test_a_job_cancelled_meanwhile_stays_cancelled(local, tmp_path):
    records, request = local
    result = delivered(local, tmp_path, lambda: records.cancel("ann", request.layout_id))
    assert (result.ending, result.do, result.status.status) == (Ending.CANCELLED, "delete", "cancelled")
    assert records.read("ann", request.layout_id).status == result.status


def test_a_job_taken_over_meanwhile_is_left_to_the_other_worker_with_its_message(local, tmp_path):
    records, request = local

    def take_over():
        held = records.read("ann", request.layout_id)
        records.swap(held, states.claimed(held.status, worker="other", nonce="theirs", lease_s=60, now=records.now()))

    result = delivered(local, tmp_path, take_over)
    assert (result.ending, result.do, result.delay_s) == (Ending.LOST, "leave", SETTINGS.retry_s)
    assert (result.status.worker, result.store_failed) == ("other", False)
    assert list(records.store.list(f"{keys.attempt('ann', request.layout_id, 1)}/"))  # nothing points to them


def test_a_job_deleted_meanwhile_leaves_nothing(local, tmp_path):
    records, request = local

    def delete():
        for entry in list(records.store.list(f"{keys.layout('ann', request.layout_id)}/")):
            records.store.delete(entry.key)

    result = delivered(local, tmp_path, delete)
    assert (result.ending, result.do, result.status) == (Ending.LOST, "leave", None)
    assert not list(records.store.list(f"{keys.layout('ann', request.layout_id)}/"))


@pytest.mark.parametrize(
    ("error", "found", "kind", "store_failed"),
    [
        (UnknownVersionError("request.json has schema_version 9"), Ending.UNREADABLE, None, False),
        (InputError("status.json is no JSON"), Ending.UNREADABLE, "request", False),
        (StoreError("no answer"), Ending.RELEASED, "service", True),
        (PermissionDeniedError("access denied"), Ending.RELEASED, "service", False),
    ],
)
def test_a_job_that_cannot_be_claimed_comes_back_after_a_pause(
    local, tmp_path, monkeypatch, error, found, kind, store_failed
):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(local[0], "request", refuse)
    monkeypatch.setattr(local[0], "fail", refuse)
    result = delivered(local, tmp_path, ENDED, receives=2)
    assert (result.ending, result.do, result.delay_s) == (found, "hide", 30)
    assert (result.kind, result.store_failed, result.message) == (kind, store_failed, str(error))
    assert not (tmp_path / "work" / "report").exists()


def test_a_message_is_copied_for_a_second_after_the_others_lease(local, tmp_path, monkeypatch):
    records, request = local
    claim(records, "ann", request.layout_id, worker="other", settings=SETTINGS)
    monkeypatch.setattr("pacifico.jobs.records.StoredStatus.lease_left_s", 20.0)
    assert delivered(local, tmp_path, ENDED).delay_s == 21.0


def test_who_starts_a_job_is_told_its_status_once(local, tmp_path):
    records, request = local
    told = []
    folder = tmp_path / "work"
    folder.mkdir()
    options = {"worker": "w", "settings": SETTINGS, "stop": FakeStop(), "on_start": told.append}
    result = deliver(records, "ann", request.layout_id, runner=FakeRunner(folder, OSError("away")), **options)
    assert [(s.status, s.worker, s.attempt) for s in told] == [("processing", "w", 1)]
    assert result.delay_s == SETTINGS.retry_s  # a message without a count was received once
    records.cancel("ann", request.layout_id)
    deliver(records, "ann", request.layout_id, runner=FakeRunner(folder, ENDED), **options)
    assert len(told) == 1


@pytest.mark.parametrize(("error", "calls"), [(StoreError("no answer"), 2), (PermissionDeniedError("denied"), 1)])
def test_a_claim_is_written_once_more_where_the_store_gave_no_answer(local, monkeypatch, error, calls):
    records, request = local
    swap, asked = records.swap, []

    def failing(stored, new):
        asked.append(new.nonce)
        if len(asked) == 1:
            raise error
        return swap(stored, new)

    monkeypatch.setattr(records, "swap", failing)
    if calls == 1:
        with pytest.raises(PermissionDeniedError):
            claim(records, "ann", request.layout_id, worker="w", settings=SETTINGS)
    else:
        found = claim(records, "ann", request.layout_id, worker="w", settings=SETTINGS)
        assert isinstance(found, Attempt)
        assert records.read("ann", request.layout_id).status.worker == "w"
    assert len(asked) == calls
    assert len(set(asked)) == 1


def test_what_a_store_cannot_find_is_not_the_requests_fault(local):
    with pytest.raises(LookupError):
        claim(local[0], "ann", str(uuid.uuid4()), worker="w", settings=SETTINGS)


def test_a_job_that_had_ended_is_in_the_index_afterwards(local, tmp_path, monkeypatch):
    records, request = local
    ended = records.fail("ann", request.layout_id, kind="request", message="no ground").status
    noted = []
    monkeypatch.setattr(records, "index", noted.append)
    delivered(local, tmp_path, ENDED)
    assert noted == [ended]


@pytest.mark.parametrize(
    ("ending", "message"), [(InputError("no such site"), "no such site"), (StoppedError("stop"), "stop")]
)
def test_what_a_stopped_or_refused_run_left_is_uploaded_with_its_message(local, tmp_path, ending, message):
    result = delivered(local, tmp_path, ending)
    stored = local[0].read("ann", local[1].layout_id).status
    assert (stored.error_message, result.message) == (message, message)
    assert list(local[0].store.list(f"{keys.attempt('ann', local[1].layout_id, 1)}/"))
