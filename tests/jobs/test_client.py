"""The client over both stores and a real queue; no notebook runs here."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from pacifico.cli.jobs import main
from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.client import JobClient
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.queue import Pointer, Queue, parse_pointer
from pacifico.jobs.records import ConflictError
from pacifico.jobs.sending import NotSentError
from pacifico.jobs.settings import from_environment
from pacifico.jobs.status import Artifact
from pacifico.jobs.store.base import NotFoundError, PermissionDeniedError, StoreError
from pacifico.jobs.submission.quotas import QuotaError

KML = b"<kml/>"


@pytest.fixture
def boundary(tmp_path):
    path = tmp_path / "My site.kml"
    path.write_bytes(KML)
    return path


@pytest.fixture
def environ(queues, bucket, monkeypatch):
    live, dead = queues
    given = {
        "PACIFICO_STORE": f"s3://{bucket}/p",
        "PACIFICO_QUEUE_URL": live,
        "PACIFICO_DLQ_URL": dead,
        "PACIFICO_OWNER": "ann@example.com",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


@pytest.fixture
def client(environ):
    return JobClient()


def ask(client, site, **more):
    return client.request(site, dem="sample", target_capacity_kw=1000, **more)


def bodies(url):
    found = []
    while batch := Queue(url).receive(wait_s=0, visibility_s=30, most=10):
        found += batch
    return [parse_pointer(message.body) for message in found]


def test_submit_says_what_the_contract_says(client, boundary, environ):
    site = client.upload_site(boundary)
    assert client.upload_site(boundary) == site
    request = ask(client, site)
    response = client.submit(request)
    assert response == {
        "layout_id": request.layout_id,
        "status": "queued",
        "message": "Layout generation job queued successfully",
    }
    assert bodies(environ["PACIFICO_QUEUE_URL"]) == [Pointer("ann@example.com", request.layout_id)]
    status = client.status(request.layout_id)
    assert (status["status"], status["stage"], status["progress_pct"], status["attempt"]) == ("queued", "queued", 0, 0)
    assert not status["stalled"]


def test_the_same_id_twice_is_one_job_and_another_body_an_error(client, boundary):
    site = client.upload_site(boundary)
    request = ask(client, site)
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: client.submit(request), range(8)))
    assert {r["status"] for r in responses} == {"queued"}
    assert client.status(request.layout_id)["revision"] == 1
    with pytest.raises(ConflictError, match="new layout_id"):
        client.submit(ask(client, site, layout_id=request.layout_id, strategy="density"))


def test_sites_are_immutable_and_their_owners(client, boundary, tmp_path):
    client.upload_site(boundary, site_id="home")
    other = tmp_path / "other.kml"
    other.write_bytes(b"<kml>2</kml>")
    with pytest.raises(InputError, match="another file"):
        client.upload_site(other, site_id="home")
    bob = JobClient(owner="bob")
    with pytest.raises(NotFoundError, match="not among those of 'bob'"):
        bob.submit(ask(bob, "home"))


def test_anothers_layout_is_not_found(client, boundary):
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    bob = JobClient(owner="bob")
    for act in (bob.status, bob.cancel, bob.redrive, lambda i: bob.fetch(i, "x"), bob.presign_download):
        with pytest.raises(NotFoundError):
            act(request.layout_id)


def test_a_dem_from_anywhere_is_refused(client, boundary):
    site = client.upload_site(boundary)
    for dem in ("https://169.254.169.254/x.tif", "https://localhost/x.tif", "s3://someone/x.tif"):
        request = client.request(site, dem=dem, target_capacity_kw=1000)
        with pytest.raises(InputError, match="places allowed"):
            client.submit(request)


def test_submit_many_in_batches_and_partial_failures(client, boundary, environ):
    site = client.upload_site(boundary)
    requests = [ask(client, site) for _ in range(23)]
    requests[5] = ask(client, "nowhere")
    responses = client.submit_many(requests)
    assert [r["layout_id"] for r in responses] == [r.layout_id for r in requests]
    assert [r["status"] for r in responses] == ["queued"] * 5 + ["rejected"] + ["queued"] * 17
    assert len(bodies(environ["PACIFICO_QUEUE_URL"])) == 22


def test_submit_many_tells_what_was_not_sent(client, boundary, monkeypatch):
    site = client.upload_site(boundary)
    client._queue.url = client._queue.url + "-gone"
    responses = client.submit_many([ask(client, site) for _ in range(2)])
    assert {r["status"] for r in responses} == {"unsent"}
    with pytest.raises(NotSentError, match="is stored, but not sent"):
        client.submit(ask(client, site))


def test_wait_cancel_redrive(client, boundary):
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    with pytest.raises(TimeoutError, match="1 of 1 jobs"):
        client.wait([request.layout_id], timeout_s=0.2)
    assert client.cancel(request.layout_id)["status"] == "cancelled"
    assert client.cancel(request.layout_id)["error_kind"] == "cancelled"
    assert client.wait([request.layout_id])[request.layout_id]["status"] == "cancelled"
    with pytest.raises(InputError, match="only a failed one"):
        client.redrive(request.layout_id)


def test_redrive_of_a_failed_one_sends_it_again(client, boundary, environ):
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    bodies(environ["PACIFICO_QUEUE_URL"])
    records = client._records
    attempt = claim(records, client.owner, request.layout_id, worker="w", settings=client.settings)
    attempt.swap(lambda s, now: states.failed(s, kind="service", message="m", now=now))
    assert client.redrive(request.layout_id)["status"] == "queued"
    assert len(bodies(environ["PACIFICO_QUEUE_URL"])) == 1
    # The old message, dead meanwhile, says nothing about a job that was queued anew.
    held = records.fail_dead(client.owner, request.layout_id, sent=records.now() - 60, receives=3, queue_empty=bool)
    assert held.status.status == "queued"


def test_list_by_status_and_date(client, boundary):
    site = client.upload_site(boundary)
    requests = [ask(client, site) for _ in range(3)]
    for request in requests:
        client.submit(request)
        time.sleep(0.01)  # created in this order, to the millisecond
    client.cancel(requests[0].layout_id)
    claim(client._records, client.owner, requests[1].layout_id, worker="w", settings=client.settings)
    assert [row["layout_id"] for row in client.list()] == [r.layout_id for r in reversed(requests)]
    assert [row["layout_id"] for row in client.list(status="cancelled")] == [requests[0].layout_id]
    assert len(client.list(limit=2)) == 2
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert client.list(since=soon) == []
    assert JobClient(owner="bob").list() == []


def complete(client, layout_id, files):
    attempt = claim(client._records, client.owner, layout_id, worker="w", settings=client.settings)
    import hashlib

    artifacts = {}
    for name, data in files.items():
        client._store.put(keys.artifact(client.owner, layout_id, 1, name), data, kind="reports")
        artifacts[name] = Artifact(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    attempt.swap(lambda s, now: states.completed(s, artifacts=artifacts, metrics={}, now=now))


def test_fetch_checks_every_file(client, boundary, tmp_path):
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    with pytest.raises(InputError, match="no report"):
        client.fetch(request.layout_id, tmp_path / "out")
    complete(client, request.layout_id, {"report.html": b"<p>", "inputs/a.kml": b"k"})
    out = client.fetch(request.layout_id, tmp_path / "out")
    assert (out / "inputs/a.kml").read_bytes() == b"k"
    with pytest.raises(InputError, match="not an empty folder"):
        client.fetch(request.layout_id, out)
    with urllib.request.urlopen(client.presign_download(request.layout_id)) as reply:
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    client._store.put(keys.artifact(client.owner, request.layout_id, 1, "report.html"), b"!", kind="reports")
    with pytest.raises(OSError, match="not the file"):
        client.fetch(request.layout_id, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_an_upload_without_credentials(client):
    ticket, signed = client.presign_upload("site.kml", size_bytes=len(KML))
    put = urllib.request.Request(signed.url, data=KML, method="PUT", headers=dict(signed.headers))
    with urllib.request.urlopen(put):
        pass
    site = client.register_site(ticket)
    assert client.submit(ask(client, site))["status"] == "queued"
    with pytest.raises(InputError):
        client.register_site("../../" + ticket)


def test_a_shapefile_travels_with_its_sidecars(client, tmp_path):
    import io
    import zipfile

    for suffix in (".shp", ".shx", ".dbf", ".prj"):
        (tmp_path / f"parcel{suffix}").write_bytes(suffix.encode())
    site = client.upload_site(tmp_path / "parcel.shp")
    about = json.loads(client._store.read(f"{keys.site(client.owner, site)}/site.json").data)
    data = client._store.read(f"{keys.site(client.owner, site)}/{about['file']}").data
    assert sorted(zipfile.ZipFile(io.BytesIO(data)).namelist()) == [
        "parcel.dbf",
        "parcel.prj",
        "parcel.shp",
        "parcel.shx",
    ]


def test_the_command_line_says_the_same(environ, boundary, capsys, tmp_path):
    assert main(["jobs", "submit", str(boundary), "--dem", "sample", "--json"]) == 0
    response = json.loads(capsys.readouterr().out)
    layout_id = response["layout_id"]
    assert response["status"] == "queued"
    assert main(["jobs", "status", layout_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "queued"
    assert main(["jobs", "wait", layout_id, "--timeout", "0.1"]) == 124
    assert main(["jobs", "list", "--json", "--status", "queued"]) == 0
    assert [row["layout_id"] for row in json.loads(capsys.readouterr().out)] == [layout_id]
    assert main(["jobs", "cancel", layout_id]) == 0
    assert main(["jobs", "wait", layout_id]) == 1
    capsys.readouterr()
    assert main(["jobs", "status", str(uuid.uuid4())]) == 2
    assert "not found" in capsys.readouterr().err
    assert main(["jobs", "fetch", layout_id, "--out", str(tmp_path / "out")]) == 2


def test_submit_many_from_a_table(environ, boundary, capsys, tmp_path):
    table = tmp_path / "sites.csv"
    table.write_text(
        f"boundary,dem,capacity_kw,strategy\n{boundary.name},sample,2000,density\n{boundary.name},3dep,,\n"
    )
    assert main(["jobs", "submit-many", str(table), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    client = JobClient()
    asked = [client._records.request(client.owner, r["layout_id"])[0] for r in found]
    assert [(r.dem, r.target_capacity_kw, r.strategy) for r in asked] == [
        ("sample", 2000, "density"),
        ("3dep", None, "balanced"),
    ]
    assert main(["jobs", "submit-many", str(table), "--capacity-kw", "3000", "--json"]) == 0
    last = json.loads(capsys.readouterr().out)[1]["layout_id"]
    assert client._records.request(client.owner, last)[0].target_capacity_kw == 3000
    table.write_text("boundary,colour\nx,red\n")
    assert main(["jobs", "submit-many", str(table)]) == 2
    assert "columns colour are unknown" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "no elevation model"),
        (["--dem", "sample", "--no-terrain"], "level ground"),
        (["--dem", "/no/such.tif"], "is not there"),
        (["--dem", "sample", "--capacity-kw", "1"], "out of range; give 100 to 5,000,000 kW"),
        (["--dem", "sample", "--entry", "north"], "LON,LAT"),
        (["--dem", "sample", "--poi", "grid"], "--poi 'grid' is not LON,LAT"),
        (["--dem", "sample", "--layout-id", "x"], "not a UUID"),
    ],
)
def test_bad_options_are_one_line_and_leave_nothing(environ, boundary, capsys, options, words):
    assert main(["jobs", "submit", str(boundary), *options]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert list(JobClient()._store.list("owners/")) == []


def test_a_listing_asks_for_pages_and_never_for_a_layout_that_has_ended(client, boundary):
    """`tests/benchmarks/test_jobs_speed.py` says how long ten thousand of them take."""
    state = ["completed", "failed", "queued", "cancelled"]
    old = 1_700_000_000_000
    names = [
        keys.hint(client.owner, str(uuid.uuid4()), created_ms=old + n * 1000, revision=3, status=state[n % 4])
        for n in range(1100)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: client._store.put(key, b"", kind="jobs"), names))
    calls = []
    client._store._client.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))

    def asked(**given):
        calls.clear()
        return client.list(**given), list(calls)

    rows, made = asked(status="failed", limit=None)
    assert (len(rows), made) == (275, ["ListObjectsV2"] * 2)
    assert rows == sorted(rows, key=lambda row: row["created_at"], reverse=True)
    rows, made = asked(since=datetime.fromtimestamp(old / 1000 + 1000, UTC), limit=None)
    assert (len(rows), made) == (100, ["ListObjectsV2"])  # newest first: older pages are not asked for
    rows, made = asked(limit=20)
    assert (len(rows), made) == (20, ["ListObjectsV2"])
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    attempt = claim(client._records, client.owner, request.layout_id, worker="w", settings=client.settings)
    client._records.index(attempt.status)
    rows, made = asked(limit=20)
    assert made == ["ListObjectsV2", "GetObject"]  # a running one, for its progress
    assert rows[0]["layout_id"] == request.layout_id


def test_redrive_from_the_console_does_nothing_to_a_failed_job(client, boundary):
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    attempt = claim(client._records, client.owner, request.layout_id, worker="w", settings=client.settings)
    attempt.swap(lambda s, now: states.failed(s, kind="request", message="m", now=now))
    found = claim(client._records, client.owner, request.layout_id, worker="w", settings=client.settings)
    assert found.status.status == "failed"


def test_a_claim_has_one_winner(client, boundary):
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    barrier = threading.Barrier(8)

    def race(_):
        barrier.wait()
        return claim(client._records, client.owner, request.layout_id, worker="w", settings=client.settings)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(race, range(8)))
    assert sum(hasattr(f, "swap") for f in found) == 1
    assert client.status(request.layout_id)["attempt"] == 1


# --- jobs whose message was lost


def older(client, monkeypatch, seconds):
    """Read every object as if it had been written some seconds earlier."""
    read = client._store.read

    def aged(key, **options):
        blob = read(key, **options)
        return dataclasses.replace(blob, age_s=blob.age_s + seconds)

    monkeypatch.setattr(client._store, "read", aged)


def test_a_queued_job_whose_queue_was_purged_is_stalled(client, boundary, environ, monkeypatch):
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    older(client, monkeypatch, 300)
    assert not client.status(request.layout_id)["stalled"]  # its message waits
    for message in Queue(environ["PACIFICO_QUEUE_URL"]).receive(wait_s=0, visibility_s=30, most=10):
        Queue(environ["PACIFICO_QUEUE_URL"]).delete(message)
    assert client.status(request.layout_id)["stalled"]
    client.redrive(request.layout_id)
    assert bodies(environ["PACIFICO_QUEUE_URL"]) == [Pointer(client.owner, request.layout_id)]


def test_a_queued_job_older_than_the_queue_keeps_messages_is_stalled(client, boundary, monkeypatch):
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    older(client, monkeypatch, client.settings.retention_s + 1)
    assert client.status(request.layout_id)["stalled"]


def test_a_queue_that_can_not_be_read_stalls_nothing(client, boundary, monkeypatch):
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    older(client, monkeypatch, 300)
    client._queue.url += "-gone"
    assert client.status(request.layout_id)["stalled"] is False


def test_submit_many_goes_on_where_the_store_fails_for_one(client, boundary, monkeypatch):
    site = client.upload_site(boundary)
    requests = [ask(client, site) for _ in range(3)]
    create = client._store.create

    def fail(key, data, **options):
        if requests[1].layout_id in key:
            raise StoreError("away")
        return create(key, data, **options)

    monkeypatch.setattr(client._store, "create", fail)
    responses = client.submit_many(requests)
    assert [r["status"] for r in responses] == ["queued", "unsent", "queued"]
    assert responses[1]["layout_id"] == requests[1].layout_id


def test_requests_with_one_key_are_one_job(client, boundary):
    site = client.upload_site(boundary)
    one, two = (ask(client, site, idempotency_key="k") for _ in range(2))
    assert one == two
    assert JobClient(owner="bob").layout_id_of("k") != one.layout_id


def test_a_quota_of_open_jobs_holds_for_one_and_for_many(client, boundary):
    client.settings = dataclasses.replace(client.settings, max_open_jobs=2)
    site = client.upload_site(boundary)
    first, *more = (ask(client, site) for _ in range(4))
    client.submit(first)
    assert [r["status"] for r in client.submit_many(more)] == ["queued", "rejected", "rejected"]
    assert client.submit(first)["status"] == "queued"  # the same job again is no new one
    with pytest.raises(QuotaError, match="as many as the quota allows"):
        client.submit(more[1])
    assert {row["layout_id"] for row in client.list()} == {first.layout_id, more[0].layout_id}
    client.cancel(first.layout_id)
    assert client.submit(more[1])["status"] == "queued"


# --- rights


def test_what_the_store_forbids_to_read_is_not_found(client, monkeypatch):
    def refuse(*args, **options):
        raise PermissionDeniedError("access denied")

    monkeypatch.setattr(client._store, "read", refuse)
    layout_id = str(uuid.uuid4())
    for act in (client.status, client.cancel, client.redrive, client.presign_download):
        with pytest.raises(NotFoundError, match="your rights"):
            act(layout_id)


def test_what_the_store_forbids_to_write_is_told_as_missing_rights(client, boundary, monkeypatch):
    request = ask(client, client.upload_site(boundary))

    def refuse(*args, **options):
        raise PermissionDeniedError("access denied")

    for name in ("create", "swap", "put"):
        monkeypatch.setattr(client._store, name, refuse)
    with pytest.raises(PermissionDeniedError):
        client.submit(request)


def test_planted_hints_are_left_out_of_a_list(client, boundary):
    request = ask(client, client.upload_site(boundary))
    client.submit(request)
    for name in ("x", "9999999999999-nobody/00000001-queued", f"{'9' * 13}-{uuid.uuid4()}/00000001-done"):
        client._store.put(f"{keys.index(client.owner)}{name}", b"", kind="jobs")
    assert [row["layout_id"] for row in client.list()] == [request.layout_id]


@pytest.mark.parametrize("content", [b"{", b'{"schema_version": 2}'])
def test_one_status_that_can_not_be_read_spoils_no_list(client, boundary, content):
    site = client.upload_site(boundary)
    strange, other = ask(client, site), ask(client, site)
    for request in (strange, other):
        client.submit(request)
    begun = claim(client._records, client.owner, strange.layout_id, worker="w", settings=client.settings)
    client._records.index(begun.status)
    client._store.put(keys.status(client.owner, strange.layout_id), content, kind="jobs")
    rows = {row["layout_id"]: row["status"] for row in client.list()}
    assert rows == {strange.layout_id: "processing", other.layout_id: "queued"}


def test_a_client_with_credentials_of_its_own_needs_no_environment(environ, boundary, aws, monkeypatch):
    """Keys, region and address come with the session, settings and owner as arguments."""
    import boto3

    settings = from_environment(environ)
    for name in (*environ, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    client = JobClient(settings, owner="cy", session=session)
    request = ask(client, client.upload_site(boundary))
    assert client.submit(request)["status"] == "queued"
    assert JobClient(settings, owner="cy", session=session).status(request.layout_id)["owner"] == "cy"
