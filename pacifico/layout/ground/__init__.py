"""Ground: what is buildable, slopes under footprints, rectangles, and clearance to edges."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "buildable": ["Field", "buildable_area", "buildable_mask", "make_field", "mean_slope", "zonal"],
        "rects": ["expand_rects", "touching"],
    },
)
