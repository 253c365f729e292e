"""The line between a worker and its runner process."""

from __future__ import annotations

import socket

import pytest

from pacifico.jobs.runner.child import PRELOAD, JsonLines


@pytest.fixture
def ends():
    pair = socket.socketpair()
    yield pair
    for end in pair:
        end.close()


def test_messages_arrive_as_sent_until_the_line_is_closed(ends):
    ours, theirs = ends
    line = JsonLines(ours)
    line.send(run={"ü": [1, None]})
    line.send(interrupt=True)
    ours.shutdown(socket.SHUT_WR)
    assert list(JsonLines(theirs)) == [{"run": {"ü": [1, None]}}, {"interrupt": True}]


def test_half_a_message_is_none(ends):
    ours, theirs = ends
    ours.sendall(b'{"run": ')
    ours.shutdown(socket.SHUT_WR)
    assert list(JsonLines(theirs)) == []


def test_sending_to_a_closed_line_does_nothing(ends):
    ours, theirs = ends
    theirs.close()
    JsonLines(ours).send(x=1)


def test_preloaded_modules_exist():
    import importlib.util

    for name in PRELOAD:
        if name.startswith("pacifico"):
            assert importlib.util.find_spec(name), name
