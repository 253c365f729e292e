"""Roads: one connected, legal network from the site entry to every asset, with turnarounds."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "assemble": ["assemble_network"],
        "design": ["RoadDesign", "design_roads", "repair_bends", "smooth_bends"],
        "network": ["route_network", "search_network"],
        "short_ends": ["extend_short_ends"],
        "shorten_arrays": ["shorten_for_bends", "shorten_for_side_slopes", "shorten_for_turnarounds"],
        "solve": ["RoadSearch", "SettledRoads", "drop_terminals", "finish_roads", "search_roads", "settle_roads"],
        "turnarounds": ["turnarounds"],
    },
)
