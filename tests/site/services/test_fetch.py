"""Requests: retries, limits, redirects."""

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.site.services.fetch import Fetcher, FetchSettings


@pytest.mark.parametrize("protocol", ["arcgis", "ogc"])
@pytest.mark.parametrize("fault", [500, 503, 429, "reset", b'{"error": {"code": 503, "message": "busy"}}'])
def test_transient_faults_are_tried_again(service, protocol, fault):
    service.faults = [None, fault, fault, None, fault]
    assert len(service.fetch(getattr(service, protocol)).features) == 5


@pytest.mark.parametrize(
    "fault", [500, "reset", b'{"error": {"code": 500, "message": "Unable to complete operation."}}']
)
def test_a_service_that_stays_down_is_an_outside_fault(service, fault):
    service.faults = [fault] * 50
    with pytest.raises(OutsideServiceError, match=r"127\.0\.0\.1.*no answer after 4 tries.*give the file") as caught:
        service.fetch(service.arcgis)
    assert "\n" not in str(caught.value)
    assert len(service.requests) == 4


@pytest.mark.parametrize("fault", ["stall", "drip"])
def test_a_slow_service_is_given_up(service, fault):
    service.faults = [fault] * 50
    with pytest.raises(OutsideServiceError, match=r"limit|tries: it timed out"):
        service.fetch(service.ogc, FetchSettings(timeout_s=0.3, total_s=1.0, retries=1, backoff_s=0.01))


def test_a_flood_is_cut_off(service):
    service.faults = ["flood"]
    with pytest.raises(OutsideServiceError, match="more than 2 MB"):
        service.fetch(service.ogc, FetchSettings(max_bytes=2_000_000))


def test_a_server_that_asks_for_a_longer_pause_than_there_is_time(service):
    service.faults = [(503, {"Retry-After": "20"})] * 3
    with pytest.raises(OutsideServiceError, match="not done after 5 s"):
        service.fetch(service.ogc, FetchSettings(total_s=5.0))


def test_a_redirect_within_the_host_is_followed(service):
    service.faults = [(301, {"Location": service.arcgis + "?f=json"}), (302, {"Location": "/ogc/collections/wetlands"})]
    assert Fetcher(service.quick).get(service.base + "/moved").document["title"] == "Wetlands of the county"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("file:///etc/passwd", "not followed"),
        ("http://u:p@127.0.0.1/x", "not followed"),
        ("http://[bad", "not followed"),
        ("/moved", "more than 5 redirects"),
        ("http://127.0.0.1:9/latest/meta-data", r"another host with the address 127\.0\.0\.1, which is not public"),
        ("http://localhost/x", "which is not public"),
        ("http://169.254.169.254/latest/meta-data", "which is not public"),
        ("http://10.0.0.7/x", "which is not public"),
        ("http://[::ffff:192.168.0.1]/x", "which is not public"),
        ("https://no-such-host.invalid/x", "which has no address"),
    ],
)
def test_redirects_that_are_not_followed(service, location, message):
    service.faults = [(302, {"Location": location})] * 10
    with pytest.raises(OutsideServiceError, match=message) as caught:
        Fetcher(service.quick).get(service.base + "/moved")
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
