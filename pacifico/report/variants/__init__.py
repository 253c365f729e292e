"""Lay out one site by every strategy, and compare the layouts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "generate": ["generate_variants"],
        "measure": ["MEASURES", "Best", "Measure"],
        "result": ["Variants"],
        "sweep": ["Sweep", "SweepPoint", "sweep_design"],
        "sweep_output": ["sweep_figure", "write_sweep"],
    },
)
