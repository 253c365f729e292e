"""Edits by hand are kept beside a report, each once."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.records import ConflictError
from pacifico.jobs.serving.edits import EditEntry, Edits
from pacifico.jobs.store.base import NotFoundError
from pacifico.jobs.store.local import LocalStore

ID = "0b8f5c1e-1111-4222-8333-444455556666"


@pytest.fixture
def status():
    first = states.queued(layout_id=ID, owner="ann", site_id="s", request_sha256="0" * 64, now=0.0)
    return states.claimed(first, worker="w", nonce="n", lease_s=60, now=1.0)


@pytest.fixture
def store(tmp_path, status):
    made = LocalStore(tmp_path / "store")
    made.create(keys.status("ann", ID), status.to_bytes(), kind="jobs")
    return made


@pytest.fixture
def layout(tmp_path):
    path = tmp_path / "layout.geojson"
    path.write_text("{}")
    return path


ROADS = EditEntry(op="roads")


def test_edits_are_read_as_they_were_written(store, status, layout, tmp_path):
    edits = Edits(store, status)
    found, version = edits.read()
    assert (found.edits, found.sha256, version) == ((), None, None)
    moved = EditEntry(op="asset", asset_id="battery-0001", to=(1.0, 2.0))
    edits.write((ROADS, moved), layout, None)
    found, version = edits.read()
    assert found.edits == (ROADS, moved)
    edits.fetch(found, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "{}"
    layout.write_text("[]")
    edits.write((ROADS,), layout, version)
    assert edits.read()[0].edits == (ROADS,)


def test_of_two_edits_at_once_one_is_refused(store, status, layout):
    edits = Edits(store, status)
    edits.write((ROADS,), layout, None)
    with pytest.raises(ConflictError, match="edited by another request"):
        edits.write((ROADS,), layout, None)
    _, version = edits.read()
    edits.write((ROADS, ROADS), layout, version)
    with pytest.raises(ConflictError):
        edits.write((ROADS, ROADS), layout, version)


def test_edits_of_an_earlier_attempt_do_not_count(store, status, layout):
    Edits(store, status).write((ROADS,), layout, None)
    again = states.claimed(status, worker="w", nonce="n", lease_s=60, now=2.0)
    found, version = Edits(store, again).read()
    assert found.edits == ()
    Edits(store, again).write((ROADS,), layout, version)
    assert Edits(store, again).read()[0].edits == (ROADS,)


def test_an_edit_of_a_layout_that_is_deleted_meanwhile_leaves_nothing(store, status, layout):
    store.delete(keys.status("ann", ID))
    with pytest.raises(NotFoundError, match="deleted meanwhile"):
        Edits(store, status).write((ROADS,), layout, None)
    assert list(store.list("owners/")) == []


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"schema_version": 1, "attempt": 1, "edits": [{"op": "shell"}]}'])
def test_planted_edits_are_refused(store, status, content):
    store.put(keys.edits("ann", ID), content, kind="jobs")
    with pytest.raises(InputError):
        Edits(store, status).read()


def test_a_damaged_layout_is_not_returned(store, status, layout, tmp_path):
    edits = Edits(store, status)
    made = edits.write((ROADS,), layout, None)
    store.put(keys.edited("ann", ID, made.sha256, "layout.geojson"), b"[]", kind="reports")
    with pytest.raises(InputError, match="damaged"):
        edits.fetch(made, tmp_path / "copy")
