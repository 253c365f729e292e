"""Fuzz harness of the records of uploaded sites and files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fuzz.mutators import mutate_json
from fuzz.scaffold import BreachError, Harness

from pacifico.jobs.upload_records import SiteRecord, UploadRecord, parse_record, record_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator


def read(data: bytes) -> Iterator[str]:
    """Read a record as an upload's where it has three members or fewer, else as a site's."""
    if data.count(b":") <= 3:
        upload = parse_record(UploadRecord, data, what="upload.json")
        if parse_record(UploadRecord, record_bytes(upload), what="upload.json") != upload:
            raise BreachError("the upload reads back as another one")
        yield f"stored as upload{upload.data_suffix}"
        return
    site = parse_record(SiteRecord, data, what="site.json")
    if parse_record(SiteRecord, record_bytes(site), what="site.json") != site:
        raise BreachError("the record reads back as another one")
    if "/" in site.stored_name or "\\" in site.stored_name:
        raise BreachError(f"a stored name with a path: {site.stored_name!r}")
    yield site.stored_name


def seeds() -> dict[str, bytes]:
    """Records of a site and of an upload."""
    site = {
        "schema_version": 1,
        "site_id": "north",
        "name": "north.kml",
        "suffix": ".kml",
        "file": "boundary-0.kml",
        "sha256": "0" * 64,
        "bytes": 300,
    }
    return {"site": json.dumps(site).encode(), "upload": json.dumps({"name": "dem.tif", "suffix": ".tif"}).encode()}


HARNESS = Harness(read, seeds, mutate_json, ('"schema_version"', ".geojson", "../", "\\ud800", "\\u0000"))
