"""The background process; whole runs are in test_local."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.jobs.local import start_background


def test_a_process_that_can_not_read_its_settings_says_why(monkeypatch):
    monkeypatch.setenv("PACIFICO_LEASE_S", "x")
    with pytest.raises(OutsideServiceError, match="PACIFICO_LEASE_S is 'x'"):
        start_background([("ann", "1")])


def test_a_process_that_ends_says_its_exit_status():
    with pytest.raises(OutsideServiceError, match="exit status 3"):
        start_background([], command=[sys.executable, "-c", "raise SystemExit(3)"])


def test_without_jobs_it_ends_at_once(tmp_path):
    read, write = os.pipe()
    env = {**os.environ, "PACIFICO_STORE": str(tmp_path)}
    command = [sys.executable, "-m", "pacifico.jobs.background", str(write)]
    subprocess.run(command, input=b"[]", env=env, pass_fds=[write], check=True)
    os.close(write)
    assert os.read(read, 100) == b"assigned"
    os.close(read)
