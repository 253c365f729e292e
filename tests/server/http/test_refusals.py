"""Refusals name the cause and what to do."""

from __future__ import annotations

import pytest
import requests
from fixtures.raw_http import TOKEN
from tornado import web

from pacifico.server.http.refusals import detail_of, unauthorized

EVIL = "https://evil.example"


@pytest.fixture
def browser(rest):
    session = requests.Session()
    session.get(f"{rest.base}/?token={TOKEN}", timeout=10)
    return session


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Origin": EVIL}, "the origin 'https://evil.example' is not allowed; name it in ServerApp.allow_origin"),
        ({"Host": "evil.example"}, "the host 'evil.example' is not this server's"),
        ({}, "the XSRF token is missing or wrong"),
        ({"X-XSRFToken": "wrong"}, "the XSRF token is missing or wrong"),
    ],
)
def test_the_cause_of_a_refusal_is_said(rest, browser, headers, words):
    place = "00000000-0000-4000-8000-000000000000"
    reply = browser.post(f"{rest.api}/layouts/{place}/cancel", headers=headers, timeout=10)
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")
    assert words in reply.json()["detail"]
    page = browser.post(f"{rest.base}/pacifico/reports/{place}/cancel", headers=headers, timeout=10)
    assert page.status_code == 403
    assert words.partition("'")[0] in page.text


def test_a_token_is_not_sent_to_another_host_in_vain(rest):
    assert rest.get("/layouts", headers={"Host": "evil.example"}).status_code == 403


def test_no_detail_is_empty():
    assert "Authorization" in str(unauthorized())
    assert detail_of(web.HTTPError(403)) == "this user is not allowed to do that"
    assert detail_of(web.HTTPError(400, "a %s", "b%20c")) == "a b c"
