"""Quotas and shares of one owner."""

from __future__ import annotations

import dataclasses

import pytest

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.records import Records
from pacifico.jobs.request import JobRequest
from pacifico.jobs.settings import Settings
from pacifico.jobs.submission import quotas

SETTINGS = Settings(store="unused", owner="ann")


def limited(**limits):
    return dataclasses.replace(SETTINGS, **limits)


@pytest.fixture
def records(local_store):
    return Records(local_store)


def ask(owner="ann"):
    return JobRequest(owner=owner, site_id="s", dem="sample")


def test_all_are_off_by_default(records):
    records.submit(ask())
    assert quotas.beyond_quota(records, "ann", SETTINGS, [ask()]) == set()
    quotas.require_bytes(records.store, "ann", SETTINGS, more=10**12)


def test_open_jobs_are_counted_and_ended_ones_are_not(records):
    settings = limited(max_open_jobs=2)
    first, second, third = ask(), ask(), ask()
    assert quotas.beyond_quota(records, "ann", settings, [first, second, third]) == {third.layout_id}
    for request in (first, second):
        records.submit(request)
    assert quotas.beyond_quota(records, "ann", settings, [third]) == {third.layout_id}
    assert (
        quotas.beyond_quota(records, "ann", settings, [first, second]) == set()
    )  # they are stored: sent again, not new
    assert quotas.beyond_quota(records, "bob", settings, [ask("bob")]) == set()
    records.cancel("ann", first.layout_id)
    assert quotas.beyond_quota(records, "ann", settings, [third]) == set()
    assert "as many as the quota allows" in str(quotas.refusal("ann", settings))


def test_stored_bytes_are_those_of_the_owner(records):
    records.store.put("owners/ann/uploads/x/file", b"x" * 900, kind="uploads")
    records.store.put("owners/bob/uploads/x/file", b"x" * 900, kind="uploads")
    settings = limited(max_stored_bytes=1000)
    quotas.require_bytes(records.store, "ann", settings, more=100)
    with pytest.raises(quotas.QuotaError, match=r"stores 0\.0 MB.*jobs gc --delete"):
        quotas.require_bytes(records.store, "ann", settings, more=101)
    assert issubclass(quotas.QuotaError, InputError)


def test_running_jobs_are_those_with_a_live_lease(records):
    requests = [ask() for _ in range(3)]
    for request in requests:
        records.submit(request)
    assert quotas.running_jobs(records, "ann", enough=9, besides="") == 0
    for request in requests[:2]:
        begun = claim(records, "ann", request.layout_id, worker="w", settings=SETTINGS)
        records.index(begun.status)
    assert quotas.running_jobs(records, "ann", enough=9, besides="") == 2
    assert quotas.running_jobs(records, "ann", enough=1, besides="") == 1
    assert quotas.running_jobs(records, "ann", enough=9, besides=requests[0].layout_id) == 1
    assert quotas.running_jobs(records, "bob", enough=9, besides="") == 0


@pytest.mark.parametrize("content", [b"{", b'{"schema_version": 2}', None])
def test_a_status_that_can_not_be_read_is_no_running_job(records, content):
    """Planted, of a newer pacifico, or gone: other jobs of the owner run all the same."""
    strange, running = ask(), ask()
    for request in (strange, running):
        records.submit(request)
        begun = claim(records, "ann", request.layout_id, worker="w", settings=SETTINGS)
        records.index(begun.status)
    key = keys.status("ann", strange.layout_id)
    records.store.delete(key) if content is None else records.store.put(key, content, kind="jobs")
    assert quotas.running_jobs(records, "ann", enough=9, besides="") == 1


def test_planted_hints_cost_a_limited_number_of_reads(records, monkeypatch):
    monkeypatch.setattr(quotas, "_MOST_READ", 20)
    for n in range(50):
        layout_id = f"00000000-0000-0000-0000-{n:012d}"
        records.store.put(keys.hint("ann", layout_id, created_ms=1, revision=1, status="processing"), b"", kind="jobs")
    read = []
    monkeypatch.setattr(records, "read", lambda *key: read.append(key) or (_ for _ in ()).throw(InputError("none")))
    assert quotas.running_jobs(records, "ann", enough=3, besides="") == 0
    assert len(read) == 20
