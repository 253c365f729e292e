"""Errors of pacifico: who must act decides the exit status.

Every message is one line with the value, the limit and the remedy.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


MAX_MESSAGE = 1200
"""Longest message [characters]: some ten lines of a terminal. A quoted value may have any length."""
_SHOWN_END = 400
"""Characters kept of the end of a longer message, where the remedy is."""
_HIDDEN = {"Cc", "Cs", "Zl", "Zp"}
BIDI_CONTROLS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Characters that reorder or hide text."""


def message_line(text: str) -> str:
    r"""Text as one printable line of limited length.

    Messages quote what is in a file: its line breaks, control characters and length must reach no terminal and no log.

    Examples
    --------
    >>> message_line("one\n two\x1b[2J")
    'one two\ufffd[2J'
    """
    if len(text) > MAX_MESSAGE:
        text = f"{text[: MAX_MESSAGE - _SHOWN_END - 5]} ... {text[-_SHOWN_END:]}"
    shown = " ".join(text.split())
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join("\ufffd" if c in BIDI_CONTROLS or unicodedata.category(c) in _HIDDEN else c for c in shown)


def is_plain_line(text: str) -> bool:
    """Whether a text is one line, not blank, without control characters."""
    return bool(text.strip()) and not any(c in BIDI_CONTROLS or unicodedata.category(c) in _HIDDEN for c in text)


class PacificoError(Exception):
    """Base of all errors that pacifico raises."""

    exit_code = 2
    """Exit status of the command line."""

    def __str__(self) -> str:
        return message_line(super().__str__())


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
