"""A new request replaces the old one; nothing queues up, and nothing hangs."""

from __future__ import annotations

import os
import signal

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.explorer.engine.lanes import ENDED, Engine, Ticket


@pytest.fixture(scope="module")
def engine():
    made = Engine()
    yield made
    made.close()
    assert made.pids == []


@pytest.fixture
def ticket(terrain, request_of):
    """Function that makes a ticket which writes down its end."""

    def make(ends, mw, *, owner="map", name="layout"):
        return Ticket(
            owner, terrain, name, (request_of(mw),),
            lambda outcome: ends.append((mw, outcome)), lambda error: ends.append((mw, error)),
        )  # fmt: skip

    return make


def test_only_the_last_of_many_requests_is_answered(engine, ticket):
    ends = []
    for mw in (2, 3, 4, 5, 6):
        engine.submit(ticket(ends, mw))
    assert engine.busy("map")
    engine.wait(lambda: not engine.busy("map"))
    assert [mw for mw, _ in ends] == [6]
    assert ends[0][1].plan.target_capacity_kw == 6000
    assert len(engine.pids) == 1


def test_another_map_waits_and_loses_nothing(engine, ticket):
    ends = []
    engine.submit(ticket(ends, 4, owner="one"))
    engine.submit(ticket(ends, 5, owner="other"))
    engine.wait(lambda: not engine.busy("other"))
    assert [mw for mw, _ in ends] == [4, 5]


def test_a_cancelled_request_is_silent(engine, ticket):
    ends = []
    engine.submit(ticket(ends, 6))
    engine.cancel("map")
    assert not engine.busy("map")
    engine.submit(ticket(ends, 3, owner="next"))
    engine.wait(lambda: not engine.busy("next"))
    assert [mw for mw, _ in ends] == [3]


def test_the_lane_aside_runs_beside_layouts(engine, ticket):
    ends = []
    engine.submit(ticket(ends, 6))
    engine.submit(ticket(ends, 5, owner="picture", name="first_picture"), "aside")
    engine.wait(lambda: len(ends) == 2)
    assert len(engine.pids) == 2


def test_a_process_that_dies_is_an_error_and_the_next_request_has_a_new_one(engine, ticket):
    ends = []
    engine.submit(ticket(ends, 2, owner="warm"))
    engine.wait(lambda: bool(ends))
    os.kill(engine.pids[0], signal.SIGSTOP)  # so that the task can't end before the process does
    engine.submit(ticket(ends, 5))
    os.kill(engine.pids[0], signal.SIGKILL)
    engine.wait(lambda: len(ends) == 2)
    assert isinstance(ends[1][1], OutsideServiceError)
    assert str(ends[1][1]) == ENDED
    engine.submit(ticket(ends, 4))
    engine.wait(lambda: len(ends) == 3)
    assert ends[2][1].plan.target_capacity_kw == 4000


def test_a_process_that_does_not_stop_is_killed(engine, ticket, monkeypatch):
    monkeypatch.setattr("pacifico.explorer.engine.lanes.PATIENCE_S", 0.0)
    ends = []
    engine.submit(ticket(ends, 2, owner="warm"))
    engine.wait(lambda: bool(ends))
    before = engine.pids
    engine.submit(ticket(ends, 6))
    os.kill(before[0], signal.SIGSTOP)
    engine.submit(ticket(ends, 3))
    engine.wait(lambda: len(ends) == 2)
    assert ends[1][0] == 3
    assert before[0] not in engine.pids


def test_processes_start_ahead_of_the_first_task(terrain, ticket):
    engine = Engine()
    engine.warm(terrain)
    before = engine.pids
    assert len(before) == 2
    ends = []
    engine.submit(ticket(ends, 4, name="first_picture"), "aside")
    engine.wait(lambda: bool(ends))
    assert engine.pids == before
    engine.close()


def test_a_process_that_can_not_be_started_is_an_error(ticket, monkeypatch):
    def refuse(_):
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("pacifico.explorer.engine.lanes.Worker", refuse)
    ends = []
    Engine().submit(ticket(ends, 4))
    assert "no process can be started: Resource temporarily unavailable" in str(ends[0][1])


def test_replies_wake_whoever_polls(engine, ticket):
    woken = []
    engine.on_wake(lambda: woken.append(True))
    ends = []
    engine.submit(ticket(ends, 4))
    engine.wait(lambda: bool(ends))
    assert woken
