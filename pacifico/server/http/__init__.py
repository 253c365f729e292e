"""Foundations of the handlers: owner, errors, bodies, limits, documentation."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "handler": ["ApiHandler"],
        "operations": ["Operation", "operation"],
        "problems": ["Problem", "problem_of"],
    },
)
