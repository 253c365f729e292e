"""HEAD, OPTIONS, and methods that a route lacks."""

from __future__ import annotations

import pytest
import requests
from fixtures.raw_http import TOKEN, open_socket

from pacifico.server.http.methods import METHODS, MethodsHandler

ORIGIN = "https://maps.example"


@pytest.mark.parametrize("path", ["", "/status", "/files/layout.geojson", "/export/kmz", "/compliance?pack=nfpa-855"])
def test_head_is_get_without_the_body(rest, layout, path):
    address = f"/layouts/{layout['layout_id']}{path}"
    whole, head = rest.get(address), rest.ask("HEAD", address)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "ETag", "Content-Length"):
        assert head.headers.get(name) == whole.headers.get(name), name


def test_head_of_a_stream_ends_at_once(rest, layout):
    head = rest.ask("HEAD", f"/layouts/{layout['layout_id']}/events", timeout=10)
    assert (head.status_code, head.headers["Content-Type"]) == (200, "text/event-stream")


def test_options_list_the_methods(rest, layout):
    place = f"/layouts/{layout['layout_id']}"
    for path, methods in (
        ("/layouts", "GET, HEAD, OPTIONS"),
        (place, "GET, HEAD, DELETE, OPTIONS"),
        (f"{place}/cancel", "POST, OPTIONS"),
        (f"{place}/assets/substation-0001", "PATCH, OPTIONS"),
    ):
        reply = rest.ask("OPTIONS", path)
        assert (reply.status_code, reply.headers["Allow"]) == (204, methods)


@pytest.mark.parametrize("method", ["PUT", "HEAD", "DELETE", "TRACE", "PROPFIND"])
def test_other_methods_are_refused_with_those_that_are_taken(rest, layout, method):
    reply = requests.request(
        method, f"{rest.api}/layouts/{layout['layout_id']}/cancel", headers={"Authorization": f"token {TOKEN}"}, timeout=10
    )  # fmt: skip
    assert (reply.status_code, reply.headers["Allow"]) == (405, "POST, OPTIONS")
    if method != "HEAD":
        assert reply.json()["detail"] == f"{method} is not allowed here; use POST, OPTIONS"


def test_a_connection_that_is_closed_says_so(rest):
    """A client must not send its next request on it."""
    with open_socket(rest) as line:
        line.sendall(b"TRACE /pacifico/api/layouts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        reply = line.recv(65536)
    assert b"Connection: close" in reply


def test_a_body_that_a_route_does_not_take_leaves_no_error_in_the_log(rest, layout):
    for address in (f"/layouts/{layout['layout_id']}/nothing", f"/layouts/{layout['layout_id']}"):
        rest.ask("PATCH", address, data=b"x" * 5000)
        requests.post(rest.api + address, data=b"x" * 5000, timeout=10)
    assert "Cannot send error response" not in rest.log


def test_browsers_of_an_allowed_origin_may_ask_ahead_without_a_token(new_server):
    rest = new_server(options=[f"--ServerApp.allow_origin={ORIGIN}"])
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,prefer",
    }
    ahead = requests.options(f"{rest.api}/layouts/generate", headers=asked, timeout=10)
    assert ahead.status_code == 204
    assert ahead.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in ahead.headers["Access-Control-Allow-Methods"]
    allowed = ahead.headers["Access-Control-Allow-Headers"].split(", ")
    assert set(asked["Access-Control-Request-Headers"].split(",")) <= set(allowed)
    reply = rest.get("/layouts", headers={"Origin": ORIGIN})
    assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "etag" in reply.headers["Access-Control-Expose-Headers"]
    assert requests.get(f"{rest.api}/layouts", headers={"Origin": ORIGIN}, timeout=10).status_code == 401


def test_every_method_of_an_operation_is_supported():
    assert set(METHODS) < set(MethodsHandler.SUPPORTED_METHODS)
