"""The page about REST: its blocks run as they are, and its codes are those of the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fixtures.raw_http import TOKEN

from pacifico.server.http import problems

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rest.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_journey_by_curl(rest, tmp_path):
    shutil.copy(ROOT / "pacifico" / "data" / "sample-site.kml", tmp_path / "site.kml")
    script = "set -eu\n" + "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    own = {**os.environ, "SERVER": rest.base, "TOKEN": TOKEN, "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=own, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr + rest.log[-2000:]
    assert json.loads((tmp_path / "status.json").read_text())["status"] == "completed"
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert json.loads((tmp_path / "deleted-site.json").read_text())["deleted"]
    assert json.loads((tmp_path / "roads.json").read_text())["edits"] == 2


def test_all_codes_are_on_the_page():
    listed = set(re.findall(r"`([a-z_]+)`", PAGE[PAGE.index("## Errors") : PAGE.index("## What runs")]))
    known = {
        *problems.STATUS_OF_CODE,
        *problems.CODE_OF_STATUS.values(),
        *(code for _, code, _ in problems.SERVER_CODES),
    }
    assert known - {"internal", "not_acceptable"} <= listed
