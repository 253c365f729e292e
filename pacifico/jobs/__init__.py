"""Requests, store, queue and client of asynchronous jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pacifico.jobs.client import JobClient as JobClient
    from pacifico.jobs.request import JobRequest as JobRequest
    from pacifico.jobs.settings import Settings as Settings
    from pacifico.jobs.status import Status as Status

_HOMES = {
    "JobClient": "pacifico.jobs.client",
    "JobRequest": "pacifico.jobs.request",
    "Settings": "pacifico.jobs.settings",
    "Status": "pacifico.jobs.status",
}

__all__ = [*_HOMES]  # noqa: PLE0604 (the names above)


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pacifico.jobs' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
