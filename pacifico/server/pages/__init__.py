"""Review pages: gallery, report, comparison, job table, and the page of the API."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "review": ["PAGES"],
        "rendering": ["render"],
    },
)
