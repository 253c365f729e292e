"""The client for servers: nothing runs, nothing waits, and nothing of another owner is there."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.records import ConflictError, InUseError
from pacifico.jobs.serving.owned import OwnedJobs
from pacifico.jobs.settings import Settings
from pacifico.jobs.store.base import NotFoundError
from pacifico.jobs.store.local import LocalStore
from pacifico.jobs.submission.quotas import QuotaError
from pacifico.jobs.uploads import read_site_record


@pytest.fixture
def settings(tmp_path):
    return Settings(store=str(tmp_path / "store"), owner="ann")


@pytest.fixture
def jobs(settings):
    return OwnedJobs(settings)


@pytest.fixture
def site(jobs, tmp_path):
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    return jobs.upload_site(path)


def complete(jobs, layout_id, files, tmp_path):
    """Run a job as a worker would, with these files as its report."""
    attempt = claim(jobs.records, jobs.owner, layout_id, worker="w", settings=jobs.settings)
    report = tmp_path / "report"
    report.mkdir()
    for name, content in files.items():
        (report / name).write_bytes(content)
    artifacts = attempt.upload(report)
    attempt.swap(lambda s, now: states.completed(s, artifacts=artifacts, metrics={}, now=now))


def test_what_was_abandoned_makes_room_for_the_same_request(jobs, site):
    request = jobs.request(site, dem="sample")
    jobs.accept(request)
    assert not jobs.clear_abandoned(request.layout_id)
    jobs.abandon(request.layout_id)
    assert jobs.accept(request).status.status == "cancelled"
    assert jobs.clear_abandoned(request.layout_id)
    assert jobs.accept(request).status.status == "queued"
    jobs.cancel(request.layout_id)
    assert not jobs.clear_abandoned(request.layout_id)  # it was cancelled on request
    assert jobs.clear_abandoned(str(uuid.uuid4()))  # it was deleted


def test_a_job_is_accepted_and_waits(jobs, site):
    request = jobs.request(site, dem="sample", target_capacity_kw=1000)
    assert jobs.accept(request).status.status == "queued"
    assert jobs.accept(request).status.revision == 1
    body = jobs.status(request.layout_id)
    assert (body["stalled"], body["target_capacity_kw"], body["shortfall"]) == (False, 1000, "")
    assert jobs.request_of(request.layout_id) == request
    with pytest.raises(ConflictError):
        jobs.accept(jobs.request(site, dem="sample", target_capacity_kw=2000, layout_id=request.layout_id))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"parameters": {"nonsense": 1}}, "'nonsense' is not a parameter"),
        ({"parameters": {"setback_m": "wide"}}, "setback_m = 'wide' is not float"),
        ({"notebook": "none_such"}, "no notebook is called 'none_such'"),
        ({"parameters": {"exclusions": "/etc/passwd"}}, "takes an upload of its owner's"),
        ({"parameters": {"exclusions": "upload:" + "0" * 64}}, "not among the uploads"),
        ({"dem": "upload:" + "0" * 64}, "not among the uploads"),
        ({"dem": "https://example.com/dem.tif"}, "one of the places allowed"),
    ],
)
def test_what_can_not_run_is_refused_at_once(jobs, site, fields, words):
    request = jobs.request(site, **{"dem": "sample", **fields})
    with pytest.raises(InputError, match=words):
        jobs.accept(request)
    with pytest.raises(NotFoundError):
        jobs.status(request.layout_id)


def test_another_owner_has_nothing_of_it(jobs, site, settings, tmp_path):
    request = jobs.request(site, dem="sample")
    jobs.accept(request)
    bob = OwnedJobs(settings, owner="bob")
    for call in (bob.status, bob.read, bob.cancel, bob.redrive, bob.delete, bob.request_of):
        with pytest.raises(NotFoundError):
            call(request.layout_id)
    with pytest.raises(NotFoundError):
        bob.file(request.layout_id, "layout.geojson", tmp_path / "x")
    with pytest.raises(NotFoundError):
        bob.delete_site(site)


def test_a_file_is_one_that_the_status_lists_and_has_its_hash(jobs, site, tmp_path):
    request = jobs.request(site, dem="sample")
    jobs.accept(request)
    body = json.dumps({"shortfall": "no room"}).encode()
    complete(jobs, request.layout_id, {"metrics.json": body}, tmp_path)
    assert jobs.status(request.layout_id)["shortfall"] == "no room"
    jobs.file(request.layout_id, "metrics.json", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == body
    for name in ("../status.json", "status.json", "/etc/passwd", "", "metrics.json\0"):
        with pytest.raises(NotFoundError):
            jobs.file(request.layout_id, name, tmp_path / "other")
    jobs.store.put(keys.artifact("ann", request.layout_id, 1, "metrics.json"), b"x" * len(body), kind="reports")
    with pytest.raises(OutsideServiceError, match="not the file that the job made"):
        jobs.file(request.layout_id, "metrics.json", tmp_path / "third")


def test_redrive_queues_and_runs_nothing(jobs, site):
    request = jobs.request(site, dem="sample")
    jobs.accept(request)
    jobs.records.fail("ann", request.layout_id, kind="lost", message="gone")
    assert jobs.redrive(request.layout_id)["status"] == "queued"


def test_readiness_asks_store_and_queue(jobs, tmp_path):
    jobs.probe()
    assert not jobs.queued_elsewhere
    (tmp_path / "file").write_text("")
    OwnedJobs(Settings(store=str(tmp_path / "new" / "store"), owner="ann")).probe()  # made by the first write
    with pytest.raises(OutsideServiceError, match="is no folder"):
        OwnedJobs(Settings(store=str(tmp_path / "file" / "store"), owner="ann")).probe()


def test_a_site_that_queued_or_running_layouts_need_is_kept(jobs, site, tmp_path):
    request = jobs.request(site, dem="sample", target_capacity_kw=1000)
    jobs.accept(request)
    for _ in ("queued", "running"):
        with pytest.raises(InUseError, match=f"{request.layout_id}; cancel"):
            jobs.delete_site(site)
        claim(jobs.records, "ann", request.layout_id, worker="w", settings=jobs.settings)
    jobs.cancel(request.layout_id)
    assert [status.layout_id for status in jobs.unfinished()] == []
    assert jobs.delete_site(site) == 2


def test_a_redriven_layout_needs_its_site_again(jobs, site):
    request = jobs.request(site, dem="sample", target_capacity_kw=1000)
    jobs.accept(request)
    jobs.records.fail("ann", request.layout_id, kind="lost", message="x")
    jobs.redrive(request.layout_id)
    with pytest.raises(InUseError):
        jobs.delete_site(site)


def test_many_layouts_are_named_in_part(jobs, site):
    for _ in range(7):
        jobs.accept(jobs.request(site, dem="sample", target_capacity_kw=1000))
    with pytest.raises(InUseError, match="and 2 more"):
        jobs.delete_site(site)


def test_an_upload_that_a_queued_layout_needs_is_kept(jobs, site, tmp_path):
    path = tmp_path / "dem.tif"
    path.write_bytes(b"II*\0")
    address = jobs.upload_file(path)
    request = jobs.request(site, dem=address, target_capacity_kw=1000)
    jobs.accept(request)
    sha256 = address.removeprefix("upload:")
    with pytest.raises(InUseError, match=request.layout_id):
        jobs.delete_upload(sha256)
    jobs.delete(request.layout_id)
    assert jobs.delete_upload(sha256) == 2


def test_a_quota_holds_for_servers_too(tmp_path):
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    jobs = OwnedJobs(Settings(store=str(tmp_path / "store"), owner="ann", max_open_jobs=1))
    site = jobs.upload_site(path)
    first = jobs.request(site, dem="sample")
    jobs.accept(first)
    jobs.accept(first)  # the same one
    with pytest.raises(QuotaError, match="quota"):
        jobs.accept(jobs.request(site, dem="sample"))


@pytest.mark.parametrize(
    "call",
    [
        lambda jobs, layout, site: jobs.status(layout),
        lambda jobs, layout, site: jobs.read(layout),
        lambda jobs, layout, site: jobs.file(layout, "layout.geojson", Path("unused")),
        lambda jobs, layout, site: jobs.cancel(layout),
        lambda jobs, layout, site: jobs.redrive(layout),
        lambda jobs, layout, site: jobs.delete(layout),
        lambda jobs, layout, site: jobs.delete_site(site),
        lambda jobs, layout, site: read_site_record(jobs.store, jobs.owner, site),
    ],
    ids=["status", "read", "file", "cancel", "redrive", "delete", "delete site", "site"],
)
def test_what_is_anothers_costs_the_calls_of_what_is_nobodys(settings, jobs, site, monkeypatch, call):
    """So both take the same time: the same requests of the store, and the same words."""
    request = jobs.request(site, dem="sample")
    jobs.accept(request)
    asked = []
    for name in ("read", "get_file", "stat", "list", "delete", "swap", "create", "put"):
        real = getattr(LocalStore, name)
        monkeypatch.setattr(
            LocalStore, name, lambda s, key, *a, _n=name, _r=real, **o: asked.append((_n, key)) or _r(s, key, *a, **o)
        )
    found = []
    for layout_id, site_id in ((request.layout_id, site), (str(uuid.uuid4()), uuid.uuid4().hex)):
        asked.clear()
        with pytest.raises(NotFoundError) as missing:
            call(OwnedJobs(settings, owner="bob"), layout_id, site_id)
        seen = [(name, key.replace(layout_id, "L").replace(site_id, "S")) for name, key in asked]
        found.append((seen, str(missing.value).replace(layout_id, "L").replace(site_id, "S")))
    assert found[0] == found[1]
    assert found[0][0]
