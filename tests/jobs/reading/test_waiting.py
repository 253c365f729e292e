"""Waiting for jobs."""

from __future__ import annotations

import pytest

from pacifico.jobs.reading.waiting import QUEUED_AT_ONCE, WaitTimeoutError, wait_for_all


def reader(**states):
    """Each job gives its next state at every read, and keeps the last."""

    def read(layout_id):
        found = states[layout_id]
        return {"layout_id": layout_id, "status": found.pop(0) if len(found) > 1 else found[0]}

    return read


def wait(read, ids, **options):
    return wait_for_all(read, ids, **{"timeout_s": None, "on_status": None, "poll_s": 0.0, **options})


def test_it_returns_once_all_have_ended_in_the_order_of_the_ids():
    seen = []
    read = reader(a=["queued", "processing", "completed"], b=["failed"])
    found = wait(read, ["a", "b", "a"], on_status=lambda body: seen.append(body["status"]))
    assert [(i, body["status"]) for i, body in found.items()] == [("a", "completed"), ("b", "failed")]
    assert seen == ["queued", "failed", "processing", "completed"]  # what has ended is not read again


def test_a_time_limit_tells_what_was_seen_last():
    with pytest.raises(WaitTimeoutError, match="1 of 2 jobs") as caught:
        wait(reader(a=["processing"], b=["completed"]), ["a", "b"], timeout_s=0.0)
    assert {i: body["status"] for i, body in caught.value.bodies.items()} == {"a": "processing", "b": "completed"}


def test_few_of_many_queued_jobs_are_read_in_a_look():
    ids = [f"j{n}" for n in range(10 * QUEUED_AT_ONCE)]
    reads = []

    def read(layout_id):
        reads.append(layout_id)
        return {"layout_id": layout_id, "status": "processing" if layout_id == "j0" else "queued"}

    with pytest.raises(WaitTimeoutError) as caught:
        wait(read, ids, timeout_s=0.2, poll_s=0.02)
    assert len(caught.value.bodies) == len(ids)
    assert sorted(reads[: len(ids)]) == sorted(ids)  # first all, in threads
    assert sorted(reads[-len(ids) :]) == sorted(ids)  # and all again before it gives up
    between = reads[len(ids) : -len(ids)]
    assert between.count("j0") == len(between) / (1 + QUEUED_AT_ONCE)
    turns = [between.count(i) for i in ids if i != "j0"]
    assert max(turns) - min(turns) <= 1


def test_all_queued_jobs_are_read_at_once_where_they_have_ended():
    ids = [f"j{n}" for n in range(10 * QUEUED_AT_ONCE)]
    reads = []
    read = reader(**{i: ["queued", "completed"] for i in ids})
    found = wait(lambda i: (reads.append(i), read(i))[1], ids)
    assert {body["status"] for body in found.values()} == {"completed"}
    assert len(reads) == 2 * len(ids)


def test_no_jobs_have_ended():
    assert wait(reader(), []) == {}
