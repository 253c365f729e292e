"""Errors of pacifico: who must act decides the exit status.

Every message is one line with the value, the limit and the remedy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class PacificoError(Exception):
    """Base of all errors that pacifico raises."""

    exit_code = 2
    """Exit status of the command line."""


class InputError(PacificoError, ValueError):
    """An input can't be used: exit status 2."""


class SiteError(InputError):
    """A boundary file can't be read, or has no usable site."""


class DEMError(InputError):
    """An elevation model can't be read, or does not fit the site."""


class CRSMismatchError(InputError):
    """A coordinate reference system is missing, unknown or unsuitable."""


class NoBuildableGroundError(InputError):
    """Limits, setbacks and exclusions leave no ground to build on."""


class EditRefused(InputError):  # noqa: N818 (a refusal is an answer, not a failure)
    """An edit would break a limit; the plan is unchanged."""


class InternalError(PacificoError, RuntimeError):
    """A bug of pacifico, not a faulty input: exit status 70."""

    exit_code = 70


class OutsideServiceError(PacificoError, OSError):
    """An outside service failed (elevation server, queue, store): exit status 3."""

    exit_code = 3


def named(names: Iterable[str], limit: int = 6) -> str:
    """List names on one line, at most `limit` of them.

    Examples
    --------
    >>> named(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    given = list(names)
    return ", ".join(given[:limit]) + (f" and {len(given) - limit} more" if len(given) > limit else "")
