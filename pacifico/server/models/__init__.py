"""What requests hold and responses return."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "bodies": ["GenerateBody", "VariantsBody"],
        "queries": ["LayoutsQuery", "TerrainQuery"],
        "replies": ["Accepted", "LayoutStatus", "SiteAdded"],
    },
)
