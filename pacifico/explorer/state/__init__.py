"""State of the explorer without widgets: the document on the map, its history and its file."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "document": ["Document", "DrawnZone", "EditStep"],
        "history": ["History"],
        "overrides": ["Overrides"],
        "session": ["Session"],
        "zone_text": ["parse_place", "parse_zones"],
    },
)
