"""Alignment: drivable horizontal curves, and grade lines with least earthwork."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "branches": ["Branches"],
        "curve_repair": ["repair_curves"],
        "drivable_curves": ["Curve", "CurveLimits", "drivable_curve"],
        "height_ranges": ["HeightRanges"],
        "horizontal": ["draw_alignment"],
        "pruning": ["TightPlace", "illegal_places", "pruned", "tight_places"],
        "smoothing": ["FrozenAreas", "smooth", "tight_bends", "tight_turns"],
        "vertical": ["GradeLine", "Pin", "Stations", "design_heights", "stations_of"],
    },
)
