"""Addresses of the named sources, and how long to wait for servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from pacifico.terrain.remote.cache import FolderCache
from pacifico.terrain.remote.s3 import endpoint_from
from pacifico.terrain.sources import NAMED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.terrain.remote.cache import Cache


def _user_cache() -> Cache | None:
    """Cache in the user's folder; None for a user without a home."""
    try:
        folder = Path(platformdirs.user_cache_dir("pacifico"))
    except RuntimeError:
        return None
    return FolderCache(folder / "terrain") if folder.is_absolute() else None


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Addresses of the named sources, timeouts, retries and the cache."""

    urls: Mapping[str, str] = field(default_factory=lambda: {name: source.url for name, source in NAMED.items()})
    """Address of each named source."""
    s3_endpoint: str | None = None
    """Server of s3:// addresses; None for AWS."""
    timeout_s: float = 30.0
    """Timeout of one request [s]."""
    retries: int = 3
    """Further tries after a temporary failure (5xx, 429, reset, timeout)."""
    backoff_s: float = 1.0
    """Pause before the first further try [s]; it doubles with each."""
    cache: Cache | None = field(default_factory=_user_cache)
    """Windows read before; None for no cache."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> SourceSettings:
        """Settings from environment variables.

        Parameters
        ----------
        environ : mapping
            PACIFICO_3DEP_URL, PACIFICO_3DEP30_URL and PACIFICO_GLO30_URL are addresses of the named sources.
            PACIFICO_DEM_CACHE is the folder of the cache, or empty for none. AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is the
            server of s3:// addresses if it is not AWS.
        """
        given: dict[str, Any] = {"s3_endpoint": endpoint_from(environ)}
        variables = {name: environ.get(source.url_variable) for name, source in NAMED.items()}
        given["urls"] = {name: (variables[name] or source.url).rstrip("/") for name, source in NAMED.items()}
        if "PACIFICO_DEM_CACHE" in environ:
            folder = environ["PACIFICO_DEM_CACHE"]
            given["cache"] = FolderCache(Path(folder)) if folder else None
        return cls(**given)
