"""Slots for work, handed out in turn between owners."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pacifico.errors import OutsideServiceError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: Pieces of work of one owner that may wait; more are refused.
MOST_WAITING = 32


class BusyError(OutsideServiceError):
    """Too much work of this owner waits already."""


class FairSlots:
    """A number of slots. Owners who wait get them in turn, whatever each has queued.

    Parameters
    ----------
    count : int
        Number of slots.
    most_waiting : int
        Pieces of work of one owner that may wait.
    """

    def __init__(self, count: int, *, most_waiting: int = MOST_WAITING) -> None:
        self._free = count
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, owner: str) -> AsyncIterator[None]:
        """Wait for a slot and hold it.

        Raises
        ------
        BusyError
            Too much of this owner's waits already.
        """
        await self._take(owner)
        try:
            yield
        finally:
            self._give()

    async def _take(self, owner: str) -> None:
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        queue = self._waiting.setdefault(owner, deque())
        if len(queue) >= self._most_waiting:
            raise BusyError(
                f"{len(queue)} computations wait already, at most {self._most_waiting} may; try again in a while"
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give()  # the slot came in the same moment
            else:
                self._forget(owner, turn)
            raise

    def _give(self) -> None:
        """Hand a slot to the next owner in turn."""
        while self._waiting:
            owner, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[owner] = queue  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _forget(self, owner: str, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(owner)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[owner]
