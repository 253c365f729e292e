"""Fuzz harness of job statuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fuzz.mutators import mutate_json
from fuzz.scaffold import BreachError, Harness

from pacifico.jobs.status import Status, parse_status

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 1_790_000_000.0


def read(data: bytes) -> Iterator[str]:
    """Read a status; what is accepted can be written and read again."""
    status = parse_status(data)
    if parse_status(status.to_bytes()) != status:
        raise BreachError("the status reads back as another one")
    status.lease_alive(float(status.created_ms) - START)
    yield status.status


def seeds() -> dict[str, bytes]:
    """Statuses of queued, running, completed and failed jobs."""
    base: dict[str, Any] = {
        "schema_version": 1, "layout_id": "00000000-0000-4000-8000-000000000001", "owner": "a@b.example", "site_id": "north", "request_sha256": "0" * 64,
        "created_at": "2026-10-01T00:00:00Z", "queued_at": "2026-10-01T00:00:00Z", "updated_at": "2026-10-01T00:00:05.25Z",
    }  # fmt: skip
    running = {
        **base,
        "status": "processing",
        "stage": "placing_assets",
        "progress_pct": 55,
        "attempt": 1,
        "nonce": "a",
        "worker": "w",
        "lease_seconds": 60.0,
        "started_at": "2026-10-01T00:00:01+00:00",
    }
    done = {
        "status": "completed",
        "finished_at": "2026-10-01T00:00:09Z",
        "total_capacity_kw": 5e4,
        "asset_count": 9,
        "road_length_m": 1.5,
    }
    files = {
        "artifacts": {
            "layout.geojson": {"sha256": "0" * 64, "bytes": 10},
            "inputs/dem.tif": {"sha256": "1" * 64, "bytes": 0},
        }
    }
    failed = {**base, "status": "failed", "error_kind": "request", "error_message": "no ground"}
    bodies: dict[str, dict[str, Any]] = {
        "queued": base,
        "running": running,
        "completed": {**running, **done, **files},
        "failed": failed,
    }
    found = {name: Status.model_validate(body) for name, body in bodies.items()}
    return {name: json.dumps(status.to_json()).encode() for name, status in found.items()}


HARNESS = Harness(
    read,
    seeds,
    mutate_json,
    ('"schema_version"', '"artifacts"', "1969-", "9999-12-31T23:59:59Z", "+14:00", "../", "\\ud800", "\\u0000"),
)
