"""Changes of statuses for event streams: one watcher for all who follow a layout."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError, OutsideServiceError, PacificoError
from pacifico.jobs.status import TERMINAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

#: Pause between two reads of a layout that is followed [s].
POLL_S = 1.0
#: Pause after the store failed [s].
_RETRY_S = 5.0

Body = dict[str, Any]


class StreamsFullError(OutsideServiceError):
    """As many event streams are open as the settings allow."""


class Events:
    """Watches layouts for as long as somebody follows them.

    Parameters
    ----------
    read : callable
        Reads a status, given owner and layout_id.
    most : int
        Streams in all.
    poll_s : float
        Pause between two reads [s].
    """

    def __init__(self, read: Callable[[str, str], Awaitable[Body]], *, most: int, poll_s: float = POLL_S) -> None:
        self._read = read
        self._most = most
        self._poll_s = poll_s
        self._count = 0
        self._watched: dict[tuple[str, str], _Watched] = {}

    @property
    def count(self) -> int:
        """Streams open now."""
        return self._count

    @asynccontextmanager
    async def follow(self, owner: str, layout_id: str) -> AsyncIterator[AsyncIterator[Body]]:
        """Yield an iterator of statuses: the present one, each change, and the last one.

        Raises
        ------
        StreamsFullError
            Too many streams are open.
        """
        if self._count >= self._most:
            raise StreamsFullError(
                f"{self._most} event streams are open, more are not allowed; poll the status instead"
            )
        self._count += 1
        key = (owner, layout_id)
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = _Watched()
            watched.task = asyncio.get_running_loop().create_task(self._watch(key, watched))
        watched.followers += 1
        try:
            yield watched.changes()
        finally:
            self._count -= 1
            watched.followers -= 1
            if not watched.followers:
                if watched.task is not None:
                    watched.task.cancel()
                    with suppress(asyncio.CancelledError):
                        await watched.task
                if self._watched.get(key) is watched:
                    del self._watched[key]

    async def _watch(self, key: tuple[str, str], watched: _Watched) -> None:
        while True:
            pause = self._poll_s
            try:
                watched.set(await self._read(*key))
            except InputError:  # deleted meanwhile
                watched.end()
                return
            except PacificoError:
                pause = _RETRY_S
            if watched.ended:
                return
            await asyncio.sleep(pause)


class _Watched:
    """Latest status of one layout, for any number of followers."""

    def __init__(self) -> None:
        self.followers = 0
        self.task: asyncio.Task[None] | None = None
        self.ended = False
        self._body: Body | None = None
        self._number = 0
        self._changed = asyncio.Event()

    def set(self, body: Body) -> None:
        """Take a status; wake the followers if it is another one."""
        if body == self._body:
            return
        self._body = body
        self._number += 1
        self.ended = body["status"] in TERMINAL
        self._wake()

    def end(self) -> None:
        """End all streams."""
        self.ended = True
        self._wake()

    async def changes(self) -> AsyncIterator[Body]:
        """Statuses from now on. A follower that is slow skips some, never the last one."""
        seen = 0
        while True:
            if self._number > seen and self._body is not None:
                seen = self._number
                yield self._body
            elif self.ended:
                return
            else:
                await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
