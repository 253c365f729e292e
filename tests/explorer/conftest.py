"""Jobs that end at once, on the real lifecycle and local store, without running a notebook."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from pacifico.jobs import local
from pacifico.jobs.client import JobClient
from pacifico.jobs.lifecycle import RunOutcome
from pacifico.jobs.settings import Settings
from pacifico.jobs.status import METRICS
from pacifico.run import manifest


@pytest.fixture
def client(tmp_path):
    return JobClient(Settings(store=str(tmp_path / "store"), owner="ann <ann@example.com>", lease_s=60))


class Ended:
    """Runner with finished reports; a profile without a layout fails."""

    def __init__(self, layouts, folder):
        self.layouts = layouts
        self.folder = folder

    @contextlib.contextmanager
    def workspace(self):
        yield self.folder

    def run(self, task, folder, on_stage, orders):
        report = Path(folder) / task.request.layout_id
        report.mkdir(parents=True)
        layout = self.layouts.get(task.request.generation_profile)
        on_stage("placing_assets", "placing assets")
        if layout is None:
            return RunOutcome(report=report, kind="request", message="no ground <here> can be built on")
        (report / "layout.geojson").write_text(json.dumps(layout))
        (report / "report.html").write_text('<p id="said">"quoted" & whole</p>')
        record = {
            "request": {"notebook": "layout_report", "parameters": {"profile": task.request.generation_profile}},
            "inputs": {},
            "notebook": {"name": "layout_report", "sha256": "cd" * 32},
            "environment": {"pacifico": "0.1.0", "git_commit": None},
            "outcome": {"status": "completed", "error_message": None},
        }
        manifest.write(report, record)
        metrics = layout["pacifico"]["metrics"]
        (report / "metrics.json").write_text(json.dumps({**metrics, "headline": layout["pacifico"]["headline"]}))
        return RunOutcome(report=report, metrics={name: metrics[name] for name in METRICS})


@pytest.fixture
def run_job(client, layouts, tmp_path):
    """Function that runs a submitted job to its end."""

    def run(layout_id):
        runner = Ended(layouts, tmp_path / "scratch")
        return local.run(client._records, client.owner, layout_id, settings=client.settings, runner=runner)

    return run


@pytest.fixture
def submit(client, tmp_path):
    """Function that submits a job and returns its layout_id."""
    boundary = tmp_path / "site.kml"
    boundary.write_bytes(b"<kml/>")
    site = client.upload_site(boundary)

    def give(**fields):
        request = client.request(site, dem="sample", target_capacity_kw=10_000, **fields)
        client._records.submit(request)
        return request.layout_id

    return give
