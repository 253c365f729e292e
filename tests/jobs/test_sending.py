"""Sending messages, and jobs whose message was lost."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from pacifico.jobs import status as states
from pacifico.jobs.queue import QueueError
from pacifico.jobs.records import Records
from pacifico.jobs.request import JobRequest
from pacifico.jobs.sending import STRANDED_S, NotSentError, Sender
from pacifico.jobs.settings import Settings

SETTINGS = Settings(store="unused", owner="ann", retention_s=1000)


class Queue:
    fails = False
    waiting = 1

    def send(self, pointer):
        if self.fails:
            raise QueueError("away")

    def send_many(self, pointers):
        return {pointer: "away" for pointer in pointers if self.fails}

    def depth(self):
        if self.fails:
            raise QueueError("away")
        return {"waiting": self.waiting, "held": 0, "delayed": 0}


@pytest.fixture
def records(local_store):
    return Records(local_store)


@pytest.fixture
def stored(records):
    return records.submit(JobRequest(layout_id=str(uuid.uuid4()), owner="ann", site_id="s", dem="sample"))


@pytest.mark.parametrize(
    ("waiting", "fails", "age_s", "stalled"),
    [
        (1, False, 0, False),
        (0, False, 0, False),  # counts lag
        (0, False, STRANDED_S + 1, True),  # purged
        (1, False, STRANDED_S + 1, False),
        (1, False, 1001, True),  # expired
        (0, True, STRANDED_S + 1, False),  # unknown
    ],
)
def test_a_queued_job_is_stalled_once_its_message_is_lost(records, stored, waiting, fails, age_s, stalled):
    queue = Queue()
    queue.waiting, queue.fails = waiting, fails
    assert Sender(records, queue, SETTINGS, "ann").stalled(replace(stored, age_s=age_s)) is stalled


@pytest.mark.parametrize(("worker", "stalled"), [(None, True), ("local:h:1:x", False)])
def test_without_a_queue_a_job_without_a_process_is_stalled(records, stored, worker, stalled):
    status = stored.status if worker is None else states.assigned(stored.status, worker=worker, now=1.0)
    found = replace(stored, status=status, age_s=STRANDED_S + 1)
    assert Sender(records, None, SETTINGS, "ann").stalled(found) is stalled


def test_a_message_that_was_not_sent_is_noted_until_it_is(records, stored):
    queue = Queue()
    queue.fails = True
    sender = Sender(records, queue, SETTINGS, "ann")
    with pytest.raises(NotSentError) as caught:
        sender.send(stored.status)
    assert caught.value.layout_id == stored.status.layout_id
    noted = records.read("ann", stored.status.layout_id)
    assert sender.stalled(noted)
    queue.fails = False
    sender.send(noted.status)
    assert not sender.stalled(records.read("ann", stored.status.layout_id))


def test_of_many_jobs_the_unsent_are_told_and_noted(records, stored):
    queue, layout_id = Queue(), stored.status.layout_id
    sender = Sender(records, queue, SETTINGS, "ann")
    other = {"layout_id": "x", "status": "completed", "message": "Layout is completed already"}
    responses = [{"layout_id": layout_id, "status": "queued", "message": "queued"}, dict(other)]
    sender.send_all(responses)
    assert [r["status"] for r in responses] == ["queued", "completed"]
    queue.fails = True
    sender.send_all(responses)
    assert responses[0]["status"] == "unsent"
    assert responses[0]["message"] == "stored, but not sent: away; submit it again"
    assert responses[1] == other
    assert sender.stalled(records.read("ann", layout_id))
