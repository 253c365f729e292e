"""Heavy work in processes: bounded, fair between owners, stopped with its request."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "background": ["BackgroundJobs"],
        "engine_run": ["EngineRunner"],
        "fair_slots": ["FairSlots"],
        "pool": ["Pool"],
    },
)
