"""Uploads of sites and files."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import pytest

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.store.base import NotFoundError
from pacifico.jobs.uploads import read_site_record, upload_file, upload_site


@pytest.fixture
def boundary(tmp_path):
    path = tmp_path / "My site.KML"
    path.write_bytes(b"<kml/>")
    return path


def test_a_site_is_named_after_its_hash_and_read_back(local_store, boundary):
    sha256 = hashlib.sha256(b"<kml/>").hexdigest()
    for _ in range(2):
        assert upload_site(local_store, boundary, owner="ann", site_id=None, limit=100) == sha256[:32]
    record = read_site_record(local_store, "ann", sha256[:32])
    assert (record.name, record.suffix, record.bytes) == ("My site.KML", ".kml", 6)
    key = f"{keys.site('ann', sha256[:32])}/{record.stored_name}"
    assert local_store.read(key).data == b"<kml/>"
    with pytest.raises(NotFoundError, match="not among those of 'bob'"):
        read_site_record(local_store, "bob", sha256[:32])


def test_a_site_id_names_one_file(local_store, boundary):
    upload_site(local_store, boundary, owner="ann", site_id="home", limit=100)
    boundary.write_bytes(b"<kml>2</kml>")
    with pytest.raises(InputError, match="names another file"):
        upload_site(local_store, boundary, owner="ann", site_id="home", limit=100)


@pytest.mark.parametrize(
    ("name", "limit", "words"),
    [("a.docx", 100, "no boundary file"), ("b.kml", 3, "at most"), ("none.kml", 9, "is not there")],
)
def test_other_files_are_refused(local_store, tmp_path, name, limit, words):
    if not name.startswith("none"):
        (tmp_path / name).write_bytes(b"<kml/>")
    with pytest.raises(InputError, match=words):
        upload_site(local_store, tmp_path / name, owner="ann", site_id=None, limit=limit)


def test_a_file_has_the_address_of_its_hash(local_store, boundary):
    address = upload_file(local_store, boundary, owner="ann", limit=100)
    assert address == f"upload:{hashlib.sha256(b'<kml/>').hexdigest()}"
    assert local_store.read(f"{keys.upload('ann', address.removeprefix('upload:'))}/file").data == b"<kml/>"


class Counted:
    """A store that counts its writes of files, and can let its objects look older."""

    def __init__(self, store):
        self._store = store
        self.sent = []
        self.days = 0.0

    def __getattr__(self, name):
        return getattr(self._store, name)

    def put_file(self, key, path, **more):
        self.sent.append(key.rsplit("/", 1)[-1])
        self._store.put_file(key, path, **more)

    def stat(self, key):
        found = self._store.stat(key)
        return replace(found, age_s=found.age_s + self.days * 86_400)

    def read(self, key, **more):
        found = self._store.read(key, **more)
        return replace(found, age_s=found.age_s + self.days * 86_400)


@pytest.fixture
def counted(local_store):
    return Counted(local_store)


def test_a_file_that_the_store_has_is_not_sent_again(counted, boundary):
    for _ in range(3):
        upload_file(counted, boundary, owner="ann", limit=100, keep_days=90)
    assert counted.sent == ["file"]
    upload_file(counted, boundary, owner="bob", limit=100, keep_days=90)
    assert counted.sent == ["file", "file"]  # each owner has uploads of their own


@pytest.mark.parametrize(("days", "keep_days", "sent"), [(44, 90, 1), (46, 90, 2), (9999, 0, 1)])
def test_a_file_that_expires_soon_is_renewed(counted, boundary, days, keep_days, sent):
    upload_file(counted, boundary, owner="ann", limit=100, keep_days=keep_days)
    counted.days = days
    upload_file(counted, boundary, owner="ann", limit=100, keep_days=keep_days)
    assert len(counted.sent) == sent


def test_a_file_that_was_damaged_in_the_store_is_replaced(counted, boundary):
    address = upload_file(counted, boundary, owner="ann", limit=100, keep_days=90)
    key = f"{keys.upload('ann', address.removeprefix('upload:'))}/file"
    counted.put(key, b"<XXX/>", kind="uploads")
    upload_file(counted, boundary, owner="ann", limit=100, keep_days=90)
    assert counted.read(key).data == b"<kml/>"


def test_a_site_is_renewed_with_its_record(counted, boundary, tmp_path):
    site = upload_site(counted, boundary, owner="ann", site_id=None, limit=100, keep_days=90)
    record = tmp_path / "store" / keys.site("ann", site) / "site.json"
    os.utime(record, (1, 1))
    upload_site(counted, boundary, owner="ann", site_id=None, limit=100, keep_days=90)
    assert record.stat().st_mtime > 1e9
    assert len(counted.sent) == 1
