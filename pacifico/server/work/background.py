"""Jobs of a server without a queue.

Each runs in a process of its own that outlives the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from pacifico.errors import PacificoError
from pacifico.jobs import local
from pacifico.server.work.fair_slots import FairSlots

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from subprocess import Popen

log = logging.getLogger(__name__)

#: Jobs of one owner that may wait; the store keeps them, so a restart finds them again.
_MOST_WAITING = 10_000
_TICK_S = 0.2


#: The process of a job; it gives way to the server, as those of the pool.
_COMMAND = ("nice", "-n", "5", sys.executable, "-m", "pacifico.jobs.background")


class BackgroundJobs:
    """Starts stored jobs, a few at a time and fair between owners.

    Parameters
    ----------
    count : int
        Jobs that run at once.
    executor : Executor
        Threads that start processes.
    start : callable
        Starts the process of one job, given owner and layout_id.
    """

    def __init__(self, count: int, executor: Executor, start: Callable[[str, str], Popen[bytes]] | None = None) -> None:
        self._slots = FairSlots(count, most_waiting=_MOST_WAITING)
        self._executor = executor
        self._start = start or _start
        self._known: dict[tuple[str, str], asyncio.Task[None]] = {}

    def add(self, owner: str, layout_id: str) -> None:
        """Run a queued job as soon as there is room; one that is known already stays one."""
        key = (owner, layout_id)
        if key not in self._known:
            task = asyncio.get_running_loop().create_task(self._run(owner, layout_id))
            self._known[key] = task
            task.add_done_callback(lambda _: self._known.pop(key, None))

    def knows(self, owner: str, layout_id: str) -> bool:
        """Whether a job waits or runs here."""
        return (owner, layout_id) in self._known

    def forget(self, owner: str, layout_id: str) -> None:
        """Drop a job that waits. A running one ends by its status."""
        task = self._known.get((owner, layout_id))
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Start no more; what waits stays queued in the store."""
        with contextlib.suppress(RuntimeError):  # at the end of the program no loop runs, nor do its tasks
            for task in tuple(self._known.values()):
                task.cancel()

    async def _run(self, owner: str, layout_id: str) -> None:
        async with self._slots.slot(owner):
            loop = asyncio.get_running_loop()
            try:
                process = await loop.run_in_executor(self._executor, self._start, owner, layout_id)
            except PacificoError as error:
                log.warning("layout %s was not started: %s", layout_id, error)
                return
            try:
                while process.poll() is None:  # noqa: ASYNC110 (the end of a process is no event here)
                    await asyncio.sleep(_TICK_S)  # no thread waits, so a stopping server need not
            finally:
                process.returncode = 0  # it goes on alone: no warning about a running child


def _start(owner: str, layout_id: str) -> Popen[bytes]:
    return local.spawn_background([(owner, layout_id)], command=_COMMAND)
