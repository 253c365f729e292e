"""Small files written for the tests, and real files where they are present."""

import io
import json
import math
import os
import socket
import struct
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import geopandas
import pytest
import shapely

from pacifico.crs import LONLAT, reproject, utm
from pacifico.site.boundary import read_site
from pacifico.site.exclusions import load_exclusions
from pacifico.site.model import Site
from pacifico.site.services.fetch import FetchSettings
from pacifico.site.services.layers import fetch_layer

WEST, SOUTH = 500_000.0, 4_600_000.0
BAD_REQUEST = {"error": {"code": 400, "message": "Invalid or unsupported parameters"}}
BOX = "10,45 10.02,45 10.02,45.01 10,45.01 10,45"


def polygon(outer=BOX, *inner):
    holes = "".join(
        f"<innerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing></innerBoundaryIs>"
        for ring in inner
    )
    return (
        f"<Polygon><outerBoundaryIs><LinearRing><coordinates>{outer}</coordinates></LinearRing></outerBoundaryIs>"
        f"{holes}</Polygon>"
    )


def placemark(geometry, name="", data=None):
    extended = "".join(f'<Data name="{k}"><value>{v}</value></Data>' for k, v in (data or {}).items())
    return f"<Placemark><name>{name}</name><ExtendedData>{extended}</ExtendedData>{geometry}</Placemark>"


def document(*body, name="plan"):
    inside = "".join(body)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">'
        f"<Document><name>{name}</name>{inside}</Document></kml>"
    )


class Kml:
    """Builders of KML."""

    box = BOX
    polygon = staticmethod(polygon)
    placemark = staticmethod(placemark)
    document = staticmethod(document)


@pytest.fixture
def kml():
    return Kml


@pytest.fixture
def read(tmp_path):
    """Write bytes or text under a name, then read it as a site."""

    def reading(content, filename="site.kml", **options):
        path = tmp_path / filename
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_site(path, **options)

    return reading


@pytest.fixture
def box_area_ha():
    """Area of a quadrangle in degrees in closed form (Snyder 1987, eq. 3-12), independent of the geodesic library."""

    def area(west, south, east, north):
        a, f = 6378137.0, 1 / 298.257223563
        e = math.sqrt(f * (2 - f))

        def q(lat):
            s = math.sin(math.radians(lat))
            return (1 - e**2) * (s / (1 - e**2 * s**2) + math.atanh(e * s) / e)

        return math.radians(east - west) * a**2 / 2 * (q(north) - q(south)) / 1e4

    return area


@pytest.fixture
def whole(box_area_ha):
    """Area of `BOX` [ha]."""
    return box_area_ha(10, 45, 10.02, 45.01)


@pytest.fixture
def geojson():
    """Text of a polygon with more members."""
    return lambda *rings, **members: json.dumps({"type": "Polygon", "coordinates": list(rings), **members})


