"""The program of a process: a cancelled number that doesn't run interrupts nothing."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from pacifico.explorer.engine import child
from pacifico.explorer.engine.frames import read_frame, write_frame


def test_it_runs_tasks_one_after_another_until_its_input_ends(terrain, request_of):
    sent = io.BytesIO()
    write_frame(sent, ("site", terrain.key, terrain.site, terrain.dem))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", child.__name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdin.write(sent.getvalue())
    write_frame(process.stdin, ("cancel", 7))
    for number in (7, 8):
        write_frame(process.stdin, ("run", number, "first_picture", (terrain.key, request_of(4))))
    replies = [read_frame(process.stdout) for _ in range(2)]
    assert [(number, kind) for number, kind, _ in replies] == [(7, "result"), (8, "result")]
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    with pytest.raises(EOFError):
        read_frame(process.stdout)
    process.stdout.close()
