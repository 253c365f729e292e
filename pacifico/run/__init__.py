"""One notebook run: staged, executed, recorded truthfully, and reproducible."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["execute", "folder", "foreign", "html", "inputs", "kernel", "manifest", "notebooks", "reproduce"],
    submod_attrs={"outcome": ["Outcome"]},
)
