"""A process computes, is cancelled and stays warm, and ends with the kernel."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys

import pytest

from pacifico.errors import InputError
from pacifico.explorer.engine.worker import Worker
from pacifico.layout.generate import generate_layout


@pytest.fixture(scope="module")
def started(terrain):
    replies = queue.SimpleQueue()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a server that was started in the background
    worker = Worker(lambda _, reply: replies.put(reply))
    signal.signal(signal.SIGINT, before)
    worker.add_site(terrain.key, terrain.site, terrain.dem)
    yield worker, replies
    worker.kill()


def last(replies):
    """Stages, and the reply that ends the task."""
    stages = []
    while (reply := replies.get(timeout=120))[1] == "stage":
        stages.append(reply)
    return stages, reply


def test_a_layout_is_computed_with_its_stages(started, request_of, terrain):
    worker, replies = started
    worker.run(1, "layout", ("field", request_of(4)))
    stages, (number, kind, outcome) = last(replies)
    assert (number, kind) == (1, "result")
    assert stages
    assert outcome.plan == generate_layout(terrain.site, terrain.dem, target_capacity_kw=4000.0)


def test_a_cancelled_task_leaves_the_process_warm(started, request_of, terrain):
    worker, replies = started
    endings = []
    for number, mw in enumerate((6, 5, 7, 8, 9), start=10):
        worker.run(number, "layout", ("field", request_of(mw)))
        assert replies.get(timeout=120)[1] == "stage"
        worker.cancel(number)
        endings.append(last(replies)[1][1])
    assert set(endings) <= {"cancelled", "result"}  # a busy machine may deliver a cancel after the result
    assert "cancelled" in endings
    worker.run(20, "layout", ("field", request_of(6)))
    worker.cancel(10)  # of an old task
    _, (number, kind, outcome) = last(replies)
    assert (number, kind) == (20, "result")
    assert outcome.plan == generate_layout(terrain.site, terrain.dem, target_capacity_kw=6000.0)


def test_refusals_come_back_as_errors(started, request_of):
    worker, replies = started
    worker.run(30, "layout", ("field", request_of(0.001)))
    _, (_, kind, error) = last(replies)
    assert kind == "error"
    assert isinstance(error, InputError)
    worker.run(31, "layout", ("nowhere", request_of(4)))
    assert str(last(replies)[1][2]).startswith("KeyError")


def test_a_site_that_was_forgotten_is_loaded_again(started, request_of, terrain):
    worker, replies = started
    for key in ("b", "c", "d", "field"):
        worker.add_site(key, terrain.site, terrain.dem)
        worker.run(40, "first_picture", (key, request_of(4)))
        assert last(replies)[1][1] == "result"


def test_a_process_that_ends_is_reported():
    ended = queue.SimpleQueue()
    worker = Worker(lambda _, reply: ended.put(reply))
    os.kill(worker.pid, signal.SIGKILL)
    assert ended.get(timeout=60) is None
    assert worker.ended
    worker.run(1, "layout", ("field", None))  # nobody listens


PARENT = """
import os, time
from pacifico.explorer.engine.worker import Worker
worker = Worker(lambda *_: None)
print(worker.pid, flush=True)
input()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_process_outlives_a_killed_kernel():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    end = os.pidfd_open(pid)
    parent.kill()
    parent.communicate()
    import select

    assert select.select([end], [], [], 60)[0], "the process still runs"
    os.close(end)
