"""A visit has a folder of its own, which goes with it."""

from __future__ import annotations

import atexit
import os
import stat
from pathlib import Path

import pytest

from pacifico.explorer.start.visit import begin_visit, end_visit


@pytest.fixture(autouse=True)
def at_exit(monkeypatch, tmp_path):
    """Functions that would run at exit; the present folder and variables come back."""
    ended = []
    monkeypatch.setattr(atexit, "register", lambda *call: ended.append(call))
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ann/explore.ipynb")
    monkeypatch.chdir(tmp_path)
    return ended


def test_a_visit_works_in_a_private_folder_that_is_removed(at_exit, tmp_path):
    folder = begin_visit()
    assert Path.cwd() == folder
    assert folder.parent == tmp_path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "JPY_SESSION_NAME" not in os.environ
    (folder / "a.txt").write_text("a")
    ((end, of),) = at_exit
    end(of)
    assert not folder.exists()
    assert Path.cwd() == tmp_path


def test_two_visits_are_apart(tmp_path):
    first = begin_visit(tmp_path)
    second = begin_visit(tmp_path)
    assert first != second
    end_visit(first)
    end_visit(second)
    assert list(tmp_path.iterdir()) == []
