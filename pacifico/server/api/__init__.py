"""Handlers of the REST routes, and the document that describes them."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "openapi": ["document"],
        "routes": ["ROUTES", "Route"],
    },
)
