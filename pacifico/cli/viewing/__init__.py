"""Commands to look at results: a catalog of reports, and the explorer."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["catalog"])
