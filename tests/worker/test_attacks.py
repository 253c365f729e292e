"""What an owner plants in the store, run by a real worker: it ends the owner's own jobs, and reaches nobody else."""

from __future__ import annotations

import hashlib
import json
import uuid

import pytest

from pacifico.jobs import keys
from pacifico.jobs.client import JobClient

pytestmark = pytest.mark.slow

#: What a numba index holds: a pickle. This one would run a program.
CODE = b"\x80\x04cos\nsystem\n"
#: A profile that names a program to run.
PROFILE = b"[default]\ncredential_process = touch /planted\n"


def plant_site(store, place, content, /, **fields):
    """A site as its owner may write it: any field, whatever it says."""
    sha256 = hashlib.sha256(content).hexdigest()
    prefix = keys.site("ann", place)
    record = {"schema_version": 1, "site_id": place, "name": "s.kml", "suffix": ".kml", "sha256": sha256,
              "file": f"boundary-{sha256[:16]}.kml", "bytes": len(content), **fields}  # fmt: skip
    store.put(f"{prefix}/site.json", json.dumps(record).encode(), kind="uploads")
    for suffix in {".kml", str(fields.get("suffix", ".kml")).rpartition("/")[2]}:
        store.put(f"{prefix}/boundary-{sha256[:16]}{suffix}", content, kind="uploads")
    return place


SITES = {
    "numba": (CODE, {"suffix": "/../../../numba/kernels.nbi"}),
    "profile": (PROFILE, {"suffix": ".kml/../../../home/.aws/config"}),
    "absolute": (CODE, {"suffix": "//numba/kernels.nbi"}),
    "module": (CODE, {"suffix": ".py"}),
    "hash": (CODE, {"sha256": "../" * 21 + "a"}),
    "another": (CODE, {"site_id": "../../bob/sites/home"}),
}
RECORDS = {"deep": b"[" * 200_000, "number": b'{"bytes": NaN}', "bytes": b"\xff\xfe", "large": bytes(20 << 20)}


def submit_unchecked(world, site_id, **fields):
    """Store a request and send its message as anybody with an owner's rights may, without our client's checks."""
    request = world.client.request(site_id, **{"dem": "sample", **fields})
    world.client._records.submit(request)
    world.queue._client.send_message(
        QueueUrl=world.queue.url,
        MessageBody=json.dumps({"schema_version": 1, "owner": "ann", "layout_id": request.layout_id}),
    )
    return request.layout_id


@pytest.fixture
def victim(world):
    """Jobs of another owner in the same store."""
    bob = JobClient(owner="bob")
    site = bob.upload_site(world.tmp / "site.kml")

    def submit():
        request = bob.request(site, dem="sample", target_capacity_kw=1000)
        bob.submit(request)
        return request.layout_id

    bob.ask = submit
    return bob


@pytest.fixture
def places(world):
    """Folders that a worker and its jobs read, beside their scratch folders."""
    found = {"NUMBA_CACHE_DIR": world.scratch / "numba", "HOME": world.scratch / "home"}
    for folder in (found["NUMBA_CACHE_DIR"], found["HOME"] / ".aws"):
        folder.mkdir(parents=True)
        (folder / "mine").write_text("prepared")
    return found


def run_all(world, places, **env):
    worker = world.worker("--burst", **{name: str(path) for name, path in places.items()}, **env)
    assert worker.wait(300) == 0, world.said()[-3000:]
    found = sorted(str(p.relative_to(world.scratch)) for p in places["NUMBA_CACHE_DIR"].rglob("*") if p.is_file())
    assert found == ["numba/mine"]
    assert [p.name for p in (places["HOME"] / ".aws").iterdir()] == ["mine"]


def test_planted_sites_write_nothing_outside_their_jobs(world, victim, places):
    store = world.client._store
    attacks = {
        name: submit_unchecked(world, plant_site(store, name, content, **fields))
        for name, (content, fields) in SITES.items()
    }
    for name, content in RECORDS.items():
        store.put(f"{keys.site('ann', name)}/site.json", content, kind="uploads")
        attacks[name] = submit_unchecked(world, name)
    theirs = victim.ask()
    run_all(world, places)
    for name, layout_id in attacks.items():
        status = world.status(layout_id)
        assert (status.status, status.error_kind, status.attempt) == ("failed", "request", 1), name
        assert "site.json" in status.error_message, name
    assert victim.status(theirs)["status"] == "completed"


def test_objects_that_name_anothers_job_leave_it_alone(world, victim, places):
    store = world.client._store
    theirs, ended = victim.ask(), victim.ask()
    victim.cancel(ended)
    before = victim._records.read("bob", ended)
    status = submit_unchecked(world, world.site)
    store.put(keys.status("ann", status), store.read(keys.status("bob", theirs)).data, kind="jobs")
    request = submit_unchecked(world, world.site)
    store.put(keys.request("ann", request), store.read(keys.request("bob", theirs)).data, kind="jobs")
    swapped = submit_unchecked(world, world.site)
    body = json.loads(store.read(keys.request("ann", swapped)).data)
    store.put(keys.request("ann", swapped), json.dumps({**body, "dem": "3dep"}).encode(), kind="jobs")
    newer = submit_unchecked(world, world.site)
    store.put(keys.status("ann", newer), b'{"schema_version": 2}', kind="jobs")
    hint = keys.hint("ann", newer, created_ms=1, revision=1, status="processing")
    for key in (hint, f"{keys.index('ann')}../../bob", f"{keys.index('ann')}é"):
        put_raw(world, key)
    for owner, layout_id in (("../bob", theirs), ("bob/", theirs), ("ann", f"{theirs}/../{theirs}"), ("ann", theirs)):
        world.queue._client.send_message(
            QueueUrl=world.queue.url,
            MessageBody=json.dumps({"schema_version": 1, "owner": owner, "layout_id": layout_id}),
        )
    honest = submit_unchecked(world, world.site)
    run_all(world, places, PACIFICO_MAX_RUNNING_JOBS="3")
    assert victim.status(theirs)["status"] == "completed"
    assert victim.status(theirs)["attempt"] == 1
    assert victim._records.read("bob", ended).version == before.version
    assert "not its own key" in world.status(request).error_message
    assert "not the submitted one" in world.status(swapped).error_message
    assert world.status(honest).status == "completed"
    told = [line for line in world.lines(world.workers[-1]) if line.get("ending") == "unreadable"]
    assert any("not its own key" in line["error_message"] for line in told)
    assert [row["layout_id"] for row in world.client.list(status="completed")] == [honest]


def put_raw(world, key):
    """Write an object past our store's checks of keys."""
    import boto3

    bucket = world.env["PACIFICO_STORE"].removeprefix("s3://")
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")


def test_an_upload_and_its_suffix_reach_nothing_else(world, victim, places):
    content = b"II*\x00" + CODE
    sha256 = hashlib.sha256(content).hexdigest()
    prefix = keys.upload("ann", sha256)
    world.client._store.put(f"{prefix}/file", content, kind="uploads")
    record = {"name": "x", "suffix": "/../../../numba/kernels.nbi"}
    world.client._store.put(f"{prefix}/upload.json", json.dumps(record).encode(), kind="uploads")
    ours = submit_unchecked(world, world.site, dem=f"upload:{sha256}")
    stranger = submit_unchecked(world, world.site, parameters={"boundary_of": str(uuid.uuid4())})
    theirs = victim.ask()
    run_all(world, places)
    assert world.status(ours).status == "completed"  # the short notebook opens no DEM
    assert "is not a parameter" in world.status(stranger).error_message
    assert victim.status(theirs)["status"] == "completed"
