"""Shade of rows on rows: their geometry on the ground, backtracking, and the year's loss."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "blocks": ["ShadeBlocks"],
        "row_pairs": ["RowField", "row_fields"],
        "row_shade": ["RowLight", "row_light"],
        "table": ["shade_frame"],
    },
)
