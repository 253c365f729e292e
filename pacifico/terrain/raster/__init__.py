"""Rasters as GDAL reads them: addresses, windows, decimation, mosaics and resampling."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "addresses": ["display_name", "redacted"],
        "read": ["ReadRequest", "read_window"],
        "window": ["RasterWindow"],
    },
)
