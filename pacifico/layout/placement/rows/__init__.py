"""Rows: full, half and third rows that are packed together."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "column_packing": ["pack_columns"],
        "mixed_strips": ["MixedPacking", "pack_mixed"],
        "row_runs": ["RowKinds", "RowRuns"],
    },
)
