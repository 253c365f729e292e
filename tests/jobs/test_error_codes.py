"""Codes of errors: programs match them, so they stay as they are."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError, NoBuildableGroundError, OutsideServiceError, PacificoError
from pacifico.jobs.error_codes import error_code
from pacifico.jobs.queue import NoQueueError, QueueError
from pacifico.jobs.records import ConflictError, InUseError, NotRedrivableError
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.sending import NotSentError
from pacifico.jobs.store.base import NoStoreError, NotFoundError, PermissionDeniedError, StoreError, TooLargeError
from pacifico.jobs.submission.quotas import QuotaError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFoundError("m"), "not_found"),
        (ConflictError("m"), "conflict"),
        (NotRedrivableError("m"), "not_redrivable"),
        (InUseError("m"), "in_use"),
        (TooLargeError("m"), "too_large"),
        (QuotaError("m"), "quota_exceeded"),
        (UnknownVersionError("m"), "unknown_version"),
        (NotSentError("id", "m"), "not_sent"),
        (PermissionDeniedError("m"), "permission_denied"),
        (NoStoreError("m"), "store_unavailable"),
        (StoreError("m"), "store_unavailable"),
        (QueueError("m"), "queue_unavailable"),
        (NoQueueError("m"), "queue_unavailable"),
        (OutsideServiceError("m"), "service_unavailable"),
        (NoBuildableGroundError("m"), "invalid_input"),
        (InputError("m"), "invalid_input"),
        (PacificoError("m"), "internal"),
    ],
)
def test_every_kind_of_error_has_its_code(error, code):
    assert error_code(error) == code
