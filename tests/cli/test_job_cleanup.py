"""`pacifico jobs gc`."""

from __future__ import annotations

import json
import os

import pytest

from pacifico.cli.jobs import main
from pacifico.jobs.client import JobClient


@pytest.fixture
def leftovers(tmp_path, monkeypatch):
    monkeypatch.setenv("PACIFICO_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PACIFICO_OWNER", "ann")
    monkeypatch.delenv("PACIFICO_QUEUE_URL", raising=False)
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    JobClient().upload_site(path)
    for file in (tmp_path / "store").rglob("*"):
        if file.is_file():
            os.utime(file, (1e9, 1e9))
    return tmp_path / "store"


def files(store):
    return [path for path in store.rglob("*") if path.is_file()]


def test_it_only_tells_unless_it_is_told_to_delete(leftovers, capsys):
    before = files(leftovers)
    assert main(["jobs", "gc"]) == 0
    said = capsys.readouterr().out
    assert "2 objects with 0.0 MB of 'ann' would be deleted; add --delete" in said
    assert files(leftovers) == before
    assert main(["jobs", "gc", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["deleted"], body["objects"], body["leftovers"][0]["kind"]) == (False, 2, "site")
    assert main(["jobs", "gc", "--delete"]) == 0
    assert "2 objects with 0.0 MB of 'ann' deleted" in capsys.readouterr().out
    assert files(leftovers) == []
    assert main(["jobs", "gc", "--delete"]) == 0
    assert capsys.readouterr().out == "nothing is left over\n"


def test_an_age_out_of_range_is_refused(leftovers, capsys):
    assert main(["jobs", "gc", "--older-than", "-1"]) == 2
    assert "give 0 to 36500 days" in capsys.readouterr().err
