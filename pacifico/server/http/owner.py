"""Whose request it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.jobs import keys

if TYPE_CHECKING:
    from collections.abc import Mapping


class NoOwnerError(InputError):
    """The request comes from nobody who can own layouts."""


def owner_of(user: Any, default: str, environ: Mapping[str, str] | None = None) -> str:
    """Name of the owner of a request.

    Under JupyterHub the hub's user counts. Elsewhere it is PACIFICO_OWNER, by default the login name: the identity that
    Jupyter gives to a request with a token is a new one each time.

    Parameters
    ----------
    user : object
        The authenticated user, as Jupyter's identity provider returned it.
    default : str
        PACIFICO_OWNER.
    environ : mapping, optional
        Variables that show whether JupyterHub started the server.

    Raises
    ------
    NoOwnerError
        Under JupyterHub, the request is a service's or of an unknown user.
    """
    env = os.environ if environ is None else environ
    if "JUPYTERHUB_SERVICE_PREFIX" not in env:
        return default
    about = user if isinstance(user, dict) else getattr(user, "hub_user", None)
    name = about.get("name") if isinstance(about, dict) else None
    if not isinstance(name, str) or not name or about.get("kind", "user") != "user":  # type: ignore[union-attr]
        raise NoOwnerError("this token belongs to no user of JupyterHub; use a user's token")
    keys.encode(name)
    return name
