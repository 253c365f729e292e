"""The document as it is served."""

from __future__ import annotations


def test_the_server_serves_it(rest):
    found = rest.get("/openapi.json").json()
    assert found["servers"] == [{"url": "/pacifico/api"}]
    assert "/layouts/generate" in found["paths"]
