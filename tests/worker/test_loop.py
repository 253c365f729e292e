"""The loop in this process, with a real store; the queue and the notebook's run are small ones made here."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import threading
import uuid

import pytest

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs import keys
from pacifico.jobs.delivery import Delivery, Ending, RunOutcome
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.queue import Message, Pointer, QueueError
from pacifico.jobs.records import Records
from pacifico.jobs.request import JobRequest
from pacifico.jobs.runner.staging import stage
from pacifico.jobs.settings import Settings
from pacifico.jobs.store.base import PermissionDeniedError, StoreError
from worker.health import Pulse, check, patience
from worker.loop import Services, Worker
from worker.protection import Protection
from worker.report import Reporter
from worker.stop import Stop

SETTINGS = Settings(store="unused", owner="ann", lease_s=4, visibility_s=6, wait_s=0, retry_s=0)


class MemoryQueue:
    """A queue that counts receives as SQS does; `fails` makes every call fail."""

    def __init__(self):
        self.messages = []
        self.calls = []
        self.fails = False
        self.stop = None

    def send(self, layout_id, owner="ann"):
        self.messages.append([Pointer(owner, layout_id).to_body(), 0])

    def receive(self, *, wait_s, visibility_s, most=1):
        self.calls.append("receive")
        if self.fails:
            raise QueueError("queue away")
        if not self.messages:
            self.stop.request()
            return []
        entry = self.messages.pop(0)
        entry[1] += 1
        return [Message(str(uuid.uuid4()), json.dumps(entry[1]), entry[0], entry[1], 0.0)]

    def hide(self, message, seconds):
        self.calls.append("hide")
        self.messages.append([message.body, message.receives])

    def send_copy(self, message, *, delay_s):
        self.calls.append("copy")
        self.messages.append([message.body, 0])

    def delete(self, message):
        self.calls.append("delete")

    def depth(self):
        return {"waiting": len(self.messages)}


class Runs:
    """A runner whose every run does what the test says."""

    def __init__(self, folder, act):
        self.folder = folder
        self.act = act
        self.ran = 0

    @contextlib.contextmanager
    def workspace(self):
        yield self.folder

    def run(self, task, folder, on_stage, signals):
        self.ran += 1
        return self.act(task, folder, signals)


@pytest.fixture
def job(local_store, tmp_path):
    """A worker over a local store; `job.work()` runs it until its queue is empty."""

    class Job:
        def __init__(self):
            self.records = Records(local_store)
            self.queue = MemoryQueue()
            self.runner = Runs(tmp_path, lambda *_: RunOutcome(report=tmp_path / "report"))
            self.stop = self.queue.stop = Stop(0.0)
            self.pulse = Pulse(patience(SETTINGS), tmp_path / "pulse")
            self.out = io.StringIO()
            self.settings = SETTINGS

        def submit(self, owner="ann"):
            layout_id = str(uuid.uuid4())
            self.records.submit(JobRequest(layout_id=layout_id, owner=owner, site_id="s", dem="sample"))
            self.queue.send(layout_id, owner)
            return layout_id

        def work(self, receives=50):
            given = self.queue.receive

            def limited(**options):
                if len([c for c in self.queue.calls if c == "receive"]) >= receives:
                    self.stop.request()
                    return []
                return given(**options)

            self.queue.receive = limited
            services = Services(
                records=self.records,
                queue=self.queue,
                dead_letters=None,
                runner=self.runner,
                reporter=Reporter(worker="w", namespace="N", out=self.out),
                pulse=self.pulse,
                protection=Protection(longest_s=60, agent=""),
            )
            Worker("w", services, self.settings, self.stop).run()

        def status(self, layout_id, owner="ann"):
            return self.records.read(owner, layout_id).status

        def lines(self):
            return [json.loads(line) for line in self.out.getvalue().splitlines()]

    return Job()


def raises(error):
    def act(*_, **__):
        raise error

    return act


# --- whatever one job raises ends that job


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (InputError("no such ground"), "request", "no such ground"),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "not ASCII"), "service", "UnicodeEncodeError"),
        (KeyError("suffix"), "service", "KeyError"),
        (RecursionError("deep"), "service", "RecursionError"),
        (MemoryError("much"), "service", "MemoryError"),
    ],
)
def test_whatever_a_run_raises_ends_its_job_with_the_cause(job, error, kind, words):
    bad, good = job.submit(), job.submit()
    job.runner.act = lambda task, folder, _: (
        raises(error)() if task.request.layout_id == bad else RunOutcome(report=folder / "report")
    )
    job.work()
    status = job.status(bad)
    assert (status.status, status.error_kind, status.attempt) == ("failed", kind, 1)
    assert words in status.error_message
    assert job.status(good).status == "completed"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_a_metric_that_is_no_number_ends_its_job(job, value):
    bad, good = job.submit(), job.submit()
    job.runner.act = lambda task, folder, _: RunOutcome(
        report=folder / "report", metrics={"road_length_m": value} if task.request.layout_id == bad else {}
    )
    job.work()
    assert job.status(bad).status == "failed"
    assert "road_length_m" in job.status(bad).error_message
    assert job.status(good).status == "completed"


@pytest.mark.parametrize("content", [b"\xff", b"[]", b'{"schema_version": 1}', bytes(2 << 20), b"[" * 100_000])
@pytest.mark.parametrize("name", ["request", "status"])
def test_objects_that_make_no_sense_end_no_worker(job, local_store, name, content):
    bad = job.submit()
    good = job.submit()
    local_store.put(getattr(keys, name)("ann", bad), content, kind="jobs")
    job.work(receives=4)
    assert job.status(good).status == "completed"
    if name == "request":
        assert (job.status(bad).status, job.status(bad).error_kind) == ("failed", "request")
    else:
        assert job.lines()[0]["ending"] == "unreadable"


def test_a_fault_outside_the_attempt_ends_the_job_too(job, monkeypatch):
    bad, good = job.submit(), job.submit()
    ensure = job.records.ensure_status

    def broken(request, sha256):
        if request.layout_id == bad:
            raise TypeError("a bug")
        return ensure(request, sha256)

    monkeypatch.setattr(job.records, "ensure_status", broken)
    job.work(receives=4)
    assert (job.status(bad).status, job.status(bad).error_kind) == ("failed", "service")
    assert "TypeError: a bug" in job.status(bad).error_message
    assert job.status(good).status == "completed"


def test_lines_are_ascii_for_a_stdout_that_takes_nothing_else(job, tmp_path):
    with (tmp_path / "log").open("w", encoding="ascii") as out:
        job.out = out
        job.runner.act = raises(InputError("kein Gelände"))
        job.submit()
        job.work()
    lines = (tmp_path / "log").read_text(encoding="ascii").splitlines()
    assert "kein Gelände" in [json.loads(line).get("error_message") for line in lines]


# --- the key is the identity


@pytest.mark.parametrize("name", ["request", "status"])
def test_content_that_names_anothers_job_leaves_that_job_alone(job, local_store, name):
    """An owner copies another's object under a key of his own, and sends its message."""
    victim, mine = job.submit(owner="bob"), job.submit(owner="ann")
    before = job.records.read("bob", victim)
    key = getattr(keys, name)
    job.queue.messages = [m for m in job.queue.messages if mine in m[0]]
    local_store.put(key("ann", mine), local_store.read(key("bob", victim)).data, kind="jobs")
    job.work(receives=3)
    assert job.runner.ran == 0
    assert job.records.read("bob", victim).version == before.version
    if name == "request":
        assert "not its own key" in job.status(mine).error_message


