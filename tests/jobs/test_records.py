"""Requests and statuses in both stores: the key is their identity."""

from __future__ import annotations

import uuid

import pytest

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.records import MAX_REQUEST_BYTES, ConflictError, NotRedrivableError, Records
from pacifico.jobs.request import JobRequest
from pacifico.jobs.store.base import MAX_OBJECT_BYTES, NotFoundError, TooLargeError


@pytest.fixture
def records(store):
    return Records(store)


def submit(records, owner="ann", **fields):
    layout_id = str(uuid.uuid4())
    records.submit(JobRequest(layout_id=layout_id, owner=owner, site_id="s", dem="sample", **fields))
    return layout_id


@pytest.mark.parametrize("name", ["request", "status"])
def test_content_under_another_key_is_refused(records, name):
    theirs, mine = submit(records, "bob"), submit(records, "ann")
    key = getattr(keys, name)
    records.store.put(key("ann", mine), records.store.read(key("bob", theirs)).data, kind="jobs")
    read = records.request if name == "request" else records.read
    with pytest.raises(InputError, match="not its own key"):
        read("ann", mine)
    for act in (records.cancel, records.redrive):
        if name == "status":
            with pytest.raises(InputError, match="not its own key"):
                act("ann", mine)
    assert records.read("bob", theirs).status.status == "queued"


def test_a_status_changed_to_anothers_between_read_and_swap_is_refused(records):
    theirs, mine = submit(records, "bob"), submit(records, "ann")
    stored = records.read("ann", mine)
    records.store.put(keys.status("ann", mine), records.store.read(keys.status("bob", theirs)).data, kind="jobs")
    with pytest.raises(InputError, match="not its own key"):
        records.swap(stored, states.cancelled(stored.status, now=records.now()))


@pytest.mark.parametrize(("name", "limit"), [("request", MAX_REQUEST_BYTES), ("status", MAX_OBJECT_BYTES)])
def test_a_whole_object_has_a_size_at_most(local_store, name, limit):
    """Whoever pads what we write wants memory."""
    records = Records(local_store)
    layout_id = submit(records)
    key = getattr(keys, name)("ann", layout_id)
    read = records.request if name == "request" else records.read
    whole = local_store.read(key).data
    local_store.put(key, whole + b" " * (limit - len(whole)), kind="jobs")
    read("ann", layout_id)
    local_store.put(key, whole + b" " * (limit + 1 - len(whole)), kind="jobs")
    with pytest.raises(TooLargeError):
        read("ann", layout_id)


def test_what_is_not_there_is_not_found(records):
    with pytest.raises(NotFoundError, match="PACIFICO_OWNER"):
        records.read("ann", str(uuid.uuid4()))


def test_an_id_names_one_request(records):
    layout_id = submit(records)
    with pytest.raises(ConflictError, match="new layout_id"):
        records.submit(JobRequest(layout_id=layout_id, owner="ann", site_id="other", dem="sample"))


@pytest.mark.parametrize("kind", ["request", "timeout", "memory"])
def test_the_requests_own_fault_is_redriven_by_force_alone(records, kind):
    layout_id = submit(records)
    records.fail("ann", layout_id, kind=kind, message="m")
    with pytest.raises(NotRedrivableError, match="would fail again"):
        records.redrive("ann", layout_id)
    assert records.redrive("ann", layout_id, force=True).status.status == "queued"


@pytest.mark.parametrize("kind", ["service", "lost"])
def test_an_outside_fault_is_redriven(records, kind):
    layout_id = submit(records)
    records.fail("ann", layout_id, kind=kind, message="m")
    assert records.redrive("ann", layout_id).status.status == "queued"


def test_a_queued_job_that_is_redriven_outlives_its_old_dead_letter(records):
    layout_id = submit(records)
    before = records.read("ann", layout_id).status
    after = records.redrive("ann", layout_id).status
    assert after.queued_at >= before.queued_at
    assert after.revision == before.revision + 1
    assert (
        records.fail_dead("ann", layout_id, sent=records.now() - 60, receives=3, queue_empty=bool).status.status
        == "queued"
    )


@pytest.mark.parametrize(("quiet", "queue_empty", "state"), [
    (True, True, "failed"), (False, True, "queued"), (True, False, "queued"),
])  # fmt: skip
def test_a_sweep_takes_a_requeued_job_whose_message_is_lost(records, monkeypatch, quiet, queue_empty, state):
    """Its client died before sending, or a clock was set back: the old letter is all that is left of it."""
    layout_id = submit(records)
    records.redrive("ann", layout_id)
    monkeypatch.setattr("pacifico.jobs.records.STRANDED_S", 0.0 if quiet else 120.0)
    sent = records.now() - 60
    ended = records.fail_dead("ann", layout_id, sent=sent, receives=3, queue_empty=lambda: queue_empty)
    assert ended.status.status == state


def test_a_sweep_asks_for_the_queue_after_it_read_the_status(records, monkeypatch):
    """A worker that was stopped for minutes knows nothing of the message that a redrive sent meanwhile."""
    layout_id = submit(records)
    monkeypatch.setattr("pacifico.jobs.records.STRANDED_S", 0.0)
    asked = []

    def queue_empty():
        asked.append(records.read("ann", layout_id).status.revision)
        if len(asked) == 1:
            records.redrive("ann", layout_id)  # between the answer and the swap
        return len(asked) == 1

    records.redrive("ann", layout_id)
    sent = records.now() - 60
    ended = records.fail_dead("ann", layout_id, sent=sent, receives=3, queue_empty=queue_empty)
    assert (ended.status.status, asked) == ("queued", [2, 3])


def test_a_dead_lease_can_be_redriven_and_a_live_one_cannot(records):
    """Its message was purged while it ran, and its worker died: no takeover will come."""
    layout_id = submit(records)
    stored = records.read("ann", layout_id)
    now = records.now()
    alive = records.swap(stored, states.claimed(stored.status, worker="w", nonce="n", lease_s=60, now=now))
    with pytest.raises(NotRedrivableError, match="is processing"):
        records.redrive("ann", layout_id)
    records.swap(alive, states.claimed(stored.status, worker="w", nonce="n", lease_s=0, now=now + 1))
    assert records.redrive("ann", layout_id).status.status == "queued"


def test_a_note_is_written_to_a_queued_job_alone(records):
    layout_id = submit(records)
    assert records.note("ann", layout_id, "n").status.stage_message == "n"
    assert records.note("ann", layout_id, "n").status.revision == 2  # no second write
    records.cancel("ann", layout_id)
    assert records.note("ann", layout_id, "other").status.stage_message == "n"
