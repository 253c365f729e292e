"""Errors as problem details (RFC 9457), with the stable codes of jobs."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pacifico.errors import EditRefused, InternalError, NoBuildableGroundError, PacificoError
from pacifico.jobs.error_codes import error_code
from pacifico.run.redact import redact
from pacifico.server.http.owner import NoOwnerError
from pacifico.server.work.fair_slots import BusyError
from pacifico.server.work.pool import TimeLimitError

MEDIA_TYPE = "application/problem+json"

#: Codes of jobs, and the status that carries them.
STATUS_OF_CODE = {
    "not_found": 404,
    "conflict": 409,
    "not_redrivable": 409,
    "in_use": 409,
    "too_large": 413,
    "quota_exceeded": 429,
    "unknown_version": 422,
    "invalid_input": 422,
    "not_sent": 503,
    "permission_denied": 503,
    "store_unavailable": 503,
    "queue_unavailable": 503,
    "service_unavailable": 503,
    "internal": 500,
}
#: Codes of the server alone, by class of error.
SERVER_CODES: tuple[tuple[type[PacificoError], str, int], ...] = (
    (EditRefused, "edit_refused", 422),
    (NoBuildableGroundError, "no_buildable_ground", 422),
    (NoOwnerError, "forbidden", 403),
    (BusyError, "busy", 503),
    (TimeLimitError, "time_limit", 504),
    (InternalError, "internal", 500),
)
CODE_OF_STATUS = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "body_timeout",
    409: "conflict",
    412: "precondition_failed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_input",
    429: "rate_limited",
    503: "service_unavailable",
    504: "time_limit",
}


class Problem(BaseModel):
    """One error, as RFC 9457 describes it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(default="about:blank", description="Always about:blank: `code` says what happened.")
    title: str = Field(description="Meaning of the HTTP status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened: value, limit and remedy, in one line.")
    code: str = Field(description="Stable code for programs.")


class HttpError(PacificoError):
    """An answer that is no error of jobs: status, code and one line."""

    def __init__(self, status: int, detail: str, *, code: str | None = None, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code or CODE_OF_STATUS.get(status, "internal")
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def problem_of(error: PacificoError) -> Problem:
    """Problem of an error that a handler raised."""
    status, code = _status_and_code(error)
    detail = redact(str(error))
    if status >= 500 and code == "internal":
        detail = "a fault of pacifico's own; the server's log has the details, please report it"
    return problem(status, detail[:1000], code)


def problem(status: int, detail: str, code: str | None = None) -> Problem:
    """Problem of a status."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    found = code or CODE_OF_STATUS.get(status, "internal" if status >= 500 else "bad_request")
    return Problem(title=title, status=status, detail=detail, code=found)


def dump(found: Problem) -> bytes:
    """Problem as the body of a response."""
    body: dict[str, Any] = found.model_dump(mode="json")
    return json.dumps(body, ensure_ascii=True).encode()


def _status_and_code(error: PacificoError) -> tuple[int, str]:
    if isinstance(error, HttpError):
        return error.status, error.code
    for kind, code, status in SERVER_CODES:
        if isinstance(error, kind):
            return status, code
    code = error_code(error)
    return STATUS_OF_CODE[code], code
