"""Rate limits: a bucket of tokens for each owner."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds' worth of requests that may come at once.
BURST_S = 5.0
_MOST_OWNERS = 1024


class RateLimit:
    """Counts the requests of each owner.

    Parameters
    ----------
    rate : float
        Requests per second.
    clock : callable
        Time now [s].
    """

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._most = max(1.0, rate * BURST_S)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, owner: str, cost: float = 1.0) -> int:
        """Take tokens; return 0, or the seconds to wait where there are too few."""
        now = self._clock()
        tokens, at = self._buckets.pop(owner, (self._most, now))
        tokens = min(self._most, tokens + (now - at) * self._rate)
        cost = min(cost, self._most)
        taken = tokens >= cost
        self._buckets[owner] = (tokens - cost if taken else tokens, now)
        while len(self._buckets) > _MOST_OWNERS:
            self._buckets.popitem(last=False)
        return 0 if taken else max(1, math.ceil((cost - tokens) / self._rate))
