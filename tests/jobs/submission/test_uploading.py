"""An owner's uploads: once each, within the quota."""

from __future__ import annotations

import dataclasses

import pytest

from pacifico.jobs.settings import Settings
from pacifico.jobs.submission.quotas import QuotaError
from pacifico.jobs.submission.uploading import Uploader

SETTINGS = Settings(store="unused", owner="ann")


def test_one_dem_of_many_jobs_is_sent_and_read_once(local_store, tmp_path, monkeypatch):
    sent = []
    monkeypatch.setattr(local_store, "put_file", lambda key, *_, **__: sent.append(key))
    dem = tmp_path / "dem.tif"
    dem.write_bytes(b"II*\x00")
    uploader = Uploader(local_store, "ann", SETTINGS)
    addresses = {uploader.file(dem) for _ in range(50)}
    assert len(addresses) == len(sent) == 1
    dem.write_bytes(b"II*\x00 changed")
    assert uploader.file(dem) not in addresses
    assert len(sent) == 2


def test_a_quota_of_bytes_is_checked_before_anything_is_written(local_store, tmp_path):
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    uploader = Uploader(local_store, "ann", dataclasses.replace(SETTINGS, max_stored_bytes=5))
    with pytest.raises(QuotaError):
        uploader.file(path)
    with pytest.raises(QuotaError):
        uploader.site(path, site_id=None, as_read=None)
    assert list(local_store.list("owners/")) == []
