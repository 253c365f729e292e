"""Routing: where roads fit, what they cost, and the least-cost tree that connects the terminals."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "problem": ["HorizontalAlignment", "RoadSite", "RoutingProblem", "make_routing_problem"],
        "routing_grid": ["RoutingGrid", "make_routing_grid"],
        "shortenable": ["ShortenableObstacles"],
        "site_entry": ["SiteEntry", "cheapest_entry", "given_entry"],
        "tree_search": ["Reach", "search"],
    },
)
