"""What every route does: authenticate, bound, refuse with a problem."""

from __future__ import annotations

import http.client
import resource
import uuid
from urllib.parse import urlsplit

import pytest
import requests
from fixtures.raw_http import TOKEN, open_socket, read_reply


def problem(reply, status, code):
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    body = reply.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, "about:blank")
    assert body["detail"]
    return body


ANY = f"/layouts/{uuid.UUID(int=5)}"


@pytest.mark.parametrize(
    "path", ["/layouts", ANY, f"{ANY}/status", "/sites/none", "/openapi.json", "/health", "/nothing"]
)
def test_without_a_token_there_is_nothing(rest, path):
    reply = requests.get(rest.api + path, timeout=10)
    assert problem(reply, 401, "unauthorized")["detail"] == "log in, or send the header Authorization with 'token T'"
    assert reply.headers["WWW-Authenticate"] == "token"
    problem(requests.get(rest.api + path, headers={"Authorization": "token wrong"}, timeout=10), 401, "unauthorized")
    problem(requests.post(rest.api + path, timeout=10), 401, "unauthorized")


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_a_cookie_needs_the_xsrf_token_too(rest, method):
    browser = requests.Session()
    browser.get(f"{rest.base}/?token={TOKEN}", timeout=10)
    assert browser.get(f"{rest.api}/layouts", timeout=10).status_code == 200
    path = {"POST": f"{ANY}/cancel", "DELETE": ANY, "PATCH": f"{ANY}/assets/battery-0001"}[method]
    problem(browser.request(method, rest.api + path, json={}, timeout=10), 403, "forbidden")
    allowed = {"X-XSRFToken": browser.cookies.get("_xsrf", path="/")}
    assert browser.request(method, rest.api + path, json={"rotation_deg": 1} if method == "PATCH" else None, headers=allowed, timeout=10).status_code == 404  # fmt: skip


def test_other_origins_are_not_let_in(rest):
    reply = rest.get("/layouts", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in reply.headers
    asked = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "DELETE",
        "Access-Control-Request-Headers": "authorization",
    }
    for session in (rest.session, requests.Session()):  # a browser sends no token ahead
        ahead = session.options(rest.api + ANY, headers=asked, timeout=10)
        assert "Access-Control-Allow-Origin" not in ahead.headers


def test_unknown_routes_and_methods(rest):
    problem(rest.get("/nothing/here"), 404, "not_found")
    problem(rest.get("/layouts/not-a-uuid"), 404, "not_found")
    reply = rest.ask("DELETE", "/layouts")
    problem(reply, 405, "method_not_allowed")
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"
    problem(rest.ask("PUT", ANY), 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"[1]", "application/json", 422),
        (b"{", "application/json", 422),
        (b'{"a":1,"a":2}', "application/json", 422),
        (b'{"site_id": NaN}', "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b"[" * 100_000, "application/json", 422),
        (b"site_id=1", "application/x-www-form-urlencoded", 415),
        (b"<a/>", "text/xml", 415),
        (b'{"site_id": 5}', "application/json", 422),
        (b'{"site_id": "x", "nonsense": 1}', "application/json", 422),
    ],
)
def test_wrong_bodies(rest, data, kind, status):
    code = {422: "invalid_input", 415: "unsupported_media_type"}[status]
    problem(rest.post("/layouts/generate", data=data, headers={"Content-Type": kind}), status, code)


def test_bodies_are_sent_as_they_are(rest):
    for path in ("/layouts/generate", "/sites/upload"):
        reply = rest.post(path, data=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
        assert "gzip" in problem(reply, 415, "unsupported_media_type")["detail"]


def test_a_slash_at_the_end_is_no_other_route(rest):
    assert "slash" in problem(rest.get("/layouts/"), 404, "not_found")["detail"]


def test_wrong_queries(rest):
    problem(rest.get("/layouts?limit=0"), 422, "invalid_input")
    problem(rest.get("/layouts?limit=1&limit=2"), 422, "invalid_input")
    problem(rest.get("/layouts?nonsense=1"), 422, "invalid_input")
    problem(rest.get("/layouts?status=%ff"), 422, "invalid_input")


def test_bodies_of_two_gigabytes_are_refused_before_they_are_sent(rest):
    for path in ("/sites/upload", "/layouts/generate", "/uploads"):
        with open_socket(rest) as line:
            line.sendall(
                f"POST /pacifico/api{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n"
                "Content-Type: application/json\r\nContent-Length: 2147483648\r\n\r\n".encode()
            )
            line.sendall(b"x" * 100_000)
            assert b" 413 " in read_reply(line).splitlines()[0]


def test_bodies_without_an_end_are_cut(rest):
    with open_socket(rest) as line:
        line.sendall(
            f"POST /pacifico/api/layouts/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        try:
            for _ in range(40):
                line.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except OSError:
            pass  # the server may close while we still send
        assert b" 413 " in read_reply(line).splitlines()[0]


def test_slow_bodies_are_refused(new_server):
    rest = new_server(PACIFICO_SERVER_BODY_S="0.5")
    with open_socket(rest) as line:
        line.sendall(
            f"POST /pacifico/api/layouts/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        assert b" 408 " in read_reply(line).splitlines()[0]
    assert rest.get("/health").status_code == 200


def test_a_store_that_fails_is_not_described(new_server, tmp_path):
    """Its folder is in the log alone."""
    rest = new_server(PACIFICO_STORE=str(tmp_path / "store"))
    assert rest.get("/health/ready").status_code == 200
    (tmp_path / "store").write_text("no folder any more")
    upload = {"files": {"file": ("spec.toml", b"[site]\n")}}
    for reply in (rest.get("/health/ready"), rest.post("/uploads", **upload)):
        detail = problem(reply, 503, "store_unavailable")["detail"]
        assert str(tmp_path) not in detail
        assert reply.headers["Retry-After"] == "5"
    assert str(tmp_path / "store") in rest.log


def test_a_server_without_room_says_so(new_server):
    """A limit on the size of files stands for a full disk."""
    rest = new_server()
    resource.prlimit(rest.process.pid, resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    reply = rest.post("/uploads", files={"file": ("dem.tif", b"II*\0" + b"x" * (4 << 20))})
    assert "no room" in problem(reply, 503, "service_unavailable")["detail"]
    assert reply.headers["Retry-After"] == "60"
    assert rest.get("/health").status_code == 200


def test_tokens_in_addresses_stay_out_of_the_log(rest):
    requests.get(f"{rest.api}/layouts?token={TOKEN}&limit=0", timeout=10)
    requests.post(f"{rest.api}/layouts?token={TOKEN}", timeout=10)
    assert TOKEN not in rest.log


def test_the_rate_is_limited(new_server):
    rest = new_server(PACIFICO_SERVER_RATE="1")
    replies = [rest.get("/health") for _ in range(8)]
    assert [r.status_code for r in replies].count(200) in (5, 6, 7)
    last = replies[-1]
    problem(last, 429, "rate_limited")
    assert int(last.headers["Retry-After"]) >= 1


def test_hostile_paths(rest):
    host = urlsplit(rest.base).netloc
    for path in (
        "/layouts/%00",
        "/sites/..%2f..%2fetc",
        "/sites/%ff%fe",
        "/layouts/" + "a" * 5000,
        "/sites/" + "%41" * 400,
    ):
        line = http.client.HTTPConnection(host, timeout=10)
        line.request("GET", "/pacifico/api" + path, headers={"Authorization": f"token {TOKEN}"})
        reply = line.getresponse()
        assert reply.status in (400, 404, 414), path
        assert b"etc/passwd" not in reply.read()
        line.close()
