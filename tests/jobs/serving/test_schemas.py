"""The shipped JSON Schemas are those of the models."""

from __future__ import annotations

import json

import jsonschema
import pytest

from pacifico.jobs.request import JobRequest
from pacifico.jobs.serving.schemas import schema, schema_text


@pytest.mark.parametrize("name", ["request", "status"])
def test_the_shipped_schema_is_the_model(name):
    assert schema(name) == json.loads(schema_text(name))
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_a_request_fits_its_schema():
    request = JobRequest(site_id="s", owner="ann", dem="sample", target_capacity_kw=1000)
    check = jsonschema.Draft202012Validator(schema("request"))
    check.validate(json.loads(request.to_bytes()))
    assert not check.is_valid({**json.loads(request.to_bytes()), "target_capacity_kw": 1})
