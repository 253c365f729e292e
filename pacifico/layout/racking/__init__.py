"""Racking: rows of solar arrays, their piles and the ground graded under them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "design": ["design_racking"],
        "grading": ["Grading", "least_grading"],
        "grading_problem": ["GradingProblem", "grading_problem"],
        "lattice": ["GradingLattice", "KeepOff"],
        "piles": ["excess_m", "tube_heights"],
        "rows": ["ArrayRows", "Rows", "array_rows", "make_rows", "rows_by_azimuth"],
    },
)
