"""Settings of jobs and workers, read from the environment."""

from __future__ import annotations

import getpass
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: "bucket": writes carry no header, and the bucket's default encryption holds for clients and workers alike.
Encryption = Literal["bucket", "AES256", "aws:kms"]

#: Environment variable: meaning and default as text. Docs and infrastructure tests read this list.
ENVIRONMENT: dict[str, tuple[str, str]] = {
    "PACIFICO_STORE": ("folder, or s3://bucket[/prefix]", "the user's data folder"),
    "PACIFICO_QUEUE_URL": ("job queue; without it jobs run on this machine", ""),
    "PACIFICO_DLQ_URL": ("dead-letter queue of the job queue; idle workers sweep it", ""),
    "PACIFICO_OWNER": ("whose jobs these are", "the login name"),
    "PACIFICO_LEASE_S": ("time after which a silent attempt loses its job [s]; below the visibility", "60"),
    "PACIFICO_VISIBILITY_S": ("time a received message stays hidden unless renewed [s]", "120"),
    "PACIFICO_WAIT_S": ("long poll of the queue [s], at most 20", "20"),
    "PACIFICO_MAX_RECEIVES": ("receives after which the queue moves a message to the dead-letter queue", "3"),
    "PACIFICO_RETRY_S": ("first pause before a job is tried again after an outside fault [s]; doubles", "15"),
    "PACIFICO_RETENTION_S": (
        "time after which the queue deletes a message [s]; its job then reads as stalled",
        "345600",
    ),
    "PACIFICO_JOB_TIMEOUT_S": ("longest run of one job [s]", "1800"),
    "PACIFICO_JOB_MEMORY_MB": ("memory of one job's processes [MB]; 0: no limit", "4096"),
    "PACIFICO_STOP_GRACE_S": ("time a running job has to finish after SIGTERM [s]; 50 s below ECS stopTimeout", "70"),
    "PACIFICO_SWEEP_S": ("least pause between sweeps of the dead-letter queue [s]", "30"),
    "PACIFICO_DEM_HOSTS": ("hosts a job's DEM may be fetched from over https, separated by commas", ""),
    "PACIFICO_DEM_BUCKETS": ("buckets a job's DEM may be read from, separated by commas", ""),
    "PACIFICO_DEM_MAX_MB": ("largest DEM file taken [MB]", "1024"),
    "PACIFICO_BOUNDARY_MAX_MB": ("largest boundary file taken [MB]", "50"),
    "PACIFICO_UPLOAD_DAYS": (
        "days after which the store's lifecycle deletes uploads; older than half of it they are sent again; 0: never",
        "90",
    ),
    "PACIFICO_MAX_OPEN_JOBS": ("most queued and running jobs of one owner; 0: no limit", "0"),
    "PACIFICO_MAX_STORED_MB": ("most that one owner may store [MB]; 0: no limit", "0"),
    "PACIFICO_MAX_RUNNING_JOBS": ("most jobs of one owner that workers run at once, a fair share; 0: no limit", "0"),
    "PACIFICO_SSE": ("encryption that writes ask for: bucket (the bucket's default), AES256 or aws:kms", "bucket"),
    "PACIFICO_KMS_KEY_ID": ("key for aws:kms", ""),
    "PACIFICO_SCRATCH": ("folder for the scratch folders of running jobs", "the system's temporary folder"),
    "PACIFICO_METRICS_PORT": ("port of the Prometheus text; 0: none", "0"),
    "PACIFICO_METRICS_NAMESPACE": ("CloudWatch namespace of the embedded metrics", "Pacifico"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of clients and workers; times in seconds, sizes in bytes."""

    store: str
    queue_url: str | None = None
    dlq_url: str | None = None
    owner: str
    lease_s: float = 60.0
    visibility_s: int = 120
    wait_s: int = 20
    max_receives: int = 3
    retry_s: float = 15.0
    retention_s: float = 345_600.0
    job_timeout_s: float = 1800.0
    job_memory_bytes: int = 4096 * 1024**2
    stop_grace_s: float = 70.0
    sweep_s: float = 30.0
    dem_hosts: frozenset[str] = field(default_factory=frozenset)
    dem_buckets: frozenset[str] = field(default_factory=frozenset)
    dem_max_bytes: int = 1024 * 1024**2
    boundary_max_bytes: int = 50 * 1024**2
    upload_days: float = 90.0
    max_open_jobs: int = 0
    max_stored_bytes: int = 0
    max_running_jobs: int = 0
    sse: Encryption = "bucket"
    kms_key_id: str | None = None
    scratch: Path | None = None
    metrics_port: int = 0
    metrics_namespace: str = "Pacifico"

    def __post_init__(self) -> None:
        if not self.lease_s < self.visibility_s:
            raise InputError(
                f"PACIFICO_LEASE_S is {self.lease_s:g} s, but must be below PACIFICO_VISIBILITY_S "
                f"({self.visibility_s} s): else a message returns while its job's lease is alive"
            )
        if self.kms_key_id and self.sse != "aws:kms":
            raise InputError(f"PACIFICO_KMS_KEY_ID is set, but PACIFICO_SSE is {self.sse}; set PACIFICO_SSE=aws:kms")

    @property
    def renew_s(self) -> float:
        """Pause between renewals of a lease [s].

        Several fit in one lease, so some may fail.
        """
        return self.lease_s / 5


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Parameters
    ----------
    environ
        Variables to read; by default the process environment.

    Raises
    ------
    InputError
        A variable holds no number, or one out of range.
    """
    env = os.environ if environ is None else environ
    queue_url = env.get("PACIFICO_QUEUE_URL") or None
    sse = env.get("PACIFICO_SSE") or "bucket"
    sse = "bucket" if sse == "none" else sse  # an older name for the same
    if sse not in ("bucket", "AES256", "aws:kms"):
        raise InputError(f"PACIFICO_SSE is {sse!r}; it must be bucket, AES256 or aws:kms")
    return Settings(
        store=env.get("PACIFICO_STORE") or _default_store(),
        queue_url=queue_url,
        dlq_url=env.get("PACIFICO_DLQ_URL") or None,
        owner=env.get("PACIFICO_OWNER") or _login(),
        lease_s=_number(env, "PACIFICO_LEASE_S", low=3, high=43_000),
        visibility_s=int(_number(env, "PACIFICO_VISIBILITY_S", low=4, high=43_200)),
        wait_s=int(_number(env, "PACIFICO_WAIT_S", low=0, high=20)),
        max_receives=int(_number(env, "PACIFICO_MAX_RECEIVES", low=1, high=1000)),
        retry_s=_number(env, "PACIFICO_RETRY_S", low=0, high=3600),
        retention_s=_number(env, "PACIFICO_RETENTION_S", low=60, high=1_209_600),
        job_timeout_s=_number(env, "PACIFICO_JOB_TIMEOUT_S", low=1, high=43_200),
        job_memory_bytes=int(_number(env, "PACIFICO_JOB_MEMORY_MB", low=0, high=4_194_304) * 1024**2),
        stop_grace_s=_number(env, "PACIFICO_STOP_GRACE_S", low=0, high=3600),
        sweep_s=_number(env, "PACIFICO_SWEEP_S", low=0, high=86_400),
        dem_hosts=_names(env.get("PACIFICO_DEM_HOSTS", "").lower()),
        dem_buckets=_names(env.get("PACIFICO_DEM_BUCKETS", "")),
        dem_max_bytes=int(_number(env, "PACIFICO_DEM_MAX_MB", low=1, high=102_400) * 1024**2),
        boundary_max_bytes=int(_number(env, "PACIFICO_BOUNDARY_MAX_MB", low=1, high=1024) * 1024**2),
        upload_days=_number(env, "PACIFICO_UPLOAD_DAYS", low=0, high=36_500),
        max_open_jobs=int(_number(env, "PACIFICO_MAX_OPEN_JOBS", low=0, high=10_000_000)),
        max_stored_bytes=int(_number(env, "PACIFICO_MAX_STORED_MB", low=0, high=1_000_000_000) * 1024**2),
        max_running_jobs=int(_number(env, "PACIFICO_MAX_RUNNING_JOBS", low=0, high=1_000_000)),
        sse=sse,  # type: ignore[arg-type]  # narrowed by the membership test above
        kms_key_id=env.get("PACIFICO_KMS_KEY_ID") or None,
        scratch=Path(env["PACIFICO_SCRATCH"]) if env.get("PACIFICO_SCRATCH") else None,
        metrics_port=int(_number(env, "PACIFICO_METRICS_PORT", low=0, high=65_535)),
        metrics_namespace=env.get("PACIFICO_METRICS_NAMESPACE") or "Pacifico",
    )


def _number(env: Mapping[str, str], name: str, *, low: float, high: float) -> float:
    """Read a number from the environment, within its range.

    Parameters
    ----------
    env : mapping
        Environment.
    name : str
        Variable.
    low, high : float
        Range that is allowed.
    """
    text = env.get(name) or ENVIRONMENT[name][1]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise InputError(f"{name} is {text!r}; it must be a number from {low:g} to {high:g}")
    return value


def _names(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _default_store() -> str:
    import platformdirs  # noqa: PLC0415 (only where no store is named)

    try:
        folder = platformdirs.user_data_dir("pacifico", appauthor=False)
    except RuntimeError:  # a user without a name and without HOME
        folder = ""
    if not Path(folder).is_absolute():
        raise InputError(
            "this user has no home folder for the store of jobs; set PACIFICO_STORE to a folder, or set HOME"
        )
    return str(Path(folder) / "store")


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid-{os.getuid()}"
