"""Output of jobs commands."""

from __future__ import annotations

import json

from pacifico.cli.job_output import error_body, print_json_line, progress_bar, status_line
from pacifico.jobs.sending import NotSentError
from pacifico.jobs.store.base import NotFoundError


def test_an_error_has_a_code_and_no_secret():
    assert error_body(NotFoundError("https://h/x?sig=abc\nis not there")) == {
        "code": "not_found",
        "message": "https://h/x?sig=REDACTED is not there",
        "exit_status": 2,
    }
    assert error_body(NotSentError("id", "away"))["layout_id"] == "id"


def test_a_status_is_one_line():
    body = {"layout_id": "i", "status": "queued", "stalled": True, "progress_pct": 5, "error_message": None,
            "stage_message": "", "stage": "queued"}  # fmt: skip
    assert status_line(body) == "i  queued     (stalled)    5 %  queued"


def test_json_is_one_line(capsys):
    print_json_line({"a": "ü\n"})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"a": "ü\n"}


def test_programs_get_no_bar():
    assert progress_bar(1, quiet=True) is None
