"""Stable codes of errors, for programs that read JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs.records import ConflictError, InUseError, NotRedrivableError
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.sending import NotSentError
from pacifico.jobs.store.base import NotFoundError, PermissionDeniedError, StoreError, TooLargeError
from pacifico.jobs.submission.quotas import QuotaError

if TYPE_CHECKING:
    from pacifico.errors import PacificoError

#: Code of the end of a time limit, which no error class stands for.
TIME_LIMIT = "time_limit"


def error_code(error: PacificoError) -> str:
    """Code of an error. Codes are never renamed; the message may be."""
    from pacifico.jobs.queue import QueueError  # noqa: PLC0415 (boto3 takes 0.4 s)

    codes: tuple[tuple[type[PacificoError], str], ...] = (
        (NotFoundError, "not_found"),
        (ConflictError, "conflict"),
        (NotRedrivableError, "not_redrivable"),
        (InUseError, "in_use"),
        (TooLargeError, "too_large"),
        (QuotaError, "quota_exceeded"),
        (UnknownVersionError, "unknown_version"),
        (NotSentError, "not_sent"),
        (PermissionDeniedError, "permission_denied"),
        (StoreError, "store_unavailable"),
        (QueueError, "queue_unavailable"),
        (OutsideServiceError, "service_unavailable"),
        (InputError, "invalid_input"),
    )
    return next((code for kind, code in codes if isinstance(error, kind)), "internal")
