"""The one error tree: whose fault it is decides the exit status.

Every message is one line that names the value, the limit and the remedy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class PacificoError(Exception):
    """Root of all errors that pacifico raises on purpose."""

    exit_code = 2


class InputError(PacificoError, ValueError):
    """What the user gave can't be used: exit status 2."""


class SiteError(InputError):
    """The boundary file can't be read, or holds no usable site."""


class DEMError(InputError):
    """The elevation model can't be read, or does not fit the site."""


class CRSMismatchError(InputError):
    """A coordinate reference system is missing, unknown or not the one needed."""


class NoBuildableGroundError(InputError):
    """Limits, setbacks and exclusions leave no ground to build on."""


class EditRefused(InputError):  # noqa: N818 (it says what happened: the plan stays as it was)
    """An edit would break a rule of the layout: the message names the value, the limit and the remedy."""


class InternalError(PacificoError, RuntimeError):
    """A computation broke its own promise: a fault of pacifico, not of the input."""


class OutsideServiceError(PacificoError, OSError):
    """A service that is not ours failed (elevation server, queue, store): exit status 3."""

    exit_code = 3


def named(ids: Iterable[str], most: int = 6) -> str:
    """Some identifiers on one line."""
    known = list(ids)
    return ", ".join(known[:most]) + (f" and {len(known) - most} more" if len(known) > most else "")
