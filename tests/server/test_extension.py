"""The extension is on by installing it, and is a leaf that loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pacifico.server
from pacifico.jobs.serving.owned import OwnedJobs
from pacifico.jobs.settings import Settings

ROOT = Path(__file__).parents[2]


def test_jupyter_finds_it():
    assert pacifico.server._jupyter_server_extension_points() == [{"module": "pacifico.server.extension"}]
    shipped = json.loads((ROOT / "pacifico" / "server" / "jupyter" / "pacifico.json").read_text())
    assert shipped == {"ServerApp": {"jpserver_extensions": {"pacifico.server": True}}}


def test_loading_it_loads_no_geometry():
    code = (
        "import sys, pacifico.server.extension\n"
        "print([m for m in ('numba', 'geopandas', 'rasterio', 'matplotlib', 'shapely') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_server_says_that_it_is_on(rest):
    assert "pacifico.server | extension was successfully loaded" in rest.log


@pytest.mark.slow
def test_layouts_that_wait_go_on_when_the_server_starts(new_server, tmp_path):
    """Nobody has to ask first."""
    jobs = OwnedJobs(Settings(store=str(tmp_path / "store"), owner="ann"))
    (tmp_path / "site.kml").write_bytes(b"<kml/>")
    request = jobs.request(jobs.upload_site(tmp_path / "site.kml"), dem="sample")
    jobs.accept(request)
    new_server(PACIFICO_SERVER_PROCESSES="1")
    end = time.monotonic() + 120
    while (status := jobs.status(request.layout_id))["status"] != "failed":
        assert time.monotonic() < end, status
        time.sleep(0.2)  # only the store tells
    assert status["error_kind"] == "request"
