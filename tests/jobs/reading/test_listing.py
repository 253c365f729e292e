"""Listings from hints."""

from __future__ import annotations

import uuid

import pytest

from pacifico.jobs import keys
from pacifico.jobs.client import JobClient
from pacifico.jobs.reading.listing import hint_rows, iso, site_names
from pacifico.jobs.settings import Settings

A, B = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def put(store, layout_id, **fields):
    store.put(
        keys.hint("ann", layout_id, **{"created_ms": 1000, "revision": 1, "status": "queued", **fields}),
        b"",
        kind="jobs",
    )


def test_a_layout_has_one_row_with_its_last_hint_newest_first(local_store):
    put(local_store, A)
    put(local_store, A, revision=3, status="failed")
    put(local_store, B, created_ms=2000)
    rows = list(hint_rows(local_store, "ann"))
    assert [(r["layout_id"], r["status"], r["revision"]) for r in rows] == [(B, "queued", 1), (A, "failed", 3)]
    assert list(hint_rows(local_store, "bob")) == []


@pytest.mark.parametrize("tail", ["x", "1-y/2-queued", f"{'0' * 13}-{A}/00000001-exploded"])
def test_what_is_no_hint_is_left_out(local_store, tail):
    put(local_store, B)
    local_store.put(f"{keys.index('ann')}{tail}", b"", kind="jobs")
    assert [r["layout_id"] for r in hint_rows(local_store, "ann")] == [B]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "1970-01-01T00:00:00.000Z"), (1.5, "1970-01-01T00:00:01.500Z"), (1e30, "1970-01-01T00:00:00.000Z")],
)
def test_times_are_written_in_utc(seconds, text):
    assert iso(seconds) == text


def test_layouts_are_named_by_their_boundary_files(local_store, tmp_path):
    client = JobClient(Settings(store=local_store.url, owner="ann"))
    named = []
    for name in ("Größe.kml", "b.kml"):
        (tmp_path / name).write_bytes(name.encode())
        request = client.request(client.upload_site(tmp_path / name), dem="sample")
        client._records.submit(request)
        named.append(request.layout_id)
    found = site_names(client._records, "ann", [*named, A])
    assert found == {named[0]: "Größe.kml", named[1]: "b.kml", A: ""}  # A was never submitted
