"""`pacifico open` writes a notebook and starts the program that shows it."""

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pacifico.cli.main import main
from pacifico.cli.viewing import open as open_
from pacifico.cli.viewing.open import command_of
from pacifico.explorer.start.uploads import MOST_MESSAGE_BYTES


@pytest.fixture
def status():
    """Exit status of what is started."""
    return 0


@pytest.fixture
def started(monkeypatch, status):
    """Commands that would have been started."""
    commands = []

    def run(command, *, check):
        assert check is False
        commands.append(command)
        return subprocess.CompletedProcess(command, status)

    def show(command, notebook, *, browser):
        assert notebook.is_file()
        assert isinstance(browser, bool)
        assert "--no-browser" in command  # it opens once the cell has run
        return run(command, check=False).returncode

    monkeypatch.setattr(open_.subprocess, "run", run)
    monkeypatch.setattr(open_, "show_in_lab", show)
    return commands


def source(folder):
    return "".join(c["source"] for c in json.loads((folder / "explore.ipynb").read_text())["cells"])


def test_jupyterlab_opens_on_the_notebook_alone(started, tmp_path, capsys):
    out = tmp_path / "plan"
    assert main(["open", "sample", "--dem", "sample", "--capacity-kw", "5000", "--out", str(out), "--no-browser"]) == 0
    assert f"written: {out / 'explore.ipynb'}" in capsys.readouterr().out
    assert "target_capacity_kw=5000.0" in source(out)
    ((python, _, module, *options),) = started
    assert (python, module) == (sys.executable, "jupyterlab")
    assert "--LabApp.default_url=/doc/tree/explore.ipynb" in options
    assert "--no-browser" in options
    assert "--ServerApp.ip=127.0.0.1" in options


def test_files_are_named_by_their_whole_path(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ring = [[-93.0, 41.54], [-92.99, 41.54], [-92.99, 41.55], [-93.0, 41.54]]
    Path("site.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    assert main(["open", "site.geojson", "--no-terrain", "--write-only"]) == 0
    assert started == []
    assert repr(str(tmp_path / "site.geojson")) in source(tmp_path / "explore-site")


def test_a_boundary_that_can_not_be_read_starts_nothing(started, tmp_path, capsys):
    bad = tmp_path / "site.kml"
    bad.write_text("<kml/>")
    assert main(["open", str(bad), "--dem", "sample", "--out", str(tmp_path / "out")]) == 2
    assert started == []
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.usefixtures("started")
def test_a_program_that_is_not_installed_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(open_.importlib.util, "find_spec", lambda name: None if name == "voila" else object())
    assert main(["open", "sample", "--dem", "sample", "--with", "app", "--out", str(tmp_path)]) == 2
    assert "pip install 'pacifico[app]'" in capsys.readouterr().err


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("status", [5])
def test_a_program_that_fails_is_said(tmp_path, capsys):
    assert main(["open", "sample", "--dem", "sample", "--out", str(tmp_path / "a")]) == 3
    assert "jupyterlab ended with status 5" in capsys.readouterr().err


def test_voila_runs_the_notebook_itself(tmp_path):
    command = command_of("app", tmp_path / "explore.ipynb", browser=True)
    assert command[1:5] == ["-m", "voila", str(tmp_path / "explore.ipynb"), "--Voila.ip=127.0.0.1"]


@pytest.mark.parametrize("screen", ["lab", "app"])
def test_a_message_may_hold_a_whole_upload(screen, tmp_path):
    (setting,) = [o for o in command_of(screen, tmp_path / "explore.ipynb", browser=False) if "tornado_settings" in o]
    assert ast.literal_eval(setting.partition("=")[2]) == {"websocket_max_message_size": MOST_MESSAGE_BYTES}


def test_without_a_boundary_a_page_takes_one(started, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(open_.importlib.util, "find_spec", lambda name, *more: name == "voila" or found(name, *more))
    assert main(["open", "--with", "app", "--capacity-kw", "5000", "--out", str(tmp_path)]) == 0
    assert "start_page(apart=True, profile='solar_farm', strategy='balanced', target_capacity_kw=5000.0)" in source(
        tmp_path
    )
    assert started[0][2] == "voila"


@pytest.mark.parametrize(("given", "elevation"), [(["--dem", "glo30"], "glo30"), (["--no-terrain"], "level")])
def test_the_elevation_of_the_page_may_be_given(given, elevation, tmp_path):
    assert main(["open", *given, "--write-only", "--out", str(tmp_path)]) == 0
    assert f"start_page([{elevation!r}], apart=False" in source(tmp_path)


def test_what_is_said_of_one_site_needs_it(tmp_path, capsys):
    assert main(["open", "--entry=-93,41", "--write-only", "--out", str(tmp_path)]) == 2
    assert "--entry needs a boundary" in capsys.readouterr().err
