"""Read windows of remote rasters by ranges, with a cache."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pacifico.errors import OutsideServiceError
from pacifico.terrain.raster.addresses import display_name, host_of, redacted
from pacifico.terrain.raster.read import read_window
from pacifico.terrain.remote.cache import pack, unpack
from pacifico.terrain.remote.retry import TemporaryError, with_retries
from pacifico.terrain.remote.s3 import SCHEME, gdal_options, gdal_path, refusal

if TYPE_CHECKING:
    from pacifico.terrain.raster.read import ReadRequest
    from pacifico.terrain.raster.window import RasterWindow
    from pacifico.terrain.remote.settings import SourceSettings


def read_remote(
    urls: list[str], states: list[str], request: ReadRequest, settings: SourceSettings
) -> list[RasterWindow]:
    """Windows of remote rasters, cached by their states.

    Parameters
    ----------
    urls : list of str
        Addresses.
    states : list of str
        States of the files; see `etag`.
    request : ReadRequest
        What to read.
    settings : SourceSettings
        Retries and cache.

    Raises
    ------
    DEMError
        A file is no elevation raster, or does not meet the bounds.
    OutsideServiceError
        A read fails after all tries.
    """
    windows = []
    for url, state in zip(urls, states, strict=True):
        cache = settings.cache if state.strip() else None
        key = _key(url, state, request)
        stored = cache.get(key) if cache is not None else None
        window = unpack(stored) if stored is not None else None
        if window is None:
            window = _read(url, request, settings)
            if cache is not None:
                cache.put(key, pack(window))
        windows.append(window)
    return windows


def _read(url: str, request: ReadRequest, settings: SourceSettings) -> RasterWindow:
    """Window of one remote raster, with retries."""
    in_s3 = url.lower().startswith(SCHEME)
    path = gdal_path(url) if in_s3 else f"/vsicurl/{url}"
    host = f"/vsicurl/{urlsplit(url).scheme}://{host_of(url)}"
    env = {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_HTTP_TIMEOUT": f"{settings.timeout_s:g}",
        "GDAL_HTTP_CONNECTTIMEOUT": f"{settings.timeout_s:g}",
        "GDAL_HTTP_MAX_RETRY": "0",  # tries are counted in `with_retries`, for opening and reading alike
        "CPL_VSIL_CURL_NON_CACHED": host,  # else a file that was missed once stays missing
        "CPL_VSIL_CURL_USE_HEAD": "NO",  # some servers answer GET only; the size comes with the first range
        "VRT_SHARED_SOURCE": "0",
        **(gdal_options(url, settings.s3_endpoint) if in_s3 else {}),
    }

    def ask() -> RasterWindow:
        try:
            return read_window(path, request, env=env)
        except OutsideServiceError as error:
            reason = str(error).partition(": ")[2] or str(error)
            lasting = refusal(reason) if in_s3 else None
            if lasting is not None:
                raise OutsideServiceError(f"{display_name(url)} in s3://{host_of(url)}: {lasting}") from error
            raise TemporaryError(reason) from error

    return with_retries(ask, url, settings)


def _key(url: str, state: str, request: ReadRequest) -> str:
    """Key of a window in the cache."""
    place = [round(value, 3) for value in (*request.bounds, request.finest_m)]
    text = json.dumps([redacted(url), state, place, request.crs.to_wkt()])
    return hashlib.sha256(text.encode()).hexdigest()
