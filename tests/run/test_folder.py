"""Output folders: what a report may replace."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.run import folder, manifest


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "report"
    path.mkdir()
    manifest.write(path, {"outputs": {"a.txt": {}}, "inputs": {}})
    (path / "a.txt").write_text("old")
    return path


def test_an_older_report_is_replaced(report):
    staged = folder.stage(report)
    (staged / "new.txt").write_text("new")
    folder.place(staged, report)
    assert [p.name for p in report.iterdir()] == ["new.txt"]
    assert [p.name for p in report.parent.iterdir()] == ["report"]


def test_files_of_others_are_not_replaced(report, tmp_path):
    (report / "mine.txt").write_text("")
    with pytest.raises(InputError, match=r"mine\.txt"):
        folder.check(report)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is not a folder"):
        folder.check(tmp_path / "file")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").write_text("")
    with pytest.raises(InputError, match="holds no pacifico report"):
        folder.check(tmp_path / "other")


def test_what_viewers_leave_is_no_obstacle(report):
    (report / ".DS_Store").write_text("")
    folder.check(report)
    folder.check(report.parent / "absent")
