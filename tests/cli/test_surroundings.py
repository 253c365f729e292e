"""Every command where standard output is a full disk, takes ASCII alone, or the locale is not UTF-8: at most one line of error.

One process for each surrounding imports the command line, and forks for every command, as if each had been started alone.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pacifico.cli.main import main
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.client import JobClient
from pacifico.jobs.lifecycle import claim
from pacifico.jobs.status import Artifact

DRIVER = """
import json, os, sys
from pathlib import Path
from pacifico.cli.main import main

out, commands = sys.argv[1], json.loads(Path(sys.argv[2]).read_text("utf-8"))
for name, words in commands.items():
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(out if out == "/dev/full" else f"{out}/{name}.out", os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(os.open(f"{sys.argv[3]}/{name}.err", os.O_WRONLY | os.O_CREAT), 2)
        status = 1  # of an exception that passed the last barrier
        try:
            status = main([os.fsdecode(word.encode()) for word in words])
        except SystemExit as end:
            status = end.code or 0
        except BaseException as error:
            print(repr(error), file=sys.stderr)
        try:  # as the interpreter does at its end
            sys.stdout.flush()
        except OSError:
            status = 120
        os._exit(status)
    print(name, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
SURROUNDINGS = {
    "full": {},
    "ascii": {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
}
RING = [[-93.000, 41.540], [-92.994, 41.540], [-92.994, 41.545], [-93.000, 41.545], [-93.000, 41.540]]


@pytest.fixture(scope="module")
def stored(folder):
    """A stored layout of a site whose name has letters outside ASCII and Latin-1."""
    site = folder / "größe.geojson"
    named = {
        "type": "Feature",
        "properties": {"name": "Größe Łąka"},
        "geometry": {"type": "Polygon", "coordinates": [RING]},
    }
    site.write_text(json.dumps({"type": "FeatureCollection", "features": [named]}, ensure_ascii=False), "utf-8")
    out = folder / "größe-layout.geojson"
    assert main(["layout", str(site), "--dem", str(folder / "dem.tif"), "--capacity-kw", "500", "--out", str(out)]) == 0
    return site, out


@pytest.fixture
def jobs(stored, tmp_path, monkeypatch):
    """Ids of jobs that are queued, failed and completed, in a store of this machine."""
    monkeypatch.setenv("PACIFICO_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PACIFICO_OWNER", "ann")
    for name in ("PACIFICO_QUEUE_URL", "PACIFICO_DLQ_URL"):
        monkeypatch.delenv(name, raising=False)
    client = JobClient()
    site = client.upload_site(stored[0])
    ids = []
    for _ in range(4):
        request = client.request(site, dem="sample")
        client._records.submit(request)
        ids.append(request.layout_id)
    for layout_id in ids[1:3]:
        attempt = claim(client._records, client.owner, layout_id, worker="w", settings=client.settings)
        attempt.swap(lambda s, now: states.failed(s, kind="service", message="kein Gelände für Łąka", now=now))
    attempt = claim(client._records, client.owner, ids[3], worker="w", settings=client.settings)
    client._store.put(keys.artifact(client.owner, ids[3], 1, "report.html"), b"<p>", kind="reports")
    files = {"report.html": Artifact(sha256=hashlib.sha256(b"<p>").hexdigest(), bytes=3)}
    attempt.swap(lambda s, now: states.completed(s, artifacts=files, metrics={"asset_count": 3}, now=now))
    return ids


def run_all(surrounding, commands, tmp_path):
    """Exit status and lines of standard error of each command, without notes."""
    (tmp_path / "err").mkdir()
    (tmp_path / "out").mkdir()
    listed = tmp_path / "commands.json"
    listed.write_text(json.dumps(commands), "utf-8")
    out = "/dev/full" if surrounding == "full" else str(tmp_path / "out")
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, out, str(listed), str(tmp_path / "err")],
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"} | SURROUNDINGS[surrounding],
        capture_output=True, text=True, check=True, timeout=570,
    )  # fmt: skip
    statuses = dict(line.split() for line in done.stdout.splitlines())
    assert set(statuses) == set(commands)
    encoding = SURROUNDINGS[surrounding].get("PYTHONIOENCODING", "utf-8")
    lines = {name: (tmp_path / "err" / f"{name}.err").read_text(encoding).splitlines() for name in commands}
    return {
        name: (int(status), [line for line in lines[name] if not line.startswith("note: ")])
        for name, status in statuses.items()
    }


def check(surrounding, found, *, expected=None):
    """On a full disk each command says so in one line; elsewhere each ends as expected, and says nothing of encodings."""
    if surrounding == "full":
        wrong = {
            name: (status, lines)
            for name, (status, lines) in found.items()
            if status != 2 or len(lines) != 1 or "No space left on device" not in lines[0]
        }
    else:
        expected = expected or {}
        wrong = {
            name: (status, lines)
            for name, (status, lines) in found.items()
            if status != expected.get(name, 0)
            or len(lines) > 1
            or any("codec" in line or "Error" in line for line in lines)
        }
    assert wrong == {}


def quick(stored, jobs, tmp_path):
    """Commands that make no layout."""
    site, layout = map(str, stored)
    queued, failed, _, completed = jobs
    return {
        "help": ["--help"],
        "version": ["--version"],
        "versions": ["--show-versions"],
        "layout-help": ["layout", "--help"],
        "export": ["export", layout, "--format", "csv", "--out", str(tmp_path / "tables")],
        "export-stdout": ["export", layout, "--format", "kmz", "--out", "-"],
        "rules": ["rules", layout, "--pack", "ifc-appendix-d"],
        "jobs-list": ["jobs", "list"],
        "jobs-list-json": ["jobs", "list", "--json"],
        "jobs-status": ["jobs", "status", failed],
        "jobs-wait": ["jobs", "wait", completed],
        "jobs-fetch": ["jobs", "fetch", completed, "--out", str(tmp_path / "fetchéd")],
        "jobs-cancel": ["jobs", "cancel", queued],
        "jobs-gc": ["jobs", "gc"],
        "jobs-submit-wrong": ["jobs", "submit", site, "--json"],
    }


def layouts(folder, stored, tmp_path):
    """Commands that make or change a layout."""
    site, layout = map(str, stored)
    dem = folder / "größe.tif"
    dem.write_bytes((folder / "dem.tif").read_bytes())
    ground = [site, "--dem", str(dem)]
    design = [*ground, "--capacity-kw", "500"]
    return {
        "layout": ["layout", *design, "--out", str(tmp_path / "größe.geojson")],
        "layout-json": ["layout", *design, "--json"],
        "layout-stdout": ["layout", *design, "--out", "-"],
        "edit": [
            "edit",
            layout,
            "--dem",
            str(dem),
            "--remove",
            "solar_array-0001",
            "--out",
            str(tmp_path / "ö.geojson"),
        ],
        "terrain": ["terrain", *ground, "--out", str(tmp_path / "größe")],
        "variants": ["variants", *design, "--out", str(tmp_path / "variänts")],
        "energy": ["energy", layout],
    }


def reports(folder, stored, jobs, tmp_path):
    """Commands that run notebooks, and those that read their reports."""
    site = str(stored[0])
    design = [site, "--dem", str(folder / "dem.tif"), "--capacity-kw", "500"]
    made = str(tmp_path / "réport")
    (folder / "sites.csv").write_text(f"boundary,capacity-kw\n{site},500\n", "utf-8")
    return {
        "report": ["report", *design, "--out", made],
        "demo": ["demo", "--out", str(tmp_path / "démo")],
        "reproduce": ["reproduce", made],
        "compare": ["compare", made, made],
        "jobs-redrive": ["jobs", "redrive", jobs[2]],
        "jobs-submit": ["jobs", "submit", *design],
        "jobs-submit-many": ["jobs", "submit-many", str(folder / "sites.csv"), "--dem", str(folder / "dem.tif")],
    }


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
EACH = [pytest.param("full", marks=FULL), "ascii", pytest.param("latin-1", marks=pytest.mark.slow)]


@pytest.mark.parametrize("surrounding", EACH)
def test_quick_commands_say_one_line(surrounding, stored, jobs, tmp_path):
    found = run_all(surrounding, quick(stored, jobs, tmp_path), tmp_path)
    check(surrounding, found, expected={"jobs-submit-wrong": 2})


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("surrounding", EACH)
def test_commands_that_make_layouts_say_one_line(surrounding, folder, stored, tmp_path):
    found = run_all(surrounding, layouts(folder, stored, tmp_path), tmp_path)
    check(surrounding, found, expected={"edit": 1})  # less is placed than was asked for


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("surrounding", EACH)
def test_commands_of_reports_say_one_line(surrounding, folder, stored, jobs, tmp_path):
    found = run_all(surrounding, reports(folder, stored, jobs, tmp_path), tmp_path)
    check(surrounding, found, expected={"jobs-redrive": 2})  # its DEM does not cover the site
