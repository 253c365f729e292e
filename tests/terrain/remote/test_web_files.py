"""State and content of files on web servers, against a local server."""

from __future__ import annotations

import pytest

from pacifico.errors import OutsideServiceError
from pacifico.terrain.dem import open_dem
from pacifico.terrain.remote.settings import SourceSettings
from pacifico.terrain.remote.web_files import etag, fetched


def test_a_server_that_stalls_is_given_up(server):
    server.files["a.tif"] = b"x"
    server.fail("*", "a.tif", "stall")
    hasty = SourceSettings(timeout_s=0.3, retries=1, backoff_s=0.01, cache=None)
    with pytest.raises(OutsideServiceError, match="timed out"):
        etag(f"{server.url}/a.tif", hasty)


@pytest.mark.parametrize("code", [403, 405, 501])
def test_a_server_that_refuses_head_is_asked_by_get(server, settings, code):
    server.files["a.tif"] = b"12345"
    url = f"{server.url}/a.tif"
    state = etag(url, settings)
    server.fail("HEAD", "a.tif", code)
    assert etag(url, settings) == state
    assert server.requests[-1] == ("GET", "a.tif")


@pytest.mark.parametrize("code", [403, 405, 501])
def test_a_dem_is_read_where_head_is_refused(server, settings, make_raster, site, code):
    path = make_raster(dtype="float32")
    server.files["a.tif"] = path.read_bytes()
    server.fail("HEAD", "a.tif", code)
    dem = open_dem(site, f"{server.url}/a.tif", settings=settings)
    assert dem.values.tobytes() == open_dem(site, path).values.tobytes()


def test_a_refusal_of_both_is_one_line(server, settings):
    server.files["a.tif"] = b"12345"
    server.fail("*", "a.tif", 403)
    with pytest.raises(OutsideServiceError, match="answers 403") as caught:
        etag(f"{server.url.replace('//', '//me:hunter2@')}/a.tif?sig=hunter2", settings)
    assert "hunter2" not in str(caught.value)


def test_user_and_password_are_sent_as_a_header(server, settings):
    server.files["a.tif"] = b"12345"
    assert fetched(f"{server.url.replace('//', '//me:pw@')}/a.tif", "1", settings) == b"12345"


def test_no_such_file_has_no_state(server, settings):
    assert etag(f"{server.url}/none.tif", settings) is None
    assert etag("s3://bucket/key", settings) == ""
    with pytest.raises(OutsideServiceError, match="is gone from 127"):
        fetched(f"{server.url}/none.tif", "1", settings)
