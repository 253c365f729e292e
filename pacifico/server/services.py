"""What the handlers share: clients by owner, processes, limits, event streams."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from pacifico.errors import PacificoError
from pacifico.jobs import keys
from pacifico.jobs.serving.owned import OwnedJobs
from pacifico.server.events import Events
from pacifico.server.rate_limit import RateLimit
from pacifico.server.work.background import BackgroundJobs
from pacifico.server.work.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pacifico.jobs.settings import Settings
    from pacifico.server.settings import ServerSettings
    from pacifico.server.work.engine_run import EngineRunner

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Owners whose clients are kept; a server of JupyterHub has one or a few.
_MOST_OWNERS = 64
#: Time for which a status that was read is good enough for further pollers [s].
STATUS_FRESH_S = 0.25
#: Statuses that are kept at all.
_MOST_STATUSES = 2048
_READERS = 16

Body = dict[str, Any]


class Services:
    """Shared state of the extension, made once for a server.

    Parameters
    ----------
    settings : Settings
        Settings of jobs: store, queue, limits.
    server : ServerSettings
        Settings of the extension.
    """

    def __init__(self, settings: Settings, server: ServerSettings) -> None:
        self.settings = settings
        self.server = server
        self.pool = Pool(server.processes, timeout_s=server.timeout_s)
        """Processes of the engine."""
        self.quick = Pool(1, timeout_s=server.timeout_s)
        """A process for reading and exporting, so that these don't wait for the engine."""
        self.rate_limit = RateLimit(server.rate)
        self.events = Events(self._read_now, most=server.streams)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="pacifico-read")
        self.background = BackgroundJobs(server.processes, self._readers)
        self._running: dict[tuple[str, str], EngineRunner] = {}
        self._jobs: OrderedDict[str, OwnedJobs] = OrderedDict()
        self._resuming: asyncio.Future[None] | None = None
        self._statuses: OrderedDict[tuple[str, str], tuple[float, asyncio.Future[Body]]] = OrderedDict()

    async def read(self, function: Callable[..., T], /, *arguments: Any, **options: Any) -> T:
        """Call a function of the store in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: function(*arguments, **options))

    async def hold(self, function: Callable[..., T], /, *arguments: Any, **options: Any) -> T:
        """Call a function that takes long in a thread of its own.

        A run holds its thread for as long as it takes, so runs never keep a poll waiting. The interpreter does not wait
        for it: a server that stops ends its runs.
        """
        future: Future[T] = Future()

        def work() -> None:
            try:
                future.set_result(function(*arguments, **options))
            except BaseException as error:  # noqa: BLE001 (raised again by the await below)
                future.set_exception(error)

        future.set_running_or_notify_cancel()
        threading.Thread(target=work, name="pacifico-run", daemon=True).start()
        return await asyncio.wrap_future(future)

    async def jobs(self, owner: str) -> OwnedJobs:
        """Client of an owner. At its first use, jobs that a stopped server left queued go on."""
        if owner not in self._jobs:
            made = await self.read(OwnedJobs, self.settings, owner=owner)
            if owner not in self._jobs:
                self._jobs[owner] = made
                while len(self._jobs) > _MOST_OWNERS:
                    self._jobs.popitem(last=False)
                await self._resume(made)
        self._jobs.move_to_end(owner)
        return self._jobs[owner]

    def resume(self, owner: str) -> None:
        """Go on with jobs that a stopped server left queued, without waiting for the owner's first request."""

        async def work() -> None:
            try:
                await self.jobs(owner)
            except PacificoError as error:  # a store that is away now may be back at the first request
                log.warning("queued layouts of %r were not looked for: %s", owner, error)

        self._resuming = asyncio.ensure_future(work())

    async def status(self, jobs: OwnedJobs, layout_id: str) -> Body:
        """Status of a layout; pollers of the same moment share one read."""
        key = (jobs.owner, keys.canonical_id(layout_id))
        found = self._statuses.get(key)
        if found is None or (found[1].done() and time.monotonic() - found[0] > STATUS_FRESH_S):
            future = asyncio.ensure_future(self._read_status(jobs, layout_id))
            future.add_done_callback(_retrieve)
            self._statuses[key] = found = (time.monotonic(), future)
            self._statuses.move_to_end(key)
            while len(self._statuses) > _MOST_STATUSES:
                self._statuses.popitem(last=False)
        return await asyncio.shield(found[1])

    @contextlib.contextmanager
    def running(self, owner: str, layout_id: str, runner: EngineRunner) -> Iterator[None]:
        """Remember the run of a layout in this server, so that it can be stopped."""
        self._running[owner, layout_id] = runner
        try:
            yield
        finally:
            del self._running[owner, layout_id]

    def stopped(self, owner: str, layout_id: str) -> None:
        """End what this server still does for a layout that was cancelled or deleted."""
        layout_id = keys.canonical_id(layout_id)
        self.background.forget(owner, layout_id)
        if (runner := self._running.get((owner, layout_id))) is not None:
            runner.stop()
        self.changed(owner, layout_id)

    def changed(self, owner: str, layout_id: str) -> None:
        """Forget what was read of a layout: this server has just changed it."""
        self._statuses.pop((owner, keys.canonical_id(layout_id)), None)

    def shown(self, owner: str, body: Body) -> Body:
        """Status body as it is shown: a job that waits here for its turn is not stalled."""
        if body["status"] == "queued" and self.background.knows(owner, body["layout_id"]):
            return {**body, "stalled": False}
        return body

    def close(self) -> None:
        """End the processes of requests. Background jobs go on alone."""
        self.background.close()
        self.pool.close()
        self.quick.close()
        self._readers.shutdown(wait=False, cancel_futures=True)

    async def _read_now(self, owner: str, layout_id: str) -> Body:
        return await self.status(await self.jobs(owner), layout_id)

    async def _read_status(self, jobs: OwnedJobs, layout_id: str) -> Body:
        return self.shown(jobs.owner, await self.read(jobs.status, layout_id))

    async def _resume(self, jobs: OwnedJobs) -> None:
        """Run jobs that are queued on this machine and that no process has taken."""
        if jobs.queued_elsewhere:
            return
        try:
            left = await self.read(_left_queued, jobs)
        except PacificoError as error:
            log.warning("queued layouts of %r were not looked for: %s", jobs.owner, error)
            return
        for layout_id in left:
            self.background.add(jobs.owner, layout_id)


def _left_queued(jobs: OwnedJobs) -> list[str]:
    """Layouts that wait for a process of this machine, oldest first."""
    found = [s.layout_id for s in jobs.unfinished() if s.status == "queued" and s.worker is None]
    return found[::-1]


def _retrieve(future: asyncio.Future[Body]) -> None:
    """Mark an error as seen, also where every poller has left."""
    if not future.cancelled():
        future.exception()
