"""The engine as one attempt of a job."""

from __future__ import annotations

import concurrent.futures
import json
import threading
from pathlib import Path

import pytest

from pacifico.errors import InputError
from pacifico.jobs import local
from pacifico.jobs.request import JobRequest
from pacifico.jobs.serving.owned import OwnedJobs
from pacifico.jobs.settings import Settings
from pacifico.server.work.engine_run import EngineRunner, arguments_of, check_engine_request


@pytest.fixture
def jobs(tmp_path):
    return OwnedJobs(Settings(store=str(tmp_path / "store"), owner="ann"))


@pytest.fixture
def request_(jobs, tmp_path):
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    made = jobs.request(jobs.upload_site(path), dem="sample", target_capacity_kw=1000)
    jobs.accept(made, send=False)
    return made


def run(jobs, request_, call, *, timeout_s=20.0):
    runner = EngineRunner(jobs.store, jobs.settings, call, timeout_s=timeout_s)
    local.run(jobs.records, "ann", request_.layout_id, settings=jobs.settings, runner=runner)
    return jobs.status(request_.layout_id)


def done(result=None, error=None):
    future = concurrent.futures.Future()
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
    return future


def test_what_the_engine_writes_is_committed(jobs, request_):
    def call(task, arguments, on_stage):
        assert (task, arguments["dem"], arguments["target_capacity_kw"]) == ("generate", "sample", 1000)
        assert Path(arguments["boundary"]).read_bytes() == b"<kml/>"
        on_stage("placing_assets", "")
        report = Path(arguments["out"])
        report.mkdir()
        (report / "layout.geojson").write_text("{}")
        (report / "metrics.json").write_text(json.dumps({"total_capacity_kw": 990.0, "shortfall": ""}))
        return done({})

    body = run(jobs, request_, call)
    assert (body["status"], body["total_capacity_kw"], set(body["artifacts"])) == ("completed", 990.0, {"layout.geojson", "metrics.json"})  # fmt: skip


def test_a_fault_of_the_request_fails_it(jobs, request_):
    body = run(jobs, request_, lambda *a: done(error=InputError("no ground")))
    assert (body["status"], body["error_kind"], body["error_message"]) == ("failed", "request", "no ground")


def test_a_run_that_takes_too_long_fails(jobs, request_):
    future = concurrent.futures.Future()
    body = run(jobs, request_, lambda *a: future, timeout_s=0.2)
    assert (body["status"], body["error_kind"]) == ("failed", "timeout")
    assert future.cancelled()


def test_a_stopped_run_commits_nothing(jobs, request_):
    future = concurrent.futures.Future()
    runner = EngineRunner(jobs.store, jobs.settings, lambda *a: future, timeout_s=20.0)
    arguments = (jobs.records, "ann", request_.layout_id)
    thread = threading.Thread(target=lambda: local.run(*arguments, settings=jobs.settings, runner=runner), name="run")
    thread.start()
    jobs.cancel(request_.layout_id)
    runner.stop()
    thread.join(20)
    assert jobs.status(request_.layout_id)["status"] == "cancelled"


@pytest.mark.parametrize("more", [{"parameters": {"energy": True}}, {"notebook": "compare_variants"}])
def test_reports_are_jobs(more):
    with pytest.raises(InputError, match="respond-async"):
        check_engine_request(JobRequest(site_id="s", owner="ann", dem="sample", **more))


def test_arguments_leave_out_what_is_not_set():
    found = arguments_of({"spec": None, "profile": "bess"}, {"boundary": Path("/x/b.kml")})
    assert found == {"dem": None, "profile": "bess", "boundary": "/x/b.kml"}
