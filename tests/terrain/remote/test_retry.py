"""Retries."""

from __future__ import annotations

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.terrain.remote.retry import TemporaryError, with_retries
from pacifico.terrain.remote.settings import SourceSettings

QUICK = SourceSettings(retries=2, backoff_s=0.0, cache=None)


def test_a_request_is_repeated_after_temporary_failures():
    answers = iter([TemporaryError("busy"), TemporaryError("busy"), "here"])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert with_retries(ask, "https://example.org/dem.tif", QUICK) == "here"


def test_the_last_failure_is_told_without_secrets(caplog):
    def ask():
        raise TemporaryError("no route to https://me:hunter2@example.org/dem.tif?sig=hunter2")

    with pytest.raises(OutsideServiceError, match=r"dem\.tif at example\.org: no answer after 3 tries") as caught:
        with_retries(ask, "https://me:hunter2@example.org/a/dem.tif?sig=hunter2", QUICK)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in caplog.text
    assert caplog.text.count("failed") == 3
