"""Search: candidate layouts, compared and improved by local search."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "candidates": ["Candidate", "evaluate_candidates"],
        "local_search": ["local_search"],
        "objectives": ["OBJECTIVES", "Objective", "objective_value"],
        "problem": ["DesignProblem"],
        "select": ["best_layout", "best_of"],
    },
)
