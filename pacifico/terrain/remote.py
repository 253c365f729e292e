"""Rasters on web servers: asked for their state first, then read by ranges, with patience for passing faults."""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import platformdirs

from pacifico.errors import OutsideServiceError
from pacifico.terrain import s3
from pacifico.terrain.cache import FolderCache, pack, unpack
from pacifico.terrain.raster import RasterWindow, display_name, read_window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyproj import CRS

    from pacifico.terrain.cache import Cache
    from pacifico.terrain.raster import Bounds

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP states that are worth another try."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


def _user_cache() -> Cache:
    return FolderCache(Path(platformdirs.user_cache_dir("pacifico")) / "terrain")


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Where the named sources live, and how patient to be; `from_environment` is for the edges."""

    tdep_url: str = "https://prd-tnm.s3.amazonaws.com/StagedProducts/Elevation/13/TIFF/USGS_Seamless_DEM_13.vrt"
    """3DEP of 1/3 arc-second, about 10 m."""
    tdep30_url: str = "https://prd-tnm.s3.amazonaws.com/StagedProducts/Elevation/1/TIFF/USGS_Seamless_DEM_1.vrt"
    """3DEP of 1 arc-second, about 30 m."""
    glo30_url: str = "https://copernicus-dem-30m.s3.amazonaws.com"
    """Folder of the Copernicus GLO-30 tiles."""
    s3_endpoint: str | None = None
    """Server of s3:// addresses; None for AWS."""
    timeout_s: float = 30.0
    """For one request."""
    retries: int = 3
    """Further tries after a first that failed in passing (5xx, 429, reset, timeout)."""
    backoff_s: float = 1.0
    """Pause before the first further try; it doubles with each."""
    cache: Cache | None = field(default_factory=_user_cache)
    """Windows read before; None for none."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> SourceSettings:
        """Settings with what PACIFICO_3DEP_URL, PACIFICO_3DEP30_URL, PACIFICO_GLO30_URL and PACIFICO_DEM_CACHE say.

        PACIFICO_DEM_CACHE is a folder, or empty for no cache. AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL name the server of
        s3:// addresses where it is not AWS.
        """
        given: dict[str, Any] = {"s3_endpoint": s3.endpoint_from(environ)}
        for name, variable in (
            ("tdep_url", "PACIFICO_3DEP_URL"),
            ("tdep30_url", "PACIFICO_3DEP30_URL"),
            ("glo30_url", "PACIFICO_GLO30_URL"),
        ):
            if environ.get(variable):
                given[name] = environ[variable].rstrip("/")
        if "PACIFICO_DEM_CACHE" in environ:
            folder = environ["PACIFICO_DEM_CACHE"]
            given["cache"] = FolderCache(Path(folder)) if folder else None
        return cls(**given)


def etag(url: str, settings: SourceSettings) -> str | None:
    """What tells this state of a file from another (ETag, else date and length); None where there is no such file.

    Raises
    ------
    OutsideServiceError
        Where the server refuses, or does not answer even after the retries.
    """
    if not urlsplit(url).scheme.startswith("http"):
        return ""

    def state(answer: http.client.HTTPResponse) -> str:
        headers = answer.headers
        return headers.get("ETag") or f"{headers.get('Last-Modified', '')} {headers.get('Content-Length', '')}"

    return _asked("HEAD", url, settings, state)


def fetched(url: str, state: str, settings: SourceSettings) -> bytes:
    """Content of a small file, from the cache where this very state of it was fetched before.

    Raises
    ------
    OutsideServiceError
        Where the server refuses, has no such file, or does not answer even after the retries.
    """
    cache = settings.cache if state.strip() else None
    key = hashlib.sha256(json.dumps(["whole", url.split("?", 1)[0], state]).encode()).hexdigest()
    stored = cache.get(key) if cache is not None else None
    if stored is not None:
        return stored
    content = _asked("GET", url, settings, lambda answer: answer.read())
    if content is None:
        raise OutsideServiceError(f"{display_name(url)} is gone from {urlsplit(url).hostname}; try again later")
    if cache is not None:
        cache.put(key, content)
    return content


def _asked(method: str, url: str, settings: SourceSettings, take: Callable[[http.client.HTTPResponse], T]) -> T | None:
    """What `take` makes of a server's answer; None where there is no such file."""
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "pacifico"})  # noqa: S310 (http, https)

    def ask() -> T | None:
        try:
            with urllib.request.urlopen(request, timeout=settings.timeout_s) as answer:  # noqa: S310
                return take(answer)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            if error.code in PASSING:
                raise _PassingError(f"it answers {error.code} {error.reason}") from error
            raise OutsideServiceError(
                f"{display_name(url)} at {urlsplit(url).hostname}: the server answers {error.code} {error.reason}; "
                "check the address and your access, or give a DEM file"
            ) from error
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise _PassingError(_network_words(reason)) from error

    return _patiently(ask, url, settings)


