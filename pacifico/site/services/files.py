"""Fetch one file from the web."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pacifico.errors import InputError
from pacifico.site.features import MAX_FILE_BYTES, clean_name
from pacifico.site.services.addresses import display_url
from pacifico.site.services.fetch import Fetcher, FetchSettings


@dataclass(frozen=True)
class WebFile:
    """A file from the web."""

    data: bytes
    name: str
    """Last part of its address, as a safe file name."""
    url: str
    """Without secrets."""


def fetch_file(url: str, *, settings: FetchSettings | None = None) -> WebFile:
    """File at an address.

    Parameters
    ----------
    url : str
        Address, http or https. Redirects within its host or to public hosts are followed.
    settings : FetchSettings, optional
        Limits on time, tries and size; by default 64 MB in 180 s.

    Returns
    -------
    WebFile
        Its bytes, whatever they hold.

    Raises
    ------
    InputError
        For text that is no web address.
    OutsideServiceError
        Where the server fails, refuses, or gives more than the limit.

    Examples
    --------
    >>> fetch_file("https://example.com/site.kml").name  # doctest: +SKIP
    'site.kml'
    """
    try:
        path = urlsplit(url).path
    except ValueError as error:
        raise InputError(f"{clean_name(url)[:160]} is not a web address ({error}); check it") from None
    body = Fetcher(settings or FetchSettings(max_bytes=MAX_FILE_BYTES)).fetch(url)
    name = re.sub(r"[^\w.-]", "_", PurePosixPath(unquote(path)).name).lstrip(".")[-100:]
    return WebFile(body.data, name or "site", display_url(url))
