"""Hard, buffered and cost zones mean the same wherever they come from: the boundary's own file, another, or a service."""

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.crs import LONLAT, reproject, utm
from pacifico.errors import InputError, OutsideServiceError
from pacifico.site.boundary import read_site
from pacifico.site.combine import combine_exclusions, with_combined
from pacifico.site.exclusions import free_ground, load_exclusions
from pacifico.site.services.fetch import FetchSettings

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
            return with_combined(read_site(plain), [served[1]])
        path = tmp_path / ("zones.kml" if source == "a KML" else "zones.geojson")
        path.write_text(kml(placemark(POND, "pond", properties)) if source == "a KML" else collection(own))
        return with_combined(read_site(plain), [path] if source != "files together" else [path, path])

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
    from pacifico.layout.ground.buildable import no_build_area

    site = site_with("a GeoJSON", RULES[rule])
    blocked = no_build_area(site.exclusions)
    left = site.boundary if blocked is None else site.boundary.difference(blocked)
    assert_allclose(left.area, free_ground(site).area, rtol=1e-12)


def zones(service, url, tmp_path, **options):
    found = combine_exclusions([url], service.site, tmp_path, settings=service.quick, **options)
    return load_exclusions(found.path, service.site).zones


def test_a_wider_buffer_asks_for_features_farther_away(service, tmp_path):
    service.shapes[4] = service.lonlat(5000, 100, 5050, 150)
    assert len(zones(service, service.ogc, tmp_path)) == 4
    assert len(zones(service, service.ogc, tmp_path, buffer_m=4500.0)) == 5


def test_holes_islands_lines_and_points_of_a_service(service, tmp_path):
    def ring(*box, clockwise=True):
        return shapely.get_coordinates(shapely.orient_polygons(service.lonlat(*box), exterior_cw=clockwise)).tolist()

    line = service.lonlat(500, 0, 500.001, 1000)
    point = service.lonlat(800, 500, 801, 501).centroid
    rings = [ring(100, 100, 300, 300), ring(150, 150, 250, 250, clockwise=False), ring(190, 190, 210, 210)]
    members = [
        {"attributes": {"name": "lake"}, "geometry": {"rings": rings}},
        {"attributes": {"name": "pipe"}, "geometry": {"paths": [shapely.get_coordinates(line)[:2].tolist()]}},
        {"attributes": {"name": "well"}, "geometry": {"x": point.x, "y": point.y}},
        {"attributes": {"name": "nothing"}, "geometry": None},
    ]
    service.faults = [None, json.dumps({"features": members}).encode()]
    service.counts = False
    service.about["maxRecordCount"] = 1000
    service.quick = FetchSettings(page_size=1000)
    found = {z.name: z for z in zones(service, service.arcgis, tmp_path, buffer_m=10.0)}
    assert set(found) == {"lake", "pipe", "well"}
    assert_allclose(found["lake"].geometry.area, 200**2 - 100**2 + 20**2, rtol=1e-5)
    assert (found["lake"].buffer_m, found["lake"].zone_type) == (10.0, "buffered")
    assert_allclose(found["pipe"].geometry.intersection(service.site.boundary).area, 20 * 1000, rtol=1e-4)
    assert_allclose(found["well"].geometry.area, math.pi * 100, rtol=0.02)


COUNTY = [
    {"OBJECTID": 1, "zone_type": "AE", "kind": "road", "buffer_m": "wide"},
    {"OBJECTID": 2, "zone_type": "cost", "cost_multiplier": 3},
    {"OBJECTID": 3, "buffer_m": 25},
    {"OBJECTID": 4, "type": "boundary", "cost_multiplier": 0.1},
    {"OBJECTID": 5, "buffer_m": -4},
]


def test_columns_of_a_service_are_no_rules_of_ours(service, tmp_path):
    service.properties = COUNTY
    found = zones(service, service.arcgis, tmp_path)
    assert [(z.zone_type, z.buffer_m, z.cost_multiplier) for z in found] == [
        ("hard", 0, 1), ("cost", 0, 3), ("buffered", 25, 1), ("hard", 0, 1), ("hard", 0, 1),
    ]  # fmt: skip
    assert {z.name for z in found} == {"Wetlands"}
    assert [z.buffer_m for z in zones(service, service.arcgis, tmp_path, buffer_m=5.0)] == [5, 0, 25, 5, 5]


