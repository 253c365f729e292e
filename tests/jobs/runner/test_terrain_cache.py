"""Elevation kept in the store for other jobs: through both stores, with damage, races and faults."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import nbformat
import numpy as np
import pytest
import rasterio
from affine import Affine

from pacifico.jobs.delivery import RunTask
from pacifico.jobs.request import JobRequest
from pacifico.jobs.runner.processes import ProcessSpawner
from pacifico.jobs.runner.runner import NotebookRunner
from pacifico.jobs.runner.terrain_cache import FOLDER, TerrainCache
from pacifico.jobs.settings import from_environment
from pacifico.jobs.stop_signals import StopSignals
from pacifico.jobs.store.base import StoreError
from pacifico.jobs.uploads import upload_site
from pacifico.terrain.named import glo30_id
from pacifico.terrain.remote.cache import FolderCache

A, B = "a" * 64, "b" * 64


@pytest.fixture
def boundary(tmp_path):
    path = tmp_path / "site.geojson"
    path.write_text("{}")
    return path


def ask(**fields):
    return JobRequest(**{"site_id": "s", "owner": "ann", "dem": "glo30", **fields})


@pytest.fixture
def job(store, boundary, tmp_path):
    """Start a job: its cache in the store, and the folder as its notebook uses it."""
    count = iter(range(1000))

    def start(request=None, store=store, boundary=boundary):
        folder = tmp_path / f"job{next(count)}" / FOLDER
        folder.parent.mkdir()
        return TerrainCache(store, request or ask(), boundary, folder), FolderCache(folder)

    return start


def kept(store):
    return sorted(entry.key for entry in store.list("terrain/windows/"))


def test_what_one_job_read_another_is_given(job, store):
    first, folder = job()
    first.fetch()
    assert folder.get(A) is None
    folder.put(A, b"heights")
    folder.put(B, b"more heights")
    first.keep()
    second, folder = job(ask(owner="bob"))  # public ground is nobody's
    second.fetch()
    assert (folder.get(A), folder.get(B)) == (b"heights", b"more heights")
    before = {key: store.read(key).version for key in kept(store)}
    second.keep()
    assert {key: store.read(key).version for key in kept(store)} == before
    assert kept(store) == [f"terrain/windows/{name}.npz" for name in (A, B)]


def test_another_place_source_or_resolution_is_another_matter(job, tmp_path):
    first, folder = job()
    folder.put(A, b"heights")
    first.keep()
    elsewhere = tmp_path / "other.geojson"
    elsewhere.write_text("[]")
    for other in (
        job(boundary=elsewhere),
        job(ask(dem="3dep")),
        job(ask(dem_resolution_m=5.0)),
        job(ask(parameters={"layer": "parcel 2"})),
    ):
        other[0].fetch()
        assert other[1].get(A) is None
    same = job(ask(target_capacity_kw=5000.0, strategy="density", parameters={"setback_m": 30}))
    same[0].fetch()
    assert same[1].get(A) == b"heights"


def test_a_new_state_of_the_source_replaces_what_is_asked_for(job):
    first, folder = job()
    folder.put(A, b"old")
    first.keep()
    second, folder = job()
    second.fetch()
    (folder.folder / f"{A}.npz").unlink()  # the notebook's ETag gives another name
    folder.put(B, b"new")
    second.keep()
    third, folder = job()
    third.fetch()
    assert (folder.get(A), folder.get(B)) == (None, b"new")


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_what_is_damaged_in_the_store_is_not_given_and_is_mended(job, store, damage, caplog):
    caplog.set_level(logging.CRITICAL)
    first, folder = job()
    folder.put(A, b"heights")
    first.keep()
    key = f"terrain/windows/{A}.npz"
    store.put(key, damage(store.read(key).data), kind="terrain")
    second, folder = job()
    second.fetch()
    assert list(folder.folder.iterdir()) == []
    folder.put(A, b"heights")  # read anew
    second.keep()
    third, folder = job()
    third.fetch()
    assert folder.get(A) == b"heights"


def test_only_whole_files_of_their_own_are_kept(job, store, tmp_path):
    cache, folder = job()
    folder.put(A, b"heights")
    (folder.folder / f"{B}.npz").write_bytes(b"half of a fi")
    (folder.folder / ".x.part").write_bytes(b"in the making")
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" + hashlib.sha256(b"x").digest())
    (folder.folder / f"{'c' * 64}.npz").symlink_to(secret)
    folder.put("..%2fstatus", b"no name of a window")
    cache.keep()
    assert kept(store) == [f"terrain/windows/{A}.npz"]


@pytest.mark.parametrize(
    "dem", ["sample", "upload:" + "0" * 64, "https://dem.example/x.tif", "s3://bucket/x.tif", None]
)
def test_ground_of_an_owner_is_never_shared(job, store, dem):
    cache, folder = job(ask(dem=dem, use_terrain=dem is not None))
    folder.put(A, b"private")
    cache.keep()
    assert kept(store) == []
    cache.fetch()


def test_many_jobs_at_once(job, store):
    """Each finds nothing or whole files; all write the same names."""

    def run(_):
        cache, folder = job()
        cache.fetch()
        found = folder.get(A)
        folder.put(A, b"h" * 300_000)
        cache.keep()
        return found

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(run, range(24)))
    assert set(found) <= {None, b"h" * 300_000}
    assert kept(store) == [f"terrain/windows/{A}.npz"]
    last, folder = job()
    last.fetch()
    assert folder.get(A) == b"h" * 300_000


class Failing:
    """A store that is down."""

    def __getattr__(self, name):
        def fail(*args, **options):
            raise StoreError("store s3://x: 503")

        return fail


def test_a_store_that_fails_costs_the_cache_alone(job, caplog):
    caplog.set_level(logging.CRITICAL)
    cache, folder = job(store=Failing())
    cache.fetch()
    folder.put(A, b"heights")
    cache.keep()
    assert folder.get(A) == b"heights"


def test_after_a_stop_nothing_more_is_sent(job, store):
    cache, folder = job()
    for name in (A, B):
        folder.put(name, b"heights")
    signals = StopSignals()
    put = store.put
    store.put = lambda *given, **options: (put(*given, **options), signals.interrupt.set())
    cache.keep(signals)
    assert len(kept(store)) == 1


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'{"windows": 3}', b'{"windows": [3, "../x"]}', b'{"windows": ["../../x"]}']
)
def test_a_list_that_makes_no_sense_is_no_list(job, store, text):
    cache, _ = job()
    store.put(cache._list_key, text, kind="terrain")
    cache.fetch()


class Tiles:
    """One GLO-30 tile over HTTP with ranges; counts what is asked."""

    def __init__(self, folder):
        n, dx = 360, 1 / 360
        path = folder / "tile.tif"
        y, x = np.mgrid[0:n, 0:n]
        with rasterio.open(path, "w", driver="GTiff", height=n, width=n, count=1, dtype="float32", crs="EPSG:4326",
                           transform=Affine(dx, 0, -96 - dx / 2, 0, -dx, 45 + dx / 2), tiled=True, blockxsize=256,
                           blockysize=256) as out:  # fmt: skip
            out.write((400 + 0.5 * x + 0.2 * y).astype("float32"), 1)
        data = path.read_bytes()
        name = glo30_id(-96, 44)
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_HEAD(self):
                asked.append(self.command)
                known = self.path == f"/{name}/{name}.tif"
                start, stop = 0, len(data)
                if span := self.headers.get("Range"):
                    first, last = span.removeprefix("bytes=").split("-")
                    start, stop = int(first), min(int(last) + 1, len(data))
                self.send_response(404 if not known else 206 if span else 200)
                self.send_header("Content-Length", str(stop - start if known else 0))
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("ETag", '"1"')
                self.end_headers()
                if known and self.command == "GET":
                    self.wfile.write(data[start:stop])

            do_GET = do_HEAD  # noqa: N815 (the base class's name)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


NOTEBOOK = """
import os, json
from pathlib import Path
from pacifico.report import ground
from pacifico.terrain.remote.settings import SourceSettings
site = ground.site_of(boundary)
dem = ground.ground_of(site, dem, resolution_m=resolution_m, settings=SourceSettings.from_environment(os.environ))
Path("metrics.json").write_text(json.dumps({"total_capacity_kw": float(dem.mean())}))
Path("layout.geojson").write_text("{}")
"""
PARAMETERS = """
boundary: str = ""  # required
dem: str | None = None
target_capacity_kw: float | None = None
profile: str = "solar_farm"
strategy: str = "balanced"
terrain: bool = True
resolution_m: float | None = None
"""
CHILD = """
import sys
from pathlib import Path
from pacifico.run import notebooks
notebooks.folder = lambda: Path({folder!r})
from pacifico.jobs.runner import child
child.PRELOAD = ()
child.main()
"""


@pytest.mark.slow
def test_a_second_worker_reads_the_ground_from_the_store(store, tmp_path, monkeypatch):
    """Two runners that share nothing but the store: the second asks the source for its state alone."""
    templates = tmp_path / "notebooks"
    templates.mkdir()
    cells = [
        nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(NOTEBOOK),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), templates / "layout_report.ipynb")
    ring = [[-95.51, 44.5], [-95.5, 44.5], [-95.5, 44.507], [-95.51, 44.507], [-95.51, 44.5]]
    text = json.dumps({"type": "Polygon", "coordinates": [ring]}).encode()
    path = tmp_path / "site.geojson"
    path.write_bytes(text)
    upload_site(store, path, owner="ann", site_id="s", limit=1 << 20)
    tiles = Tiles(tmp_path)
    monkeypatch.setenv("PACIFICO_GLO30_URL", tiles.url)
    monkeypatch.setenv("no_proxy", "*")
    settings = from_environment(
        {"PACIFICO_STORE": "unused", "PACIFICO_OWNER": "ann", "PACIFICO_SCRATCH": str(tmp_path / "scratch")}
    )
    means, asked = [], []
    try:
        for number in (1, 2):
            monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / f"machine{number}"))
            spawner = ProcessSpawner((sys.executable, "-c", CHILD.format(folder=str(templates))))
            runner = NotebookRunner(store, settings, spawner, standby=False)
            with runner.workspace() as folder:
                outcome = runner.run(
                    RunTask(request=ask(), attempt=1, worker="w"), folder, lambda *_: None, StopSignals()
                )
                assert outcome.kind is None, outcome.message
                means.append(outcome.metrics["total_capacity_kw"])
            runner.close()
            asked.append(set(tiles.asked))
            tiles.asked.clear()
    finally:
        tiles.close()
    assert means[0] == means[1]
    assert asked == [{"HEAD", "GET"}, {"HEAD"}]
    assert len(kept(store)) == 1
