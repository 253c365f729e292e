"""One contract over both forms of the store."""

from __future__ import annotations

import gc
import hashlib
import threading
import time
import urllib.request
import warnings

import pytest

from pacifico.errors import InputError
from pacifico.jobs.stop_signals import StoppedError, StopSignals
from pacifico.jobs.store.base import ExistsError, NotFoundError, SwapRefusedError, TooLargeError, content_type


def test_create_writes_once(store):
    version = store.create("a/b.json", b"1", kind="jobs")
    with pytest.raises(ExistsError):
        store.create("a/b.json", b"2", kind="jobs")
    blob = store.read("a/b.json")
    assert (blob.data, blob.version) == (b"1", version)


def test_swap_replaces_only_what_was_read(store):
    first = store.create("s", b"1", kind="jobs")
    second = store.swap("s", b"2", first, kind="jobs")
    with pytest.raises(SwapRefusedError):
        store.swap("s", b"3", first, kind="jobs")
    assert store.read("s").data == b"2"
    assert store.read("s").version == second
    with pytest.raises(SwapRefusedError):
        store.swap("none", b"3", first, kind="jobs")


@pytest.mark.parametrize("what", ["create", "swap"])
def test_a_race_has_one_winner(store, what):
    version = store.create("s", b"0", kind="jobs") if what == "swap" else ""
    won, barrier = [], threading.Barrier(12)

    def race(n):
        barrier.wait()
        try:
            if what == "create":
                store.create("s", b"%d" % n, kind="jobs")
            else:
                store.swap("s", b"%d!" % n, version, kind="jobs")
        except (ExistsError, SwapRefusedError):
            return
        won.append(n)

    threads = [threading.Thread(target=race, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read("s").data.rstrip(b"!") == b"%d" % won[0]


def test_age_is_told_by_the_stores_clock(store, monkeypatch):
    store.create("s", b"1", kind="jobs")
    now = store.now()
    monkeypatch.setattr(time, "time", lambda: 1e9)  # a worker's clock that is years off
    assert store.read("s").age_s < 5
    assert abs(store.now() - now) < 5


def test_what_is_absent_is_not_found(store, tmp_path):
    for key in ("a", "a/b"):
        with pytest.raises(NotFoundError):
            store.read(key)
        with pytest.raises(NotFoundError):
            store.get_file(key, tmp_path / "x")
    store.delete("a/b")
    assert list(store.list("a/")) == []


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", "", "a\0b"])
def test_keys_cant_be_escaped(store, key, tmp_path):
    for act in (
        lambda: store.read(key),
        lambda: store.create(key, b"", kind="jobs"),
        lambda: store.put(key, b"", kind="jobs"),
        lambda: store.get_file(key, tmp_path / "x"),
        lambda: store.delete(key),
    ):
        with pytest.raises(InputError):
            act()


def test_a_listing_goes_on_after_a_key(store):
    for name in ("a", "b/1", "b/2", "c"):
        store.put(f"p/{name}", b"", kind="jobs")
    assert [e.key for e in store.list("p/", after="p/b/1")] == ["p/b/2", "p/c"]
    assert [e.key for e in store.list("p/", after="p/b/~")] == ["p/c"]


def test_listing_is_in_the_keys_order(store):
    names = ["l/b", "l/a/2", "l/a/1", "l/a-", "l/a.", "m/x", "l/a/1.json"]
    for name in names:
        store.put(name, b"xy", kind="jobs")
    found = list(store.list("l/"))
    assert [entry.key for entry in found] == sorted(name for name in names if name.startswith("l/"))
    assert {entry.size for entry in found} == {2}
    assert all(abs(entry.modified - store.now()) < 5 for entry in found)


def test_files_of_any_size(store, tmp_path):
    big = tmp_path / "big.tif"
    big.write_bytes(bytes(range(256)) * 4096 * 20)  # 20 MB: in parts
    store.put_file("f/big.tif", big, kind="reports")
    store.get_file("f/big.tif", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    with pytest.raises(InputError, match=r"21\.0 MB; at most 1\.0 MB"):
        store.get_file("f/big.tif", tmp_path / "no", limit=1_000_000)


def test_size_age_and_hash_are_told_without_the_content(store, tmp_path):
    path = tmp_path / "dem.tif"
    path.write_bytes(b"abc")
    sha256 = hashlib.sha256(b"abc").hexdigest()
    store.put_file("u/file", path, kind="uploads", sha256=sha256)
    found = store.stat("u/file")
    assert (found.size, found.sha256) == (3, sha256)
    assert 0 <= found.age_s < 60
    with pytest.raises(NotFoundError):
        store.stat("u/none")


def test_delete_and_overwrite(store):
    store.put("a/b", b"1", kind="jobs")
    store.put("a/b", b"2", kind="jobs")
    assert store.read("a/b").data == b"2"
    store.delete("a/b")
    with pytest.raises(NotFoundError):
        store.read("a/b")


def test_presigned_get(store):
    store.put("r/report.html", b"<p>", kind="reports")
    with urllib.request.urlopen(store.presign_get("r/report.html", expires_s=60)) as reply:
        assert reply.read() == b"<p>"


@pytest.mark.parametrize(
    ("name", "media"),
    [("report.html", "text/html; charset=utf-8"), ("x.geojson", "application/geo+json"), ("x.pdf", "application/pdf")],
)
def test_content_types(name, media):
    assert content_type(name) == media


def test_an_object_over_the_limit_is_not_read(store):
    store.put("big", bytes(2 << 20), kind="jobs")
    with pytest.raises(TooLargeError, match=r"2\.1 MB; at most 1\.0 MB"):
        store.read("big")
    assert len(store.read("big", limit=4 << 20).data) == 2 << 20


def test_a_store_that_answers_passes_the_probe(store):
    store.probe()


def test_a_transfer_ends_when_the_job_is_told_to_stop(store, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(20 << 20))
    store.put_file("big", path, kind="uploads")
    signals = StopSignals()
    signals.interrupt.set()
    with pytest.raises(StoppedError):
        store.get_file("big", tmp_path / "copy", signals=signals)
    with warnings.catch_warnings():  # boto3 leaves the connection of a stopped transfer to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