@pytest.fixture
def packed():
    """Zip archive of members {path: content}."""

    def packing(members, method=zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return out.getvalue()

    return packing


@pytest.fixture
def plan():
    """KML of one placemark, by name."""
    return lambda name="A": document(placemark(polygon(), name))


@pytest.fixture
def frame():
    """Table of geometries named P0, P1, ..."""

    def making(*geometries, crs="EPSG:32632", **columns):
        names = [f"P{i}" for i in range(len(geometries))]
        return geopandas.GeoDataFrame({"name": names, **columns}, geometry=list(geometries), crs=crs)

    return making


@pytest.fixture
def write(tmp_path):
    """Write layers {name: GeoDataFrame} to one file of a driver."""

    def writing(filename, **layers):
        path = tmp_path / filename
        for name, table in layers.items():
            table.to_file(path, layer=name, driver="GPKG" if filename.endswith("gpkg") else "ESRI Shapefile")
        return path

    return writing


@pytest.fixture
def zipped():
    """Put a shapefile's parts in a zip."""

    def zipping(path, *, leave_out=(), folder="", change=None):
        target = path.with_suffix(".zip")
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for member in sorted(path.parent.glob(f"{path.stem}.*")):
                if member.suffix in {*leave_out, ".zip"}:
                    continue
                data = member.read_bytes()
                archive.writestr(folder + member.name, change(member, data) if change else data)
        return target

    return zipping


@pytest.fixture
def site(read):
    """Site of `BOX`, named A."""
    return read(document(placemark(polygon(), "A")))


@pytest.fixture
def area():
    """GeoJSON of a small polygon inside `BOX`, or of a ring."""
    ring = [[10.005, 45.002], [10.010, 45.002], [10.010, 45.006], [10.005, 45.006], [10.005, 45.002]]
    return lambda other=None: {"type": "Polygon", "coordinates": [other or ring]}


@pytest.fixture
def exclude(tmp_path, site):
    """Load exclusions of (properties, geometry) for `site`."""

    def excluding(*features, **members):
        path = tmp_path / "free.geojson"
        found = [{"type": "Feature", "properties": p, "geometry": g} for p, g in features]
        path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": found}), encoding="utf-8")
        return load_exclusions(path, site)

    return excluding


@pytest.fixture
def plant_grid():
    """WKT of a grid shifted from UTM 32 N by (578 km, 4,983 km)."""
    return """DERIVEDPROJCRS["Plant grid", BASEPROJCRS["WGS 84 / UTM zone 32N", BASEGEOGCRS["WGS 84",
DATUM["World Geodetic System 1984", ELLIPSOID["WGS 84", 6378137, 298.257223563]]], CONVERSION["UTM zone 32N",
METHOD["Transverse Mercator"], PARAMETER["Latitude of natural origin", 0], PARAMETER["Longitude of natural origin", 9],
PARAMETER["Scale factor at natural origin", 0.9996], PARAMETER["False easting", 500000],
PARAMETER["False northing", 0]]], DERIVINGCONVERSION["shift", METHOD["Affine parametric transformation", ID["EPSG", 9624]],
PARAMETER["A0", -578000, LENGTHUNIT["metre", 1], ID["EPSG", 8623]],
PARAMETER["A1", 1, SCALEUNIT["coefficient", 1], ID["EPSG", 8624]],
PARAMETER["A2", 0, SCALEUNIT["coefficient", 1], ID["EPSG", 8625]],
PARAMETER["B0", -4983000, LENGTHUNIT["metre", 1], ID["EPSG", 8639]],
PARAMETER["B1", 0, SCALEUNIT["coefficient", 1], ID["EPSG", 8640]],
PARAMETER["B2", 1, SCALEUNIT["coefficient", 1], ID["EPSG", 8641]]], CS[Cartesian, 2],
AXIS["(E)", east, ORDER[1], LENGTHUNIT["metre", 1]], AXIS["(N)", north, ORDER[2], LENGTHUNIT["metre", 1]]]"""


@pytest.fixture
def field():
    """Folder of real files; the test is skipped where it is absent."""
    root = Path(os.environ.get("PACIFICO_FIELD_DATA") or Path(__file__).parents[3] / "shared")
    if not (root / "data").is_dir():
        pytest.skip(f"no field data in {root}")
    return root / "data"


class Service:
    """A local server with a layer of polygons in ArcGIS REST and OGC API Features.

    `faults` are used up one a request: a status, a status with headers, 'reset', 'stall', 'drip', 'flood', or bytes to
    answer. The switches below make it a service of less ability, or one that lies.
    """

    crs = utm(-93.0, 42.0)
    site = Site("test", crs, shapely.box(WEST, SOUTH, WEST + 1000, SOUTH + 1000))
    quick = FetchSettings(timeout_s=5, total_s=30, backoff_s=0.01, page_size=2)

    def __init__(self):
        self.squares = [self.lonlat(100 * k, 100, 100 * k + 50, 150) for k in range(5)]
        self.shapes = list(self.squares)
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
        self.limit = 2  # most features of an ArcGIS answer
        self.flags_more = True
        self.knows_offset = True
        self.refuses_paging = False
        self.counts = True
        self.lists_ids = True
        self.withholds = set()  # object ids that it never gives
        self.links = True
        self.knows_ogc_offset = True
        self.matched = None
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

    @staticmethod
    def lonlat(x0, y0, x1, y1):
        """Box in metres from the site's corner, in degrees."""
        return reproject(shapely.box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1), Service.crs, LONLAT)

    @property
    def bounds(self):
        return reproject(self.site.boundary.buffer(1000.0, join_style="mitre"), self.crs, LONLAT).bounds

    def fetch(self, url, settings=None):
        return fetch_layer(url, self.bounds, settings=settings or self.quick)

    def asked(self, end):
        """Queries of the requests whose path has an end."""
        return [query for path, query in self.requests if path.endswith(end)]

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
        ids = [self.properties[k].get("OBJECTID") for k in keys]
        if asked.get("returnCountOnly") == "true":
            return {"count": len(keys)} if self.counts else BAD_REQUEST
        if asked.get("returnIdsOnly") == "true":
            return {"objectIdFieldName": "OBJECTID", "objectIds": ids[::-1] or None} if self.lists_ids else BAD_REQUEST
        more = False
        if "objectIds" in asked:
            wanted = set(map(int, asked["objectIds"].split(",")))
            keys = [k for k in keys if self.properties[k]["OBJECTID"] in wanted]
        else:
            if self.refuses_paging and "resultOffset" in asked:
                return BAD_REQUEST
            start = int(asked["resultOffset"]) if self.knows_offset else 0
            if self.empty_pages:
                self.empty_pages -= 1
                return {"type": "FeatureCollection", "features": [], "properties": {"exceededTransferLimit": True}}
            count = min(int(asked["resultRecordCount"]), self.limit)
            more = start + count < len(keys) and self.flags_more
            keys = keys[start : start + count]
        keys = [k for k in keys if self.properties[k].get("OBJECTID") not in self.withholds]
        if asked["f"] == "json":
            return {
                "geometryType": "esriGeometryPolygon", "spatialReference": {"wkid": 4326},
                "features": [self.feature(k, esri=True) for k in keys], "exceededTransferLimit": more,
            }  # fmt: skip
        flag = {"properties": {"exceededTransferLimit": True}} if more else {}
        return {"type": "FeatureCollection", **flag, "features": [self.feature(k) for k in keys]}

    def items(self, asked):
        keys = self.found([float(v) for v in asked["bbox"].split(",")])
        start, count = int(asked.get("offset", 0)) if self.knows_ogc_offset else 0, int(asked["limit"])
        links = [{"rel": "self", "href": self.ogc}]
        if start + count < len(keys) and self.links:
            link = f"/ogc/collections/wetlands/items?bbox={asked['bbox']}&limit={count}&offset={start + count}"
            links.append({"rel": "next", "href": (self.next_host or "") + link})
        stated = {} if self.matched is None else {"numberMatched": self.matched}
        features = [self.feature(k) for k in keys[start : start + count]]
        return {"type": "FeatureCollection", "links": links, **stated, "features": features}


@pytest.fixture
def service():
    server = Service()
    yield server
    server.close()
