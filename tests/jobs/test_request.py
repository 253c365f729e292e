"""Requests: what is accepted and what is refused, with the message."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.jobs.queue import parse_pointer
from pacifico.jobs.request import UnknownVersionError, parse_request
from pacifico.jobs.status import parse_status

GOOD = {
    "schema_version": 1,
    "layout_id": "123e4567-e89b-12d3-a456-426614174000",
    "site_id": "s",
    "owner": "ann",
    "target_capacity_kw": 1000,
    "dem": "3dep",
}


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


def test_the_names_of_strange_fields_are_told_without_control_characters():
    with pytest.raises(InputError, match=r"x\\n\\x1b\[2J") as refused:
        parse_request({**GOOD, "x\n\x1b[2J": "\u202e"})
    assert str(refused.value).isprintable()


def test_a_newer_version_is_left_alone():
    with pytest.raises(UnknownVersionError):
        parse_request({"schema_version": 2, "anything": True})
    with pytest.raises(UnknownVersionError):
        parse_pointer('{"schema_version": 2}')
    with pytest.raises(UnknownVersionError):
        parse_status(b'{"schema_version": 2}')
