"""The status of a job and its changes, as pure functions.

`pacifico.jobs.lifecycle` says which states there are, who writes them, and which writes can race.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.request import check_version, explain, load_object
from pacifico.run.outcome import STAGES, ErrorKind
from pacifico.run.redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

State = Literal["queued", "processing", "completed", "failed", "cancelled"]

TERMINAL: frozenset[str] = frozenset({"completed", "failed", "cancelled"})
STATES: tuple[State, ...] = ("queued", "processing", "completed", "failed", "cancelled")

#: Kinds of failure that the request itself causes: running it again as it is can't help.
REQUEST_FAULTS: frozenset[str] = frozenset({"request", "timeout", "memory"})

#: Metrics that a completed status carries.
METRICS = ("total_capacity_kw", "asset_count", "road_length_m", "cut_volume_m3", "fill_volume_m3")

#: Files of one report.
MAX_FILES = 5000

_MAX_COUNT = 1_000_000_000  # attempts, revisions
_MAX_LEASE_S = 43_200.0  # SQS hides a message for 12 h at most
_Text = Annotated[str, Field(max_length=4000)]
_Metric = Annotated[float | None, Field(ge=-1e15, le=1e15)]


class Artifact(BaseModel):
    """One file of a completed report."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0, le=1 << 50)


class Status(BaseModel):
    """The status object of one layout. All times are the store's.

    `revision` grows with every write, so no two written statuses have the same bytes or ETag. `state_revision` is the
    revision at which the state last changed. `queued_at` is when the job was last queued: older dead letters don't
    concern it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    schema_version: Literal[1] = 1
    layout_id: str = Field(max_length=36)
    owner: str = Field(min_length=1, max_length=200)
    site_id: str = Field(min_length=1, max_length=200)
    status: State = "queued"
    stage: str = Field(default="queued", max_length=64)
    progress_pct: int = Field(default=0, ge=0, le=100)
    stage_message: _Text = ""
    error_kind: ErrorKind | None = None
    error_message: _Text | None = None
    attempt: int = Field(default=0, ge=0, le=_MAX_COUNT)
    worker: str | None = Field(default=None, max_length=300)
    nonce: str | None = Field(default=None, max_length=64)
    created_at: AwareDatetime
    queued_at: AwareDatetime
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    updated_at: AwareDatetime
    lease_seconds: float | None = Field(default=None, ge=0, le=_MAX_LEASE_S)
    artifacts: dict[str, Artifact] = Field(default_factory=dict, max_length=MAX_FILES)
    request_sha256: str = Field(max_length=64)
    revision: int = Field(default=1, ge=1, le=_MAX_COUNT)
    state_revision: int = Field(default=1, ge=1, le=_MAX_COUNT)
    total_capacity_kw: _Metric = None
    asset_count: int | None = Field(default=None, ge=0, le=_MAX_COUNT)
    road_length_m: _Metric = None
    cut_volume_m3: _Metric = None
    fill_volume_m3: _Metric = None

    @field_validator("artifacts")
    @classmethod
    def _paths(cls, value: dict[str, Artifact]) -> dict[str, Artifact]:
        for name in value:
            keys.safe_path(name)
        return value

    @field_validator("created_at", "queued_at", "started_at", "finished_at", "updated_at")
    @classmethod
    def _in_range(cls, value: datetime | None) -> datetime | None:
        if value is not None and not 1970 <= value.year < 2200:
            raise ValueError(f"the year is {value.year}; it must be from 1970 to 2199")
        return value

    @property
    def terminal(self) -> bool:
        """Whether the job has ended."""
        return self.status in TERMINAL

    @property
    def created_ms(self) -> int:
        """Time of creation [ms since 1970]."""
        return round(self.created_at.timestamp() * 1000)

    def to_bytes(self) -> bytes:
        """Return the written form."""
        return json.dumps(self.to_json(), separators=(",", ":"), ensure_ascii=False).encode("utf-8")

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, without absent metrics."""
        body = self.model_dump(mode="json")
        return {name: value for name, value in body.items() if value is not None or name not in METRICS}

    def lease_alive(self, age_s: float) -> bool:
        """Whether the lease is alive at this age [s]."""
        return self.status == "processing" and age_s < (self.lease_seconds or 0.0)


