"""Reports: make a report folder, draw its figures and tables, compare two of them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "compare": ["Comparison"],
        "make": ["ReportOptions", "make_report"],
        "sheet": ["write_sheet"],
    },
)
