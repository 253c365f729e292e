"""Rasters on web servers and in S3, read by ranges."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"settings": ["SourceSettings"], "windows": ["read_remote"]}
)
