"""The list of routes."""

from __future__ import annotations

import re

import pytest

from pacifico.server.api.health import LiveHandler
from pacifico.server.api.routes import ROUTES, Route

ID = "0b8f5c1e-1111-4222-8333-444455556666"


def matching(path):
    return [r.path for r in ROUTES if re.fullmatch(r.pattern, f"pacifico/api{path}")]


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/layouts/generate", "/layouts/generate"),
        (f"/layouts/{ID}", "/layouts/{layout_id}"),
        (f"/layouts/{ID}/files/inputs/dem.tif", "/layouts/{layout_id}/files/{name}"),
        (f"/layouts/{ID}/assets/solar_array-0001", "/layouts/{layout_id}/assets/{asset_id}"),
        ("/sites/abc", "/sites/{site_id}"),
        ("/health", "/health"),
    ],
)
def test_an_address_has_its_route(path, route):
    assert matching(path)[0] == route


@pytest.mark.parametrize("path", ["/layouts/../x", f"/layouts/{ID}/assets/a", f"/layouts/{ID}x", "/sites/a/b", "/"])
def test_what_is_no_route(path):
    assert matching(path) == []


def test_parameters_become_groups():
    assert re.fullmatch(Route("/sites/{site_id}/x", LiveHandler).pattern, "pacifico/api/sites/a.b/x")[1] == "a.b"
