"""Where a job stands, and every change it can make: pure functions from one status to the next.

The states, who writes them and what can race is told in `pacifico.jobs.lifecycle`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pacifico.errors import InputError
from pacifico.jobs.request import SCHEMA_VERSION, check_version, explain, load_object

if TYPE_CHECKING:
    from collections.abc import Mapping

State = Literal["queued", "processing", "completed", "failed", "cancelled"]
ErrorKind = Literal["request", "service", "lost", "timeout", "memory", "cancelled"]

TERMINAL: frozenset[str] = frozenset({"completed", "failed", "cancelled"})
STATES: tuple[State, ...] = ("queued", "processing", "completed", "failed", "cancelled")

#: Stage -> progress [%]. The notebook's cell tags name the stages.
STAGES: dict[str, int] = {
    "queued": 0,
    "fetching_dem": 10,
    "computing_slope": 25,
    "analyzing_terrain": 40,
    "placing_assets": 55,
    "generating_roads": 70,
    "computing_earthwork": 85,
    "finalizing": 95,
    "completed": 100,
}

#: Metrics that a completed status carries.
METRICS = ("total_capacity_kw", "asset_count", "road_length_m", "cut_volume_m3", "fill_volume_m3")


class Artifact(BaseModel):
    """One file of a completed report."""

    model_config = ConfigDict(frozen=True, extra="allow")

    sha256: str
    bytes: int


class Status(BaseModel):
    """The status object of one layout.

    `revision` grows with every write: no two written statuses have the same bytes, so none has another's ETag;
    `state_revision` is the one at which the state last changed.
    `queued_at` is when it was last put into the queue: dead letters from before it say nothing about the job.
    All times are the store's.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    schema_version: int = SCHEMA_VERSION
    layout_id: str
    owner: str
    site_id: str
    status: State = "queued"
    stage: str = "queued"
    progress_pct: int = Field(default=0, ge=0, le=100)
    stage_message: str = ""
    error_kind: ErrorKind | None = None
    error_message: str | None = None
    attempt: int = 0
    worker: str | None = None
    nonce: str | None = None
    created_at: datetime
    queued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime
    lease_seconds: float | None = None
    artifacts: dict[str, Artifact] = Field(default_factory=dict)
    request_sha256: str
    revision: int = 1
    state_revision: int = 1
    total_capacity_kw: float | None = None
    asset_count: int | None = None
    road_length_m: float | None = None
    cut_volume_m3: float | None = None
    fill_volume_m3: float | None = None

    @property
    def terminal(self) -> bool:
        """Whether no run will change it any more."""
        return self.status in TERMINAL

    @property
    def created_ms(self) -> int:
        """When it was created [ms since 1970]."""
        return round(self.created_at.timestamp() * 1000)

    def to_bytes(self) -> bytes:
        """Give the written form."""
        return json.dumps(self.to_json(), separators=(",", ":"), ensure_ascii=False).encode("utf-8")

    def to_json(self) -> dict[str, Any]:
        """Give the fields as JSON values; metrics only where there are any."""
        body = self.model_dump(mode="json")
        return {name: value for name, value in body.items() if value is not None or name not in METRICS}

    def lease_alive(self, age_s: float) -> bool:
        """Tell whether its attempt is alive, from the object's age [s] by the store's clock."""
        return self.status == "processing" and age_s < (self.lease_seconds or 0.0)


def moment(seconds: float) -> datetime:
    """Seconds since 1970, as a time to the millisecond."""
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def parse_status(data: bytes) -> Status:
    """Read a status object.

    Raises
    ------
    UnknownVersionError
        A newer pacifico wrote it.
    InputError
        It is no status.
    """
    body = load_object(data, what="status")
    check_version(body, what="status")
    try:
        return Status.model_validate(body)
    except ValidationError as error:
        raise InputError(f"status: {explain(error)}") from None


