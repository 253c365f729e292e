"""Two processes for all maps of a kernel: one for layouts, one aside for first pictures and files.

A new request of a map replaces its old one: what waits is dropped, and what runs is cancelled. A process that doesn't end a cancelled
task in time is killed, and the other one takes its place while it is free.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import queue
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from pacifico.errors import OutsideServiceError
from pacifico.explorer.engine.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.errors import PacificoError
    from pacifico.explorer.engine.messages import Terrain

    Reply = tuple[int, str, Any] | None

PATIENCE_S = 2.5
"""Longest time a cancelled task may go on before its process is killed: about what a new process takes to load [s]."""
LaneName = Literal["layout", "aside"]
ENDED = "the process that computed was ended, perhaps for want of memory; ask for less, or try again"


@dataclass(eq=False)
class Ticket:
    """One task for a process, and who hears of it."""

    owner: object
    """A newer ticket of the same owner replaces it."""
    terrain: Terrain
    name: str
    """Task of `pacifico.explorer.engine.tasks.Desk`."""
    arguments: tuple[Any, ...]
    on_result: Callable[[Any], None]
    on_error: Callable[[PacificoError], None]
    on_stage: Callable[[str, int, str], None] = lambda *_: None
    cancelled: bool = field(default=False, init=False)
    """Whether its replies no longer count."""


class _Lane:
    """One process, the ticket it works on, and those that wait for it."""

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.running: tuple[int, Ticket] | None = None
        self.waiting: dict[object, Ticket] = {}
        self.deadline: float | None = None
        """When the process of a cancelled task is killed [s]."""

    @property
    def free(self) -> bool:
        """Whether its process is alive and has nothing to do."""
        return self.worker is not None and not self.worker.ended and self.running is None and not self.waiting


class Engine:
    """Processes of one kernel, used from one thread.

    Replies arrive in threads and wait until `poll` is called, so that all callbacks run in the thread of the widgets.
    """

    def __init__(self) -> None:
        self._lanes: dict[LaneName, _Lane] = {"layout": _Lane(), "aside": _Lane()}
        self._inbox: queue.SimpleQueue[tuple[Worker, Reply] | None] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._wakers: list[Callable[[], None]] = []
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """Identifiers of the living processes."""
        return [lane.worker.pid for lane in self._lanes.values() if lane.worker is not None and not lane.worker.ended]

    def on_wake(self, waker: Callable[[], None]) -> None:
        """Call a function, from any thread, whenever `poll` has something to do."""
        self._wakers.append(waker)

    def warm(self, terrain: Terrain) -> None:
        """Start the processes and load a site, ahead of its first task."""
        for lane in self._lanes.values():
            with contextlib.suppress(OSError):  # the first task reports it
                self._worker(lane).add_site(terrain.key, terrain.site, terrain.dem)

    def submit(self, ticket: Ticket, lane: LaneName = "layout") -> None:
        """Run a task as soon as its lane is free; older ones of its owner are replaced."""
        self.cancel(ticket.owner)
        self._lanes[lane].waiting[ticket.owner] = ticket
        self._advance()

    def cancel(self, owner: object) -> None:
        """Cancel all tasks of an owner. None of its callbacks is called any more."""
        for lane in self._lanes.values():
            if (waiting := lane.waiting.pop(owner, None)) is not None:
                waiting.cancelled = True
            if lane.running is None or lane.worker is None:
                continue
            number, ticket = lane.running
            if ticket.owner == owner and not ticket.cancelled:
                ticket.cancelled = True
                lane.deadline = time.monotonic() + PATIENCE_S
                lane.worker.cancel(number)
                timer = threading.Timer(PATIENCE_S, self._notify)
                timer.daemon = True
                timer.start()

    def busy(self, owner: object) -> bool:
        """Whether a task of an owner waits or runs."""
        return any(
            owner in lane.waiting
            or (lane.running is not None and lane.running[1].owner == owner and not lane.running[1].cancelled)
            for lane in self._lanes.values()
        )

    def poll(self) -> None:
        """Handle the replies that have arrived."""
        while not self._inbox.empty():
            self._handle(self._inbox.get())
        self._advance()

    def wait(self, until: Callable[[], bool]) -> None:
        """Handle replies until a condition holds; other cells wait as long."""
        self.poll()
        while not until():
            self._handle(self._inbox.get())
            self._advance()

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        for lane in self._lanes.values():
            if lane.worker is not None:
                lane.worker.kill()
            lane.worker, lane.running = None, None
            lane.waiting.clear()

    def _deliver(self, worker: Worker, reply: Reply) -> None:
        """Keep a reply for `poll`; called in the worker's thread."""
        self._inbox.put((worker, reply))
        self._wake()

    def _notify(self) -> None:
        """Have `poll` look at the deadlines; called in a timer's thread."""
        self._inbox.put(None)
        self._wake()

    def _wake(self) -> None:
        for waker in tuple(self._wakers):
            waker()

    def _handle(self, delivered: tuple[Worker, Reply] | None) -> None:
        """Handle one reply, the end of a process, or a deadline."""
        if delivered is None:
            self._kill_overdue()
            return
        worker, reply = delivered
        lane = next((each for each in self._lanes.values() if each.worker is worker), None)
        if lane is None:  # of a process that was killed
            return
        if reply is None:
            ticket = lane.running[1] if lane.running is not None else None
            lane.worker, lane.running, lane.deadline = None, None, None
            if ticket is not None and not ticket.cancelled:
                ticket.on_error(OutsideServiceError(ENDED))
            return
        number, kind, content = reply
        if lane.running is None or lane.running[0] != number:
            return
        ticket = lane.running[1]
        if kind == "stage":
            if not ticket.cancelled:
                ticket.on_stage(*content)
            return
        lane.running, lane.deadline = None, None
        if ticket.cancelled:
            return
        if kind == "result":
            ticket.on_result(content)
        else:
            ticket.on_error(content)

    def _kill_overdue(self) -> None:
        """Kill processes whose cancelled task goes on; a free one takes over layouts."""
        now = time.monotonic()
        for lane in self._lanes.values():
            if lane.deadline is None or lane.worker is None or now < lane.deadline:
                continue
            lane.worker.kill()
            lane.worker, lane.running, lane.deadline = None, None, None
        layout, aside = self._lanes["layout"], self._lanes["aside"]
        if layout.worker is None and aside.free:
            layout.worker, aside.worker = aside.worker, None

    def _advance(self) -> None:
        """Start the next ticket of each lane whose process is free."""
        if self._closed:
            return
        for lane in self._lanes.values():
            if lane.running is not None or not lane.waiting:
                continue
            ticket = lane.waiting.pop(next(iter(lane.waiting)))
            try:
                worker = self._worker(lane)
            except OSError as error:
                ticket.on_error(
                    OutsideServiceError(f"no process can be started: {error.strerror}; close others, and try again")
                )
                continue
            number = next(self._numbers)
            lane.running = (number, ticket)
            worker.add_site(ticket.terrain.key, ticket.terrain.site, ticket.terrain.dem)
            worker.run(number, ticket.name, (ticket.terrain.key, *ticket.arguments))

    def _worker(self, lane: _Lane) -> Worker:
        """Process of a lane; a new one where none lives."""
        if lane.worker is None or lane.worker.ended:
            lane.worker = Worker(self._deliver)
        return lane.worker


@cache
def shared_engine() -> Engine:
    """Engine of all maps of this kernel; its processes end with it."""
    engine = Engine()
    atexit.register(engine.close)
    return engine
