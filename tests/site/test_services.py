"""Layers of map services, against a local server that speaks ArcGIS REST and OGC API Features, with faults on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import shapely
from numpy.testing import assert_allclose
from pyproj import Transformer

from pacifico.crs import LONLAT, reproject, utm
from pacifico.errors import InputError, OutsideServiceError
from pacifico.site import services
from pacifico.site.exclusions import free_ground, load_exclusions
from pacifico.site.fetch import FetchSettings, shown
from pacifico.site.gather import gather_exclusions, with_gathered
from pacifico.site.model import Site
from pacifico.site.services import fetch_layer, kind_of

UTM = utm(-93.0, 42.0)
WEST, SOUTH = 500_000.0, 4_600_000.0
SITE = Site("test", UTM, shapely.box(WEST, SOUTH, WEST + 1000, SOUTH + 1000))
QUICK = FetchSettings(timeout_s=5, total_s=30, backoff_s=0.01, page_size=2)


def lonlat(x0, y0, x1, y1):
    return reproject(shapely.box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1), UTM, LONLAT)


SQUARES = [lonlat(100 * k, 100, 100 * k + 50, 150) for k in range(5)]


class Service:
    """A layer of polygons in both protocols.

    `faults` are used up one a request: a status, 'reset', 'stall', 'drip', bytes to say, or a function of the handler.
    """

    def __init__(self):
        self.shapes = list(SQUARES)
        self.about = {
            "name": "Wetlands", "type": "Feature Layer", "maxRecordCount": 2, "objectIdField": "OBJECTID",
            "displayField": "LABEL_", "supportedQueryFormats": "JSON, geoJSON, PBF",
            "advancedQueryCapabilities": {"supportsPagination": True},
        }  # fmt: skip
        self.properties = [{"OBJECTID": 10 + k, "LABEL_": f"marsh {k}"} for k in range(5)]
        self.faults, self.requests = [], []
        self.empty_pages = 0
        self.headers = {}
        self.next_host = None
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                parts = urlsplit(self.path)
                asked = {k: v[0] for k, v in parse_qs(parts.query).items()}
                outer.requests.append((parts.path, asked))
                if outer.faults:
                    fault = outer.faults.pop(0)
                    if fault is not None and outer.fail(self, fault):
                        return
                document = outer.answer(parts.path, asked)
                self.say(404 if document is None else 200, json.dumps(document or {}).encode())

            def say(self, status, data, **headers):
                self.send_response(status)
                for key, value in {"Content-Type": "application/json", **outer.headers, **headers}.items():
                    self.send_header(key.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.arcgis = f"{self.base}/arcgis/rest/services/Nature/FeatureServer/0"
        self.ogc = f"{self.base}/ogc/collections/wetlands/items"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def fail(self, handler, fault):
        if isinstance(fault, int):
            handler.say(fault, b"")
        elif isinstance(fault, bytes):
            handler.say(200, fault)
        elif isinstance(fault, tuple):
            handler.say(fault[0], b"", **fault[1])
        elif fault == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RD)
        elif fault == "stall":
            self.released.wait(20)
            handler.close_connection = True
        elif fault == "drip":
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            while not self.released.wait(0.05):
                try:
                    handler.wfile.write(b" ")
                except OSError:
                    break
            handler.close_connection = True
        elif fault == "flood":
            handler.send_response(200)
            handler.end_headers()
            handler.close_connection = True
            try:
                while not self.released.is_set():
                    handler.wfile.write(b"[" * 65536)
            except OSError:
                pass
        return True

    def found(self, box):
        return [k for k, s in enumerate(self.shapes) if shapely.box(*box).intersects(s)]

    def feature(self, k, *, esri=False):
        shape = self.shapes[k]
        if not esri:
            return {
                "type": "Feature",
                "id": k,
                "geometry": shapely.geometry.mapping(shape),
                "properties": self.properties[k],
            }
        ring = list(map(list, shapely.get_coordinates(shapely.orient_polygons(shape, exterior_cw=True)).tolist()))
        return {"attributes": self.properties[k], "geometry": {"rings": [ring]}}

    def answer(self, path, asked):
        if path.endswith("FeatureServer/0"):
            return self.about
        if path.endswith("FeatureServer/0/query"):
            return self.query(asked)
        if path.endswith("collections/wetlands"):
            return {"id": "wetlands", "title": "Wetlands of the county"}
        if path.endswith("collections/wetlands/items"):
            return self.items(asked)
        return None

    def query(self, asked):
        keys = self.found([float(v) for v in asked["geometry"].split(",")])
        assert asked["inSR"] == asked["outSR"] == "4326"
        esri = asked["f"] == "json"
        if asked.get("returnIdsOnly") == "true":
            return {"objectIdFieldName": "OBJECTID", "objectIds": [self.properties[k]["OBJECTID"] for k in keys][::-1]}
        if "objectIds" in asked:
            wanted = set(map(int, asked["objectIds"].split(",")))
            keys, more = [k for k in keys if self.properties[k]["OBJECTID"] in wanted], False
        else:
            start, count = int(asked["resultOffset"]), min(int(asked["resultRecordCount"]), 2)
            if self.empty_pages:
                self.empty_pages -= 1
                return {"type": "FeatureCollection", "features": [], "properties": {"exceededTransferLimit": True}}
            more = start + count < len(keys)
            keys = keys[start : start + count]
        if esri:
            return {
                "geometryType": "esriGeometryPolygon", "spatialReference": {"wkid": 4326},
                "features": [self.feature(k, esri=True) for k in keys], "exceededTransferLimit": more,
            }  # fmt: skip
        flag = {"properties": {"exceededTransferLimit": True}} if more else {}
        return {"type": "FeatureCollection", **flag, "features": [self.feature(k) for k in keys]}

    def items(self, asked):
        keys = self.found([float(v) for v in asked["bbox"].split(",")])
        start, count = int(asked.get("offset", 0)), int(asked["limit"])
        links = [{"rel": "self", "href": self.ogc}]
        if start + count < len(keys):
            link = f"/ogc/collections/wetlands/items?bbox={asked['bbox']}&limit={count}&offset={start + count}"
            links.append({"rel": "next", "href": (self.next_host or "") + link})
        return {
            "type": "FeatureCollection",
            "links": links,
            "features": [self.feature(k) for k in keys[start : start + count]],
        }


@pytest.fixture
def service():
    server = Service()
    yield server
    server.close()


def box_of(site=SITE, reach=1000.0):
    return reproject(site.boundary.buffer(reach, join_style="mitre"), UTM, LONLAT).bounds


def fetched(url, settings=QUICK):
    return fetch_layer(url, box_of(), settings=settings)


def zones(url, tmp_path, **options):
    gathered = gather_exclusions([url], SITE, tmp_path, settings=QUICK, **options)
    return load_exclusions(gathered.path, SITE).zones


@pytest.mark.parametrize("protocol", ["arcgis", "ogc"])
def test_all_pages_come_and_lie_where_they_were_drawn(service, protocol, tmp_path):
    found = zones(getattr(service, protocol), tmp_path)
    assert len(found) == 5
    for zone, drawn in zip(found, SQUARES, strict=True):
        assert_allclose(zone.geometry.symmetric_difference(reproject(drawn, LONLAT, UTM)).area, 0, atol=1e-3)
    pages = [a for p, a in service.requests if p.endswith(("query", "items"))]
    assert len(pages) == 3
    names = [z.name for z in found]
    assert names == ([f"marsh {k}" for k in range(5)] if protocol == "arcgis" else ["Wetlands of the county"] * 5)


def test_pages_are_in_the_order_of_the_object_id_and_each_object_comes_once(service):
    service.properties[3] = service.properties[2]  # moved to the next page while it was read
    assert len(fetched(service.arcgis).features) == 4
    asked = [a for p, a in service.requests if p.endswith("query")]
    assert {a["orderByFields"] for a in asked} == {"OBJECTID"}
    assert [a["resultOffset"] for a in asked] == ["0", "2", "4"]


def test_an_empty_page_is_not_the_last_while_the_limit_is_exceeded(service, monkeypatch):
    service.empty_pages = 1
    service.properties = [{"OBJECTID": k} for k in range(5)]
    service.about["maxRecordCount"] = 1000
    found = fetched(service.arcgis, FetchSettings(backoff_s=0.01, page_size=1))
    assert len(found.features) == 4  # the server skipped one place by saying nothing
    service.empty_pages = 10**6
    monkeypatch.setattr(services, "MAX_PAGES", 9)
    with pytest.raises(OutsideServiceError, match="more than 9 pages"):
        fetched(service.arcgis)


def test_esri_json_where_there_is_no_geojson(service, tmp_path):
    service.about["supportedQueryFormats"] = "JSON"
    found = zones(service.arcgis, tmp_path)
    assert [z.name for z in found] == [f"marsh {k}" for k in range(5)]
    assert_allclose([z.geometry.area for z in found], 2500, rtol=1e-6)


def test_a_layer_without_pages_is_asked_by_object_ids(service):
    service.about["advancedQueryCapabilities"]["supportsPagination"] = False
    assert len(fetched(service.arcgis).features) == 5
    assert service.requests[-1][1]["objectIds"] == "10,11,12,13,14"


def test_a_service_that_says_nothing_of_its_layer_is_asked_all_the_same(service):
    service.faults = [404]
    assert len(fetched(service.arcgis).features) == 5


def test_only_what_is_near_is_asked_for(service, tmp_path):
    service.shapes[4] = lonlat(5000, 100, 5050, 150)
    assert len(fetched(service.ogc).features) == 4
    assert len(zones(service.ogc, tmp_path, buffer_m=4500.0)) == 5


@pytest.mark.parametrize("protocol", ["arcgis", "ogc"])
@pytest.mark.parametrize("fault", [500, 503, 429, "reset", b'{"error": {"code": 503, "message": "busy"}}'])
def test_passing_faults_are_tried_again(service, protocol, fault):
    service.faults = [None, fault, fault, None, fault]
    assert len(fetched(getattr(service, protocol)).features) == 5


@pytest.mark.parametrize(
    "fault", [500, "reset", b'{"error": {"code": 500, "message": "Unable to complete operation."}}']
)
def test_a_service_that_stays_down_is_an_outside_fault(service, fault):
    service.faults = [fault] * 50
    with pytest.raises(OutsideServiceError, match=r"127\.0\.0\.1.*no answer after 4 tries.*give the file") as caught:
        fetched(service.arcgis)
    assert "\n" not in str(caught.value)
    assert len(service.requests) == 4


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b'{"error": {"code": 400, "message": "Invalid query", "details": ["no such field"]}}', "error 400: Invalid query: no such field"),
        (b'{"error": {"code": 499, "message": "Token Required"}}', "needs a token"),
        (b'{"error": "gone"}', "error None: gone"),
        (b"<html>sign in</html>", "not JSON"),
        (b'{"type": "FeatureCollection", "features": [', "cut short"),
        (b"[1]", "a JSON list"),
        (b"[" * 100_000, "cut short"),
        (b'{"features": 3}', "gives no features"),
        (b'{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": 3}}]}', "nested wrongly"),
        (b'{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1e6, 2e6]}}]}', "not degrees"),
        (b'{"features": [{"geometry": {"rings": [[[0, "x"], [1, 1], [1, 0]]]}}]}', "no pair of numbers"),
        (b'{"features": [{"geometry": {"curveRings": []}}]}', "true curves"),
        (b'{"features": [], "spatialReference": {"wkid": 999999}}', "not known"),
        (401, "not open to all"),
        (404, "answers 404"),
        (418, "answers 418"),
        ((302, {"Location": "file:///etc/passwd"}), "not followed"),
        ((302, {"Location": "/arcgis/rest/services/Nature/FeatureServer/0/query"}), "redirects"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_one_line_of_an_outside_fault(service, answer, said):
    service.faults = [None, *[answer] * 20]
    with pytest.raises(OutsideServiceError, match=said) as caught:
        fetched(service.arcgis)
    assert "127.0.0.1" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_redirect_is_followed(service):
    service.faults = [(301, {"Location": service.arcgis + "?f=json"})]
    assert len(fetched(service.arcgis).features) == 5


@pytest.mark.parametrize("fault", ["stall", "drip"])
def test_a_slow_service_is_given_up(service, fault):
    service.faults = [fault] * 50
    with pytest.raises(OutsideServiceError, match=r"limit|tries: it timed out"):
        fetched(service.ogc, FetchSettings(timeout_s=0.3, total_s=1.0, retries=1, backoff_s=0.01))


def test_a_flood_is_cut_off(service):
    service.faults = ["flood"]
    with pytest.raises(OutsideServiceError, match="more than 2 MB"):
        fetched(service.ogc, FetchSettings(max_bytes=2_000_000))


def test_a_server_that_asks_for_longer_than_there_is_is_late(service):
    service.faults = [(503, {"Retry-After": "20"})] * 3
    with pytest.raises(OutsideServiceError, match="not done after 5 s"):
        fetched(service.ogc, FetchSettings(total_s=5.0))


def test_next_pages_of_other_servers_and_circles_are_refused(service):
    service.next_host = "http://other.example"
    with pytest.raises(OutsideServiceError, match=r"other\.example.*another server"):
        fetched(service.ogc)
    service.next_host = None
    service.items = lambda asked: {
        "type": "FeatureCollection", "features": [], "links": [{"rel": "next", "href": service.ogc + "?limit=2&x=1"}],
    }  # fmt: skip
    with pytest.raises(OutsideServiceError, match="in a circle"):
        fetched(service.ogc)


def test_other_axes_are_refused(service):
    service.headers = {"Content_Crs": "<http://www.opengis.net/def/crs/EPSG/0/4326>"}
    with pytest.raises(OutsideServiceError, match=r"coordinates in <http.*4326>"):
        fetched(service.ogc)
    service.headers = {"Content_Crs": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"}
    assert len(fetched(service.ogc).features) == 5


def test_a_layer_that_ignores_the_frame_asked_for_is_reprojected(service, tmp_path):
    """Web Mercator by its Esri number: the zone lies where it was drawn."""
    to = Transformer.from_crs(4326, 3857, always_xy=True)
    ring = [
        list(to.transform(*xy))
        for xy in shapely.get_coordinates(shapely.orient_polygons(SQUARES[0], exterior_cw=True)).tolist()
    ]
    for code in (102100, 3857):
        said = {
            "features": [{"attributes": {"NAME": "pond"}, "geometry": {"rings": [ring]}}],
            "spatialReference": {"wkid": code},
        }
        service.faults = [None, json.dumps(said).encode()]
        (zone,) = zones(service.arcgis, tmp_path)
        assert zone.name == "pond"
        assert_allclose(zone.geometry.symmetric_difference(reproject(SQUARES[0], LONLAT, UTM)).area, 0, atol=1e-2)


def test_rings_holes_lines_and_points_of_esri_json(service, tmp_path):
    shell = shapely.get_coordinates(shapely.orient_polygons(lonlat(100, 100, 300, 300), exterior_cw=True)).tolist()
    hole = shapely.get_coordinates(shapely.orient_polygons(lonlat(150, 150, 200, 200))).tolist()
    island = shapely.get_coordinates(shapely.orient_polygons(lonlat(160, 160, 170, 170), exterior_cw=True)).tolist()
    line = reproject(shapely.LineString([(WEST + 500, SOUTH), (WEST + 500, SOUTH + 1000)]), UTM, LONLAT)
    point = reproject(shapely.Point(WEST + 800, SOUTH + 500), UTM, LONLAT)
    members = [
        {"attributes": {"name": "lake"}, "geometry": {"rings": [shell, hole, island]}},
        {"attributes": {"name": "pipe"}, "geometry": {"paths": [list(map(list, line.coords))]}},
        {"attributes": {"name": "well"}, "geometry": {"x": point.x, "y": point.y}},
        {"attributes": {"name": "nothing"}, "geometry": None},
    ]
    said = json.dumps({"features": members}).encode()
    service.faults = [None, said]
    found = {z.name: z for z in zones(service.arcgis, tmp_path, buffer_m=10.0)}
    assert_allclose(found["lake"].geometry.area, 200**2 - 50**2 + 10**2, rtol=1e-5)
    assert (found["lake"].buffer_m, found["lake"].zone_type) == (10.0, "buffered")
    assert_allclose(found["pipe"].geometry.intersection(SITE.boundary).area, 20 * 1000, rtol=1e-4)
    assert_allclose(found["well"].geometry.area, 3.14159 * 100, rtol=0.02)
    assert set(found) == {"lake", "pipe", "well"}


def test_columns_of_others_are_no_rules_of_ours(service, tmp_path):
    service.properties = [
        {"OBJECTID": 1, "zone_type": "AE", "kind": "road", "buffer_m": "wide"},
        {"OBJECTID": 2, "zone_type": "cost", "cost_multiplier": 3},
        {"OBJECTID": 3, "buffer_m": 25},
        {"OBJECTID": 4, "type": "boundary", "cost_multiplier": 0.1},
        {"OBJECTID": 5, "buffer_m": -4},
    ]
    found = zones(service.arcgis, tmp_path)
    assert [(z.zone_type, z.buffer_m, z.cost_multiplier) for z in found] == [
        ("hard", 0, 1), ("cost", 0, 3), ("buffered", 25, 1), ("hard", 0, 1), ("hard", 0, 1),
    ]  # fmt: skip
    assert {z.name for z in found} == {"Wetlands"}
    widened = zones(service.arcgis, tmp_path, buffer_m=5.0)
    assert [z.buffer_m for z in widened] == [5, 0, 25, 5, 5]


def test_files_and_services_are_one_and_buffers_are_exact(service, tmp_path):
    service.shapes = [lonlat(100, 100, 200, 200)]
    file = tmp_path / "own.geojson"
    shape = lonlat(600, 600, 700, 700)
    file.write_text(
        json.dumps(
            {
                "type": "Feature",
                "geometry": shapely.geometry.mapping(shape),
                "properties": {"name": "own", "buffer_m": 30},
            }
        )
    )
    service.properties = [{"OBJECTID": 1}]
    site = with_gathered(SITE, [file, service.ogc], buffer_m=10.0, settings=QUICK)
    assert [z.buffer_m for z in site.exclusions] == [30.0, 10.0]
    # square and rim, corners rounded: GEOS draws a quarter circle in 16 chords, 0.16 % under the true one
    taken = sum(1e4 + 4 * 100 * b + 3.14159265 * b**2 for b in (30.0, 10.0))
    assert_allclose(SITE.boundary.area - free_ground(site).area, taken, rtol=3e-4)
    gathered = gather_exclusions([file, service.ogc], SITE, tmp_path, settings=QUICK)
    assert gathered.sources == (
        {"file": "own.geojson", "features": 1},
        {"url": service.ogc, "layer": "Wetlands of the county", "features": 1},
    )
    assert (
        gathered.path.read_bytes()
        == gather_exclusions([file, service.ogc], SITE, tmp_path, settings=QUICK).path.read_bytes()
    )


def test_nothing_near_is_told(service):
    service.shapes = []
    site = with_gathered(SITE, [service.arcgis], settings=QUICK)
    assert site.exclusions == ()
    assert "the layer has nothing near the site" in site.warnings[0]


def test_what_lies_wholly_beside_the_site_is_told(service):
    service.shapes = [lonlat(1100, 100, 1200, 200), lonlat(-60, 400, -10, 500)]
    service.properties = [{"OBJECTID": 1, "LABEL_": "quarry"}, {"OBJECTID": 2, "LABEL_": "creek"}]
    site = with_gathered(SITE, [service.arcgis], settings=QUICK)
    assert len(site.exclusions) == 2
    assert any("2 zones lie wholly outside the site" in w and "'quarry', 'creek'" in w for w in site.warnings)
    reaching = with_gathered(SITE, [service.arcgis], buffer_m=50.0, settings=QUICK)
    assert any(
        "1 zone lies wholly outside the site, with the buffer, and takes nothing from it ('quarry')" in w
        for w in reaching.warnings
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://example.org/zones.geojson", "no layer that can be asked"),
        ("https://example.org/rest/services/X/FeatureServer", "add the layer's number"),
        ("http://[bad/collections/x/items", "no web address"),
        ("https://u:p@example.org/zones?token=s3cret", "no layer"),
    ],
)
def test_addresses_of_no_known_form_are_bad_input(url, said):
    with pytest.raises(InputError, match=said) as caught:
        fetch_layer(url, box_of())
    assert "s3cret" not in str(caught.value)
    assert "p@" not in str(caught.value)


def test_forms_of_addresses():
    assert kind_of("https://h/arcgis/rest/services/A/MapServer/12/query?where=1=1") == "arcgis"
    assert kind_of("https://h/api/collections/lakes") == "ogc"
    assert (
        shown("https://u:p@h:8443/a/FeatureServer/0?token=x&where=A%3D1&f=json")
        == "https://h:8443/a/FeatureServer/0?where=A%3D1"
    )


def test_a_query_in_the_address_is_passed_on_but_ours_stands(service):
    fetched(service.arcgis + "/query?where=KIND%3D'fen'&token=abc&f=html&resultRecordCount=9999")
    asked = next(a for p, a in service.requests if p.endswith("query"))
    assert (asked["where"], asked["token"], asked["f"], asked["resultRecordCount"]) == (
        "KIND='fen'",
        "abc",
        "geojson",
        "2",
    )


@pytest.mark.parametrize("buffer_m", [-1.0, 1e5, float("nan")])
def test_a_buffer_out_of_range_is_refused(service, tmp_path, buffer_m):
    with pytest.raises(InputError, match="out of range"):
        gather_exclusions([service.ogc], SITE, tmp_path, buffer_m=buffer_m)
