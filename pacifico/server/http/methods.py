"""HTTP methods beside those of the operations: HEAD, OPTIONS, and what a route lacks."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler
from tornado import web

from pacifico.server.http.operations import operation_of

METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
"""Methods that may be operations."""
_ASKED_HEADERS = (
    "accept, authorization, content-disposition, content-type, idempotency-key, if-match, if-none-match, last-event-id, "
    "prefer, x-xsrftoken"
)
_SHOWN_HEADERS = "content-disposition, etag, location, preference-applied, retry-after"


class MethodsHandler(APIHandler):
    """Answers HEAD as GET without the body, and OPTIONS with the methods of the route."""

    SUPPORTED_METHODS = (*METHODS, "HEAD", "OPTIONS")

    @property
    def allowed_methods(self) -> list[str]:
        """Methods that the route takes, as the header Allow lists them."""
        found = [m for m in METHODS if operation_of(getattr(self, m.lower(), None))]
        if "GET" in found:
            found.insert(1, "HEAD")
        return [*found, "OPTIONS"]

    @web.authenticated
    async def head(self, *arguments: str) -> None:
        """Answer as GET does; tornado leaves the body out."""
        if "HEAD" not in self.allowed_methods:
            raise web.HTTPError(405)
        await self.get(*arguments)  # type: ignore[misc]  # an operation, as checked above

    @allow_unauthenticated
    def options(self, *arguments: Any, **named: Any) -> None:
        """List the methods; browsers ask before requests of other origins, and send no token then."""
        super().options(*arguments, **named)
        allowed = ", ".join(self.allowed_methods)
        self.set_header("Allow", allowed)
        self.set_header("Access-Control-Allow-Methods", allowed)
        if "Access-Control-Allow-Headers" not in self.settings.get("headers", {}):
            self.set_header("Access-Control-Allow-Headers", _ASKED_HEADERS)
        self.set_status(204)

    def set_cors_headers(self) -> None:
        """Allow other origins only where Jupyter's settings name them, never by a token alone."""
        if self.allow_origin or self.allow_origin_pat:
            super().set_cors_headers()
            self.set_header("Access-Control-Expose-Headers", _SHOWN_HEADERS)
            self.add_header("Vary", "Origin")
