"""Analysis of finished plans: costs, energy, compliance, stations and mass haul."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cell_reasons": ["buildable_cells", "cell_reasons_of"],
        "compliance": ["Facts", "Finding", "evaluate", "facts_of"],
        "compliance_facts": ["facts_of_layout"],
        "costs": ["bill"],
        "energy": ["ArrayYield", "Energy", "annual_energy"],
        "headline": ["placed_kw", "stored_headline"],
        "land_use": ["land_use_of"],
        "levers": ["solve_levers"],
        "mass_haul": ["Haul", "MassHaul"],
        "rule_packs": ["Pack", "Rule", "read_pack", "shipped_packs"],
        "solar_part": ["PlantRows", "SolarPart", "solar_part"],
        "stationing": ["Station", "stations", "stations_along"],
        "weather": ["Weather", "clear_sky", "read_weather"],
    },
)
