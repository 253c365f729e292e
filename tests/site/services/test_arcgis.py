"""ArcGIS layers: pages, object ids, and the proof that all features came."""

import json

import pytest
import shapely
from numpy.testing import assert_allclose
from pyproj import Transformer

from pacifico.errors import OutsideServiceError
from pacifico.site.services import pages
from pacifico.site.services.fetch import FetchSettings


def pages_of(service):
    return [query for query in service.asked("query") if "resultOffset" in query]


def test_pages_are_in_the_order_of_the_object_id(service):
    assert len(service.fetch(service.arcgis).features) == 5
    assert {query["orderByFields"] for query in pages_of(service)} == {"OBJECTID"}
    assert [query["resultOffset"] for query in pages_of(service)] == ["0", "2", "4"]


def test_an_object_id_that_comes_on_two_pages_is_checked_by_object_ids(service):
    service.properties[4] = service.properties[3]
    assert len(service.fetch(service.arcgis).features) == 5
    assert [query["objectIds"] for query in service.asked("query") if "objectIds" in query] == ["10,11", "12,13"]


def test_an_object_id_that_a_view_repeats_is_two_features(service):
    service.properties[3] = service.properties[2]
    assert len(service.fetch(service.arcgis).features) == 5


def test_an_empty_page_is_not_the_last_while_the_limit_is_exceeded(service, monkeypatch):
    service.empty_pages = 1
    assert len(service.fetch(service.arcgis, FetchSettings(backoff_s=0.01, page_size=1)).features) == 5
    service.empty_pages = 10**6
    monkeypatch.setattr(pages, "MAX_PAGES", 9)
    with pytest.raises(OutsideServiceError, match="more than 9 pages"):
        service.fetch(service.arcgis)


@pytest.mark.parametrize("number", [4, 5, 6])
@pytest.mark.parametrize("counts", [True, False])
def test_a_full_page_without_a_flag_is_not_the_last(service, number, counts):
    service.flags_more, service.counts = False, counts
    service.shapes = [service.lonlat(100 * k, 100, 100 * k + 50, 150) for k in range(number)]
    service.properties = [{"OBJECTID": k} for k in range(number)]
    assert len(service.fetch(service.arcgis).features) == number


@pytest.mark.parametrize("flags", [True, False])
@pytest.mark.parametrize("counts", [True, False])
def test_a_layer_that_repeats_its_first_page_is_asked_by_object_ids(service, flags, counts):
    service.knows_offset, service.flags_more, service.counts = False, flags, counts
    assert len(service.fetch(service.arcgis).features) == 5
    assert [query["objectIds"] for query in service.asked("query") if "objectIds" in query] == ["10,11", "12,13", "14"]


def test_a_layer_that_says_it_has_no_pages_is_asked_by_object_ids(service):
    service.about["advancedQueryCapabilities"]["supportsPagination"] = False
    assert len(service.fetch(service.arcgis).features) == 5
    assert not pages_of(service)


def test_a_layer_that_refuses_the_parameters_of_paging_is_asked_by_object_ids(service):
    service.refuses_paging = True
    assert len(service.fetch(service.arcgis).features) == 5


@pytest.mark.parametrize("page_size", [2, 1000])
def test_a_limit_that_the_layer_does_not_state_shows_in_its_count(service, page_size):
    del service.about["maxRecordCount"]
    service.flags_more = False
    found = service.fetch(service.arcgis, FetchSettings(backoff_s=0.01, page_size=page_size))
    assert len(found.features) == 5


def test_a_service_that_says_nothing_of_its_layer_is_asked_all_the_same(service):
    service.faults = [404]
    assert len(service.fetch(service.arcgis).features) == 5


def test_what_the_count_misses_is_asked_by_object_ids_and_refused_where_it_stays_away(service):
    service.withholds = {12}
    with pytest.raises(
        OutsideServiceError, match=r"lists 5 features near the site and does not give them all"
    ) as caught:
        service.fetch(service.arcgis)
    assert caught.value.exit_code == 3
    service.lists_ids = False
    with pytest.raises(OutsideServiceError, match=r"4 features came of the 5 that it counts, .* lists no object ids"):
        service.fetch(service.arcgis)


