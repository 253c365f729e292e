"""Why no road reaches something."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class UnreachedCause(Enum):
    """Kind of reason for which something has no road."""

    NO_ROUTE = "no route"
    """No legal road leads there."""
    TOO_STEEP = "too steep"
    """No road there keeps the limits of grade and depth."""
    TOO_TIGHT = "too tight"
    """A road there would have bends tighter than the criteria allow."""
    BLOCK_INCOMPLETE = "block incomplete"
    """The rest of its power block has no road."""
    TURNING_ROOM = "turning room"
    """It was removed so that vehicles can turn."""
    NOT_WORTH_IT = "not worth it"
    """Its road, cable and earthwork cost more than the limit."""


@dataclass(frozen=True)
class Unreached:
    """Reason for which something has no road."""

    cause: UnreachedCause
    message: str
    """The reason in one line."""
