"""Fuzz harness of job requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fuzz.mutators import mutate_json
from fuzz.scaffold import BreachError, Harness

from pacifico.jobs.request import parse_request

if TYPE_CHECKING:
    from collections.abc import Iterator


def read(data: bytes) -> Iterator[str]:
    """Read a request; what is accepted can be written and read again."""
    request = parse_request(data)
    if parse_request(request.to_bytes()) != request:
        raise BreachError("the request reads back as another one")
    yield request.layout_id


def seeds() -> dict[str, bytes]:
    """Requests with terrain, without, and with parameters."""
    base = {
        "schema_version": 1,
        "layout_id": "00000000-0000-4000-8000-000000000001",
        "site_id": "north",
        "owner": "a@b.example",
    }
    parameters = {
        "setback_m": 30,
        "exclusions": ["upload:" + "a" * 64],
        "spec": {"solar": {"tracker_gcr": 0.4}},
        "entry": [-84.2, 36.6],
    }
    found = {
        "named": {**base, "target_capacity_kw": 50_000.0, "dem": "3dep", "dem_resolution_m": 10.0},
        "level": {**base, "use_terrain": False, "generation_profile": "gas_bess", "strategy": "density"},
        "parameters": {
            **base,
            "dem": "https://dem.example/a.tif",
            "notebook": "layout_report",
            "parameters": parameters,
        },
    }
    return {name: json.dumps(body).encode() for name, body in found.items()}


HARNESS = Harness(
    read,
    seeds,
    mutate_json,
    (
        '"schema_version"',
        '"parameters"',
        "upload:",
        "s3://bucket/",
        "https://",
        "X-Amz-Signature=",
        "\\ud800",
        "\\u0000",
    ),
)
