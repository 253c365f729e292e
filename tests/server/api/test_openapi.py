"""The OpenAPI document."""

from __future__ import annotations

import json

import jsonschema
import openapi_spec_validator

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


def test_it_is_valid_openapi():
    openapi_spec_validator.validate(document())


def test_examples_fit_their_models():
    schemas = document()["components"]["schemas"]
    found = 0
    for schema in schemas.values():
        for example in schema.get("examples", []):
            jsonschema.Draft202012Validator({**schema, "components": {"schemas": schemas}}).validate(example)
            found += 1
    assert found


def test_statuses_that_bodies_and_processes_cause_are_declared():
    """A body may have the wrong media type; a computation may take too long."""
    computed = ("terrain", "contours", "buildable", "compliance", "export", "generate", "recompute", "assets", "upload")
    for path, entry in document()["paths"].items():
        for one in entry.values():
            if "requestBody" in one:
                assert "415" in one["responses"], path
            if any(word in path.split("/") for word in computed):
                assert "504" in one["responses"], path
    assert "504" in document()["paths"]["/layouts/{layout_id}"]["get"]["responses"]


def test_it_is_plain_json():
    assert json.loads(json.dumps(document())) == document()
