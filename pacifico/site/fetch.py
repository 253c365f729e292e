"""JSON from web services: with patience for passing faults, and limits on time, size and where a redirect may lead."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import requests
import urllib3

from pacifico.errors import InputError, OutsideServiceError
from pacifico.site.features import MAX_TEXT_BYTES, clean_name

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""States that are worth another try, in HTTP and inside ArcGIS errors alike."""
MAX_REDIRECTS = 5
LONGEST_PAUSE_S = 30.0
_CHUNK = 65_536
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FetchSettings:
    """How patient to be, and how much to take."""

    timeout_s: float = 30.0
    """Longest silence of a server."""
    total_s: float = 180.0
    """For all pages of a layer together."""
    retries: int = 3
    """Further tries of a request that failed in passing (5xx, 429, reset, timeout)."""
    backoff_s: float = 1.0
    """Pause before the first further try; it doubles with each, and is longer where the server asks for it."""
    max_bytes: int = MAX_TEXT_BYTES
    """For all pages together."""
    page_size: int = 1000
    """Features asked for at a time; a server may give fewer."""


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    document: dict[str, Any]
    data: bytes
    headers: Mapping[str, str]
    url: str
    """Asked for, without redirects."""


class PassingError(Exception):
    """A fault that another try may not meet."""

    def __init__(self, words: str, *, after_s: float = 0.0) -> None:
        super().__init__(words)
        self.after_s = after_s


class NotThereError(OutsideServiceError):
    """The server answers, and has nothing at this address (404, 410)."""


@dataclass
class Fetcher:
    """One layer's requests, counted together."""

    settings: FetchSettings
    _session: requests.Session = field(default_factory=requests.Session)
    _bytes: int = 0
    _started: float = field(default_factory=time.monotonic)

    def get(self, url: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """JSON object at an address.

        Raises
        ------
        OutsideServiceError
            Where the server does not answer in time even after the retries, refuses, or says no JSON object; past a limit.
        """
        asked = _with(url, parameters or {})
        for attempt in range(self.settings.retries + 1):
            try:
                return self._ask(asked)
            except PassingError as error:
                self.passed(error, attempt, url)
        raise AssertionError  # the last `passed` raises

    def passed(self, error: PassingError, attempt: int, url: str) -> None:
        """Pause after a passing fault, or give up after the last try.

        Raises
        ------
        OutsideServiceError
            After the last try, and where there is no time for another.
        """
        tries = self.settings.retries + 1
        _log.warning("%s: try %d of %d: %s", shown(url), attempt + 1, tries, error)
        if attempt + 1 == tries:
            raise OutsideServiceError(
                f"{shown(url)}: no answer after {tries} tries: {error}; try again later, or download the layer and give "
                "the file"
            )
        pause = min(max(self.settings.backoff_s * 2**attempt, error.after_s), LONGEST_PAUSE_S)
        if self._left() <= pause:
            raise self._late(url)
        time.sleep(pause)

    def _left(self) -> float:
        return self.settings.total_s - (time.monotonic() - self._started)

    def _late(self, url: str) -> OutsideServiceError:
        return OutsideServiceError(
            f"{shown(url)}: not done after {self.settings.total_s:g} s, the limit; try again later, or download the layer "
            "and give the file"
        )

    def _ask(self, asked: str) -> Answer:
        url = asked
        try:
            for _ in range(MAX_REDIRECTS + 1):
                wait = max(min(self.settings.timeout_s, self._left()), 0.1)
                with self._session.get(
                    url,
                    timeout=wait,
                    stream=True,
                    allow_redirects=False,
                    headers={"Accept": "application/geo+json, application/json", "User-Agent": "pacifico"},
                ) as answer:
                    if answer.is_redirect:
                        url = _redirected(url, answer.headers["location"])
                        continue
                    _require_success(answer, asked)
                    data = self._body(answer, asked)
                    return Answer(_object(data, answer, asked), data, dict(answer.headers), asked)
        except requests.exceptions.InvalidURL as error:
            raise InputError(f"{shown(asked)} is no web address ({clean_name(str(error))}); check it") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if isinstance(error, OutsideServiceError):
                raise
            raise PassingError(_network_words(error)) from error
        raise OutsideServiceError(f"{shown(asked)}: more than {MAX_REDIRECTS} redirects; check the address")

    def _body(self, answer: requests.Response, asked: str) -> bytes:
        parts: list[bytes] = []
        # what has come, not a whole chunk: a server that drips is not to hold us past the limit
        while part := answer.raw.read1(_CHUNK, decode_content=True):
            self._bytes += len(part)
            if self._bytes > self.settings.max_bytes:
                raise OutsideServiceError(
                    f"{shown(asked)}: more than {self.settings.max_bytes / 1e6:.0f} MB near the site, the limit; cut the layer "
                    "down, and give the file"
                )
            if self._left() <= 0:
                raise self._late(asked)
            parts.append(part)
        return b"".join(parts)


def _with(url: str, parameters: Mapping[str, str]) -> str:
    """Address with more parameters; those that it has already stay."""
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode(parameters)]))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    if urlsplit(target).scheme not in {"http", "https"} or (
        urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https"
    ):
        raise OutsideServiceError(
            f"{shown(url)}: redirects to {shown(target)}, which is not followed; give the address it means"
        )
    return target


def _require_success(answer: requests.Response, asked: str) -> None:
    status, words = answer.status_code, f"it answers {answer.status_code} {clean_name(answer.reason or '')}".rstrip()
    if status in PASSING:
        after = answer.headers.get("Retry-After", "")
        raise PassingError(words, after_s=float(after) if after.isdecimal() and len(after) < 6 else 0.0)
    if status in {404, 410}:
        raise NotThereError(f"{shown(asked)}: {words}; check the address of the layer")
    if status in {401, 403}:
        raise OutsideServiceError(
            f"{shown(asked)}: {words}; the layer is not open to all: download it with your access, and give the file"
        )
    if status != 200:
        raise OutsideServiceError(
            f"{shown(asked)}: {words}; check the address, or download the layer and give the file"
        )


def _object(data: bytes, answer: requests.Response, asked: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        kind = clean_name(answer.headers.get("Content-Type", "")).partition(";")[0] or "no type"
        cut = "an answer cut short" if data.lstrip()[:1] in {b"{", b"["} else f"{kind}, not JSON"
        raise OutsideServiceError(
            f"{shown(asked)}: it gives {cut}; check that this is the address of a layer, or download it and give the file"
        ) from None
    if not isinstance(document, dict):
        raise OutsideServiceError(
            f"{shown(asked)}: it gives a JSON {type(document).__name__}, not an object; check the address"
        )
    return document


def _network_words(error: Exception) -> str:
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in str(error).lower():
        return "it timed out"
    return clean_name(str(error))[:150] or type(error).__name__


def shown(url: str) -> str:
    """Address as messages and manifests show it: no user, no password, of the query only what is no secret."""
    parts = urlsplit(url)
    try:
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        host, port = "?", ""
    kept = [p for p in parts.query.split("&") if p and p.partition("=")[0].lower() in {"where", "filter"}]
    query = f"?{'&'.join(kept)}" if kept else ""
    return clean_name(f"{parts.scheme}://{host}{port}{parts.path}{query}")[:160]
