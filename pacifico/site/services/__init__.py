"""Files and layers of web services: ArcGIS REST and OGC API Features."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "addresses": ["is_url"],
        "files": ["WebFile", "fetch_file"],
        "layers": ["ServiceLayer", "fetch_layer"],
    },
)
