"""Errors as problem details."""

from __future__ import annotations

import json

import pytest

from pacifico.errors import EditRefused, InputError, InternalError, NoBuildableGroundError, OutsideServiceError
from pacifico.jobs.queue import QueueError
from pacifico.jobs.records import ConflictError, InUseError, NotRedrivableError
from pacifico.jobs.sending import NotSentError
from pacifico.jobs.store.base import NotFoundError, PermissionDeniedError, StoreError, TooLargeError
from pacifico.jobs.submission.quotas import QuotaError
from pacifico.server.http.owner import NoOwnerError
from pacifico.server.http.problems import HttpError, dump, hidden_details, problem, problem_of
from pacifico.server.work.fair_slots import BusyError
from pacifico.server.work.pool import TimeLimitError


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFoundError("x"), 404, "not_found"),
        (ConflictError("x"), 409, "conflict"),
        (NotRedrivableError("x"), 409, "not_redrivable"),
        (InUseError("x"), 409, "in_use"),
        (QuotaError("x"), 429, "quota_exceeded"),
        (TooLargeError("x"), 413, "too_large"),
        (InputError("x"), 422, "invalid_input"),
        (EditRefused("x"), 422, "edit_refused"),
        (NoBuildableGroundError("x"), 422, "no_buildable_ground"),
        (NotSentError("id", "x"), 503, "not_sent"),
        (StoreError("x"), 503, "store_unavailable"),
        (QueueError("x"), 503, "queue_unavailable"),
        (OutsideServiceError("x"), 503, "service_unavailable"),
        (BusyError("x"), 503, "busy"),
        (TimeLimitError("x"), 504, "time_limit"),
        (NoOwnerError("x"), 403, "forbidden"),
        (HttpError(415, "x"), 415, "unsupported_media_type"),
    ],
)
def test_each_error_has_its_status_and_code(error, status, code):
    found = problem_of(error)
    assert (found.status, found.code, found.type) == (status, code, "about:blank")
    assert json.loads(dump(found))["title"]


def test_a_fault_of_ours_says_nothing_of_its_inside():
    assert "secret" not in problem_of(InternalError("secret path")).detail


@pytest.mark.parametrize(
    "error",
    [
        StoreError("/srv/store is away"),
        QueueError("https://sqs.example/1/jobs is away: /srv/store"),
        PermissionDeniedError("/srv/store"),
        NotSentError("id-5", "https://sqs.example/1/jobs: /srv/store"),
    ],
)
def test_places_of_the_server_are_left_to_its_log(error):
    detail = problem_of(error).detail
    assert not any(word in detail for word in ("/srv", "sqs.example"))
    assert "/srv/store" in hidden_details(error)
    assert isinstance(error, NotSentError) == ("id-5" in detail)
    assert hidden_details(InputError("x")) == hidden_details(HttpError(500, "x")) == ""


def test_secrets_in_messages_are_hidden():
    assert "hunter2" not in problem_of(InputError("https://ann:hunter2@host/x failed")).detail


def test_unknown_statuses_have_a_code():
    assert problem(418, "x").code == "bad_request"
    assert problem(599, "x").code == "internal"
