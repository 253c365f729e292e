"""Downloads of reports: complete and checked, or not at all."""

from __future__ import annotations

import hashlib
import json
import uuid

import pytest

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.reading.fetching import fetch_report, require_room, shortfall_of
from pacifico.jobs.status import Artifact

ID = str(uuid.UUID(int=1))


def completed(store, files, **claims):
    """A completed status, and the files that are really there."""
    first = states.queued(layout_id=ID, owner="ann", site_id="s", request_sha256="0" * 64, now=1.0)
    running = states.claimed(first, worker="w", nonce="n", lease_s=60, now=1.0)
    artifacts = {}
    for name, data in files.items():
        store.put(keys.artifact("ann", ID, 1, name), data, kind="reports")
        claimed = claims.get(name, data)
        artifacts[name] = Artifact(sha256=hashlib.sha256(claimed).hexdigest(), bytes=len(claimed))
    return states.completed(running, artifacts=artifacts, metrics={}, now=1.0)


def test_a_report_is_fetched_with_its_folders(store, tmp_path):
    status = completed(store, {"report.html": b"<p>", "inputs/a.kml": b"k"})
    fetch_report(store, status, tmp_path / "out")
    assert (tmp_path / "out" / "inputs" / "a.kml").read_bytes() == b"k"


@pytest.mark.parametrize("found", [b"other", b"a much larger file than the job made"])
def test_a_file_that_was_changed_leaves_no_folder(store, tmp_path, found):
    status = completed(store, {"a.txt": found, "b.txt": b"b"}, **{"a.txt": b"whole"})
    with pytest.raises(OutsideServiceError, match=r"a\.txt"):
        fetch_report(store, status, tmp_path / "out")
    assert [p for p in tmp_path.iterdir() if p.name != "store"] == []


def test_a_folder_that_holds_something_is_refused(tmp_path):
    require_room(tmp_path / "new" / "folder")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="not an empty folder"):
        require_room(tmp_path)
    with pytest.raises(InputError, match="is a file"):
        require_room(tmp_path / "file" / "below")


@pytest.mark.parametrize(("content", "text"), [({"shortfall": "less"}, "less"), ({}, ""), ({"shortfall": 3}, "")])
def test_the_shortfall_is_that_of_the_metrics(local_store, content, text):
    status = completed(local_store, {"metrics.json": json.dumps(content).encode()})
    assert shortfall_of(local_store, status) == text
