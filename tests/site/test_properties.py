"""What must hold for every outline, and for every file."""

import io
import json
import zipfile

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pacifico.crs import LONLAT, geodesic_area_m2, reproject
from pacifico.errors import PacificoError
from pacifico.site.boundary import read_site_bytes
from pacifico.site.features import MAX_NAME, clean_name
from pacifico.site.model import Site


@st.composite
def stars(draw):
    """Star-shaped rings of 3 to 12 corners around a place, open."""
    lon, lat = draw(st.floats(-179, 179)), draw(st.floats(-75, 75))
    radii = draw(st.lists(st.floats(0.002, 0.01), min_size=3, max_size=12))
    angle = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return np.column_stack([lon + radii * np.cos(angle), lat + radii * np.sin(angle)])


# Its centroid is at latitude 0, give or take rounding: a zone's edge.
ON_THE_EQUATOR = 0.0078125 * np.column_stack(
    [f(np.linspace(0, 2 * np.pi, 5, endpoint=False)) for f in (np.cos, np.sin)]
)


def geojson(*rings):
    return json.dumps({"type": "Polygon", "coordinates": [np.asarray(r).tolist() for r in rings]}).encode()


def kml(ring):
    text = " ".join(f"{x!r},{y!r}" for x, y in np.asarray(ring).tolist())
    return (
        "<kml><Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{text}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"
    ).encode()


def closed(ring):
    return np.vstack([ring, ring[:1]])


@given(ring=stars(), start=st.integers(0, 11), backwards=st.booleans(), close=st.booleans(), repeats=st.integers(0, 3))
@example(ring=ON_THE_EQUATOR, start=1, backwards=False, close=True, repeats=0)
def test_start_direction_closing_and_repeats_change_nothing(ring, start, backwards, close, repeats):
    whole = read_site_bytes(geojson(closed(ring)), "a.geojson")
    turned = np.roll(ring[::-1] if backwards else ring, start, axis=0)
    turned = np.repeat(turned, repeats + 1, axis=0)
    again = read_site_bytes(geojson(closed(turned) if close else turned), "a.geojson")
    assert_allclose(again.area_ha, whole.area_ha, rtol=1e-9)
    assert again.boundary.normalize().equals_exact(whole.boundary.normalize(), 1e-6)
    assert again.boundary.is_valid
    assert close or any("not closed" in w for w in again.warnings)


@given(stars())
def test_area_is_that_of_the_ellipsoid_and_the_crs_its_zone(ring):
    site = read_site_bytes(geojson(closed(ring)), "a.geojson")
    assert_allclose(site.area_ha * 1e4, geodesic_area_m2(shapely.Polygon(ring)), rtol=1e-8)
    assert_allclose(site.boundary.area, site.area_ha * 1e4, rtol=2.1e-3)
    assert site.crs.to_epsg() // 100 in {326, 327}


@given(stars())
def test_formats_agree(ring):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("doc.kml", kml(closed(ring)))
    sites = [
        read_site_bytes(geojson(closed(ring)), "a.geojson"),
        read_site_bytes(kml(closed(ring)), "a.kml"),
        read_site_bytes(out.getvalue(), "a.kmz"),
    ]
    assert all(s.boundary.equals_exact(sites[0].boundary, 0.0) for s in sites)


@given(stars(), st.floats(0.1, 0.9))
def test_a_hole_takes_its_own_area(ring, share):
    centre = np.array(shapely.Polygon(ring).representative_point().coords[0])
    shell = closed(ring)
    room = shapely.Polygon(shell).exterior.distance(shapely.Point(centre))
    hole = np.array(shapely.Point(centre).buffer(share * room, quad_segs=2).exterior.coords)
    site = read_site_bytes(geojson(shell, hole), "a.geojson")
    taken = geodesic_area_m2(shapely.Polygon(shell)) - geodesic_area_m2(shapely.Polygon(hole))
    assert_allclose(site.area_ha * 1e4, taken, rtol=1e-7)
    assert len(site.boundary.interiors) == 1


