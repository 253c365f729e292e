"""Processes of a run, however they detach."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pacifico.run.process_tree import RunProcesses, list_processes

WAITS = "import time; time.sleep(600)"

#: A process that serves one run, as a job's runner does: it starts one, which detaches, and tells what is left of it.
RUNNER = """
import json, os, subprocess, sys, time
from pathlib import Path
from pacifico.run import process_tree
process_tree.adopt_orphans()
first = subprocess.Popen(["sh", "-c", {command!r}])
found = process_tree.RunProcesses([first.pid])
{before}
while not (os.path.exists("pid") and Path("pid").read_text()): time.sleep(0.01)
pid = int(Path("pid").read_text())
seen = pid in [p.pid for p in found.find()]
found.kill()
left = [p.pid for p in process_tree.list_processes().values() if p.pid == pid and not p.zombie]
print(json.dumps([seen, left]))
"""
TELLS = "echo $$ > pid.part; mv pid.part pid; exec sleep 600"


def tell(tmp_path, command, before=""):
    done = subprocess.run(
        [sys.executable, "-c", RUNNER.format(command=command, before=before)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    "command",
    [
        f"{TELLS}",
        f"setsid sh -c '{TELLS}' & sleep 600",
        f"setsid -f sh -c '{TELLS}'",
        f"setsid -f env -i PATH=/usr/bin:/bin sh -c '{TELLS}'",
        f"setsid -f setsid -f env -i PATH=/usr/bin:/bin sh -c 'cd {{here}}; {TELLS}'",
    ],
    ids=["child", "session", "orphan", "without environment", "twice"],
)
def test_no_way_to_detach_escapes_a_process_of_its_own(tmp_path, command):
    assert tell(tmp_path, command.format(here=tmp_path)) == "[true, []]"


def test_what_was_seen_once_is_known_after_its_parent_ended(tmp_path):
    """Its parent is killed from outside, and then nothing leads to it but memory."""
    process = subprocess.Popen(["sh", "-c", "setsid env -i sleep 600 & wait"], cwd=tmp_path, start_new_session=True)
    found = RunProcesses([process.pid])
    while len(members := found.find()) < 2 or not any(p.session == p.pid != process.pid for p in members):
        pass
    process.kill()
    process.wait()
    assert len(found.find()) == 1
    found.kill()
    assert found.find() == []


def test_a_mark_in_the_environment_leads_to_an_orphan(tmp_path):
    mark = f"TEST_MARK_OF_RUN={tmp_path}"
    process = subprocess.Popen(["setsid", "-f", "sleep", "600"], env={**os.environ, "TEST_MARK_OF_RUN": str(tmp_path)})
    process.wait()
    found = RunProcesses([], mark=mark)
    while not found.find():
        pass
    found.kill()
    assert found.find() == []


def test_memory_is_that_of_all(tmp_path):
    block = f"b = bytearray(50_000_000); b[::4096] = b'x' * len(b[::4096]); print(1, flush=True); {WAITS}"
    both = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {block!r}], start_new_session=True); {block}"
    )
    process = subprocess.Popen([sys.executable, "-c", both], stdout=subprocess.PIPE)
    for _ in range(2):
        process.stdout.readline()
    found = RunProcesses([process.pid])
    try:
        assert 100_000_000 < found.memory_bytes() < 200_000_000
    finally:
        found.kill()
        process.wait()
        process.stdout.close()
    assert found.memory_bytes() == 0


def test_a_name_that_is_no_text_hides_nothing(tmp_path):
    odd = tmp_path / os.fsdecode(b"\xff) S 1 1 1")
    odd.symlink_to("/bin/sleep")
    process = subprocess.Popen([os.fsencode(odd), "600"])
    try:
        assert list_processes()[process.pid].parent == os.getpid()
    finally:
        process.kill()
        process.wait()


def test_neither_this_process_nor_its_ancestors_are_killed():
    ancestors = {os.getpid(), os.getppid(), 1}
    assert not ancestors & {p.pid for p in RunProcesses(ancestors).find()}
    assert Path("/proc/self").exists()


def test_without_proc_the_groups_are_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("pacifico.run.process_tree._PROC", tmp_path)
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    found = RunProcesses([process.pid])
    assert found.memory_bytes() == 0
    found.kill()
    assert process.wait(10) == -9
