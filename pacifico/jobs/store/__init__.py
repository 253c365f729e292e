"""Stores: a local folder or an S3 bucket behind one protocol."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "base": ["ExistsError", "NotFoundError", "PermissionDeniedError", "Store", "StoreError", "SwapRefusedError"],
        "open": ["open_store"],
    },
)
