"""Placement: where assets stand, before pads and roads."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "context": ["PlacementContext"],
        "draft": ["Draft", "capacity_of"],
        "place_plant": ["PlantRequest", "draft_layout"],
        "seed_area": ["SeedArea"],
        "strip_packing": ["StripPacking", "pack_strips"],
        "strips": ["Slots", "StripPattern"],
    },
)
