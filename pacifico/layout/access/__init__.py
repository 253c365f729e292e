"""Access: connect a draft to roads, fill gaps beside them, and trim to the target."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "backfill": ["backfill"],
        "connect": ["RoadSearchOptions", "ServedLayout", "connect_roads"],
        "power_blocks": ["incomplete_blocks"],
        "repack": ["repack"],
        "road_reserves": ["approach_strips", "enclosed_items", "exit_strips"],
        "shortening": ["remove_units", "shorten_items"],
        "trim_to_target": ["spare_kw", "trim_to_target"],
    },
)
