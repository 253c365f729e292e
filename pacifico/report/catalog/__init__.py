"""Catalog of stored reports: a STAC catalog for GIS, and a page of cards for browsers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "gallery": ["gallery_page"],
        "reports": ["CatalogEntry", "read_entries"],
        "stac": ["write_catalog"],
    },
)
