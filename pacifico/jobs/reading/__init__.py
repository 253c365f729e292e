"""Reading jobs: lists, waiting for their end, and downloads of reports."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "fetching": ["fetch_report"],
        "listing": ["hint_rows"],
        "waiting": ["WaitTimeoutError", "wait_for_all"],
    },
)
