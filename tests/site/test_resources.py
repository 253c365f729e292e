"""Bombs are refused within a second of CPU and 200 MB of address space, and nobody is called."""

import io
import json
import math
import socket
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from pacifico.errors import PacificoError
from pacifico.site.boundary import read_site

ROOM = 200_000_000

CHILD = """
import resource, sys
from pathlib import Path
from pacifico.errors import PacificoError
from pacifico.site.boundary import read_site, read_site_bytes

path, room = Path(sys.argv[1]), int(sys.argv[2])
read_site_bytes(b'{"type": "Polygon", "coordinates": [[[10, 45], [10.1, 45], [10.1, 45.1], [10, 45]]]}', "warm.geojson")
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + room
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
before = resource.getrusage(resource.RUSAGE_SELF)
try:
    site = read_site(path)
    print(f"read {site.area_ha:.2f} ha")
except PacificoError as error:
    print("refused", error)
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""


def zip_of(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def laughs():
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 11))
    return f'<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY l0 "lol">{entities}]><kml><name>&l10;</name></kml>'


def quadratic():
    return f'<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "{"x" * 50_000}">]><kml><name>{"&a;" * 2000}</name></kml>'


def tangle():
    ring = np.random.default_rng(3).random((20_000, 2)) * 0.01 + [10, 45]
    return json.dumps({"type": "Polygon", "coordinates": [ring.tolist()]})


def comb(corners, *, turned):
    """Teeth that cross those of another comb everywhere."""
    zigzag = [(10 + 0.01 * i / corners, 45 + 0.01 * (i % 2)) for i in range(corners)]
    ring = [*zigzag, (10.01, 44.99), (10, 44.99)]
    return [[y - 35, x + 35] for x, y in ring] if turned else [list(c) for c in ring]


def combs():
    rings = [[comb(4000, turned=False)], [comb(4000, turned=True)]]
    return json.dumps({"type": "MultiPolygon", "coordinates": rings})


@pytest.mark.parametrize(
    ("filename", "content", "message"),
    [
        ("laughs.kml", laughs, "DTD or entities"),
        ("utf16.kml", lambda: laughs().encode("utf-16"), "DTD or entities"),
        ("quadratic.kml", quadratic, "DTD or entities"),
        ("bomb.kmz", lambda: zip_of("doc.kml", b" " * 300_000_000), "unpacks to 300 MB"),
        ("ratio.kmz", lambda: zip_of("doc.kml", b" " * 31_000_000), "limit is 200-fold"),
        ("deep.kml", lambda: "<kml>" + "<Folder>" * 1_000_000, "1,000 levels"),
        ("deep.geojson", lambda: '{"type":"Polygon","coordinates":' + "[" * 1_000_000, "nested too deeply"),
        (
            "wide.geojson",
            lambda: '{"type":"Polygon","coordinates":[' + "[]," * 5_000_000 + "[]]}",
            "1,000,000 vertices",
        ),
        ("tangle.geojson", tangle, "crosses itself more than"),
        ("combs.geojson", combs, "more than"),
        ("large.kml", lambda: " " * 33_000_000 + "<kml/>", "in no format|limit is 32 MB"),
        ("huge.bin", lambda: b"\x00" * 64_000_001, "larger than 64 MB"),
    ],
)
def test_bombs(tmp_path, filename, content, message):
    path = tmp_path / filename
    data = content()
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, path, str(ROOM)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.stderr == ""
    said, seconds = done.stdout.splitlines()
    assert said.startswith("refused")
    assert any(part in said for part in message.split("|"))
    assert float(seconds) < 1.0
    assert list(tmp_path.iterdir()) == [path]


def test_dense_outline_is_quick(tmp_path):
    path = tmp_path / "dense.kml"
    turns = (2 * math.pi * i / 60_000 for i in range(60_000))
    text = " ".join(f"{10 + 0.01 * math.cos(t):.9f},{45 + 0.007 * math.sin(t):.9f},0" for t in turns)
    path.write_text(
        f"<kml><Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>{text}</coordinates></LinearRing>"
        "</outerBoundaryIs></Polygon></Placemark></kml>",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, "-c", CHILD, path, str(ROOM)], capture_output=True, text=True, check=True)
    said, seconds = done.stdout.splitlines()
    assert said.startswith("read")
    assert float(seconds) < 5.0


def test_nobody_is_called(tmp_path):
    """A listener whose address stands in every place that could be fetched hears nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        polygon = (
            "<Polygon><outerBoundaryIs><LinearRing><coordinates>10,45 10.1,45 10.1,45.1 10,45</coordinates></LinearRing>"
            "</outerBoundaryIs></Polygon>"
        )
        vrt = f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/{url}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
        crs = {"type": "link", "properties": {"href": url, "type": "proj4"}}
        files = {
            "entity.kml": f'<!DOCTYPE kml [<!ENTITY x SYSTEM "{url}">]><kml>&x;</kml>',
            "dtd.kml": f'<!DOCTYPE kml SYSTEM "{url}"><kml/>',
            "parameter.kml": f'<!DOCTYPE kml [<!ENTITY % x SYSTEM "{url}"> %x;]><kml/>',
            "link.kml": f"<kml><NetworkLink><Link><href>{url}</href></Link></NetworkLink></kml>",
            "overlay.kml": f"<kml><GroundOverlay><Icon><href>{url}</href></Icon></GroundOverlay></kml>",
            "schema.kml": f'<kml xmlns:xsi="i" xsi:schemaLocation="{url} {url}"><Placemark>{polygon}</Placemark></kml>',
            "include.kml": f'<kml xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{url}"/><Placemark>{polygon}</Placemark></kml>',
            "a.gpkg": vrt,
            "a.shp": vrt,
            "crs.geojson": json.dumps({"type": "Polygon", "coordinates": [], "crs": crs}),
        }
        read = []
        for name, content in files.items():
            path = tmp_path / name
            path.write_text(content, encoding="utf-8")
            try:
                read_site(path)
                read.append(name)
            except PacificoError:
                pass
        assert read == ["schema.kml", "include.kml"]
        with pytest.raises(BlockingIOError):
            listener.accept()
