"""Repeat a request after temporary failures."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from pacifico.errors import OutsideServiceError
from pacifico.terrain.raster.addresses import display_name, host_of, redacted

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.terrain.remote.settings import SourceSettings

T = TypeVar("T")
_log = logging.getLogger(__name__)


class TemporaryError(Exception):
    """Failure that may not occur again."""


def with_retries(request: Callable[[], T], url: str, settings: SourceSettings) -> T:
    """Result of a request that is repeated after temporary failures.

    Parameters
    ----------
    request : callable
        Raises TemporaryError if another try may succeed.
    url : str
        Address, for messages.
    settings : SourceSettings
        Number of tries and pauses.

    Raises
    ------
    OutsideServiceError
        All tries failed.
    """
    reason = ""
    for attempt in range(settings.retries + 1):
        if attempt:
            time.sleep(settings.backoff_s * 2 ** (attempt - 1))
        try:
            return request()
        except TemporaryError as error:
            reason = redacted(str(error))
            _log.warning("%s: try %d of %d failed: %s", display_name(url), attempt + 1, settings.retries + 1, reason)
    raise OutsideServiceError(
        f"{display_name(url)} at {host_of(url)}: no answer after {settings.retries + 1} tries: {reason}; "
        "try again later, or give a DEM file"
    )
