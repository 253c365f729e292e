"""Drainage: what drains where, channels, and depth of ponding."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={"flow": ["Channels", "Drainage", "drainage", "flow_cell_m"]},
)
