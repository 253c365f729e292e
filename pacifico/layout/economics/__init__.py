"""Economics: what each unit of a plant costs in civil works, and which are worth it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "civil_costs": ["CivilWorks", "civil_works"],
        "leave_out": ["leave_out"],
        "needs": ["cable_needs", "road_needs"],
        "removal_order": ["Removal", "removal_order"],
        "units": ["PlantUnit", "plant_units"],
    },
)
