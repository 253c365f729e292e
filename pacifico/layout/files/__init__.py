"""Files: write layout.geojson, and read and check stored layouts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "geojson": ["KINDS", "schema", "text", "write"],
        "stored": ["StoredFeature", "StoredLayout", "columns", "read_layout"],
        "versions": ["READ_VERSIONS", "SCHEMA_VERSION", "upgraded"],
    },
)