# --- outages of store and queue


def store_that(store, monkeypatch, error, *, only=("read", "swap", "create", "put")):
    for name in only:
        monkeypatch.setattr(store, name, raises(error))


def test_while_the_store_is_away_nothing_is_received(job, local_store, monkeypatch):
    for _ in range(3):
        job.submit()
    monkeypatch.setattr("worker.loop._FIRST_PAUSE_S", 0.01)
    store_that(local_store, monkeypatch, StoreError("away"))
    timer = threading.Timer(0.5, job.stop.request)
    timer.start()
    job.work()
    timer.join()
    assert job.queue.calls == []
    assert [receives for _, receives in job.queue.messages] == [0, 0, 0]


def test_a_message_received_as_the_store_goes_away_is_handed_back_uncounted(job, local_store, monkeypatch):
    job.submit()
    receive = job.queue.receive

    def go_away(**options):
        found = receive(**options)
        store_that(local_store, monkeypatch, StoreError("away"))
        job.stop.wait = lambda _: job.stop.request()  # the loop pauses: the test is over
        return found

    job.queue.receive = go_away
    job.work()
    assert job.queue.calls == ["receive", "copy", "delete"]
    assert [receives for _, receives in job.queue.messages] == [0]


def test_a_store_that_takes_no_writes_is_away(job, local_store, monkeypatch):
    """A full disk can be read: probing it by a read alone would count receives until every job is a dead letter."""
    layout_id = job.submit()
    full = True
    swap, put = local_store.swap, local_store.put

    def writes(write):
        def limited(*args, **options):
            if full:
                raise StoreError("No space left on device")
            return write(*args, **options)

        return limited

    def free_space(_):
        nonlocal full
        full = False

    monkeypatch.setattr(local_store, "swap", writes(swap))
    monkeypatch.setattr(local_store, "put", writes(put))
    job.stop.wait = free_space  # the loop pauses, and asks for no other message meanwhile
    job.work()
    assert job.queue.calls[:3] == ["receive", "copy", "delete"]
    assert job.queue.calls[3:5] == ["receive", "delete"]
    assert job.status(layout_id).status == "completed"


