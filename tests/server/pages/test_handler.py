"""What every page does."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from fixtures.raw_http import TOKEN

from pacifico.server.pages.handler import POLICY, STATIC, static_file


@pytest.fixture
def visitor(rest):
    """A browser that is logged in by a cookie."""
    session = requests.Session()
    session.get(f"{rest.base}/?token={TOKEN}", timeout=20)
    session.pages = f"{rest.base}/pacifico/reports"
    return session


def test_who_is_not_logged_in_is_sent_to_the_login(rest):
    for path in ("/pacifico/reports", "/pacifico/reports/compare?a=1&b=%2F2"):
        reply = requests.get(rest.base + path, timeout=20, allow_redirects=False)
        assert reply.status_code == 302
        login = urlsplit(reply.headers["Location"])
        assert (login.path, parse_qs(login.query)) == ("/login", {"next": [path]})


def test_short_addresses_lead_to_the_pages(rest, visitor):
    for path, page in (("/pacifico", "reports"), ("/pacifico/", "reports"), ("/pacifico/api", "api/docs"), ("/pacifico/api/", "api/docs")):  # fmt: skip
        reply = visitor.get(rest.base + path, timeout=20, allow_redirects=False)
        assert (reply.status_code, reply.headers["Location"]) == (302, f"/pacifico/{page}")


def test_no_page_allows_inline_scripts(rest, visitor):
    for path in ("", "/jobs", "/none", "/00000000-0000-4000-8000-000000000000", "/static/pages.css"):
        reply = visitor.get(visitor.pages + path, timeout=30)
        assert reply.headers["Content-Security-Policy"] == POLICY
        assert "unsafe-inline" not in reply.headers["Content-Security-Policy"]
        assert "<script>" not in reply.text
        assert "onclick" not in reply.text
        assert "style=" not in reply.text


def test_errors_are_pages_too(visitor):
    reply = visitor.get(f"{visitor.pages}/00000000-0000-4000-8000-000000000000", timeout=20)
    assert reply.status_code == 404
    assert "<h1>Not Found</h1>" in reply.text
    assert visitor.get(f"{visitor.pages}?status=<script>", timeout=20).status_code == 422


def test_a_button_needs_the_token_of_its_form(rest, visitor):
    target = f"{visitor.pages}/00000000-0000-4000-8000-000000000000/cancel"
    assert visitor.post(target, timeout=20).status_code == 403
    assert visitor.post(target, data={"_xsrf": "wrong"}, timeout=20).status_code == 403
    visitor.get(visitor.pages, timeout=20)
    token = next(c.value for c in visitor.cookies if c.name == "_xsrf")
    assert visitor.post(target, data={"_xsrf": token}, timeout=20).status_code == 404


def test_files_of_pages_are_a_fixed_list(rest, visitor):
    for name, kind in STATIC.items():
        assert visitor.get(f"{visitor.pages}/static/{name}", timeout=20).headers["Content-Type"] == kind
        assert static_file(name)
    assert visitor.get(f"{visitor.pages}/static/handler.py", timeout=20).status_code == 404
