"""JSON Schemas of a job's request and status, as they ship."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from pacifico.jobs.request import JobRequest
from pacifico.jobs.status import Status

if TYPE_CHECKING:
    from pydantic import BaseModel

SchemaName = Literal["request", "status"]

_MODELS: dict[SchemaName, type[BaseModel]] = {"request": JobRequest, "status": Status}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(name: SchemaName) -> dict[str, Any]:
    """Read a shipped JSON Schema (2020-12)."""
    text = resources.files("pacifico.jobs.serving").joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    body: dict[str, Any] = json.loads(text)
    return body


def schema_text(name: SchemaName) -> str:
    """Text of the schema file as the models define it."""
    body = {"$schema": _DIALECT, **_MODELS[name].model_json_schema()}
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"
