"""Processes that compute for the map, so that the kernel stays free.

`lanes` decides what runs, `worker` is one process, `child` its program, and `tasks` what it can do.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "lanes": ["Engine", "Ticket", "shared_engine"],
        "replay": ["Replay", "Replayed"],
        "worker": ["Worker"],
    },
)
