"""What a person works with in JupyterLab: the map of a site, the progress of jobs, the gallery of reports.

Names are imported when first used: the libraries of maps and widgets belong to the `lab` extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pacifico.explorer.gallery import Gallery as Gallery
    from pacifico.explorer.map import Explorer as Explorer
    from pacifico.explorer.map import explore as explore
    from pacifico.explorer.progress import JobProgress as JobProgress
    from pacifico.explorer.submit import boundary_files as boundary_files
    from pacifico.explorer.submit import submit_sites as submit_sites

_HOMES = {
    "Explorer": "pacifico.explorer.map",
    "Gallery": "pacifico.explorer.gallery",
    "JobProgress": "pacifico.explorer.progress",
    "boundary_files": "pacifico.explorer.submit",
    "explore": "pacifico.explorer.map",
    "submit_sites": "pacifico.explorer.submit",
}

__all__ = [*_HOMES]  # noqa: PLE0604 (the names above)


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pacifico.explorer' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOMES[name]), name)
