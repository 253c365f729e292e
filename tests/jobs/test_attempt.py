"""The attempt's one writer: what it may write, what it must not, and what it makes of a store that gives no answer."""

from __future__ import annotations

import math
import threading
import time
import uuid
from dataclasses import replace

import pytest

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.attempt import LostError
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.records import Records
from pacifico.jobs.request import JobRequest
from pacifico.jobs.settings import Settings
from pacifico.jobs.status import Artifact
from pacifico.jobs.store.base import MAX_OBJECT_BYTES, StoreError

SETTINGS = Settings(store="unused", owner="ann", lease_s=60, visibility_s=120)


@pytest.fixture
def records(store):
    return Records(store)


@pytest.fixture
def attempt(records):
    layout_id = str(uuid.uuid4())
    records.submit(JobRequest(layout_id=layout_id, owner="ann", site_id="s", target_capacity_kw=1000, dem="sample"))
    return claim(records, "ann", layout_id, worker="w", settings=SETTINGS)


def found(records, attempt):
    return records.read("ann", attempt.status.layout_id)


def commit(status, now):
    return states.completed(status, artifacts={}, metrics={}, now=now)


def take_over(records, attempt):
    held = found(records, attempt)
    new = states.claimed(held.status, worker="other", nonce="theirs", lease_s=60, now=records.now())
    return records.swap(held, new)


def test_a_claim_that_was_taken_over_meanwhile_comes_back_with_another_nonce(records, monkeypatch):
    """Its first write was made, held up and taken over, and that lease is dead too: two attempts, two nonces."""
    layout_id = str(uuid.uuid4())
    records.submit(JobRequest(layout_id=layout_id, owner="ann", site_id="s", target_capacity_kw=1000, dem="sample"))
    swap, nonces = records.swap, []

    def overtaken(stored, new):
        nonces.append(new.nonce)
        if len(nonces) == 1:
            swap(stored, states.claimed(stored.status, worker="other", nonce="theirs", lease_s=0, now=records.now()))
        return swap(stored, new)

    monkeypatch.setattr(records, "swap", overtaken)
    assert claim(records, "ann", layout_id, worker="w", settings=SETTINGS).status.attempt == 2
    assert len(set(nonces)) == 2


def test_past_its_own_deadline_an_attempt_writes_nothing_though_the_store_would_take_it(records, attempt):
    """A process that was stopped for a whole lease, then continued: by then anyone may have the job."""
    before = found(records, attempt)
    attempt.clock = lambda: time.monotonic() + 60
    for change in (commit, attempt._renewed):
        with pytest.raises(LostError, match="lease ended"):
            attempt.swap(change)
    assert found(records, attempt).version == before.version


def test_each_renewal_moves_the_deadline(records, attempt):
    for passed in (50, 100, 150):
        attempt.clock = lambda passed=passed: time.monotonic() + passed
        attempt.swap(attempt._renewed)
    assert attempt.swap(commit).status == "completed"


@pytest.mark.parametrize("change", [commit, None])
def test_the_store_alone_refuses_an_attempt_that_was_taken_over(records, attempt, change):
    """Stopped between its look at the clock and its write: nothing but the version is left to tell."""
    attempt._deadline = math.inf
    other = take_over(records, attempt)
    with pytest.raises(LostError, match="processing by now") as lost:
        attempt.swap(change or attempt._renewed)
    assert lost.value.current.status.nonce == "theirs"
    assert found(records, attempt).version == other.version
    with pytest.raises(LostError):
        attempt.check()


def test_a_write_whose_reply_was_lost_is_a_write(records, attempt, monkeypatch):
    swap, failures = records.store.swap, []
    before = attempt.status.revision

    def lose(*args, **options):
        version = swap(*args, **options)
        if not failures:
            failures.append(1)
            raise StoreError("no reply")
        return version

    monkeypatch.setattr(records.store, "swap", lose)
    status = attempt.swap(attempt._renewed)
    assert failures
    assert status.revision == before + 1  # written once
    assert found(records, attempt).status == status
    assert attempt.swap(commit).status == "completed"


def test_the_lease_runs_since_the_write_and_not_since_its_read_back(records, attempt, monkeypatch):
    """Its reply was lost, and the store was away for 50 s: others see the lease end 60 s after the write."""
    swap, passed = records.store.swap, [0.0]
    read = records.store.read

    def lose(*args, **options):
        swap(*args, **options)
        passed[0] = 50.0
        raise StoreError("no reply")

    monkeypatch.setattr(records.store, "swap", lose)
    monkeypatch.setattr(records.store, "read", lambda key: replace(read(key), age_s=passed[0]))
    attempt.clock = lambda: time.monotonic() + passed[0]
    attempt._write(states.renewed(attempt.status, now=records.now()))  # sent at 0 s, read back at 50 s
    passed[0] = 115.0
    with pytest.raises(LostError, match="lease ended"):
        attempt.swap(commit)


def test_a_write_of_its_own_that_lands_late_is_no_loss(records, attempt):
    """Its reply was lost, it was still under way, and it landed after the next look: the nonce there is its own."""
    held = found(records, attempt)
    records.swap(held, states.renewed(held.status, now=records.now(), stage="placing_assets"))
    status = attempt.swap(attempt._renewed)
    assert status.revision == held.status.revision + 2
    assert status.progress_pct == 55


