"""Uploads of sites and files."""

from __future__ import annotations

import hashlib

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
