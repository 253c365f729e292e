"""State and content of files on web servers."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from pacifico.errors import OutsideServiceError
from pacifico.terrain.raster.addresses import display_name, host_of, redacted
from pacifico.terrain.remote.retry import TemporaryError, with_retries

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.terrain.remote.settings import SourceSettings

TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP states after which another try may succeed."""
HEAD_REFUSED = frozenset({400, 401, 403, 405, 501})
"""HTTP states of servers that answer GET but not HEAD, such as those of signed addresses."""

T = TypeVar("T")


class _RefusedError(OutsideServiceError):
    """The server refuses a request for good."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def etag(url: str, settings: SourceSettings) -> str | None:
    """Identifier of a file's present state: ETag, or date and length.

    Returns
    -------
    str or None
        None if there is no such file; empty if the state can't be known.

    Raises
    ------
    OutsideServiceError
        The server refuses, or does not answer after all tries.
    """
    if not urlsplit(url).scheme.startswith("http"):
        return ""
    try:
        return _request("HEAD", url, settings, _state)
    except _RefusedError as error:
        if error.code not in HEAD_REFUSED:
            raise
    return _request("GET", url, settings, _state, first_byte=True)


def _state(answer: http.client.HTTPResponse) -> str:
    headers = answer.headers
    length = (headers.get("Content-Range") or "").rpartition("/")[2] or headers.get("Content-Length", "")
    return headers.get("ETag") or f"{headers.get('Last-Modified', '')} {length}"


def fetched(url: str, state: str, settings: SourceSettings) -> bytes:
    """Content of a small file, cached by its state.

    Parameters
    ----------
    url : str
        Address.
    state : str
        As `etag` returns it.
    settings : SourceSettings
        Retries and cache.

    Raises
    ------
    OutsideServiceError
        The server refuses, has no such file, or does not answer after all tries.
    """
    cache = settings.cache if state.strip() else None
    key = hashlib.sha256(json.dumps(["whole", redacted(url), state]).encode()).hexdigest()
    stored = cache.get(key) if cache is not None else None
    if stored is not None:
        return stored
    content = _request("GET", url, settings, lambda answer: answer.read())
    if content is None:
        raise OutsideServiceError(f"{display_name(url)} is gone from {host_of(url)}; try again later")
    if cache is not None:
        cache.put(key, content)
    return content


def _request(
    method: str,
    url: str,
    settings: SourceSettings,
    take: Callable[[http.client.HTTPResponse], T],
    *,
    first_byte: bool = False,
) -> T | None:
    """Part of a server's answer; None if there is no such file.

    Parameters
    ----------
    method : str
        HEAD or GET.
    url : str
        Address.
    settings : SourceSettings
        Timeout and retries.
    take : callable
        From the answer to what is returned.
    first_byte : bool
        Ask for the first byte only.
    """
    plain, headers = _without_user(url)
    if first_byte:
        headers["Range"] = "bytes=0-0"
    asked = urllib.request.Request(plain, method=method, headers=headers)  # noqa: S310 (http, https)

    def ask() -> T | None:
        try:
            with urllib.request.urlopen(asked, timeout=settings.timeout_s) as answer:  # noqa: S310
                return take(answer)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.HTTPStatus.NOT_FOUND:
                return None
            if error.code in TEMPORARY:
                raise TemporaryError(f"it answers {error.code} {error.reason}") from error
            raise _RefusedError(
                f"{display_name(url)} at {host_of(url)}: the server answers {error.code} {error.reason}; "
                "check the address and your access, or give a DEM file",
                error.code,
            ) from error
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            raise TemporaryError(_network_words(getattr(error, "reason", None) or error)) from error

    return with_retries(ask, url, settings)


def _without_user(url: str) -> tuple[str, dict[str, str]]:
    """Address without user and password, and headers that carry them instead."""
    headers = {"User-Agent": "pacifico"}
    parts = urlsplit(url)
    if parts.username is None:
        return url, headers
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode("ascii")
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), headers


def _network_words(reason: object) -> str:
    """Short reason of a network failure, without secrets."""
    if isinstance(reason, TimeoutError):
        return "it timed out"
    return redacted(" ".join(str(reason).split()))[:150] or type(reason).__name__
