"""Files, exports and rules of a layout."""

from __future__ import annotations

import io
import zipfile

import pytest

from pacifico.export import ending_of
from pacifico.server.api.files import SANDBOX, tag_of


@pytest.fixture
def place(layout):
    return f"/layouts/{layout['layout_id']}"


def test_a_file_is_sandboxed_and_has_its_hash_as_tag(rest, place):
    artifacts = rest.get(f"{place}/status").json()["artifacts"]
    for name in ("layout.geojson", "inputs/boundary.kml"):
        reply = rest.get(f"{place}/files/{name}")
        assert reply.headers["ETag"] == f'"{artifacts[name]["sha256"]}"'
        assert reply.headers["Content-Security-Policy"] == SANDBOX
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Content-Disposition"].startswith("attachment")
        assert len(reply.content) == artifacts[name]["bytes"]
        again = rest.get(f"{place}/files/{name}", headers={"If-None-Match": reply.headers["ETag"]})
        assert again.status_code == 304


@pytest.mark.parametrize(
    "name", ["../status.json", "status.json", "..%2f..%2frequest.json", "%2fetc%2fpasswd", "inputs", "a%00b"]
)
def test_no_other_file_can_be_read(rest, place, name):
    assert rest.get(f"{place}/files/{name}").status_code in (400, 404)


@pytest.mark.parametrize(
    ("fmt", "start"),
    [
        ("kmz", b"PK"),
        ("dxf", b"  0"),
        ("gpkg", b"SQLite"),
        ("landxml", b"<?xml"),
        ("parquet", b"PAR1"),
        ("pdf", b"%PDF"),
    ],
)
def test_exports(rest, place, fmt, start):
    reply = rest.get(f"{place}/export/{fmt}")
    assert reply.status_code == 200, reply.text
    assert reply.content.startswith(start)
    assert f".{ending_of(fmt)}" in reply.headers["Content-Disposition"]


def test_tables_come_as_one_zip(rest, place):
    names = zipfile.ZipFile(io.BytesIO(rest.get(f"{place}/export/csv").content)).namelist()
    assert {"assets.csv", "roads.csv"} <= set(names)


def test_unknown_formats_and_packs(rest, place):
    assert rest.get(f"{place}/export/exe").status_code == 404
    assert rest.get(f"{place}/compliance?pack=none").status_code == 422
    assert rest.get(f"{place}/compliance?pack=../../etc/passwd").status_code == 422
    assert rest.get(f"{place}/compliance").status_code == 422


def test_rules(rest, place):
    found = rest.get(f"{place}/compliance?pack=ifc-appendix-d").json()
    assert found["pack"] == "ifc-appendix-d"
    assert found["findings"]


def test_tags_depend_on_every_part():
    assert len({tag_of("a", 1), tag_of("a", 2), tag_of("b", 1)}) == 3
