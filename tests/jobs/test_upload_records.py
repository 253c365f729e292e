"""Records of uploads, as strict as their reader."""

from __future__ import annotations

import json

import pytest

from pacifico.errors import InputError
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.upload_records import SiteRecord, UploadRecord, parse_record, record_bytes

SITE = SiteRecord(site_id="s", name="a.kml", suffix=".kml", file="x", sha256="0" * 64, bytes=3)


def test_a_record_is_read_as_written():
    assert parse_record(SiteRecord, record_bytes(SITE), what="site.json") == SITE
    assert SITE.stored_name == "boundary-0000000000000000.kml"


@pytest.mark.parametrize("suffix", [".tif", ".epw", ".geojson"])
def test_known_suffixes_are_kept(suffix):
    assert UploadRecord(name="a", suffix=suffix).data_suffix == suffix


@pytest.mark.parametrize("suffix", ["", ".py", "/../x", ".nbi", ".TIF"])
def test_others_are_dropped(suffix):
    assert UploadRecord(name="a", suffix=suffix).data_suffix == ""


def test_an_older_upload_without_version_is_read_and_a_newer_one_left_alone():
    assert parse_record(UploadRecord, b'{"name": "a", "suffix": ".tif"}', what="upload.json").suffix == ".tif"
    with pytest.raises(UnknownVersionError):
        parse_record(UploadRecord, json.dumps({"schema_version": 2}).encode(), what="upload.json")
    with pytest.raises(InputError, match="upload the file again"):
        parse_record(UploadRecord, b'{"name": 3, "suffix": ".tif"}', what="upload.json")