def test_a_store_that_is_away_for_longer_than_the_lease_loses_the_job(records, attempt, monkeypatch):
    started, late = time.monotonic(), []
    attempt.clock = lambda: time.monotonic() + 25 * len(late)

    def fail(*args, **options):
        late.append(1)  # each try costs 25 s
        raise StoreError("away")

    monkeypatch.setattr(records.store, "swap", fail)
    with pytest.raises(LostError, match="lease ended"):
        attempt.swap(commit)
    assert len(late) == 3
    assert time.monotonic() - started < 30


def test_a_cancelled_attempt_finds_out_at_its_next_write(records, attempt):
    records.cancel("ann", attempt.status.layout_id)
    with pytest.raises(LostError, match="cancelled by now") as lost:
        attempt.swap(attempt._renewed)
    assert lost.value.current.status.terminal


def test_a_renewal_that_waited_for_the_last_write_changes_nothing(records, attempt):
    """The renewing thread may stand before the lock while the end is written: what has ended is not written again."""
    attempt.swap(commit)
    ended = found(records, attempt)
    assert attempt.swap(attempt._renewed) == ended.status
    assert found(records, attempt).version == ended.version


def test_what_desktops_and_network_disks_leave_is_not_uploaded(local_store, tmp_path):
    records = Records(local_store)
    request = JobRequest(owner="ann", site_id="s", dem="sample")
    records.submit(request)
    begun = claim(records, "ann", request.layout_id, worker="w", settings=Settings(store="unused", owner="ann"))
    report = tmp_path / "report"
    report.mkdir()
    for name in ("report.html", ".DS_Store", ".nfs00000000000a1b2c", "._report.html"):
        (report / name).write_text("")
    assert list(begun.upload(report)) == ["report.html"]


def test_an_interrupted_attempt_waits_no_longer_for_its_upload_than_it_may(local_store, tmp_path, monkeypatch):
    """A store that hangs must not keep a worker from handing its job back before it is killed."""
    records = Records(local_store)
    request = JobRequest(owner="ann", site_id="s", dem="sample")
    records.submit(request)
    begun = claim(records, "ann", request.layout_id, worker="w", settings=Settings(store="unused", owner="ann"))
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.html").write_text("")
    hangs = threading.Event()
    monkeypatch.setattr(local_store, "put_file", lambda *_, **__: hangs.wait(20))
    begun.keep(tmp_path / "report", 0.1)
    status = begun.swap(lambda s, now: states.released(s, reason="stopped", kind=None, now=now))
    assert status.status == "queued"
    hangs.set()


@pytest.mark.parametrize(("count", "length"), [(5001, 10), (3100, 200)])
def test_a_report_of_more_files_than_a_status_can_list_is_refused(local_store, tmp_path, monkeypatch, count, length):
    """Its status would be written, and refused by whoever reads it."""
    records = Records(local_store)
    request = JobRequest(owner="ann", site_id="s", dem="sample")
    records.submit(request)
    begun = claim(records, "ann", request.layout_id, worker="w", settings=SETTINGS)
    report = tmp_path / "report"
    report.mkdir()
    for n in range(count):
        (report / f"{n:0{length}d}").touch()
    monkeypatch.setattr(local_store, "put_file", lambda *_, **__: pytest.fail("nothing is uploaded"))
    with pytest.raises(InputError, match=f"the report has {count} files"):
        begun.upload(report)


def test_a_status_that_lists_as_many_files_as_a_report_may_have_is_read(attempt, records):
    files = {f"{n:0200d}": Artifact(sha256="0" * 64, bytes=(1 << 50)) for n in range(3070)}
    attempt.swap(lambda s, now: states.failed(s, kind="request", message="\U0001f33e" * 2000, artifacts=files, now=now))
    assert len(attempt.status.to_bytes()) > 0.9 * MAX_OBJECT_BYTES
    assert len(found(records, attempt).status.artifacts) == 3070


@pytest.mark.parametrize("act", ["cancel", "delete", "take over"])
def test_a_running_attempt_is_abandoned_soon_and_not_at_its_next_renewal(attempt, records, act):
    """Its lease is renewed every 12 s."""
    abandon = threading.Event()
    layout_id = attempt.status.layout_id
    with attempt.renewing(abandon, None):
        assert not abandon.wait(0.2)
        if act == "cancel":
            records.cancel("ann", layout_id)
        elif act == "delete":
            records.store.delete(keys.status("ann", layout_id))
        else:
            take_over(records, attempt)
        assert abandon.wait(6)
    with pytest.raises(LostError):
        attempt.check()


def test_looks_at_the_status_write_nothing_and_pass_an_outage(attempt, records, monkeypatch):
    abandon, looked = threading.Event(), threading.Semaphore(0)
    before = found(records, attempt)
    read = records.read

    def away(*key):
        looked.release()
        raise StoreError("away")

    monkeypatch.setattr(records, "read", away)
    with attempt.renewing(abandon, None):
        for _ in range(2):
            assert looked.acquire(timeout=6)
    monkeypatch.setattr(records, "read", read)
    assert not abandon.is_set()
    assert found(records, attempt).version == before.version
