"""Runs a job's notebook in processes of its own: staging, environment, limits."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "runner": ["NotebookRunner"],
        "processes": ["ProcessSpawner"],
        "staging": ["check_dem", "stage"],
    },
)
