"""Start page of the app: drop a boundary, choose the elevation, get the map."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "page": ["StartPage", "start_page"],
        "uploads": ["uploaded_dem", "uploaded_site"],
        "visit": ["begin_visit"],
    },
)