@given(stars(), st.lists(st.integers(0, 11), min_size=12, max_size=12))
def test_whatever_the_order_of_corners_the_outline_is_valid_or_refused(ring, order):
    scrambled = ring[np.argsort(order[: len(ring)], kind="stable")]
    try:
        site = read_site_bytes(geojson(closed(scrambled)), "a.geojson")
    except PacificoError:
        return
    hull = geodesic_area_m2(shapely.MultiPoint(scrambled).convex_hull)
    assert site.boundary.is_valid
    assert 0 < site.area_ha * 1e4 <= hull * (1 + 1e-9)
    drawn = shapely.Polygon(scrambled)
    if not drawn.is_valid:
        assert any("repaired" in w for w in site.warnings)
    assert reproject(site.boundary, site.crs, LONLAT).within(shapely.MultiPoint(scrambled).convex_hull.buffer(1e-7))


@given(st.text(max_size=600))
def test_names_are_one_printable_line(text):
    name = clean_name(text)
    assert len(name) <= MAX_NAME
    assert name == name.strip()
    assert not any(ord(c) < 32 or c in "\u202e\u2028\x7f" for c in name)
    name.encode("utf-8")
    assert clean_name(name) == name


NAMES = st.sampled_from(
    ["a.kml", "a.kmz", "a.geojson", "a.json", "a.gpkg", "a.zip", "a.shp", "a", ".kml", "a.KML", "../a.kml"]
)


def site_or_clear_error(data, filename):
    try:
        found = read_site_bytes(data, filename)
    except PacificoError as error:
        found = str(error)
    if isinstance(found, Site):
        assert found.boundary.is_valid
        assert found.area_ha > 0
    else:
        assert 10 < len(found) < 2000
        assert "\n" not in found


@settings(max_examples=300)
@given(
    st.binary(max_size=300),
    NAMES,
    st.sampled_from(
        [b"", b"PK\x03\x04", b"SQLite format 3\x00", b"\x00\x00\x27\x0a", b"<kml>", b"{", b"\xff\xfe<\x00"]
    ),
)
@example(b"", "a.kml", b"")
def test_any_bytes(data, filename, magic):
    site_or_clear_error(magic + data, filename)


SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
KEYS = st.sampled_from(
    [
        "type",
        "coordinates",
        "features",
        "geometry",
        "properties",
        "geometries",
        "crs",
        "name",
        "zone_type",
        "buffer_m",
        "kind",
    ]
)
TYPES = st.sampled_from(
    [
        "Polygon",
        "MultiPolygon",
        "Feature",
        "FeatureCollection",
        "GeometryCollection",
        "Point",
        "LineString",
        "exclusion",
        "name",
    ]
)
TREES = st.recursive(
    SCALARS | TYPES, lambda c: st.lists(c, max_size=4) | st.dictionaries(KEYS, c, max_size=4), max_leaves=25
)


@settings(max_examples=300)
@given(st.dictionaries(KEYS, TREES, max_size=5))
def test_any_json(tree):
    site_or_clear_error(json.dumps(tree).encode(), "a.geojson")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """One good file of each format, by extension."""
    folder = tmp_path_factory.mktemp("good")
    square = geopandas.GeoDataFrame(
        {"name": ["A", "exclusion"], "buffer_m": [0.0, 5.0]},
        geometry=[
            shapely.box(578_000, 4_983_000, 579_000, 4_984_000),
            shapely.box(578_100, 4_983_100, 578_200, 4_983_200),
        ],
        crs="EPSG:32632",
    )
    square.to_file(folder / "a.gpkg")
    square.to_file(folder / "a.shp")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member in sorted(folder.glob("a.[sdp]*")):
            archive.writestr(member.name, member.read_bytes())
    ring = shapely.get_coordinates(square.to_crs(4326).geometry[0])
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", kml(ring))
    return {
        "gpkg": (folder / "a.gpkg").read_bytes(),
        "zip": out.getvalue(),
        "shp": (folder / "a.shp").read_bytes(),
        "kml": kml(ring),
        "geojson": geojson(ring),
        "kmz": box.getvalue(),
    }


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["gpkg", "zip", "shp", "kml", "geojson", "kmz"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=6)), max_size=8),
    end=st.floats(0.05, 1),
)
def test_any_damage(good, kind, changes, end):
    data = bytearray(good[kind])
    for place, new in changes:
        at = int(place * len(data))
        data[at : at + len(new)] = new
    site_or_clear_error(bytes(data[: int(end * len(data)) if end < 0.9 else None]), f"a.{kind}")


@pytest.mark.parametrize("kind", ["gpkg", "zip", "kml", "geojson", "kmz"])
def test_undamaged(good, kind):
    assert read_site_bytes(good[kind], f"a.{kind}").area_ha == pytest.approx(100.06, abs=0.01)