def moment(seconds: float) -> datetime:
    """Time of some seconds since 1970, to the millisecond."""
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
    """First status of a job.

    Parameters
    ----------
    layout_id, owner, site_id : str
        Identity of the job.
    request_sha256 : str
        Hash of the request.
    now : float
        Time of the change.
    """
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
    """Name the process of this machine that will run the job."""
    return _next(status, now, worker=worker)


def claimed(status: Status, *, worker: str, nonce: str, lease_s: float, now: float) -> Status:
    """Begin the next attempt.

    Parameters
    ----------
    status : Status
        Status before.
    worker, nonce : str
        Who claims it, and the attempt's mark.
    lease_s : float
        Length of the lease [s].
    now : float
        Time of the change.
    """
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
    """Renew the lease with the progress so far, which never goes back.

    Parameters
    ----------
    status : Status
        Status before.
    now : float
        Time of the change.
    stage, message : str or None
        Progress to show.
    """
    reached = STAGES[stage][0] if stage in STAGES else -1
    if reached < status.progress_pct:
        return _next(status, now)
    return _next(status, now, progress_pct=reached, stage=stage, stage_message=_kept(message or "", 500))


def completed(status: Status, *, artifacts: Mapping[str, Artifact], metrics: Mapping[str, float], now: float) -> Status:
    """End an attempt whose report is in the store.

    Parameters
    ----------
    status : Status
        Status before.
    artifacts : mapping
        Hashes of the files.
    metrics : mapping
        Figures of the layout.
    now : float
        Time of the change.

    Raises
    ------
    InputError
        A metric is not a finite number in range.
    """
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
    """End a job that failed for good.

    Parameters
    ----------
    status : Status
        Status before.
    kind, message : str
        Whose fault it was, and the cause.
    now : float
        Time of the change.
    artifacts : mapping or None
        Hashes of the files, if any.
    """
    return _next(
        status,
        now,
        status="failed",
        error_kind=kind,
        error_message=_kept(message, 2000),
        finished_at=moment(now),
        artifacts=dict(artifacts or {}),
    )


def cancelled(status: Status, *, now: float, message: str = "cancelled on request") -> Status:
    """End a job on its owner's request."""
    return _next(
        status,
        now,
        status="cancelled",
        error_kind="cancelled",
        error_message=message,
        finished_at=moment(now),
    )


def released(status: Status, *, reason: str, kind: ErrorKind | None, now: float) -> Status:
    """Return a job to the queue after an attempt without a result.

    Parameters
    ----------
    status : Status
        Status before.
    reason, kind : str
        Cause, and its kind.
    now : float
        Time of the change.
    """
    reason = _kept(reason, 2000)
    return _requeued(status, now, stage_message=reason[:500], error_kind=kind, error_message=reason if kind else None)


def redriven(status: Status, *, now: float) -> Status:
    """Put a failed or stranded job into the queue again."""
    return _requeued(
        status,
        now,
        stage_message="sent again",
        error_kind=None,
        error_message=None,
        finished_at=None,
        queued_at=moment(now),
        artifacts={},
    )


def noted(status: Status, *, message: str, now: float) -> Status:
    """Write a note into the status of a queued job."""
    return _next(status, now, stage_message=_kept(message, 500))


def _requeued(status: Status, now: float, **changes: Any) -> Status:
    return _next(
        status,
        now,
        status="queued",
        stage="queued",
        progress_pct=0,
        nonce=None,
        worker=None,
        lease_seconds=None,
        started_at=None,
        **changes,
    )


def _kept(message: str, limit: int) -> str:
    """Message without secrets, as valid text of limited length."""
    return redact(message).encode("utf-8", "replace").decode("utf-8")[:limit]


def _next(before: Status, now: float, /, **changes: Any) -> Status:
    # The store's clock has whole seconds: no time may come out before one that it follows.
    for name in ("started_at", "finished_at", "queued_at"):
        if changes.get(name) is not None:
            changes[name] = max(changes[name], before.updated_at)
    revision = before.revision + 1
    changes["updated_at"] = max(moment(now), before.updated_at)
    changes["revision"] = revision
    if changes.get("status", before.status) != before.status:
        changes["state_revision"] = revision
    try:
        return Status.model_validate({**before.model_dump(), **changes})
    except ValidationError as error:
        raise InputError(f"status: {explain(error)}") from None
