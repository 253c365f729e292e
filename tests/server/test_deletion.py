"""Deleting everything leaves no file and no folder, in the store or in the scratch."""

from __future__ import annotations

import os
import uuid

import pytest
from fixtures.processes import children_of, wait_for_end
from fixtures.rest_server import serve

pytestmark = pytest.mark.slow


def files_below(folder):
    return [p.relative_to(folder).as_posix() for p in folder.rglob("*")]


def test_nothing_is_left_of_what_was_deleted(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with serve(tmp_path, TMPDIR=str(scratch), PACIFICO_SERVER_PROCESSES="1") as rest:
        site = rest.upload()
        sent = rest.post("/uploads?filename=spec.toml", data=b"[site]\n", headers={"Content-Type": "text/plain"})
        body = {"site_id": site, "target_capacity_kw": 1000}
        made = rest.post("/layouts/generate", json=body).json()["layout_id"]
        assert rest.ask("PATCH", f"/layouts/{made}/assets/substation-0001", json={"rotation_deg": 0.0}).ok
        assert rest.post(f"/layouts/{made}/roads/recompute").ok
        assert rest.get(f"/layouts/{made}/export/gpkg").ok
        later = rest.post("/layouts/generate", json=body, headers={"Prefer": "respond-async"}).json()["layout_id"]
        refused = rest.ask("DELETE", f"/sites/{site}")
        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
        assert rest.wait(later)["status"] == "completed"
        for layout_id in (made, later):
            assert rest.ask("DELETE", f"/layouts/{layout_id}").json()["objects"] > 5
        assert rest.ask("DELETE", f"/sites/{site}").json()["objects"] == 3
        address = sent.json()["upload"].removeprefix("upload:")
        assert rest.ask("DELETE", f"/uploads/{address}").json()["objects"] == 2
        assert rest.ask("DELETE", f"/uploads/{address}").status_code == 404
        assert files_below(tmp_path / "store" / "owners") == []
    left = {p.name for p in scratch.glob("pacifico-*")}
    assert left <= {f"pacifico-processes-{os.getuid()}"}  # locks of living processes, shared by all of a user


def test_a_layout_that_is_deleted_while_it_runs_in_the_background_leaves_nothing(tmp_path):
    """Its process learns of it at its next renewal, and deletes what it uploaded."""
    with serve(tmp_path, PACIFICO_SERVER_PROCESSES="1", PACIFICO_LEASE_S="5") as rest:
        site = rest.upload()
        layout_id = str(uuid.uuid4())
        body = {"site_id": site, "target_capacity_kw": 1000, "layout_id": layout_id}
        assert rest.post("/layouts/generate", json=body, headers={"Prefer": "respond-async"}).status_code == 202
        with rest.get(f"/layouts/{layout_id}/events", stream=True) as stream:
            next(line for line in stream.iter_lines(chunk_size=1) if b'"processing"' in line)
        (process,) = children_of(rest.process.pid, "pacifico.jobs.background")
        descriptor = os.pidfd_open(process)
        assert rest.ask("DELETE", f"/layouts/{layout_id}").status_code == 200
        assert wait_for_end(descriptor)
        assert [p for p in (tmp_path / "store" / "owners").rglob("*") if layout_id in str(p)] == []