def read_remote(
    urls: list[str], etags: list[str], bounds: Bounds, crs: CRS, settings: SourceSettings
) -> list[RasterWindow]:
    """Windows of remote rasters, from the cache where these very states of them were read before.

    Raises
    ------
    DEMError
        Where a file is no elevation raster, or does not meet the bounds.
    OutsideServiceError
        Where a read fails even after the retries.
    """
    windows = []
    for url, state in zip(urls, etags, strict=True):
        key = _key(url, state, bounds, crs)
        stored = settings.cache.get(key) if settings.cache is not None and state.strip() else None
        window = unpack(stored) if stored is not None else None
        if window is None:
            window = _read(url, bounds, crs, settings)
            if settings.cache is not None and state.strip():
                settings.cache.put(key, pack(window))
        windows.append(window)
    return windows


class _PassingError(Exception):
    """A fault that another try may not meet."""


def _read(url: str, bounds: Bounds, crs: CRS, settings: SourceSettings) -> RasterWindow:
    in_s3 = url.startswith(s3.SCHEME)
    path = s3.gdal_path(url) if in_s3 else f"/vsicurl/{url}"
    host = f"/vsicurl/{urlsplit(url).scheme}://{urlsplit(url).hostname}"
    env = {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_HTTP_TIMEOUT": f"{settings.timeout_s:g}",
        "GDAL_HTTP_CONNECTTIMEOUT": f"{settings.timeout_s:g}",
        "GDAL_HTTP_MAX_RETRY": "0",  # tries are counted here, for opening and reading alike
        "CPL_VSIL_CURL_NON_CACHED": host,  # a file once missed must not stay missed
        "CPL_VSIL_CURL_USE_HEAD": "YES",
        "VRT_SHARED_SOURCE": "0",
        **(s3.gdal_options(url, settings.s3_endpoint) if in_s3 else {}),
    }

    def ask() -> RasterWindow:
        try:
            return read_window(path, bounds, crs, env=env)
        except OutsideServiceError as error:
            reason = str(error).partition(": ")[2] or str(error)
            said = s3.refusal(reason) if in_s3 else None
            if said is not None:
                raise OutsideServiceError(f"{display_name(url)} in s3://{urlsplit(url).netloc}: {said}") from error
            raise _PassingError(reason) from error

    return _patiently(ask, url, settings)


def _patiently(ask: Callable[[], T], url: str, settings: SourceSettings) -> T:
    """Answer of `ask`, tried again after passing faults."""
    said = ""
    for attempt in range(settings.retries + 1):
        if attempt:
            time.sleep(settings.backoff_s * 2 ** (attempt - 1))
        try:
            return ask()
        except _PassingError as error:
            said = str(error)
            _log.warning("%s: try %d of %d failed: %s", display_name(url), attempt + 1, settings.retries + 1, said)
    raise OutsideServiceError(
        f"{display_name(url)} at {urlsplit(url).hostname}: no answer after {settings.retries + 1} tries: {said}; "
        "try again later, or give a DEM file"
    )


def _key(url: str, state: str, bounds: Bounds, crs: CRS) -> str:
    """Name of a window in the cache: source, state of the file, place."""
    place = [round(value, 3) for value in bounds]
    text = json.dumps([url.split("?", 1)[0], state, place, crs.to_wkt()])
    return hashlib.sha256(text.encode()).hexdigest()


def _network_words(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return "it timed out"
    return " ".join(str(reason).split())[:150] or type(reason).__name__
