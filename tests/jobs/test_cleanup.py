"""What no job needs, and nothing else, is found and deleted."""

from __future__ import annotations

import os

import pytest

from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.cleanup import delete_leftovers, find_leftovers
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.records import Records
from pacifico.jobs.request import JobRequest
from pacifico.jobs.settings import Settings
from pacifico.jobs.status import Artifact
from pacifico.jobs.uploads import upload_file, upload_site

SETTINGS = Settings(store="unused", owner="ann")


class Owned:
    """One owner's jobs in a local store whose objects can be made older."""

    def __init__(self, store, folder):
        self.store = store
        self.records = Records(store)
        self.folder = folder

    def site(self, text):
        path = self.folder / f"{text}.kml"
        path.write_text(text)
        return upload_site(self.store, path, owner="ann", site_id=None, limit=100)

    def upload(self, text):
        path = self.folder / f"{text}.csv"
        path.write_text(text)
        return upload_file(self.store, path, owner="ann", limit=100)

    def submit(self, site, **fields):
        request = JobRequest(**{"owner": "ann", "site_id": site, "dem": "sample", **fields})
        self.records.submit(request)
        return request.layout_id

    def attempt(self, layout_id, number):
        self.store.put(keys.artifact("ann", layout_id, number, "report.html"), b"<p>", kind="reports")

    def claim(self, layout_id):
        begun = claim(self.records, "ann", layout_id, worker="w", settings=SETTINGS)
        self.attempt(layout_id, begun.status.attempt)
        return begun

    def age(self):
        for path in (self.folder / "store").rglob("*"):
            if path.is_file() and path.name != "status.json":
                os.utime(path, (1e9, 1e9))

    def found(self, days=7.0):
        return {(f.kind, f.name, f.reason) for f in find_leftovers(self.records, "ann", older_than_days=days)}


@pytest.fixture
def owned(local_store, tmp_path):
    return Owned(local_store, tmp_path)


FILES = {"report.html": Artifact(sha256="0" * 64, bytes=3)}


def test_only_what_nothing_points_to_is_found(owned):
    used, unused = owned.site("used"), owned.site("unused")
    weather, dem, old = owned.upload("weather"), owned.upload("dem"), owned.upload("old")
    done = owned.submit(used, dem=dem, parameters={"weather": weather})
    owned.claim(done).swap(lambda s, now: states.released(s, reason="r", kind=None, now=now))
    owned.claim(done).swap(lambda s, now: states.completed(s, artifacts=FILES, metrics={}, now=now))
    waiting = owned.submit(used)
    owned.claim(waiting).swap(lambda s, now: states.released(s, reason="r", kind=None, now=now))
    running = owned.submit(used)
    owned.claim(running)
    owned.attempt(running, 2)  # it may have begun since the status was read
    cancelled = owned.submit(used)
    owned.claim(cancelled)
    owned.records.cancel("ann", cancelled)
    gone = "00000000-0000-0000-0000-000000000009"
    owned.attempt(gone, 1)
    owned.age()
    assert owned.found() == {
        ("attempt", f"{done} attempt 1", "attempt 2 followed"),
        ("attempt", f"{waiting} attempt 1", "it ended without a result"),
        ("attempt", f"{cancelled} attempt 1", "its job keeps no report"),
        ("attempt", f"{gone} attempt 1", "its job is gone"),
        ("site", unused, "no request names it"),
        ("upload", old.removeprefix("upload:"), "no request names it"),
    }
    delete_leftovers(owned.store, find_leftovers(owned.records, "ann", older_than_days=7))
    assert owned.found() == set()
    assert owned.records.read("ann", done).status.status == "completed"
    assert owned.store.read(keys.artifact("ann", done, 2, "report.html")).data == b"<p>"


def test_what_is_young_stays(owned):
    owned.site("just uploaded")
    owned.attempt("00000000-0000-0000-0000-000000000009", 1)
    assert owned.found() == set()
    assert len(owned.found(days=-1)) == 2


def test_while_a_request_can_not_be_read_no_site_and_upload_goes(owned):
    """Nobody knows what it points to."""
    owned.site("perhaps needed")
    layout_id = owned.submit("s")
    (owned.folder / "store" / keys.request("ann", layout_id)).write_text("{")
    owned.attempt("00000000-0000-0000-0000-000000000009", 1)
    owned.age()
    assert {kind for kind, *_ in owned.found()} == {"attempt"}


@pytest.mark.parametrize("address", ["upload:" + "x" * 300, "upload:../../bob", "upload:", "other", 3])
def test_an_address_that_no_client_writes_points_to_nothing(owned, address):
    unused = owned.site("unused")
    owned.submit("s", parameters={"weather": address})
    owned.age()
    assert owned.found() == {("site", unused, "no request names it")}


@pytest.mark.parametrize("name", ["notes", "00000000-0000-0000-0000-00000000000A", "é"])
def test_a_folder_beside_the_jobs_keeps_nothing_from_being_found(owned, name):
    unused = owned.site("unused")
    owned.store.put(f"owners/ann/layouts/{name}/request.json", b"{", kind="jobs")
    owned.age()
    assert owned.found() == {("site", unused, "no request names it")}


def test_that_jobs_can_not_be_read_is_told(owned, caplog):
    layout_id = owned.submit("s")
    (owned.folder / "store" / keys.request("ann", layout_id)).write_text("{")
    owned.found()
    assert "1 jobs can't be read; all sites and uploads are kept" in caplog.text


def test_another_owners_objects_are_not_looked_at(owned, local_store):
    local_store.put("owners/bob/uploads/x/file", b"", kind="uploads")
    local_store.put("owners/ann=2e/uploads/x/file", b"", kind="uploads")
    owned.age()
    assert owned.found() == set()
