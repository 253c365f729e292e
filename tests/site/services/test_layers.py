"""Layers by the form of their address."""

import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.errors import InputError
from pacifico.site.services.addresses import is_url
from pacifico.site.services.layers import fetch_layer, protocol


@pytest.mark.parametrize("kind", ["arcgis", "ogc"])
def test_all_features_come_and_lie_where_they_were_drawn(service, kind):
    found = service.fetch(getattr(service, kind))
    assert found.url == getattr(service, kind)
    for feature, drawn in zip(found.features, service.squares, strict=True):
        assert_allclose(shapely.Polygon(feature.polygons[0][0]).symmetric_difference(drawn).area, 0, atol=1e-15)
    expected = {"arcgis": [f"marsh {k}" for k in range(5)], "ogc": ["Wetlands of the county"] * 5}
    assert [f.name for f in found.features] == expected[kind]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://example.org/zones.geojson", "not a layer of a known service"),
        ("https://example.org/rest/services/X/FeatureServer", "add the layer's number"),
        ("http://[bad/collections/x/items", "not a web address"),
        ("https://u:p@example.org/zones?token=s3cret", "not a layer"),
    ],
)
def test_addresses_of_no_known_form_are_bad_input(url, message):
    with pytest.raises(InputError, match=message) as caught:
        fetch_layer(url, (-93.1, 41.9, -92.9, 42.1))
    assert "s3cret" not in str(caught.value)
    assert "p@" not in str(caught.value)


def test_forms_of_addresses():
    assert protocol("https://h/arcgis/rest/services/A/MapServer/12/query?where=1=1") == "arcgis"
    assert protocol("https://h/api/collections/lakes") == "ogc"
    assert is_url("HTTPS://h/x")
    assert not is_url("http.geojson")
