"""The request of a job: checked, versioned and written once."""

from __future__ import annotations

import hashlib
import json
import math
import re
import uuid
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pacifico.errors import InputError, PacificoError
from pacifico.escaping import visible
from pacifico.jobs import keys
from pacifico.run.redact import holds_secret, redact
from pacifico.vocabulary import NAMED_DEMS, Profile, Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA_VERSION = 1

_UPLOAD = re.compile(r"upload:[0-9a-f]{64}")
_LOCATION = re.compile(r"(https://[^/?#@\s]+/\S+|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/\S+)")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MAX_PARAMETER_BYTES = 65_536

#: Parameters of the notebook that the job sets from the request's own fields.
RESERVED = frozenset(
    {"boundary", "dem", "out_dir", "target_capacity_kw", "profile", "strategy", "resolution_m", "terrain"}
)


class UnknownVersionError(PacificoError):
    """A newer pacifico wrote it; a newer worker can read it."""


class JobRequest(BaseModel):
    """Site, design and notebook of one job.

    `dem` is the name of a source (3dep, 3dep-30, glo30, sample), an upload of the owner's (`upload:<sha256>`), or an
    https or s3 address that the settings allow; None means level ground, with `use_terrain` false. Without
    `target_capacity_kw` the layout takes all that fits. A request is kept for good, so it must hold no secret.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_max_length=2048)

    schema_version: Literal[1] = 1
    layout_id: str = Field(default_factory=lambda: str(uuid.uuid4()))
    site_id: str = Field(min_length=1, max_length=200)
    owner: str = Field(min_length=1, max_length=200)
    target_capacity_kw: float | None = Field(default=None, ge=100, le=5_000_000, strict=True)
    dem: str | None = None
    dem_resolution_m: float | None = Field(default=None, ge=1, le=30, strict=True)
    use_terrain: bool = Field(default=True, strict=True)
    generation_profile: Profile = "solar_farm"
    strategy: Strategy = "balanced"
    notebook: str = Field(default="layout_report", pattern=r"^[a-z][a-z0-9_]{0,63}$")
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("layout_id")
    @classmethod
    def _canonical(cls, value: str) -> str:
        return keys.canonical_id(value)

    @field_validator("owner", "site_id")
    @classmethod
    def _encodes(cls, value: str) -> str:
        keys.encode(value, what="name")
        return value

    @field_validator("dem")
    @classmethod
    def _dem(cls, value: str | None) -> str | None:
        if value is None or value in NAMED_DEMS or _UPLOAD.fullmatch(value):
            return value
        if holds_secret(value):
            raise ValueError(f"{redact(value)!r} carries a signature, key or password; upload the file instead")
        if not _LOCATION.fullmatch(value):
            raise ValueError(
                f"{redact(value)!r} is neither one of {', '.join(NAMED_DEMS)} nor an upload, https or s3 address"
            )
        return value

    @field_validator("parameters")
    @classmethod
    def _parameters(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not _PARAMETER.fullmatch(name) or name in RESERVED:
                raise ValueError(f"parameter {name[:60]!r} is not free to be set; the request has its own field for it")
        _check_json(value)
        if holds_secret(value):
            raise ValueError("parameters hold an address with a signature, key or password; upload the file instead")
        if len(_dump(value)) > _MAX_PARAMETER_BYTES:
            raise ValueError(f"parameters have {len(_dump(value))} bytes; at most {_MAX_PARAMETER_BYTES} are allowed")
        return value

    @model_validator(mode="after")
    def _terrain(self) -> JobRequest:
        if self.use_terrain and self.dem is None:
            raise ValueError("dem is missing; name a source such as '3dep', or set use_terrain to false")
        if not self.use_terrain and self.dem is not None:
            raise ValueError(f"dem is {self.dem!r}, but use_terrain is false; leave one of them out")
        return self

    def to_bytes(self) -> bytes:
        """Return the written form; equal requests have equal bytes."""
        return _dump(self.model_dump(mode="json"))

    @property
    def sha256(self) -> str:
        """Hash of the written form."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def parse_request(data: bytes | Mapping[str, Any]) -> JobRequest:
    """Read a request.

    Raises
    ------
    UnknownVersionError
        A newer pacifico wrote it.
    InputError
        It is no JSON object, or a field is unknown, missing or out of range.
    """
    body = load_object(data, what="request") if isinstance(data, bytes) else dict(data)
    check_version(body, what="request")
    try:
        return JobRequest.model_validate(body)
    except ValidationError as error:
        raise InputError(f"request: {explain(error)}") from None


def load_object(data: bytes, *, what: str) -> dict[str, Any]:
    """Read one JSON object without NaN or duplicate keys.

    Raises
    ------
    InputError
        It is none.
    """
    try:
        body = json.loads(data, parse_constant=_no_constant, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is not readable as JSON: {error}") from None
    if not isinstance(body, dict):
        raise InputError(f"{what} is a JSON {type(body).__name__}; an object is needed")
    return body


def check_version(body: Mapping[str, Any], *, what: str) -> None:
    """Raise unless this version of pacifico can read the object.

    Raises
    ------
    UnknownVersionError
        A newer one wrote it.
    InputError
        It has no version.
    """
    version = body.get("schema_version")
    if type(version) is not int or version < 1:
        raise InputError(f"{what}: schema_version is {version!r}; it must be {SCHEMA_VERSION}")
    if version > SCHEMA_VERSION:
        raise UnknownVersionError(f"{what} has schema_version {version}; this worker reads {SCHEMA_VERSION}")


def explain(error: ValidationError) -> str:
    """One line that names every fault of a validation."""
    found = []
    for item in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in item["loc"]) or "fields"
        given = "" if item["type"] in ("missing", "value_error") else f" (given: {redact(str(item['input']))[:60]!r})"
        found.append(f"{where[:80]}: {item['msg'].removeprefix('Value error, ')}{given}")
    return visible("; ".join(found))[:1000]  # names of fields come from outside


def file_sha256(path: Path) -> str:
    """Hash a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _dump(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")


def _check_json(value: Any, depth: int = 0) -> None:
    """Refuse values that JSON can't write in exactly one way."""
    if depth > 20:
        raise ValueError("parameters are nested deeper than 20 levels")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"parameters hold the key {key!r}; keys are text")  # noqa: TRY004 (pydantic's way)
            _check_json(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_json(item, depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"parameters hold {value}; numbers must be finite")
    elif isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(f"parameters hold {value[:40]!r}, which is not valid text") from None
    elif not isinstance(value, bool | int | None):
        raise ValueError(f"parameters hold a {type(value).__name__}; JSON has none")  # noqa: TRY004


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a key appears twice")
    return body
