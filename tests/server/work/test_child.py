"""The process of the pool."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pacifico.errors import (
    DEMError,
    EditRefused,
    InputError,
    InternalError,
    NoBuildableGroundError,
    OutsideServiceError,
)
from pacifico.server.work.child import error_kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [(EditRefused, "edit_refused"), (NoBuildableGroundError, "no_buildable_ground"), (DEMError, "input"),
     (InputError, "input"), (OutsideServiceError, "outside"), (InternalError, "internal")],
)  # fmt: skip
def test_kinds(error, kind):
    assert error_kind(error("x")) == kind


def test_it_answers_lines_and_ends_with_its_input(tmp_path):
    asked = [
        {"task": "read_site", "arguments": {"boundary": str(tmp_path / "none.kml"), "out": "x"}},
        {"task": "nonsense", "arguments": {}},
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "pacifico.server.work.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    replies = []
    if sys.platform == "linux":
        process.stdin.write(json.dumps(asked[0]) + "\n")
        process.stdin.flush()
        process.stdout.readline()
        assert Path(f"/proc/{process.pid}/oom_score_adj").read_text().strip() == "800"
        while "stage" in json.loads(process.stdout.readline()):
            pass
    for one in asked:
        process.stdin.write(json.dumps(one) + "\n")
        process.stdin.flush()
        while "stage" in (reply := json.loads(process.stdout.readline())):
            pass
        replies.append(reply)
    assert replies[0]["error"][0] == "input"
    assert replies[1]["error"][0] == "internal"
    process.communicate(timeout=60)
    assert process.returncode == 0
