"""The attempt's one writer: what it may write, what it must not, and what it makes of a store that gives no answer."""

from __future__ import annotations

import math
import time
import uuid
from dataclasses import replace

import pytest

from pacifico.jobs import status as states
from pacifico.jobs.attempt import LostError
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.records import Records
from pacifico.jobs.request import JobRequest
from pacifico.jobs.settings import Settings
from pacifico.jobs.store.base import StoreError

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
