"""Fetch JSON and files from web services, with retries and limits."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from pacifico.errors import InputError, OutsideServiceError
from pacifico.site.features import MAX_TEXT_BYTES, clean_name
from pacifico.site.services.addresses import Target, display_url, redirect_target

if TYPE_CHECKING:
    from collections.abc import Mapping

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes after which to try again, in HTTP and inside ArcGIS errors alike."""
MAX_REDIRECTS = 5
"""Most redirects of one request."""
MAX_PAUSE_S = 30.0
"""Longest pause before another try [s]."""
_CHUNK = 65_536
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FetchSettings:
    """Limits on time, tries and size."""

    timeout_s: float = 30.0
    """Longest silence of a server [s]."""
    total_s: float = 180.0
    """Time for all pages of a layer together [s]."""
    retries: int = 3
    """Further tries after a transient failure (5xx, 429, reset, timeout)."""
    backoff_s: float = 1.0
    """Pause before the first further try [s]; it doubles each time, and is longer where the server asks for it."""
    max_bytes: int = MAX_TEXT_BYTES
    """Size of all pages together."""
    page_size: int = 1000
    """Features asked for at a time; a server may give fewer."""


@dataclass(frozen=True)
class Body:
    """Bytes that a server answers."""

    data: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """JSON answer of a server."""

    document: dict[str, Any]
    headers: Mapping[str, str]
    url: str
    """Requested address, before redirects."""


class TransientError(Exception):
    """A failure that another try may avoid."""

    def __init__(self, reason: str, *, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.after_s = after_s


class NotFoundError(OutsideServiceError):
    """The server has nothing at this address (404, 410)."""


class BadRequestError(OutsideServiceError):
    """The server does not accept the request (400)."""


class _PinnedAdapter(HTTPAdapter):
    """Connection to an IP address with the certificate of its host."""

    def __init__(self, host: str) -> None:
        self._host = host
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, server_hostname=self._host, assert_hostname=self._host, **options)


