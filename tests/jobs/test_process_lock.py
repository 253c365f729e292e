"""Whether a process is over is proved by its lock, never guessed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from pacifico.jobs.process_lock import has_ended, process_name

CODE = "from pacifico.jobs.process_lock import process_name; print(process_name(), flush=True); input()"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.fixture
def other():
    """Another process of this machine, with its name."""
    process = subprocess.Popen([sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.name = process.stdout.readline().strip()
    yield process
    process.communicate()


def end(process):
    process.kill()
    process.wait()


def test_a_process_has_ended_once_its_lock_is_free(other):
    assert not has_ended(process_name())
    assert not has_ended(other.name)
    end(other)
    assert has_ended(other.name)


def test_one_process_has_one_name():
    assert process_name() == process_name()


def test_a_name_without_its_lock_file_is_another_machines(other):
    """The same host name and process id, as in two containers that share a store."""
    prefix, host, pid, _ = other.name.split(":")
    end(other)
    assert not has_ended(f"{prefix}:{host}:{pid}:{'0' * 32}")
    assert not has_ended(f"{prefix}:{host}:{pid}:12345")  # as older versions wrote it
    for name in ("vm-17", "", None, "local:x", "local:h:1:../../x"):
        assert not has_ended(name)


def test_a_lock_that_the_disk_lost_does_not_end_a_process_that_runs(other, tmp_path):
    """A file system that ignores locks: id, start and boot of the process still prove that it runs."""
    [path] = tmp_path.rglob(f"{other.name.split(':')[-1]}.lock")
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)  # the same file, locked by nobody
    assert not has_ended(other.name)
    end(other)
    assert has_ended(other.name)


def test_a_held_lock_is_enough_though_its_process_is_not_seen(other, tmp_path):
    """As in another container of this machine that shares the folder: process ids there are others."""
    [path] = tmp_path.rglob(f"{other.name.split(':')[-1]}.lock")
    about = {**json.loads(path.read_bytes()), "pid": 1 << 22, "started": "1"}
    path.write_text(json.dumps(about))  # the same file, still locked
    assert not has_ended(other.name)
    end(other)
    assert has_ended(other.name)


def test_a_process_of_an_earlier_boot_has_ended_though_its_id_is_taken(other, tmp_path):
    [path] = tmp_path.rglob(f"{other.name.split(':')[-1]}.lock")
    about = {**json.loads(path.read_bytes()), "boot_id": "earlier"}
    path.unlink()
    path.write_text(json.dumps(about))
    assert has_ended(other.name)


def test_a_process_of_another_machine_that_shares_the_locks_is_left_alone(other, tmp_path):
    """On a disk whose locks hold for one machine alone, its lock seems free."""
    prefix, _, pid, token = other.name.split(":")
    [path] = tmp_path.rglob(f"{token}.lock")
    path.unlink()
    path.write_text(json.dumps({"pid": int(pid), "started": "1", "boot_id": "another machine's"}))
    assert not has_ended(f"{prefix}:another-machine:{pid}:{token}")


def test_a_lock_that_is_being_written_proves_nothing(other, tmp_path):
    [folder] = tmp_path.glob("pacifico-processes-*")
    (folder / ("f" * 32 + ".lock")).write_bytes(b"")
    assert not has_ended("local:h:1:" + "f" * 32)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_has_a_name_of_its_own():
    mine = process_name()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, process_name().encode())
        time.sleep(0.2)
        os._exit(0)
    theirs = os.read(read, 300).decode()
    os.waitpid(pid, 0)
    for descriptor in (read, write):
        os.close(descriptor)
    assert theirs != mine
    assert has_ended(theirs)
