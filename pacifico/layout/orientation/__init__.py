"""Orientation: layouts whose rows run along an azimuth are laid out in a turned frame."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "frame": ["TurnedFrame", "frame_of"],
        "ground": ["turned_dem"],
        "plans": ["PlanTurner", "turner_of"],
        "site": ["restored_spec", "turned_site", "turned_spec"],
    },
)