def test_columns_of_a_file_are_no_rules_of_ours_either(service, tmp_path):
    path = tmp_path / "county.geojson"
    kinds = [
        {"KIND": "road", "NAME": "a"},
        {"ZONE_TYPE": "AG-1", "NAME": "b"},
        {"TYPE": "boundary", "NAME": "Boundary Fen"},
    ]
    path.write_text(collection(*(member(s, **p) for s, p in zip(service.squares, kinds, strict=False))))
    site = with_combined(service.site, [path], buffer_m=5.0)
    assert [(z.name, z.zone_type, z.buffer_m) for z in site.exclusions] == [
        ("a", "buffered", 5), ("b", "buffered", 5), ("Boundary Fen", "buffered", 5),
    ]  # fmt: skip
    assert any("county.geojson: zone_type 'AG-1' is not hard" in w for w in site.warnings)
    assert any("county.geojson: 1 polygon named boundary ('Boundary Fen') kept free" in w for w in site.warnings)


def test_files_and_services_become_one_file_and_buffers_are_exact(service, tmp_path):
    service.shapes = [service.lonlat(100, 100, 200, 200)]
    service.properties = [{"OBJECTID": 1}]
    file = tmp_path / "own.geojson"
    file.write_text(json.dumps(member(service.lonlat(600, 600, 700, 700), name="own", buffer_m=30)))
    sources = [file, service.ogc]
    site = with_combined(service.site, sources, buffer_m=10.0, settings=service.quick)
    assert [z.buffer_m for z in site.exclusions] == [30.0, 10.0]
    # Square and rim with rounded corners, drawn in chords.
    taken = sum(1e4 + 4 * 100 * b + math.pi * b**2 for b in (30.0, 10.0))
    assert_allclose(service.site.boundary.area - free_ground(site).area, taken, rtol=3e-4)
    combined = combine_exclusions(sources, service.site, tmp_path, settings=service.quick)
    assert combined.sources == (
        {"file": "own.geojson", "features": 1},
        {"url": service.ogc, "layer": "Wetlands of the county", "features": 1},
    )
    text = combined.path.read_bytes()
    assert combine_exclusions(sources, service.site, tmp_path, settings=service.quick).path.read_bytes() == text


def test_one_file_without_a_buffer_is_used_as_it_is(service, tmp_path):
    path = tmp_path / "own.geojson"
    assert combine_exclusions([path], service.site, tmp_path).path == path


def test_a_rule_out_of_range_names_its_own_file(service, tmp_path):
    path = tmp_path / "own.geojson"
    path.write_text(collection(member(service.squares[0], name="x", buffer_m=-1)))
    with pytest.raises(InputError, match=r"^own\.geojson: buffer_m '-1' of 'x'"):
        combine_exclusions([path], service.site, tmp_path, buffer_m=5.0)


def test_nothing_near_is_a_warning(service):
    service.shapes = []
    site = with_combined(service.site, [service.arcgis], settings=service.quick)
    assert site.exclusions == ()
    assert "the layer has nothing near the site" in site.warnings[0]


def test_zones_wholly_beside_the_site_are_a_warning(service):
    service.shapes = [service.lonlat(1100, 100, 1200, 200), service.lonlat(-60, 400, -10, 500)]
    service.properties = [{"OBJECTID": 1, "LABEL_": "quarry"}, {"OBJECTID": 2, "LABEL_": "creek"}]
    site = with_combined(service.site, [service.arcgis], settings=service.quick)
    assert len(site.exclusions) == 2
    assert any("2 zones lie wholly outside the site" in w and "'quarry', 'creek'" in w for w in site.warnings)
    reaching = with_combined(service.site, [service.arcgis], buffer_m=50.0, settings=service.quick)
    assert any(
        "1 zone lies wholly outside the site, with the buffer, and takes nothing from it ('quarry')" in w
        for w in reaching.warnings
    )


def test_a_service_that_does_not_give_everything_gives_no_zones(service, tmp_path):
    service.matched = 7
    with pytest.raises(OutsideServiceError, match="it counts 7 features near the site and gives 5"):
        zones(service, service.ogc, tmp_path)


@pytest.mark.parametrize("buffer_m", [-1.0, 1e5, float("nan")])
def test_a_buffer_out_of_range_is_refused(service, tmp_path, buffer_m):
    with pytest.raises(InputError, match="out of range"):
        combine_exclusions([service.ogc], service.site, tmp_path, buffer_m=buffer_m)


def test_no_sources_are_bad_input(service, tmp_path):
    with pytest.raises(InputError, match="no exclusions are given"):
        combine_exclusions([], service.site, tmp_path)
