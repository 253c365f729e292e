"""Grade lines: final heights of roads, with vertical curves and least earthwork."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "through_roads": ["ThroughRoad", "RoadNodes", "make_through_roads", "make_nodes"],
        "side_slopes": ["ToeLimits", "cut_off_length", "side_slope_lines", "slope_reach", "toe_limits"],
        "vertical_curves": ["Level", "ProfileLimits", "SmoothProfile", "smooth_profile"],
    },
)
