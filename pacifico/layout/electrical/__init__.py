"""Electrical: collection cables on feeders, in legal trenches to the substation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cables": ["Collection", "loads_mva", "route_cables"],
        "feeders": ["Feeder", "Hop", "make_feeders"],
        "trenches": ["ShortestPaths", "TrenchGraph", "trench_graph"],
    },
)