def queued(*, layout_id: str, owner: str, site_id: str, request_sha256: str, now: float) -> Status:
    """First status of a job."""
    at = moment(now)
    return Status(
        layout_id=layout_id,
        owner=owner,
        site_id=site_id,
        request_sha256=request_sha256,
        created_at=at,
        queued_at=at,
        updated_at=at,
    )


def assigned(status: Status, *, worker: str, now: float) -> Status:
    """Note which process of this machine will run it: a local run alone."""
    return _next(status, now, worker=worker)


def claimed(status: Status, *, worker: str, nonce: str, lease_s: float, now: float) -> Status:
    """Begin the next attempt."""
    return _next(
        status,
        now,
        status="processing",
        stage="queued",
        progress_pct=0,
        stage_message="",
        error_kind=None,
        error_message=None,
        attempt=status.attempt + 1,
        worker=worker,
        nonce=nonce,
        started_at=moment(now),
        finished_at=None,
        lease_seconds=lease_s,
        artifacts={},
        **dict.fromkeys(METRICS),
    )


def renewed(status: Status, *, now: float, stage: str | None = None, message: str | None = None) -> Status:
    """Say that the attempt is alive, and how far it is; progress never goes back."""
    progress = max(status.progress_pct, STAGES.get(stage or "", 0))
    changes: dict[str, Any] = {"progress_pct": progress}
    if stage is not None and STAGES.get(stage, -1) >= status.progress_pct:
        changes.update(stage=stage, stage_message=(message or "")[:500])
    return _next(status, now, **changes)


def completed(status: Status, *, artifacts: Mapping[str, Artifact], metrics: Mapping[str, float], now: float) -> Status:
    """End an attempt whose report is in the store."""
    return _next(
        status,
        now,
        status="completed",
        stage="completed",
        progress_pct=100,
        stage_message="",
        finished_at=moment(now),
        artifacts=dict(artifacts),
        **{name: metrics[name] for name in METRICS if name in metrics},
    )


def failed(
    status: Status,
    *,
    kind: ErrorKind,
    message: str,
    now: float,
    artifacts: Mapping[str, Artifact] | None = None,
) -> Status:
    """End a job that no retry can help, or that has had its retries."""
    return _next(
        status,
        now,
        status="failed",
        error_kind=kind,
        error_message=message[:2000],
        finished_at=moment(now),
        artifacts=dict(artifacts or {}),
    )


def cancelled(status: Status, *, now: float) -> Status:
    """End a job that nobody wants any more."""
    return _next(
        status,
        now,
        status="cancelled",
        error_kind="cancelled",
        error_message="cancelled on request",
        finished_at=moment(now),
    )


def released(status: Status, *, reason: str, kind: ErrorKind | None, now: float) -> Status:
    """Give a job back to the queue: its attempt ended without a result."""
    return _next(
        status,
        now,
        status="queued",
        stage="queued",
        progress_pct=0,
        stage_message=reason[:500],
        error_kind=kind,
        error_message=reason[:2000] if kind else None,
        nonce=None,
        worker=None,
        lease_seconds=None,
        started_at=None,
    )


def redriven(status: Status, *, now: float) -> Status:
    """Put a failed job into the queue again."""
    return _next(
        status,
        now,
        status="queued",
        stage="queued",
        progress_pct=0,
        stage_message="sent again",
        error_kind=None,
        error_message=None,
        nonce=None,
        worker=None,
        lease_seconds=None,
        started_at=None,
        finished_at=None,
        queued_at=moment(now),
        artifacts={},
    )


def _next(before: Status, now: float, /, **changes: Any) -> Status:
    # The store's clock is heard to the second: a time is never told to be before one that it follows.
    for name in ("started_at", "finished_at", "queued_at"):
        if changes.get(name) is not None:
            changes[name] = max(changes[name], before.updated_at)
    revision = before.revision + 1
    changes["updated_at"] = max(moment(now), before.updated_at)
    changes["revision"] = revision
    if changes.get("status", before.status) != before.status:
        changes["state_revision"] = revision
    return Status.model_validate({**before.model_dump(), **changes})