@dataclass
class Fetcher:
    """Requests for one layer, with limits that they share."""

    settings: FetchSettings
    _session: requests.Session = field(default_factory=requests.Session)
    _bytes: int = 0
    _started: float = field(default_factory=time.monotonic)

    def get(self, url: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """JSON object at an address.

        Raises
        ------
        OutsideServiceError
            Where the server refuses, does not answer in time after the retries, gives no JSON object, or passes a limit.
        """
        request = _with_parameters(url, parameters or {})
        body = self.fetch(request, accept="application/geo+json, application/json")
        return Answer(_json_object(body, request), body.headers, request)

    def fetch(self, url: str, *, accept: str = "*/*") -> Body:
        """Bytes at an address.

        Parameters
        ----------
        url : str
            Where they are.
        accept : str
            Media types asked for.

        Raises
        ------
        OutsideServiceError
            Where the server refuses, does not answer in time after the retries, or passes a limit.
        """
        for attempt in range(self.settings.retries + 1):
            try:
                return self._try(url, accept)
            except TransientError as error:
                self.pause_or_give_up(error, attempt, url)
        raise AssertionError  # the last attempt gives up

    def pause_or_give_up(self, error: TransientError, attempt: int, url: str) -> None:
        """Pause before the next try.

        Raises
        ------
        OutsideServiceError
            After the last try, or where no time is left for another.
        """
        tries = self.settings.retries + 1
        _log.warning("%s: try %d of %d: %s", display_url(url), attempt + 1, tries, error)
        if attempt + 1 == tries:
            raise OutsideServiceError(
                f"{display_url(url)}: no answer after {tries} tries: {error}; try again later, or download the layer and give "
                "the file"
            )
        pause = min(max(self.settings.backoff_s * 2**attempt, error.after_s), MAX_PAUSE_S)
        if self._left() <= pause:
            raise self._timeout(url)
        time.sleep(pause)

    def _left(self) -> float:
        return self.settings.total_s - (time.monotonic() - self._started)

    def _timeout(self, url: str) -> OutsideServiceError:
        return OutsideServiceError(
            f"{display_url(url)}: not done after {self.settings.total_s:g} s, the limit; try again later, or download the "
            "layer and give the file"
        )

    def _try(self, request: str, accept: str) -> Body:
        """Bytes of one try, redirects followed."""
        target = Target(request)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                with self._open(target, accept) as response:
                    if response.is_redirect:
                        target = redirect_target(request, target.url, response.headers["location"])
                        continue
                    _require_success(response, request)
                    return Body(self._body(response, request), response.headers)
        except requests.exceptions.InvalidURL as error:
            raise InputError(
                f"{display_url(request)} is not a web address ({clean_name(str(error))}); check it"
            ) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if isinstance(error, OutsideServiceError):
                raise
            raise TransientError(_network_reason(error)) from error
        except ValueError as error:
            # requests parses the target of a redirect before it is checked.
            raise OutsideServiceError(
                f"{display_url(request)}: it redirects to an address that can't be read ({clean_name(str(error))}), which is not "
                "followed; give the address it leads to"
            ) from None
        raise OutsideServiceError(f"{display_url(request)}: more than {MAX_REDIRECTS} redirects; check the address")

    def _open(self, target: Target, accept: str) -> requests.Response:
        """Open a response at the checked address of its host."""
        headers = {"Accept": accept, "User-Agent": "pacifico"}
        if target.pinned_ip:
            parts = urlsplit(target.url)
            headers["Host"] = parts.netloc
            pinned = urlsplit(target.pinned_url)
            self._session.mount(f"{pinned.scheme}://{pinned.netloc}", _PinnedAdapter(parts.hostname or ""))
        return self._session.get(
            target.pinned_url,
            timeout=max(min(self.settings.timeout_s, self._left()), 0.1),
            stream=True,
            allow_redirects=False,
            headers=headers,
        )

    def _body(self, response: requests.Response, request: str) -> bytes:
        parts: list[bytes] = []
        # read1 returns what has come, not a whole chunk: a server that drips can't hold us past the limit.
        while part := response.raw.read1(_CHUNK, decode_content=True):
            self._bytes += len(part)
            if self._bytes > self.settings.max_bytes:
                raise OutsideServiceError(
                    f"{display_url(request)}: more than {self.settings.max_bytes / 1e6:.0f} MB, the limit; cut the "
                    "layer down, and give the file"
                )
            if self._left() <= 0:
                raise self._timeout(request)
            parts.append(part)
        return b"".join(parts)


def _with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """Address with more parameters after its own."""
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode(parameters)]))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _require_success(response: requests.Response, request: str) -> None:
    status = response.status_code
    reason = f"it answers {status} {clean_name(response.reason or '')}".rstrip()
    if status in TRANSIENT:
        after = response.headers.get("Retry-After", "")
        raise TransientError(reason, after_s=float(after) if after.isdecimal() and len(after) < 6 else 0.0)
    if status in {404, 410}:
        raise NotFoundError(f"{display_url(request)}: {reason}; check the address of the layer")
    if status in {401, 403}:
        raise OutsideServiceError(
            f"{display_url(request)}: {reason}; the layer is not public: download it with your access, and give the file"
        )
    if status != 200:
        kind = BadRequestError if status == 400 else OutsideServiceError
        raise kind(f"{display_url(request)}: {reason}; check the address, or download the layer and give the file")


def _json_object(body: Body, request: str) -> dict[str, Any]:
    try:
        document = json.loads(body.data)
    except (ValueError, RecursionError):
        kind = clean_name(body.headers.get("Content-Type", "")).partition(";")[0] or "no type"
        problem = "an answer cut short" if body.data.lstrip()[:1] in {b"{", b"["} else f"{kind}, not JSON"
        raise OutsideServiceError(
            f"{display_url(request)}: it gives {problem}; check that this is the address of a layer, or download it and give "
            "the file"
        ) from None
    if not isinstance(document, dict):
        raise OutsideServiceError(
            f"{display_url(request)}: it gives a JSON {type(document).__name__}, not an object; check the address"
        )
    return document


def _network_reason(error: Exception) -> str:
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in str(error).lower():
        return "it timed out"
    return clean_name(str(error))[:150] or type(error).__name__
