"""Schemathesis: what the document promises, the server keeps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.raw_http import TOKEN


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_every_check_of_schemathesis(new_server, tmp_path, capsys):
    """All checks and phases, stateful ones too; PACIFICO_TEST_CONTRACT_S seconds of them."""
    seconds = os.environ.get("PACIFICO_TEST_CONTRACT_S") or "120"
    rest = new_server(PACIFICO_SERVER_PROCESSES="1")
    shutil.copy(Path(__file__).with_name("schemathesis.toml"), tmp_path)
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{rest.api}/openapi.json", "-H", f"Authorization: token {TOKEN}",
        "--checks", "all", "--continue-on-failure", "--max-time", seconds, "--request-timeout", "90", "--max-response-time", "90", "--no-color",
    ]  # fmt: skip
    own = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=1400, check=False)
    with capsys.disabled():
        print(
            f"\n{done.stdout[done.stdout.index('= SUMMARY') :]}" if "= SUMMARY" in done.stdout else done.stdout[-3000:]
        )
    assert done.returncode == 0, done.stdout[-30000:]
    assert rest.get("/health").status_code == 200
