"""`pacifico jobs ...`: JSON from every command, and a bar that lives in a terminal alone. No notebook runs here."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys

import pytest

from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.client import JobClient
from pacifico.jobs.commands import main
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.status import Artifact


@pytest.fixture
def environ(queues, bucket, monkeypatch):
    live, dead = queues
    monkeypatch.setenv("PACIFICO_STORE", f"s3://{bucket}")
    monkeypatch.setenv("PACIFICO_QUEUE_URL", live)
    monkeypatch.setenv("PACIFICO_DLQ_URL", dead)
    monkeypatch.setenv("PACIFICO_OWNER", "ann")


@pytest.fixture
def boundary(tmp_path):
    path = tmp_path / "site.kml"
    path.write_bytes(b"<kml/>")
    return path


@pytest.fixture
def client(environ):
    return JobClient()


@pytest.fixture
def submit(client, boundary):
    site = client.upload_site(boundary)

    def one():
        request = client.request(site, dem="sample")
        client.submit(request)
        return request.layout_id

    return one


def begin(client, layout_id):
    return claim(client._records, client.owner, layout_id, worker="w", settings=client.settings)


def complete(client, layout_id):
    attempt = begin(client, layout_id)
    client._store.put(keys.artifact(client.owner, layout_id, 1, "report.html"), b"<p>", kind="reports")
    files = {"report.html": Artifact(sha256=hashlib.sha256(b"<p>").hexdigest(), bytes=3)}
    attempt.swap(lambda s, now: states.completed(s, artifacts=files, metrics={"asset_count": 3}, now=now))


def fail(client, layout_id):
    begin(client, layout_id).swap(lambda s, now: states.failed(s, kind="service", message="m", now=now))


def test_every_command_prints_one_json_value(client, submit, boundary, capsys, tmp_path):
    def said(*arguments, status=0):
        assert main(["jobs", *arguments, "--json"]) == status
        out, err = capsys.readouterr()
        assert err == ""
        return json.loads(out)

    done, failed, open_ = submit(), submit(), submit()
    complete(client, done)
    fail(client, failed)
    folder = tmp_path / "sites"
    folder.mkdir()
    (folder / "a.kml").write_bytes(boundary.read_bytes())
    assert said("submit", str(boundary), "--dem", "sample")["status"] == "queued"
    assert [r["status"] for r in said("submit-many", str(folder), "--dem", "sample")] == ["queued"]
    assert said("status", done)["asset_count"] == 3
    assert [s["status"] for s in said("status", done, failed)] == ["completed", "failed"]
    assert said("wait", done)["status"] == "completed"
    assert [s["status"] for s in said("wait", done, failed, status=1)] == ["completed", "failed"]
    assert {row["layout_id"] for row in said("list")} > {done, failed, open_}
    assert said("cancel", open_)["status"] == "cancelled"
    assert said("redrive", failed)["status"] == "queued"
    assert said("fetch", done, "--out", str(tmp_path / "out"))["out"] == str(tmp_path / "out")


def test_without_a_target_all_that_fits_is_asked_for(client, boundary, capsys):
    assert main(["jobs", "submit", str(boundary), "--dem", "sample", "--json"]) == 0
    layout_id = json.loads(capsys.readouterr().out)["layout_id"]
    assert client._records.request("ann", layout_id)[0].target_capacity_kw is None


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_follows_the_job_in_a_terminal(client, submit, capsys, monkeypatch):
    terminal, layout_id = Terminal(), submit()
    monkeypatch.setattr(sys, "stderr", terminal)
    attempt = begin(client, layout_id)

    def reach(stage):
        return lambda: attempt.swap(lambda s, now: states.renewed(s, now=now, stage=stage))

    end = lambda: attempt.swap(lambda s, now: states.completed(s, artifacts={}, metrics={}, now=now))  # noqa: E731
    moves = [reach("computing_slope"), reach("placing_assets"), end]
    monkeypatch.setattr("time.sleep", lambda _: moves.pop(0)())  # between two looks, the job moves
    assert main(["jobs", "wait", layout_id]) == 0
    frames = re.findall(r"\r\[([#.]{24})\] +(\d+) %  ([a-z ]+)", terminal.getvalue())
    assert [(int(share), words) for _, share, words in frames] == [
        (0, "queued"),
        (25, "computing slope"),
        (55, "placing assets"),
        (100, "completed"),
    ]
    assert [bar.count("#") for bar, _, _ in frames] == [0, 6, 13, 24]
    assert terminal.getvalue().endswith("\n")
    assert layout_id in capsys.readouterr().out


@pytest.mark.parametrize(("stderr", "options"), [(Terminal(), ["--json"]), (io.StringIO(), [])])
def test_no_bar_for_programs(client, submit, monkeypatch, stderr, options):
    layout_id = submit()
    complete(client, layout_id)
    monkeypatch.setattr(sys, "stderr", stderr)
    assert main(["jobs", "wait", layout_id, *options]) == 0
    assert stderr.getvalue() == ""
