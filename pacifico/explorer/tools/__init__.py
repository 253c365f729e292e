"""Parts of the panel beside the map: limits, setbacks of edges, energy, rows and offers."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "buttons": ["PanelButtons"],
        "downloads": ["links_of"],
        "edges": ["EdgeSetbacks"],
        "energy": ["EnergyNote"],
        "limits": ["LimitControls"],
        "offers": ["Offers"],
        "racking": ["RowsAndGrading"],
    },
)
