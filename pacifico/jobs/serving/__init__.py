"""Jobs for servers: calls that never wait for a run, pages of lists, deletion, schemas."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "owned": ["OwnedJobs"],
        "pages": ["LayoutFilter", "layout_page", "site_page"],
        "purge": ["purge_layout", "purge_site", "purge_upload"],
        "schemas": ["schema"],
    },
)
