"""Command line of the worker."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from worker.main import log_to_stderr


def test_a_worker_without_a_queue_says_so_in_one_line():
    env = {name: value for name, value in os.environ.items() if not name.startswith("PACIFICO_")}
    done = subprocess.run([sys.executable, "-m", "worker"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "worker: PACIFICO_QUEUE_URL is not set; a worker needs the queue of its jobs\n"


def test_health_is_a_command(tmp_path):
    env = {**os.environ, "PACIFICO_SCRATCH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "worker", "health"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "no worker runs here\n")


@pytest.mark.parametrize(("home", "pinned"), [("scratch/home", True), ("elsewhere", False)])
def test_no_aws_profile_is_read_from_a_home_that_jobs_could_write(tmp_path, home, pinned):
    code = "import os; from worker.main import main; main(['health']); print(os.environ.get('AWS_CONFIG_FILE'))"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= {"PACIFICO_SCRATCH": str(scratch), "HOME": str(tmp_path / home), "TMPDIR": str(scratch)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == (os.devnull if pinned else "None")


@pytest.mark.parametrize(
    "text", ["a\nERROR worker: forged", "a\r\x1b[2J", "a\x1b]8;;http://evil\x07b", "\u202ea", "\x9b2J"]
)
def test_no_text_from_outside_forges_or_hides_a_line_of_the_log(capsys, text):
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    try:
        log_to_stderr()
        logging.getLogger("worker").warning("message refused: %s", text)
        logging.getLogger("worker").error("failed", exc_info=ValueError(text))
    finally:
        root.handlers = before
        root.setLevel(level)
    shown = capsys.readouterr().err
    assert shown.startswith("WARNING worker: message refused: ")
    assert len(shown.partition("ERROR worker: failed\n")[0].splitlines()) == 1
    assert not any(c in shown for c in "\r\x1b\x07\u202e\x9b")
