"""Operations guard their methods."""

from __future__ import annotations

from pacifico.server.api.documents import DocumentHandler
from pacifico.server.api.routes import ROUTES
from pacifico.server.http.operations import operation, operation_of

METHODS = ("get", "post", "put", "patch", "delete")


def test_a_method_carries_what_it_does():
    @operation(summary="Say it.", tag="health")
    async def get(self):
        """Answer."""

    assert operation_of(get).summary == "Say it."
    assert operation_of(len) is None


def test_every_method_of_every_route_is_an_operation():
    for handler in {route.handler for route in ROUTES} | {DocumentHandler}:
        own = [
            getattr(handler, m) for m in METHODS if getattr(handler, m).__qualname__.split(".")[0] != "RequestHandler"
        ]
        assert own
        assert all(operation_of(method) is not None for method in own), handler
