"""The command line: one module for each command; `main.main` parses, runs and returns the exit status."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["main"])
