"""Layers of web services as features: ArcGIS REST and OGC API Features."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "layers": ["ServiceLayer", "fetch_layer", "is_url"],
    },
)
