"""Users without a home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pacifico.run.home import provide_folders


def test_a_user_with_a_home_keeps_its_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("JUPYTER_DATA_DIR", raising=False)
    provide_folders()
    assert "JUPYTER_DATA_DIR" not in os.environ


def run_as_nobody(code, **env):
    """Run Python as a user without a name and without HOME, in a locale of ASCII alone."""
    nobody = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*nobody, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine grants no user namespace")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    return subprocess.run(
        [*nobody, sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, sys.path)), **ascii_only, **env},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_a_notebook_runs_for_a_user_without_name_and_home(tmp_path, template):
    made = template("print('grün')", parameters="name: str = ''")
    code = (
        "from pathlib import Path\nfrom pacifico.run import execute, notebooks\n"
        f"made = notebooks.read(Path({str(made.path)!r}))\n"
        f"request = execute.RunRequest('tiny', {{'name': 'M\\u00fcller'}}, {{}}, Path({str(tmp_path)!r}) / 'report')\n"
        "outcome = execute.execute_template(request, made)\nassert outcome.completed, outcome\n"
    )
    done = run_as_nobody(code, TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "grün" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_the_command_line_says_in_one_line_what_a_home_is_needed_for(tmp_path):
    code = "import sys\nfrom pacifico.cli.main import main\nsys.exit(main(['jobs', 'list']))"
    done = run_as_nobody(code)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "pacifico: this user has no home folder for the store of jobs; set PACIFICO_STORE to a folder, or set HOME"
    ]
    named = run_as_nobody(code, PACIFICO_STORE=str(tmp_path / "store"))
    assert (named.returncode, named.stderr) == (0, "")
    assert Path("~").exists() is False
