"""The store in a local folder."""

from __future__ import annotations

import errno
import fcntl
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pacifico.errors import InputError
from pacifico.jobs.stop_signals import StoppedError, StopSignals
from pacifico.jobs.store.base import ExistsError, NotFoundError, PermissionDeniedError, StoreError, SwapRefusedError
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


def test_a_store_whose_place_is_a_file_is_not_ready(tmp_path):
    (tmp_path / "file").write_text("no folder")
    for folder in ("file", "file/store"):
        with pytest.raises(StoreError, match="is no folder"):
            LocalStore(tmp_path / folder).probe()


def test_a_copy_ends_when_the_job_is_told_to_stop(tmp_path):
    store = LocalStore(tmp_path / "store")
    store.put("a", bytes(10), kind="uploads")
    signals = StopSignals()
    signals.abandon.set()
    with pytest.raises(StoppedError):
        store.get_file("a", tmp_path / "x", signals=signals)


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EXDEV])
def test_without_hard_links_a_create_still_has_one_winner(local_store, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, "no links here")

    monkeypatch.setattr("os.link", refuse)
    with ThreadPoolExecutor(8) as pool:
        wins = list(pool.map(lambda k: create(local_store, str(k)), range(8)))
    assert sum(wins) == 1
    assert local_store.read("a/b").data == str(wins.index(True)).encode()
    assert [e.key for e in local_store.list("a/")] == ["a/b"]


def create(store, text):
    try:
        store.create("a/b", text.encode(), kind="jobs")
    except ExistsError:
        return False
    return True


def test_where_folders_take_no_lock_a_file_does(local_store, monkeypatch):
    """NFS locks only what is open for writing, which a folder can't be."""
    real = fcntl.flock

    def flock(handle, operation):
        if Path(f"/proc/self/fd/{handle}").is_dir():
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(handle, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    version = local_store.create("a/b", b"1", kind="jobs")
    version = local_store.swap("a/b", b"2", version, kind="jobs")
    with pytest.raises(SwapRefusedError):
        local_store.swap("a/b", b"3", "other", kind="jobs")
    assert [e.key for e in local_store.list("a/")] == ["a/b"]


def test_what_desktops_and_network_disks_leave_is_no_object(local_store, tmp_path):
    local_store.put("owners/ann/a", b"", kind="jobs")
    for name in (".DS_Store", ".nfs0000000012", "._a", ".partial-x"):
        (tmp_path / "store" / "owners" / "ann" / name).write_text("")
        (tmp_path / "store" / name).write_text("")
    assert [e.key for e in local_store.list("owners/")] == ["owners/ann/a"]
    local_store.delete("owners/ann/a")
    assert list(local_store.list("owners/")) == []


def test_a_home_that_is_not_known_is_one_line(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError("uid")))
    monkeypatch.setattr("pwd.getpwnam", lambda _: (_ for _ in ()).throw(KeyError("name")))
    with pytest.raises(InputError, match="set PACIFICO_STORE") as refused:
        LocalStore(Path("~/store"))
    assert "\n" not in str(refused.value)
