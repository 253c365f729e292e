"""REST routes and review pages as an extension of Jupyter Server.

Identity, tokens, TLS and JupyterHub come from the server. A leaf: no other room imports it.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "extension": ["load"],
        "settings": ["ServerSettings"],
    },
)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Say to Jupyter Server which module to load."""
    return [{"module": "pacifico.server.extension"}]
