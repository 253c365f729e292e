"""Files from the web: a site at an address."""

import json

import pytest

from pacifico.cli.main import main
from pacifico.data import sample_site_path
from pacifico.errors import InputError, OutsideServiceError, SiteError
from pacifico.report.inputs import local_boundary
from pacifico.site.boundary import read_site
from pacifico.site.services.addresses import is_url
from pacifico.site.services.fetch import FetchSettings
from pacifico.site.services.files import fetch_file

SAMPLE = sample_site_path().read_bytes()


def test_a_site_is_read_from_its_address(service):
    service.faults = [SAMPLE]
    site = read_site(service.base + "/sites/ridge.kml?token=secret")
    assert site.boundary.equals(read_site("sample").boundary)
    assert site.source == "ridge.kml"


def test_a_redirect_is_followed(service):
    service.faults = [(302, {"Location": "/elsewhere/site.kml"}), SAMPLE]
    assert read_site(service.base + "/site.kml").area_ha == read_site("sample").area_ha


def test_what_is_no_site_is_refused_by_its_name(service):
    service.faults = [b"<html>Please log in</html>"]
    with pytest.raises(SiteError, match=r"^ridge\.kml: ") as caught:
        read_site(service.base + "/ridge.kml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 404])
def test_a_refusal_tells_no_secret(service, status):
    service.faults = [status]
    with pytest.raises(OutsideServiceError, match=str(status)) as caught:
        read_site(service.base + "/site.kml?token=secret")
    assert "secret" not in str(caught.value)


def test_a_large_file_is_cut_off(service):
    service.faults = ["flood"]
    with pytest.raises(OutsideServiceError, match="more than 1 MB"):
        fetch_file(service.base + "/site.kml", settings=FetchSettings(max_bytes=1_000_000))


@pytest.mark.parametrize(
    ("path", "name"),
    [("/a/my%20site.kml", "my_site.kml"), ("/a/..%2F..%2Fetc%2Fpasswd", "passwd"), ("/", "site"), ("/%2E%2E", "site")],
)
def test_the_name_is_a_safe_file_name(service, path, name):
    service.faults = [SAMPLE]
    assert fetch_file(service.base + path).name == name


def test_text_that_is_no_address_is_refused():
    with pytest.raises(InputError, match="not a web address"):
        read_site("http://[::1/site.kml")


def test_a_report_keeps_the_file(service, tmp_path):
    service.faults = [SAMPLE]
    path = local_boundary(service.base + "/ridge.kml", tmp_path)
    assert not is_url(path)
    assert read_site(path).sha256 == read_site("sample").sha256
    assert local_boundary("ridge.kml", tmp_path) == "ridge.kml"


def test_the_command_line_takes_an_address(service, tmp_path):
    service.faults = [SAMPLE]
    out = tmp_path / "layout.geojson"
    assert (
        main(["layout", service.base + "/ridge.kml", "--no-terrain", "--capacity-kw", "3000", "--out", str(out)]) == 0
    )
    boundary = json.loads(out.read_text())["features"][0]
    assert boundary["properties"]["kind"] == "boundary"
