"""Marks on the maps of reports: scale bar, north arrow, colour bar and names."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "bars": ["colour_bar"],
        "names": ["write_names"],
        "orientation": ["beside", "metres_per_point", "nice", "nice_above", "north_arrow", "scale_bar"],
    },
)
