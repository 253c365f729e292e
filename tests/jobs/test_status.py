"""Statuses and their changes."""

from __future__ import annotations

import json

import pytest

from pacifico.errors import InputError
from pacifico.jobs import status as states
from pacifico.jobs.status import parse_status

GOOD = {
    "schema_version": 1,
    "layout_id": "123e4567-e89b-12d3-a456-426614174000",
    "site_id": "s",
    "owner": "ann",
    "target_capacity_kw": 1000,
    "dem": "3dep",
}


def first():
    return states.queued(layout_id=GOOD["layout_id"], owner="ann", site_id="s", request_sha256="0" * 64, now=1000.0)


def test_every_write_has_bytes_of_its_own():
    status = first()
    again = states.renewed(status, now=1000.0)
    assert again.to_bytes() != status.to_bytes()
    assert states.renewed(again, now=1000.0).to_bytes() != again.to_bytes()
    assert parse_status(again.to_bytes()) == again


def test_progress_never_goes_back():
    status = states.claimed(first(), worker="w", nonce="n", lease_s=60, now=1001)
    status = states.renewed(status, now=1002, stage="placing_assets", message="m")
    assert (status.stage, status.progress_pct, status.stage_message) == ("placing_assets", 55, "m")
    status = states.renewed(status, now=1003, stage="fetching_dem")
    assert (status.stage, status.progress_pct) == ("placing_assets", 55)


def test_times_are_in_order_whatever_a_clock_says():
    status = states.claimed(first(), worker="w", nonce="n", lease_s=60, now=400.0)
    assert status.started_at >= status.created_at
    done = states.completed(status, artifacts={}, metrics={"asset_count": 3, "other": 1.0}, now=300.0)
    assert done.finished_at >= done.started_at
    assert done.to_json()["asset_count"] == 3
    assert "total_capacity_kw" not in done.to_json()


def test_the_status_has_the_fields_it_promises():
    assert set(first().to_json()) >= {
        "layout_id",
        "status",
        "stage",
        "progress_pct",
        "stage_message",
        "error_kind",
        "error_message",
        "attempt",
        "worker",
        "nonce",
        "created_at",
        "started_at",
        "finished_at",
        "updated_at",
        "lease_seconds",
        "artifacts",
        "request_sha256",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"attempt": -1},
        {"attempt": 10**30},
        {"lease_seconds": 1e9},
        {"lease_seconds": -1},
        {"worker": "x" * 1000},
        {"stage_message": "x" * 10_000},
        {"artifacts": {"../x": {"sha256": "0" * 64, "bytes": 1}}},
        {"artifacts": {"x": {"sha256": "../../y", "bytes": 1}}},
        {"artifacts": {"x": {"sha256": "0" * 64, "bytes": -1}}},
        {"created_at": "2026-01-01T00:00:00"},
        {"created_at": "0001-01-01T00:00:00Z"},
        {"updated_at": "9999-12-31T23:59:59Z"},
        {"road_length_m": 1e300},
        {"asset_count": -3},
        {"status": "done"},
        {"error_kind": "bad luck"},
        {"more": 1},
        {"schema_version": 0},
    ],
)
def test_a_planted_status_is_refused(change):
    with pytest.raises(InputError, match="status: "):
        parse_status(json.dumps({**first().to_json(), **change}).encode())


def test_a_status_keeps_no_secret():
    message = "https://h/x.tif?sig=abc123 can't be read; Authorization: Bearer abc123"
    for status in (
        states.failed(first(), kind="request", message=message, now=1.0),
        states.released(first(), reason=message, kind="service", now=1.0),
        states.noted(first(), message=message, now=1.0),
    ):
        assert b"abc123" not in status.to_bytes()
        assert b"can't be read" in status.to_bytes()


def test_a_job_that_is_sent_again_waits_as_a_new_one():
    status = states.claimed(first(), worker="w", nonce="n", lease_s=60, now=1001)
    failed = states.failed(status, kind="service", message="the store was away", now=1002)
    again = states.redriven(failed, now=1003)
    assert (again.status, again.stage, again.stage_message, again.progress_pct) == ("queued", "queued", "sent again", 0)
    assert (again.error_kind, again.error_message, again.finished_at, again.artifacts) == (None, None, None, {})
    assert (again.attempt, again.revision) == (1, failed.revision + 1)
    assert again.queued_at.timestamp() == 1003


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e300])
def test_a_metric_out_of_range_is_refused(value):
    with pytest.raises(InputError, match="road_length_m"):
        states.completed(first(), artifacts={}, metrics={"road_length_m": value}, now=1.0)


def test_stages_are_those_of_a_run():
    from pacifico.run.outcome import STAGES

    assert [states.renewed(first(), now=1.0, stage=name).progress_pct for name in STAGES] == [
        percent for percent, _ in STAGES.values()
    ]


@pytest.mark.parametrize(("age_s", "alive"), [(0.0, True), (59.999, True), (60.0, False), (60.001, False)])
def test_a_lease_ends_when_its_age_reaches_its_length(age_s, alive):
    status = states.claimed(first(), worker="w", nonce="n", lease_s=60, now=1001)
    assert status.lease_alive(age_s) is alive


def test_only_a_running_job_has_a_live_lease():
    assert not first().lease_alive(0.0)
    running = states.claimed(first(), worker="w", nonce="n", lease_s=60, now=1001)
    assert not states.cancelled(running, now=1002).lease_alive(0.0)


def test_a_message_of_failure_is_kept_up_to_2000_characters():
    running = states.claimed(first(), worker="w", nonce="n", lease_s=60, now=1001)
    failed = states.failed(running, kind="request", message="x" * 5000, now=1002)
    assert failed.error_message == "x" * 2000
