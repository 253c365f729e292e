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


def test_messages_of_a_stage_and_of_a_release_are_kept_up_to_500_characters():
    assert len(states.renewed(first(), now=1.0, stage="placing_assets", message="x" * 900).stage_message) == 500
    assert len(states.released(first(), reason="x" * 900, kind="service", now=1.0).stage_message) == 500


def test_a_job_is_assigned_to_the_process_that_will_run_it():
    assigned = states.assigned(first(), worker="local:h:1:x", now=1001.0)
    assert (assigned.status, assigned.worker, assigned.revision) == ("queued", "local:h:1:x", 2)


LIMITS = [
    ("layout_id", "x" * 36, "x" * 37),
    ("owner", "x" * 200, "x" * 201),
    ("owner", "x", ""),
    ("site_id", "x" * 200, "x" * 201),
    ("site_id", "x", ""),
    ("stage", "x" * 64, "x" * 65),
    ("stage_message", "x" * 4000, "x" * 4001),
    ("error_message", "x" * 4000, "x" * 4001),
    ("progress_pct", 100, 101),
    ("progress_pct", 0, -1),
    ("attempt", 10**9, 10**9 + 1),
    ("attempt", 0, -1),
    ("worker", "x" * 300, "x" * 301),
    ("nonce", "x" * 64, "x" * 65),
    ("lease_seconds", 43_200.0, 43_200.5),  # a queue hides a message for twelve hours at most
    ("lease_seconds", 0, -0.5),
    ("request_sha256", "x" * 64, "x" * 65),
    ("revision", 10**9, 10**9 + 1),
    ("revision", 1, 0),
    ("state_revision", 10**9, 10**9 + 1),
    ("state_revision", 1, 0),
    ("asset_count", 10**9, 10**9 + 1),
    ("asset_count", 0, -1),
    *[(name, 1e15, 1.0000000000000002e15) for name in states.METRICS if name != "asset_count"],
    *[(name, -1e15, -1.0000000000000002e15) for name in states.METRICS if name != "asset_count"],
    ("created_at", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z"),
    ("updated_at", "2199-12-31T23:59:59Z", "2200-01-01T00:00:00Z"),
    ("finished_at", "2199-12-31T23:59:59Z", "2201-01-01T00:00:00Z"),
]


@pytest.mark.parametrize(("name", "largest", "beyond"), LIMITS)
def test_a_field_at_its_limit_is_read_and_one_beyond_is_refused(name, largest, beyond):
    read = parse_status(json.dumps({**first().to_json(), name: largest}).encode())
    if not name.endswith("_at"):
        assert getattr(read, name) == largest
    with pytest.raises(InputError, match=name):
        parse_status(json.dumps({**first().to_json(), name: beyond}).encode())


def test_a_report_has_up_to_5000_files_of_up_to_a_pebibyte():
    def status_of(count, size):
        files = {f"f{k}": {"sha256": "0" * 64, "bytes": size} for k in range(count)}
        return parse_status(json.dumps({**first().to_json(), "artifacts": files}).encode())

    assert len(status_of(5000, 0).artifacts) == 5000
    assert status_of(1, 2**50).artifacts["f0"].bytes == 2**50
    for count, size in ((5001, 1), (1, 2**50 + 1), (1, -1)):
        with pytest.raises(InputError, match="artifacts"):
            status_of(count, size)
    with pytest.raises(InputError, match="artifacts"):
        parse_status(
            json.dumps({**first().to_json(), "artifacts": {"a": {"sha256": "0" * 64, "bytes": 1, "more": 1}}}).encode()
        )


def test_the_first_status_counts_from_nothing():
    status = first()
    assert (status.status, status.stage, status.stage_message) == ("queued", "queued", "")
    assert (status.schema_version, status.attempt, status.progress_pct) == (1, 0, 0)
    assert (status.revision, status.state_revision, status.artifacts) == (1, 1, {})
    without = {
        k: v
        for k, v in status.to_json().items()
        if k not in ("attempt", "progress_pct", "revision", "state_revision", "schema_version")
    }
    again = parse_status(json.dumps({**without, "schema_version": 1}).encode())
    assert again == status


def test_neither_a_status_nor_a_file_of_it_can_be_changed_in_place():
    status = states.completed(
        first(), artifacts={"a": states.Artifact(sha256="0" * 64, bytes=1)}, metrics={}, now=1001.0
    )
    with pytest.raises(ValueError, match="frozen"):
        status.stage = "other"
    with pytest.raises(ValueError, match="frozen"):
        status.artifacts["a"].bytes = 2


def test_times_are_kept_to_the_millisecond():
    at = states.moment(1000.123_456)
    assert at.isoformat() == "1970-01-01T00:16:40.123000+00:00"
    status = states.queued(layout_id="l", owner="ann", site_id="s", request_sha256="0" * 64, now=1000.1234)
    assert status.created_ms == 1_000_123
    assert status.created_at == status.queued_at == status.updated_at == states.moment(1000.123)


def test_text_is_written_as_it_is_without_spaces_between_members():
    status = states.noted(first(), message="Straße", now=1001.0)
    assert "Straße".encode() in status.to_bytes()
    assert b": " not in status.to_bytes()
    assert json.loads(status.to_bytes()) == status.to_json()


@pytest.mark.parametrize(
    ("state", "ended"),
    [("queued", False), ("processing", False), ("completed", True), ("failed", True), ("cancelled", True)],
)
def test_a_completed_failed_or_cancelled_job_has_ended(state, ended):
    assert first().model_copy(update={"status": state}).terminal is ended
    assert (state in states.TERMINAL) is ended


def test_a_lease_without_a_length_is_dead():
    running = states.claimed(first(), worker="w", nonce="n", lease_s=60, now=1001)
    assert not running.model_copy(update={"lease_seconds": None}).lease_alive(0.0)
    assert running.model_copy(update={"lease_seconds": None}).lease_alive(-1.0)


def test_a_claim_begins_the_next_attempt_with_nothing_of_the_last():
    failed = states.failed(
        states.claimed(first(), worker="v", nonce="m", lease_s=50, now=1001),
        kind="service",
        message="away",
        artifacts={"a": states.Artifact(sha256="0" * 64, bytes=1)},
        now=1002,
    )
    assert (failed.progress_pct, failed.error_message, list(failed.artifacts)) == (0, "away", ["a"])
    renewed = states.renewed(failed, now=1003, stage="placing_assets")
    done = states.completed(renewed, artifacts={}, metrics={"asset_count": 3}, now=1003)
    assert (done.progress_pct, done.stage, done.stage_message) == (100, "completed", "")
    again = states.claimed(done, worker="w", nonce="n", lease_s=60, now=1004)
    assert (again.status, again.stage, again.progress_pct, again.attempt) == ("processing", "queued", 0, 2)
    assert (again.worker, again.nonce, again.lease_seconds) == ("w", "n", 60)
    assert (again.error_kind, again.error_message, again.finished_at, again.artifacts) == (None, None, None, {})
    assert (again.asset_count, again.started_at) == (None, states.moment(1004))


def test_the_revision_of_the_state_is_that_of_its_last_change():
    status = first()
    for change, revision, of_state in (
        (lambda s: states.noted(s, message="m", now=1001), 2, 1),
        (lambda s: states.claimed(s, worker="w", nonce="n", lease_s=60, now=1002), 3, 3),
        (lambda s: states.renewed(s, now=1003, stage="placing_assets"), 4, 3),
        (lambda s: states.released(s, reason="away", kind="service", now=1004), 5, 5),
        (lambda s: states.redriven(s, now=1005), 6, 5),
        (lambda s: states.cancelled(s, now=1006), 7, 7),
    ):
        status = change(status)
        assert (status.revision, status.state_revision) == (revision, of_state)


def test_a_release_keeps_its_reason_as_an_error_where_it_has_a_kind():
    running = states.claimed(first(), worker="w", nonce="n", lease_s=60, now=1001)
    away = states.released(running, reason="x" * 5000, kind="service", now=1002)
    assert (away.error_kind, away.error_message, away.stage_message) == ("service", "x" * 2000, "x" * 500)
    stopped = states.released(running, reason="the worker had to stop", kind=None, now=1002)
    assert (stopped.error_kind, stopped.error_message, stopped.stage_message) == (None, None, "the worker had to stop")
    assert (stopped.worker, stopped.nonce, stopped.lease_seconds, stopped.started_at) == (None, None, None, None)


def test_a_stage_is_shown_again_with_a_new_message_and_an_unknown_one_is_not():
    running = states.claimed(first(), worker="w", nonce="n", lease_s=60, now=1001)
    once = states.renewed(running, now=1002, stage="placing_assets", message="a")
    twice = states.renewed(once, now=1003, stage="placing_assets", message="b")
    assert (twice.stage, twice.stage_message) == ("placing_assets", "b")
    unknown = states.renewed(running, now=1002, stage="dancing", message="c")
    assert (unknown.stage, unknown.stage_message, unknown.progress_pct) == ("queued", "", 0)
    assert len(states.noted(first(), message="x" * 900, now=1.0).stage_message) == 500
