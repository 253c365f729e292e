"""The OpenAPI 3.1 document, made from routes, operations and models."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from pydantic.json_schema import models_json_schema

from pacifico._version import __version__
from pacifico.server.api.files import FORMATS
from pacifico.server.api.routes import PARAMETERS, ROUTES
from pacifico.server.http.operations import JSON, operation_of
from pacifico.server.http.problems import MEDIA_TYPE, Problem
from pacifico.server.models.replies import Accepted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from pacifico.server.api.routes import Route
    from pacifico.server.http.operations import Operation

#: Statuses of errors that every operation may return.
EVERYWHERE = (400, 401, 403, 404, 408, 413, 422, 429, 500, 503)
_METHODS = ("get", "post", "patch", "delete")
#: Answers that name a site or a layout: the parameter that takes it, and where it is in the body.
_NAMED = {
    "SiteAdded": ("site_id", "/site_id"),
    "Layout": ("layout_id", "/layout_id"),
    "Variants": ("layout_id", "/variants/0/layout_id"),
}
_REF = "#/components/schemas/{model}"
_HEADERS = {
    "If-None-Match": "ETag of the answer before; the same one answers 304.",
    "If-Match": "ETag of the layout as it was read; another one answers 412.",
    "Prefer": "`respond-async` answers 202 at once; `wait=N` waits although PACIFICO_ASYNC is set.",
    "Idempotency-Key": "Requests with the same key are one layout; another body with that key is refused (409).",
    "Last-Event-ID": "`id` of the last event that was received; browsers send it when they connect again.",
}
_TAGS = {
    "sites": "Boundaries and other uploads",
    "terrain": "Ground of a site",
    "layouts": "Generate and follow layouts",
    "edits": "Changes by hand",
    "files": "Files, exports and rules",
    "catalog": "Profiles and rules",
    "health": "Whether the server works",
}


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1 document of the API. Its server is relative to the address of the document itself."""
    operations = list(_operations())
    models = {m for _, _, o in operations for m in (o.body, o.query, o.reply) if m is not None} | {Problem, Accepted}
    ordered = sorted(models, key=lambda m: m.__name__)
    modes: list[tuple[Any, Literal["validation", "serialization"]]] = [
        (m, "serialization" if m.__module__.endswith("replies") else "validation") for m in ordered
    ]
    refs, definitions = models_json_schema(modes, ref_template=_REF)
    schemas = definitions.get("$defs", {})
    named: dict[type[BaseModel], Any] = {m: ref for (m, _), ref in refs.items()}  # type: ignore[misc]
    paths: dict[str, Any] = {}
    for route, method, about in operations:
        paths.setdefault(route.path, {})[method] = _entry(route, method, about, named, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pacifico",
            "version": __version__,
            "description": "Layouts of energy sites: upload a boundary, generate, follow, fetch and review.",
        },
        "servers": [{"url": "."}],
        "security": [{"token": []}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "UploadedFile": {"type": "string", "contentMediaType": "application/octet-stream"}},
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token T`, with a token of Jupyter or JupyterHub.",
                }
            },
        },
    }


def _operations() -> Iterator[tuple[Route, str, Operation]]:
    for route in ROUTES:
        for method in _METHODS:
            about = operation_of(getattr(route.handler, method, None))
            if about is not None:
                yield route, method, about


def _entry(
    route: Route, method: str, about: Operation, named: dict[type[BaseModel], Any], schemas: dict[str, Any]
) -> dict[str, Any]:
    """Entry of one operation.

    Parameters
    ----------
    route : Route
        Its address.
    method : str
        Its method.
    about : Operation
        What it does.
    named : dict
        References by model.
    schemas : dict
        Schemas by name.
    """
    entry: dict[str, Any] = {"operationId": _operation_id(route, method), "summary": about.summary, "tags": [about.tag]}
    parameters = [*_in_path(route), *_in_query(about, named, schemas), *_in_header(about)]
    if parameters:
        entry["parameters"] = parameters
    if about.upload:
        form = {
            "type": "object",
            "required": ["file"],
            "properties": {"file": {"$ref": "#/components/schemas/UploadedFile"}},
        }
        entry["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    elif about.body is not None:
        schema = schemas[named[about.body]["$ref"].rpartition("/")[2]]
        required = bool(schema.get("required") or schema.get("minProperties"))
        entry["requestBody"] = {"required": required, "content": {JSON: {"schema": named[about.body]}}}
    entry["responses"] = _responses(about, named)
    return entry


def _links(about: Operation) -> dict[str, Any]:
    """Operations that take the site or layout which an operation makes."""
    model = about.reply.__name__ if about.reply is not None else ""
    if model not in _NAMED or not (about.body or about.upload):
        return {}
    name, place = _NAMED[model]
    targets = [_operation_id(route, method) for route, method, _ in _operations() if f"{{{name}}}" in route.path]
    return {t: {"operationId": t, "parameters": {name: f"$response.body#{place}"}} for t in targets}


def _operation_id(route: Route, method: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", route.path).strip("_")
    return f"{method}_{words}"


def _in_path(route: Route) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", route.path)
    return [{"name": name, "in": "path", "required": True, "schema": _path_schema(name)} for name in names]


def _path_schema(name: str) -> dict[str, Any]:
    """Schema of a parameter in an address."""
    if name == "format":
        return {"type": "string", "enum": list(FORMATS)}
    return {"type": "string", "pattern": f"^{PARAMETERS[name]}$"}


def _in_query(about: Operation, named: dict[type[BaseModel], Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if about.query is None:
        return []
    schema = schemas[named[about.query]["$ref"].rpartition("/")[2]]
    found = []
    for name, field in schema.get("properties", {}).items():
        plain = {k: v for k, v in field.items() if k not in ("title", "description", "default")}
        options = [o for o in plain.pop("anyOf", []) if o != {"type": "null"}]
        plain = {**plain, **options[0]} if len(options) == 1 else ({**plain, "anyOf": options} if options else plain)
        entry = {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": plain}
        if "description" in field:
            entry["description"] = field["description"]
        found.append(entry)
    return found


def _in_header(about: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": False, "description": _HEADERS[name], "schema": _header_schema(name)}
        for name in about.headers
    ]


def _header_schema(name: str) -> dict[str, Any]:
    """Schema of a request header; preferences and tags that are not understood are ignored, as HTTP asks."""
    if name == "Idempotency-Key":
        return {"type": "string", "pattern": "^[!-~]{1,255}$"}
    return {"type": "string", "examples": ["respond-async", "wait=60"]} if name == "Prefer" else {"type": "string"}


def _responses(about: Operation, named: dict[type[BaseModel], Any]) -> dict[str, Any]:
    """Responses by status.

    Parameters
    ----------
    about : Operation
        What it does.
    named : dict
        References by model.
    """
    schema = named[about.reply] if about.reply is not None else {}
    media = JSON if about.reply is not None else about.media
    content = {media: {"schema": schema}} if about.media != "application/octet-stream" else {"*/*": {}}
    found: dict[str, Any] = {str(about.status): {"description": HTTPStatus(about.status).phrase, "content": content}}
    for status in about.also:
        found[str(status)] = {"description": HTTPStatus(status).phrase}
        if status == 202:
            accepted = named[Accepted] if about.reply is None or about.reply.__name__ == "Layout" else schema
            found[str(status)]["content"] = {JSON: {"schema": accepted}}
    if links := _links(about):
        for status in {about.status, *about.also} - {304}:
            found[str(status)]["links"] = links
    problem = {MEDIA_TYPE: {"schema": named[Problem]}}
    for status in sorted({*EVERYWHERE, *about.errors, *((415,) if about.body or about.upload else ())}):
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    for code, entry in found.items():
        if headers := _response_headers(about, int(code)):
            entry["headers"] = {name: {"description": text, "schema": {"type": "string"}} for name, text in headers}
    return found


def _response_headers(about: Operation, status: int) -> list[tuple[str, str]]:
    """Headers that a response may have, with their meaning."""
    model = about.reply.__name__ if about.reply is not None else ""
    headers = []
    if 304 in about.also and status in (200, 304):
        headers.append(("ETag", "Change tag; send it back as If-None-Match."))
    if status < 300 and (about.body or about.upload) and model in ("SiteAdded", "Layout"):
        headers.append(("Location", "Address of what was made."))
    if status == 202 and "Prefer" in about.headers:
        headers.append(("Preference-Applied", "respond-async, where the request asked for it."))
    if status in (429, 503):
        headers.append(("Retry-After", "Time to wait [s]."))
    return headers