def test_nothing_shows_that_a_short_answer_of_an_unknown_limit_is_whole(service):
    del service.about["maxRecordCount"]
    service.flags_more, service.counts, service.lists_ids = False, False, False
    with pytest.raises(OutsideServiceError, match=r"2 features came, its pages are not reliable, .* nothing shows"):
        service.fetch(service.arcgis, FetchSettings(backoff_s=0.01))


def test_nothing_near_is_no_fault(service):
    service.shapes = []
    assert service.fetch(service.arcgis).features == ()
    service.about["advancedQueryCapabilities"]["supportsPagination"] = False
    assert service.fetch(service.arcgis).features == ()


def test_a_group_layer_has_no_features(service):
    service.about["type"] = "Group Layer"
    with pytest.raises(OutsideServiceError, match="it is a Group Layer"):
        service.fetch(service.arcgis)


def test_esri_json_where_there_is_no_geojson(service):
    service.about["supportedQueryFormats"] = "JSON"
    found = service.fetch(service.arcgis)
    assert [f.name for f in found.features] == [f"marsh {k}" for k in range(5)]
    for feature, drawn in zip(found.features, service.squares, strict=True):
        assert_allclose(shapely.Polygon(feature.polygons[0][0]).symmetric_difference(drawn).area, 0, atol=1e-15)


@pytest.mark.parametrize("code", [102100, 3857])
@pytest.mark.parametrize("own", [True, False])
def test_a_layer_that_ignores_the_crs_asked_for_is_reprojected(service, code, own):
    """Web Mercator, stated for the answer or for each geometry."""
    to = Transformer.from_crs(4326, 3857, always_xy=True)
    drawn = shapely.orient_polygons(service.squares[0], exterior_cw=True)
    geometry = {"rings": [[list(to.transform(*xy)) for xy in shapely.get_coordinates(drawn).tolist()]]}
    reference = {"spatialReference": {"wkid": code}}
    member = {"attributes": {"NAME": "pond"}, "geometry": {**geometry, **(reference if own else {})}}
    answer = {"features": [member], **({"spatialReference": {"wkid": 4326}} if own else reference)}
    service.faults = [None, json.dumps(answer).encode()]
    service.counts = False
    (feature,) = service.fetch(service.arcgis).features
    assert feature.name == "pond"
    assert_allclose(feature.polygons[0][0], shapely.get_coordinates(drawn), atol=1e-9)


def test_a_query_in_the_address_is_passed_on_but_ours_stands(service):
    service.fetch(service.arcgis + "/query?where=KIND%3D'fen'&token=abc&f=html&resultRecordCount=9999")
    asked = service.asked("query")[0]
    assert (asked["where"], asked["token"], asked["f"], asked["resultRecordCount"]) == (
        "KIND='fen'",
        "abc",
        "geojson",
        "2",
    )


@pytest.mark.parametrize(
    ("answer", "message"),
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
        (b'{"features": [{"geometry": {"rings": [[[0, "x"], [1, 1], [1, 0]]]}}]}', "not a pair of numbers"),
        (b'{"features": [{"geometry": {"curveRings": []}}]}', "true curves"),
        (b'{"features": [{"geometry": {"x": 1, "y": 2}}], "spatialReference": {"wkid": 999999}}', "not known"),
        (400, "answers 400"),
        (401, "not public"),
        (404, "answers 404"),
        (418, "answers 418"),
    ],
)  # fmt: skip
def test_an_answer_that_can_not_be_used_is_one_line_of_an_outside_fault(service, answer, message):
    service.faults = [None, *[answer] * 20]
    with pytest.raises(OutsideServiceError, match=message) as caught:
        service.fetch(service.arcgis)
    assert "127.0.0.1" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