def test_an_outage_of_a_whole_lease_costs_no_receive_though_the_store_is_back(job, monkeypatch):
    """Each of several such outages would count, and the third would end the job as a dead letter."""
    job.submit()
    lost = Delivery(ending=Ending.LOST, do="leave", store_failed=True)
    monkeypatch.setattr("worker.loop.deliver", lambda *_, **__: lost)
    job.work(receives=1)
    assert job.queue.calls == ["receive", "copy", "delete"]


def test_a_store_that_fails_for_one_job_alone_counts_as_a_receive(job, local_store, monkeypatch):
    """Else its message would circle for ever."""
    bad = job.submit()
    read = local_store.read

    def refuse(key, **options):
        if bad in key:
            raise StoreError("this object alone")
        return read(key, **options)

    monkeypatch.setattr(local_store, "read", refuse)
    job.work(receives=2)
    assert job.queue.calls == ["receive", "hide", "receive", "hide"]


def test_a_queue_that_is_away_is_asked_again(job):
    layout_id = job.submit()
    job.queue.fails = True
    job.stop.wait = lambda _: setattr(job.queue, "fails", False)
    job.work()
    assert job.status(layout_id).status == "completed"


def test_missing_rights_fail_no_job_for_good(job, local_store, monkeypatch):
    layout_id = job.submit()
    read = local_store.read

    def refuse(key, **options):
        if key == keys.request("ann", layout_id):
            raise PermissionDeniedError("access denied")
        return read(key, **options)

    monkeypatch.setattr(local_store, "read", refuse)
    job.work(receives=1)
    assert job.status(layout_id).status == "queued"
    assert job.lines()[-1]["error_kind"] == "service"


@pytest.mark.parametrize(
    ("error", "healthy"),
    [(PermissionDeniedError("denied"), False), (StoreError("away"), True), (QueueError("away"), True)],
)
def test_wrong_settings_are_unhealthy_at_once_and_a_short_outage_is_not(
    job, local_store, monkeypatch, tmp_path, error, healthy
):
    store_that(local_store, monkeypatch, error, only=("probe",))
    job.stop.wait = lambda _: job.stop.request()
    job.work()
    assert check(tmp_path / "pulse")[0] is healthy


# --- what alarms count


