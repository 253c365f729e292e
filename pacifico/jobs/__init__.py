"""Jobs: requests, statuses, store, queue and client of layout runs."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["keys"],
    submod_attrs={
        "client": ["JobClient"],
        "request": ["JobRequest"],
        "settings": ["Settings"],
        "status": ["Status"],
    },
)
