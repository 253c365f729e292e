"""Runner processes as their worker sees them."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.jobs.runner.processes import Child, ProcessSpawner
from pacifico.jobs.stop_signals import StoppedError, StopSignals


@pytest.fixture
def line(tmp_path):
    """A child without a process, and the end of the line that its process would hold."""
    ours, theirs = socket.socketpair()
    child = Child(tmp_path, ours, 0, None)
    yield child, theirs
    theirs.close()
    ours.close()


def say(theirs, **message):
    theirs.sendall(json.dumps(message).encode() + b"\n")


def test_a_child_is_ready_once_it_says_so(line):
    child, theirs = line
    say(theirs, ready=True)
    child.wait_ready(StopSignals())
    child.wait_ready(StopSignals(), timeout_s=0)  # and stays so


@pytest.mark.parametrize("how", ["fault", "closed", "silent", "stopped"])
def test_a_child_that_is_not_ready_is_an_outside_fault(line, how):
    child, theirs = line
    signals = StopSignals()
    if how == "fault":
        say(theirs, fault=["E", "m", 3])
    elif how == "closed":
        theirs.shutdown(socket.SHUT_RDWR)
    elif how == "stopped":
        signals.interrupt.set()
    with pytest.raises(StoppedError if how == "stopped" else OutsideServiceError):
        child.wait_ready(signals, timeout_s=0.3)


def test_a_process_that_ends_closes_its_line_and_its_folder_goes(tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    child = ProcessSpawner((sys.executable, "-c", "pass")).spawn(folder)
    with pytest.raises(EOFError):
        child.next(30)
    assert child.gone
    child.end()
    assert not folder.exists()


LEAVES_ONE_BEHIND = """
import os, subprocess, sys
subprocess.run(["setsid", "-f", "sh", "-c", "echo $$ > pid; exec sleep 600"])
while not (os.path.exists("pid") and open("pid").read()): pass
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_runner_leaves_behind_is_killed_too(tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    child = ProcessSpawner((sys.executable, "-c", LEAVES_ONE_BEHIND)).spawn(folder)
    with pytest.raises(EOFError):
        child.next(30)
    left = int((folder / "pid").read_text())
    assert is_alive(left)
    child.end()
    assert not is_alive(left)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
