"""OGC API Features: links, totals, and the proof that all features came."""

import pytest
import shapely

from pacifico.errors import OutsideServiceError
from pacifico.site.services import pages
from pacifico.site.services.fetch import Answer, FetchSettings
from pacifico.site.services.ogc_features import next_link


def test_pages_follow_their_links(service):
    assert len(service.fetch(service.ogc).features) == 5
    assert len(service.asked("items")) == 3


def test_next_pages_of_other_servers_are_refused(service):
    service.next_host = "http://other.example"
    with pytest.raises(OutsideServiceError, match=r"other\.example.*another server"):
        service.fetch(service.ogc)


def test_circles_and_repeated_pages_are_refused(service):
    link = {"rel": "next", "href": service.ogc + "?limit=2&x=1"}
    service.items = lambda asked: {"type": "FeatureCollection", "features": [], "links": [link]}
    with pytest.raises(OutsideServiceError, match="lead in a circle"):
        service.fetch(service.ogc)


def test_a_page_that_repeats_under_another_address_is_noticed(service):
    service.knows_ogc_offset = False
    with pytest.raises(OutsideServiceError, match="its pages repeat"):
        service.fetch(service.ogc)


def test_endless_pages_are_refused(service, monkeypatch):
    monkeypatch.setattr(pages, "MAX_PAGES", 2)
    with pytest.raises(OutsideServiceError, match="more than 2 pages"):
        service.fetch(service.ogc)


@pytest.mark.parametrize("matched", [6, 5000])
def test_a_total_beyond_what_came_is_an_outside_fault(service, matched):
    service.matched = matched
    with pytest.raises(
        OutsideServiceError, match=rf"it counts {matched:,} features near the site and gives 5"
    ) as caught:
        service.fetch(service.ogc)
    assert caught.value.exit_code == 3


def test_duplicates_without_an_id_count_for_the_total(service):
    shape, properties = service.shapes[0], service.properties[0]
    service.shapes, service.properties, service.matched = [shape] * 3, [properties] * 3, 3
    service.feature = lambda k: {
        "type": "Feature",
        "geometry": shapely.geometry.mapping(shape),
        "properties": properties,
    }
    assert len(service.fetch(service.ogc, FetchSettings(page_size=3)).features) == 3
    assert len(service.fetch(service.ogc).features) == 2  # two pages: the second may repeat the first


def test_a_total_that_is_met_proves_a_full_page_whole(service):
    service.links, service.matched = False, 5
    assert len(service.fetch(service.ogc, FetchSettings(page_size=5)).features) == 5


@pytest.mark.parametrize("knows_offset", [True, False])
def test_a_full_page_without_link_or_total_is_not_taken_for_all(service, knows_offset):
    service.links, service.knows_ogc_offset = False, knows_offset
    with pytest.raises(OutsideServiceError, match="nothing shows that they are all"):
        service.fetch(service.ogc, FetchSettings(page_size=3))


def test_a_full_page_with_nothing_after_it_is_whole(service):
    service.links = False
    assert len(service.fetch(service.ogc, FetchSettings(page_size=5)).features) == 5


def test_a_page_with_fewer_features_than_it_states_is_an_outside_fault(service):
    service.items = lambda asked: {"type": "FeatureCollection", "features": [], "numberReturned": 3}
    with pytest.raises(OutsideServiceError, match="a page states 3 features and holds 0"):
        service.fetch(service.ogc)


def test_other_axes_are_refused(service):
    service.headers = {"Content_Crs": "<http://www.opengis.net/def/crs/EPSG/0/4326>"}
    with pytest.raises(OutsideServiceError, match=r"coordinates in <http.*4326>"):
        service.fetch(service.ogc)
    service.headers = {"Content_Crs": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"}
    assert len(service.fetch(service.ogc).features) == 5


def test_only_features_near_are_asked_for(service):
    service.shapes[4] = service.lonlat(5000, 100, 5050, 150)
    assert len(service.fetch(service.ogc).features) == 4


@pytest.mark.parametrize(
    ("href", "target"),
    [
        ("/a/items?offset=2", "https://h/a/items?offset=2"),
        ("http://h/a/items?offset=2", "https://h/a/items?offset=2"),
        ("http://other/a/items", "http://other/a/items"),
    ],
)
def test_the_next_page_of_a_host_behind_a_gateway_keeps_https(href, target):
    links = [{"rel": "self", "href": "/a"}, {"rel": "next", "href": href}]
    assert next_link(Answer({"links": links}, {}, "https://h/a/items")) == target
    assert next_link(Answer({"links": links[:1]}, {}, "https://h/a/items")) is None
