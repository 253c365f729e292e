"""Requests, statuses, keys and settings: what is taken, what is refused, and in which words."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.queue import Pointer, parse_pointer
from pacifico.jobs.request import UnknownVersionError, parse_request
from pacifico.jobs.settings import ENVIRONMENT, from_environment
from pacifico.jobs.status import parse_status

GOOD = {
    "schema_version": 1,
    "layout_id": "123e4567-e89b-12d3-a456-426614174000",
    "site_id": "s",
    "owner": "ann",
    "target_capacity_kw": 1000,
    "dem": "3dep",
}
# of four bytes a character, each three characters of a key: no longer than keys may be
NAMES = st.text(min_size=1, max_size=16).filter(lambda s: s.encode("utf-8", "ignore").decode() == s)


def test_a_request_has_one_written_form():
    shuffled = dict(reversed(GOOD.items()))
    assert parse_request(GOOD).to_bytes() == parse_request(shuffled).to_bytes()
    assert parse_request(parse_request(GOOD).to_bytes()) == parse_request(GOOD)
    assert parse_request({**GOOD, "layout_id": GOOD["layout_id"].upper()}).sha256 == parse_request(GOOD).sha256


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target_capacity_kw": 99}, "greater than or equal to 100"),
        ({"target_capacity_kw": 5_000_001}, "less than or equal to 5000000"),
        ({"target_capacity_kw": float("nan")}, "target_capacity_kw"),
        ({"target_capacity_kw": "1000"}, "valid number"),
        ({"target_capacity_kw": True}, "valid number"),
        ({"dem_resolution_m": 0.5}, "greater than or equal to 1"),
        ({"layout_id": "../../x"}, "not a UUID"),
        ({"layout_id": 7}, "layout_id"),
        ({"site_id": ""}, "site_id"),
        ({"owner": "x" * 300}, "owner"),
        ({"dem": "/etc/passwd"}, "neither one of"),
        ({"dem": "file:///etc/passwd"}, "neither one of"),
        ({"dem": "http://host/dem.tif"}, "neither one of"),
        ({"dem": "/vsicurl/https://host/dem.tif"}, "neither one of"),
        ({"dem": None}, "dem is missing"),
        ({"use_terrain": False}, "leave one of them out"),
        ({"generation_profile": "nuclear"}, "generation_profile"),
        ({"strategy": "cheap"}, "strategy"),
        ({"notebook": "../evil"}, "notebook"),
        ({"colour": "red"}, "colour"),
        ({"parameters": {"boundary": "/etc/passwd"}}, "not free to be set"),
        ({"parameters": {"X": 1}}, "not free to be set"),
        ({"parameters": {"x": float("inf")}}, "finite"),
        ({"parameters": {"x": "y" * 70_000}}, "bytes"),
        ({"schema_version": 0}, "schema_version"),
        ({"schema_version": "1"}, "schema_version"),
    ],
)
def test_what_a_request_must_not_be(change, words):
    with pytest.raises(InputError, match=words) as caught:
        parse_request({**GOOD, **change})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b"[" * 100_000])
def test_bytes_that_are_no_request(data):
    with pytest.raises(InputError):
        parse_request(data)


def test_a_newer_version_is_left_alone():
    with pytest.raises(UnknownVersionError):
        parse_request({"schema_version": 2, "anything": True})
    with pytest.raises(UnknownVersionError):
        parse_pointer('{"schema_version": 2}')
    with pytest.raises(UnknownVersionError):
        parse_status(b'{"schema_version": 2}')


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "{}",
        '{"schema_version":1,"owner":"a","layout_id":"x"}',
        '{"schema_version":1,"owner":"a","layout_id":["x"]}',
        '{"schema_version":1,"owner":5,"layout_id":"123e4567-e89b-12d3-a456-426614174000"}',
        '{"schema_version":1,"owner":"a","layout_id":"123e4567-e89b-12d3-a456-426614174000","target_capacity_kw":1}',
        '{"schema_version":true,"owner":"a","layout_id":"123e4567-e89b-12d3-a456-426614174000"}',
    ],
)
def test_messages_that_are_none(body):
    with pytest.raises(InputError):
        parse_pointer(body)


def test_a_message_carries_three_fields():
    pointer = Pointer("ann", GOOD["layout_id"])
    assert set(json.loads(pointer.to_body())) == {"schema_version", "owner", "layout_id"}
    assert parse_pointer(pointer.to_body()) == pointer


@given(NAMES, NAMES)
def test_owners_never_collide_and_never_escape(a, b):
    one, two = keys.encode(a), keys.encode(b)
    assert (one == two) == (a == b)
    assert (one.lower() == two.lower()) == (a == b)  # nor where the file system folds case
    assert keys.decode(one) == a
    assert set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_=")


@pytest.mark.parametrize(
    "path", ["/a", "../a", "a/../b", "a//b", "a\\b/..", "a/.hidden", "", "é.txt", "a\nb", "x" * 600]
)
def test_report_files_cant_leave_their_attempt(path):
    with pytest.raises(InputError):
        keys.artifact("ann", GOOD["layout_id"], 1, path)


def test_hints_sort_newest_first_and_say_all():
    layout_id = str(uuid.uuid4())
    old = keys.hint("ann", layout_id, created_ms=1_000, revision=3, status="failed")
    new = keys.hint("ann", layout_id, created_ms=2_000, revision=1, status="queued")
    assert sorted([old, new]) == [new, old]
    assert keys.read_hint(old) == (1_000, layout_id, 3, "failed")


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
    ("name", "text"),
    [("PACIFICO_LEASE_S", "x"), ("PACIFICO_WAIT_S", "21"), ("PACIFICO_LEASE_S", "120"), ("PACIFICO_SSE", "rot13")],
)
def test_settings_that_cant_be(name, text):
    with pytest.raises(InputError, match=name):
        from_environment({name: text})


def test_every_setting_is_documented_and_read():
    import inspect

    from pacifico.jobs import settings

    source = inspect.getsource(settings.from_environment)
    assert all(f'"{name}"' in source for name in ENVIRONMENT)
