"""The OpenAPI document."""

from __future__ import annotations

import json

from pacifico.server.api.openapi import document
from pacifico.server.api.routes import ROUTES


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_route_is_in_it_and_every_reference_resolves():
    found = document()
    assert found["openapi"] == "3.1.0"
    assert set(found["paths"]) == {route.path for route in ROUTES}
    schemas = found["components"]["schemas"]
    assert {ref.rpartition("/")[2] for ref in references(found)} <= set(schemas)


def test_operations_have_names_of_their_own_and_declare_problems():
    operations = [o for path in document()["paths"].values() for o in path.values()]
    assert len({o["operationId"] for o in operations}) == len(operations)
    for one in operations:
        assert one["responses"]["404"]["content"].keys() == {"application/problem+json"}
        assert any(status.startswith("2") for status in one["responses"])


def test_what_is_made_leads_to_all_that_takes_it():
    paths = document()["paths"]
    known = {o["operationId"]: path for path, entry in paths.items() for o in entry.values()}
    for made, status, name in (("/sites/upload", "201", "site_id"), ("/layouts/generate", "202", "layout_id")):
        links = paths[made]["post"]["responses"][status]["links"]
        assert set(links) == {operation for operation, path in known.items() if f"{{{name}}}" in path}


def test_it_is_plain_json():
    assert json.loads(json.dumps(document())) == document()
