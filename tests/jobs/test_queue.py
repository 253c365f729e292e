"""Messages of the queue."""

from __future__ import annotations

import json

import pytest

from pacifico.errors import InputError
from pacifico.jobs.queue import NoQueueError, Pointer, Queue, QueueError, parse_pointer

GOOD = {
    "schema_version": 1,
    "layout_id": "123e4567-e89b-12d3-a456-426614174000",
    "site_id": "s",
    "owner": "ann",
    "target_capacity_kw": 1000,
    "dem": "3dep",
}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "{}",
        '{"schema_version":1,"owner":"a","layout_id":"x"}',
        '{"schema_version":1,"owner":"a","layout_id":["x"]}',
        '{"schema_version":1,"owner":5,"layout_id":"123e4567-e89b-12d3-a456-426614174000"}',
        '{"schema_version":1,"owner":"a","layout_id":"123e4567-e89b-12d3-a456-426614174000","target_capacity_kw":1}',
        '{"schema_version":true,"owner":"a","layout_id":"123e4567-e89b-12d3-a456-426614174000"}',
    ],
)
def test_messages_that_are_none(body):
    with pytest.raises(InputError):
        parse_pointer(body)


def test_the_names_of_strange_fields_are_told_without_control_characters():
    with pytest.raises(InputError, match=r"\\n\\x1b\[2J") as refused:
        parse_pointer(json.dumps({"schema_version": 1, "owner": "a", "layout_id": "b", "x\n\x1b[2J": 1}))
    assert str(refused.value).isprintable()


def test_a_message_carries_three_fields():
    pointer = Pointer("ann", GOOD["layout_id"])
    assert set(json.loads(pointer.to_body())) == {"schema_version", "owner", "layout_id"}
    assert parse_pointer(pointer.to_body()) == pointer


@pytest.mark.parametrize(
    ("url", "error"), [("{}-gone", NoQueueError), ("http://127.0.0.1:9/000000000000/q", QueueError)]
)
def test_a_missing_queue_and_one_that_is_away_are_two_things(queues, monkeypatch, url, error):
    queue = Queue(url.format(queues[0]))
    if error is QueueError:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        queue = Queue(url)
    with pytest.raises(QueueError) as caught:
        queue.depth()
    assert type(caught.value) is error
