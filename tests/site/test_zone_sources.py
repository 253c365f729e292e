"""Hard, buffered and cost zones mean the same wherever they come from: the boundary's own file, another, or a service."""

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.crs import LONLAT, reproject, utm
from pacifico.site.boundary import read_site
from pacifico.site.exclusions import free_ground
from pacifico.site.gather import with_gathered
from pacifico.site.model import Zone

UTM = utm(-93.0, 42.0)
RULES = {
    "hard": {"zone_type": "hard"},
    "hard with a buffer": {"zone_type": "hard", "buffer_m": 25},
    "buffered": {"buffer_m": 40},
    "cost": {"zone_type": "cost", "cost_multiplier": 4},
    "cost with a buffer": {"zone_type": "cost", "cost_multiplier": 4, "buffer_m": 30},
}
MEANT = {  # zone type, buffer, cost, and what is taken of the site
    "hard": ("hard", 0, 1, 1e4),
    "hard with a buffer": ("hard", 25, 1, 1e4 + 400 * 25),
    "buffered": ("buffered", 40, 1, 1e4 + 400 * 40),
    "cost": ("cost", 0, 4, 0),
    "cost with a buffer": ("cost", 30, 4, 0),
}


def lonlat(x0, y0, x1, y1):
    return reproject(shapely.box(500_000 + x0, 4_600_000 + y0, 500_000 + x1, 4_600_000 + y1), UTM, LONLAT)


BOUNDARY, POND = lonlat(0, 0, 1000, 1000), lonlat(300, 300, 400, 400)


def member(shape, **properties):
    return {"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": properties}


def collection(*members):
    return json.dumps({"type": "FeatureCollection", "features": list(members)})


def placemark(shape, name, properties):
    ring = " ".join(f"{x!r},{y!r}" for x, y in shapely.get_coordinates(shape).tolist())
    data = "".join(f'<Data name="{k}"><value>{v}</value></Data>' for k, v in properties.items())
    return (
        f"<Placemark><name>{name}</name><ExtendedData>{data}</ExtendedData><Polygon><outerBoundaryIs><LinearRing>"
        f"<coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
    )


def kml(*placemarks):
    return f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{"".join(placemarks)}</Document></kml>'


@pytest.fixture
def served():
    """Address of an OGC API collection that gives what it is handed."""
    content = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content[-1])))
            self.end_headers()
            self.wfile.write(content[-1])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield content, f"http://127.0.0.1:{server.server_port}/collections/ponds/items"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def site_with(tmp_path, served):
    def make(source, properties):
        plain, own = tmp_path / "site.geojson", member(POND, name="pond", **properties)
        plain.write_text(collection(member(BOUNDARY, kind="boundary", name="site")))
        if source == "the boundary's KML":
            path = tmp_path / "site.kml"
            path.write_text(
                kml(placemark(BOUNDARY, "site", {}), placemark(POND, "pond", {"kind": "exclusion", **properties}))
            )
            return read_site(path)
        if source == "the boundary's GeoJSON":
            path = tmp_path / "both.geojson"
            own["properties"]["kind"] = "exclusion"
            path.write_text(collection(member(BOUNDARY, kind="boundary", name="site"), own))
            return read_site(path)
        if source == "a service":
            served[0].append(collection(own).encode())
            return with_gathered(read_site(plain), [served[1]])
        path = tmp_path / ("zones.kml" if source == "a KML" else "zones.geojson")
        path.write_text(kml(placemark(POND, "pond", properties)) if source == "a KML" else collection(own))
        return with_gathered(read_site(plain), [path] if source != "files together" else [path, path])

    return make


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "source", ["the boundary's KML", "the boundary's GeoJSON", "a KML", "a GeoJSON", "files together", "a service"]
)
def test_a_zone_means_the_same_from_everywhere(site_with, source, rule):
    site = site_with(source, RULES[rule])
    assert len(site.exclusions) == (2 if source == "files together" else 1)
    zone_type, buffer_m, cost, taken = MEANT[rule]
    for zone in site.exclusions:
        assert (zone.name, zone.zone_type, zone.buffer_m, zone.cost_multiplier) == ("pond", zone_type, buffer_m, cost)
        assert_allclose(zone.geometry.area, 1e4, rtol=1e-6)
    # corners of a buffer are arcs in 32 chords a quarter
    corners = 4 * 0.5 * buffer_m**2 * 32 * math.sin(math.pi / 64) if taken else 0.0
    assert_allclose(site.boundary.area - free_ground(site).area, taken + corners, rtol=1e-6, atol=0.01)


@pytest.mark.parametrize("rule", RULES)
def test_assets_and_roads_meet_the_same_zones(site_with, rule):
    """What the engine takes out is what the site says is taken."""
    from pacifico.layout.ground.buildable import hard_ground

    site = site_with("a GeoJSON", RULES[rule])
    blocked = hard_ground(site.exclusions)
    left = site.boundary if blocked is None else site.boundary.difference(blocked)
    assert_allclose(left.area, free_ground(site).area, rtol=1e-12)


@pytest.mark.parametrize("buffer_m", [3.0, 40.0, 500.0])
def test_a_buffer_is_nowhere_short_by_more_than_its_chords(buffer_m):
    """Round a corner, too: 0.03 % of the buffer, 15 mm of 50 m."""
    zone = Zone(shapely.box(0, 0, 100, 100), zone_type="buffered", buffer_m=buffer_m)
    rim = shapely.get_coordinates(shapely.segmentize(zone.with_buffer.exterior, buffer_m / 50))
    distances = shapely.distance(zone.geometry, shapely.points(rim))
    assert distances.max() <= buffer_m + 1e-9
    assert distances.min() >= buffer_m * math.cos(math.pi / 128) - 1e-9
