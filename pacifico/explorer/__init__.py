"""The interactive map in JupyterLab.

Names are imported when first used: the map's libraries belong to the `lab` extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pacifico.explorer.map import Explorer as Explorer
    from pacifico.explorer.map import explore as explore

__all__ = ["Explorer", "explore"]


def __getattr__(name: str) -> object:
    """Import the map when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'pacifico.explorer' has no attribute {name!r}")
    from pacifico.explorer import map as home  # noqa: PLC0415

    return getattr(home, name)
