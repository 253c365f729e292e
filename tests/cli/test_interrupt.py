"""Ctrl-C ends a command at once: exit status 130, one line, no traceback, no output file, no process left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc, and needs a pseudo-terminal")


class Terminal:
    """A command whose standard error is a terminal, where progress shows."""

    def __init__(self, words, cwd, **env):
        self._ours, theirs = os.openpty()
        # a shell starts background jobs with SIGINT ignored, and children inherit that
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pacifico", *words],
            cwd=cwd,
            env={**os.environ, **env},
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        )
        signal.signal(signal.SIGINT, before)
        os.close(theirs)
        self.shown = ""

    def read_until(self, text):
        """Read what is shown until a text comes, or the command has ended."""
        while text is None or text not in self.shown:
            try:
                more = os.read(self._ours, 65_536)
            except OSError:  # the command has closed its end
                break
            self.shown += more.decode()
        assert text is None or text in self.shown, self.shown

    def interrupt(self):
        """Send SIGINT; return the exit status and what stands after the progress line was cleared."""
        self.process.send_signal(signal.SIGINT)
        self.read_until(None)
        os.close(self._ours)
        return self.process.wait(60), self.shown.rsplit("\033[K", 1)[-1].splitlines()


def processes_with(text):
    """Processes whose environment holds a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_a_layout_ends(tmp_path):
    terminal = Terminal(["layout", "sample", "--dem", "sample", "--out", "a.geojson"], tmp_path)
    terminal.read_until("placing assets")
    assert terminal.interrupt() == (130, ["pacifico: interrupted"])
    assert list(tmp_path.iterdir()) == []


def test_a_compilation_ends_with_its_processes(tmp_path):
    cache = str(tmp_path / "cache")
    words = ["layout", "sample", "--dem", "sample", "--out", "a.geojson"]
    terminal = Terminal(words, tmp_path, NUMBA_CACHE_DIR=cache)
    terminal.read_until("compiling, first run only [")
    assert terminal.interrupt() == (130, ["pacifico: interrupted"])
    assert not (tmp_path / "a.geojson").exists()
    assert processes_with(f"NUMBA_CACHE_DIR={cache}") == []
