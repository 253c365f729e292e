"""Exclusions from a service: in the layout, kept with the report, not needed again."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import shapely

from pacifico.crs import LONLAT, reproject, utm
from pacifico.site.model import Site
from pacifico.site.written import site_geojson

UTM = utm(-93.0, 42.0)


def box(x0, y0, x1, y1):
    return shapely.box(500_000 + x0, 4_600_000 + y0, 500_000 + x1, 4_600_000 + y1)


@pytest.fixture
def layer():
    """Address of an OGC API collection with one pond, and the list of requests to it."""
    pond = shapely.geometry.mapping(reproject(box(100, 100, 200, 200), UTM, LONLAT))
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            asked.append(self.path)
            member = {"type": "Feature", "geometry": pond, "properties": {"name": "pond"}}
            data = json.dumps({"title": "Ponds", "type": "FeatureCollection", "features": [member]}).encode()
            self.send_response(200 if "/collections/ponds" in self.path else 503)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/collections/ponds/items?token=s3cret", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def boundary(tmp_path):
    path = tmp_path / "site.geojson"
    path.write_bytes(site_geojson(Site("field", UTM, box(0, 0, 420, 420))))
    return path


def command(capsys, *words):
    from pacifico.cli.main import main

    status = main([*map(str, words)])
    text = capsys.readouterr()
    return status, text.out, text.err


def zones(path):
    return [f["properties"] for f in json.loads(path.read_text())["features"] if f["properties"]["kind"] == "exclusion"]


def test_a_fetched_layer_keeps_ground_free(layer, boundary, tmp_path, capsys):
    out = tmp_path / "layout.geojson"
    status, _, err = command(
        capsys, "layout", boundary, "--no-terrain", "--capacity-kw", 500, "--exclusions", layer[0], "--exclusion-buffer-m", 12,
        "--out", out,
    )  # fmt: skip
    assert status == 0, err
    (zone,) = zones(out)
    assert (zone["name"], zone["zone_type"], zone["buffer_m"]) == ("pond", "buffered", 12)


def test_a_missing_layer_is_status_3_and_a_lone_buffer_status_2(boundary, tmp_path, capsys, monkeypatch):
    out = tmp_path / "layout.geojson"
    words = ["layout", boundary, "--no-terrain", "--out", out]
    gone = "http://127.0.0.1:1/collections/ponds/items"
    monkeypatch.setattr(time, "sleep", lambda _: None)  # the pauses between tries
    status, text, err = command(capsys, *words, "--exclusions", gone)
    assert (status, text) == (3, "")
    assert len(err.splitlines()) == 1
    assert "127.0.0.1" in err
    assert not out.exists()
    status, _, err = command(capsys, *words, "--exclusion-buffer-m", 5)
    assert status == 2
    assert "add --exclusions" in err


@pytest.mark.slow
def test_a_report_is_reproduced_without_the_service(layer, boundary, tmp_path, capsys):
    url, asked = layer
    out = tmp_path / "report"
    status, _, err = command(
        capsys, "report", boundary, "--no-terrain", "--capacity-kw", 500, "--exclusions", url, "--out", out
    )
    assert status == 0, err
    record = json.loads((out / "manifest.json").read_text())
    (source,) = record["notes"]["exclusions"]
    assert source["url"] == url.partition("?")[0]
    assert source["layer"] == "Ponds"
    assert source["fetched"] <= record["started"]
    assert record["inputs"]["exclusions"]["path"] == "inputs/exclusions.geojson"
    assert len(record["inputs"]["exclusions"]["sha256"]) == 64
    assert all(b"s3cret" not in p.read_bytes() for p in out.rglob("*") if p.is_file())
    count = len(asked)
    status, text, _ = command(capsys, "reproduce", out)
    assert status == 0
    assert text.startswith("identical")
    assert len(asked) == count


@pytest.mark.slow
def test_a_report_keeps_its_existing_roads_and_is_reproduced(boundary, tmp_path, capsys):
    track = shapely.LineString([(500_000 - 50, 4_600_000 + 200), (500_000 + 300, 4_600_000 + 200)])
    roads = tmp_path / "tracks.geojson"
    geometry = shapely.geometry.mapping(reproject(track, UTM, LONLAT))
    roads.write_text(json.dumps({"type": "Feature", "properties": {"name": "track"}, "geometry": geometry}))
    out = tmp_path / "report"
    words = ("report", boundary, "--no-terrain", "--capacity-kw", 500, "--roads", roads, "--out", out)
    status, _, err = command(capsys, *words)
    assert status == 0, err
    record = json.loads((out / "manifest.json").read_text())
    assert record["inputs"]["roads"]["path"].startswith("inputs/")
    (zone,) = zones(out / "layout.geojson")
    assert (zone["name"], zone["existing"]) == ("track", True)
    status, text, _ = command(capsys, "reproduce", out)
    assert (status, text.startswith("identical")) == (0, True)
