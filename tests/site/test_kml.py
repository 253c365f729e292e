"""KML: namespaces, encodings, coordinates and links."""

import pytest
from numpy.testing import assert_allclose

from pacifico.errors import SiteError
from pacifico.site.features import Budget
from pacifico.site.kml import coordinates, read_kml


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("http://www.opengis.net/kml/2.2", "http://earth.google.com/kml/2.1"),
        ("http://www.opengis.net/kml/2.2", "urn:some:thing"),
        (' xmlns="http://www.opengis.net/kml/2.2"', ""),
    ],
)
def test_any_namespace(read, kml, old, new, whole):
    site = read(kml.document(kml.placemark(kml.polygon(), "n")).replace(old, new))
    assert_allclose(site.area_ha, whole, rtol=1e-6)


def test_any_prefix_declared_or_not(read, kml, whole):
    text = kml.document(kml.placemark(kml.polygon(), "n"))
    for tag in ("kml", "Document", "Placemark", "Polygon", "LinearRing", "coordinates", "outerBoundaryIs", "name"):
        text = text.replace(f"<{tag}", f"<k:{tag}").replace(f"</{tag}", f"</k:{tag}")
    site = read(text)
    assert_allclose(site.area_ha, whole, rtol=1e-6)
    assert site.name == "n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_byte_order_marks(read, kml, encoding):
    text = kml.document(kml.placemark(kml.polygon(), "Größe")).replace("UTF-8", encoding[:6].upper().rstrip("-"))
    assert read(text.encode(encoding)).name == "Größe"


@pytest.mark.parametrize(
    "coordinates",
    ["10,45,0 10.02,45,0 10.02,45.01,0 10,45.01,0 10,45,0", "10, 45\n10.02 ,45 10.02,45.01,7 10,45.01 10,45"],
)
def test_heights_and_spaces(read, kml, coordinates, whole):
    assert_allclose(read(kml.document(kml.placemark(kml.polygon(coordinates)))).area_ha, whole, rtol=1e-6)


def test_linear_ring_without_polygon(read, kml, whole):
    site = read(kml.document(kml.placemark(f"<LinearRing><coordinates>{kml.box}</coordinates></LinearRing>", "A")))
    assert_allclose(site.area_ha, whole, rtol=1e-6)
    assert any("1 ring is outside a Polygon" in w for w in site.warnings)


def test_links_of_a_bare_kml_are_never_followed(read):
    text = "<kml><NetworkLink><Link><href>http://127.0.0.1:9/a.kml</href></Link></NetworkLink></kml>"
    with pytest.raises(SiteError, match=r"1 network link \(never followed\)"):
        read(text)


@pytest.mark.parametrize("height", ["nan", "NaN", "-inf", "undefined"])
def test_altitudes_are_not_used_and_not_read(read, kml, whole, height):
    ring = " ".join(f"{xy},{height}" for xy in kml.box.split())
    assert_allclose(read(kml.document(kml.placemark(kml.polygon(ring)))).area_ha, whole, rtol=1e-6)


def test_a_link_beside_polygons_is_reported(read, kml):
    link = "<NetworkLink><Link><href>parcels.kml</href></Link></NetworkLink>"
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), link))
    assert "1 network link never followed ('parcels.kml'); save what it shows in the file" in site.warnings


def test_an_address_outside_a_network_link_is_no_link(kml):
    icon = "<Style><IconStyle><Icon><href>http://example.org/pin.png</href></Icon></IconStyle></Style>"
    assert read_kml(kml.document(icon, kml.placemark(kml.polygon())).encode()).links == ()


def test_coordinates():
    assert coordinates(" 1,2 3,4,5\n6 , 7 ", Budget()).tolist() == [[1, 2], [3, 4], [6, 7]]
    assert coordinates("", Budget()).shape == (0, 2)
    with pytest.raises(SiteError, match="'1,nan' are not numbers"):
        coordinates("1,nan", Budget())
