"""The store in a local folder."""

from __future__ import annotations

import errno
import tempfile

import pytest

from pacifico.jobs.stop_signals import StoppedError, StopSignals
from pacifico.jobs.store.base import NotFoundError, PermissionDeniedError, StoreError
from pacifico.jobs.store.local import LocalStore


def test_a_folder_without_rights_is_an_outside_failure(tmp_path):
    (tmp_path / "store").write_text("a file, not a folder")
    with pytest.raises(StoreError, match="check its disk"):
        LocalStore(tmp_path / "store").put("a", b"", kind="jobs")


def tree(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*")}


def test_reading_needs_no_right_to_write(tmp_path, monkeypatch):
    """A read-only mount, or another user's store: the system refuses every write."""
    root = tmp_path / "store"
    LocalStore(root).put("a/b", b"1", kind="jobs")
    before = tree(root)

    def refuse(*args, **options):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    store = LocalStore(root)
    store.probe()
    assert store.read("a/b").data == b"1"
    assert 0 <= store.read("a/b").age_s < 60
    assert [entry.key for entry in store.list("a/")] == ["a/b"]
    store.get_file("a/b", tmp_path / "copy")
    assert tree(root) == before
    with pytest.raises(PermissionDeniedError, match="give this user rights"):
        store.put("c", b"", kind="jobs")


def test_reading_a_store_that_is_not_there_makes_none(tmp_path):
    store = LocalStore(tmp_path / "none")
    with pytest.raises(NotFoundError):
        store.read("a")
    store.probe()
    store.now()
    assert list(tmp_path.iterdir()) == []


def test_a_copy_ends_when_the_job_is_told_to_stop(tmp_path):
    store = LocalStore(tmp_path / "store")
    store.put("a", bytes(10), kind="uploads")
    signals = StopSignals()
    signals.abandon.set()
    with pytest.raises(StoppedError):
        store.get_file("a", tmp_path / "x", signals=signals)
