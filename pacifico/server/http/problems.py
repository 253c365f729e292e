"""Errors as problem details (RFC 9457), with the stable codes of jobs."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pacifico.errors import EditRefused, InternalError, NoBuildableGroundError, PacificoError
from pacifico.jobs.error_codes import error_code
from pacifico.jobs.sending import NotSentError
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
_LOGGED = "the server's log has the details"
#: What is said instead of messages that hold places of the server: folders, buckets, addresses.
_INSTEAD = {
    "store_unavailable": f"the store of layouts can't be reached; try again in a while. {_LOGGED}",
    "queue_unavailable": f"the queue of jobs can't be reached; try again in a while. {_LOGGED}",
    "not_sent": f"not sent to the queue; redrive it, or send the request again with this layout_id. {_LOGGED}",
    "permission_denied": f"the server may not read or write its store; its operator must allow that. {_LOGGED}",
    "internal": f"a fault of pacifico's own; {_LOGGED}, please report it",
}
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
        self.code = code or _code_of(status)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def problem_of(error: PacificoError) -> Problem:
    """Problem of an error that a handler raised."""
    status, code = _status_and_code(error)
    detail = _INSTEAD.get(code) or redact(str(error))[:1000]
    if isinstance(error, NotSentError):
        detail = f"layout {error.layout_id} is stored, but {detail}"
    return problem(status, detail, code)


def hidden_details(error: PacificoError) -> str:
    """Message that the answer leaves out, for the log; empty where it says all."""
    if isinstance(error, HttpError):
        return ""
    return redact(str(error))[:1000] if _status_and_code(error)[1] in _INSTEAD else ""


def problem(status: int, detail: str, code: str | None = None) -> Problem:
    """Problem of a status."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    return Problem(title=title, status=status, detail=detail, code=code or _code_of(status))


def dump(found: Problem) -> bytes:
    """Problem as the body of a response."""
    body: dict[str, Any] = found.model_dump(mode="json")
    return json.dumps(body, ensure_ascii=True).encode()


def _code_of(status: int) -> str:
    return CODE_OF_STATUS.get(status, "internal" if status >= 500 else "bad_request")


def _status_and_code(error: PacificoError) -> tuple[int, str]:
    if isinstance(error, HttpError):
        return error.status, error.code
    for kind, code, status in SERVER_CODES:
        if isinstance(error, kind):
            return status, code
    code = error_code(error)
    return STATUS_OF_CODE[code], code