@pytest.mark.parametrize(("error", "ours"), [(InputError("bad site"), 0), (KeyError("bug"), 1)])
def test_service_failures_leave_out_the_requests_own_faults(job, error, ours):
    job.submit()
    job.runner.act = raises(error)
    job.work()
    line = job.lines()[-1]
    assert (line["Failures"], line["ServiceFailures"]) == (1, ours)


def test_no_secret_is_logged_or_kept(job):
    layout_id = job.submit()
    address = "https://ann:pw@host/x.tif?X-Amz-Signature=abc123&v=1"
    job.runner.act = raises(InputError(f"{address} can't be read"))
    job.work()
    for text in (job.out.getvalue(), job.status(layout_id).to_bytes().decode()):
        assert "can't be read" in text
        assert not any(secret in text for secret in ("abc123", "pw@"))


def test_a_fault_outside_is_tried_again(job):
    layout_id = job.submit()
    job.runner.act = lambda _, folder, __: (
        raises(OutsideServiceError("503"))() if job.runner.ran == 1 else RunOutcome(report=folder / "report")
    )
    job.work()
    assert (job.status(layout_id).status, job.status(layout_id).attempt) == ("completed", 2)


# --- a fair share


def test_an_owner_with_its_share_of_running_jobs_leaves_room_for_others(job):
    job.settings = dataclasses.replace(SETTINGS, max_running_jobs=1)
    running = job.submit("ann")
    begun = claim(job.records, "ann", running, worker="other", settings=SETTINGS)
    job.records.index(begun.status)
    job.queue.messages.clear()
    theirs, ours = job.submit("ann"), job.submit("bob")
    job.work(receives=4)
    assert job.status(theirs).status == "queued"  # handed back, and not counted as a receive
    assert job.status(ours, "bob").status == "completed"
    assert "handed back" in [line.get("ending") for line in job.lines()]
    job.records.cancel("ann", running)


# --- the attacks that once worked, run again


@pytest.mark.parametrize(
    "change",
    [
        {"suffix": "/../../numba-cache/kernels.nbi"},
        {"suffix": ".kml/../../../.aws/config"},
        {"file": "../../../../../numba-cache/kernels.nbi"},
        {"suffix": ".py"},
        {"site_id": "../../bob/sites/home"},
        {"sha256": "../" * 21 + "a"},
    ],
    ids=str,
)
def test_a_planted_site_writes_nothing_outside_its_job_and_ends_that_job_alone(job, tmp_path, change):
    """An owner writes a record of their own site, so that a worker stages their bytes where another's kernel reads them."""
    cache, home = tmp_path / "numba-cache", tmp_path / ".aws"
    for folder in (cache, home):
        folder.mkdir()
        (folder / "mine").write_text("prepared")
    store = job.records.store
    data = b"\x80\x04cos\nsystem\n"
    sha256 = hashlib.sha256(data).hexdigest()
    record = {
        "schema_version": 1,
        "site_id": "s",
        "name": "s.kml",
        "suffix": ".kml",
        "file": f"boundary-{sha256[:16]}.kml",
    }
    record |= {"sha256": sha256, "bytes": len(data), **change}
    store.put(f"{keys.site('ann', 's')}/site.json", json.dumps(record).encode(), kind="uploads")
    store.put(f"{keys.site('ann', 's')}/boundary-{sha256[:16]}.kml", data, kind="uploads")

    def act(task, folder, signals):
        if task.request.owner == "ann":
            stage(task.request, store, SETTINGS, folder / "job" / "staged", signals)
        return RunOutcome(report=folder / "report")

    job.runner.act = act
    (tmp_path / "job").mkdir()
    attack, other = job.submit("ann"), job.submit("bob")
    job.work()
    assert [path.name for folder in (cache, home) for path in folder.iterdir()] == ["mine", "mine"]
    staged = [path.name for path in (tmp_path / "job").rglob("*") if path.is_file()]
    assert staged in ([], ["boundary.kml"])
    assert job.status(other, "bob").status == "completed"
    if "file" not in change:  # what the record says of a file's name is not even read
        assert (job.status(attack).status, job.status(attack).error_kind) == ("failed", "request")
        assert "site.json" in job.status(attack).error_message  # refused as a record, not by chance of its path
