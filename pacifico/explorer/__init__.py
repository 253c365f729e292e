"""Widgets for JupyterLab: site map, job progress and report gallery.

Names are imported when first used, because map and widget libraries belong to the `lab` extra.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "gallery": ["Gallery"],
        "map": ["Explorer", "explore"],
        "progress": ["JobProgress"],
        "submit": ["boundary_files", "submit_sites"],
    },
)
