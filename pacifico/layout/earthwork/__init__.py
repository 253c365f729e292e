"""Earthwork: balanced pads, road corridors, their volumes and how certain these are."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "corridors": ["corridor_volumes", "corridors"],
        "criteria": ["EarthworkCriteria", "earthwork_criteria"],
        "cut_fill_raster": ["cut_fill", "cut_fill_raster", "write_cut_fill"],
        "pads": ["balanced_pad", "balanced_pads", "daylight", "graded_pads", "pad_volumes"],
        "uncertainty": ["EarthworkInterval", "earthwork_interval", "volumes_under_errors"],
    },
)
