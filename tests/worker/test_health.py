"""Health of worker processes."""

from __future__ import annotations

import json
import os

import pytest

from pacifico.jobs.settings import Settings
from worker.health import OUTAGE_S, Pulse, check, patience

SETTINGS = Settings(store="unused", owner="ann")


def age(folder, seconds):
    """Make the health file of this process older."""
    path = folder / f"{os.getpid()}.json"
    body = json.loads(path.read_text())
    if body["failure"]:
        body["failure"]["since"] -= seconds
    else:
        body["at"] -= seconds
    path.write_text(json.dumps(body))


def test_a_loop_that_moves_is_healthy_and_one_that_is_stuck_is_not(tmp_path):
    assert check(tmp_path) == (False, "no worker runs here")
    pulse = Pulse(patience(SETTINGS), tmp_path)
    pulse.beat("receive")
    assert check(tmp_path) == (True, "1 worker in motion")
    age(tmp_path, 1000)
    healthy, sentence = check(tmp_path)
    assert not healthy
    assert "silent for 1000 s in 'receive'" in sentence


def test_a_killed_process_leaves_no_sign(tmp_path):
    pulse = Pulse(patience(SETTINGS), tmp_path)
    pulse.beat("receive")
    path = tmp_path / f"{os.getpid()}.json"
    (tmp_path / "1.json").write_text(json.dumps({**json.loads(path.read_text()), "pid": 2**22 + 1}))
    (tmp_path / "2.json").write_text("half a fi")
    assert check(tmp_path) == (True, "1 worker in motion")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    pulse.end()
    assert check(tmp_path)[0] is False


@pytest.mark.parametrize("lease_s", [3, 60, 600, 3600, 43_000])
def test_a_job_may_be_silent_for_as_long_as_its_lease_lets_it(tmp_path, lease_s):
    """A lease is renewed five times in its length: with long ones a healthy worker is silent for hours."""
    settings = Settings(store="unused", owner="ann", lease_s=lease_s, visibility_s=43_200)
    pulse = Pulse(patience(settings), tmp_path)
    pulse.beat("job")
    age(tmp_path, settings.renew_s + 30)  # one renewal, on a busy machine
    assert check(tmp_path)[0]
    age(tmp_path, lease_s + settings.renew_s + 90)
    assert not check(tmp_path)[0]


def test_wrong_settings_are_unhealthy_at_once_and_an_outage_after_minutes(tmp_path):
    pulse = Pulse(patience(SETTINGS), tmp_path)
    pulse.beat("receive")
    pulse.fail("store away", lasting=False)
    assert check(tmp_path)[0]
    age(tmp_path, OUTAGE_S + 1)
    healthy, sentence = check(tmp_path)
    assert not healthy
    assert "store away" in sentence
    pulse.recover()
    assert check(tmp_path)[0]
    pulse.fail("there is no such queue", lasting=True)
    assert not check(tmp_path)[0]


def test_another_process_with_a_job_is_seen(tmp_path):
    pulse = Pulse(patience(SETTINGS), tmp_path)
    pulse.beat("receive")
    assert not pulse.others_busy()
    body = {"pid": os.getppid(), "doing": "job", "at": 0.0, "patience_s": 1.0, "failure": None}
    (tmp_path / "1.json").write_text(json.dumps(body))
    (tmp_path / "2.json").write_text("")
    assert pulse.others_busy()
