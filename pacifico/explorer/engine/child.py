"""The program of a process: runs tasks for the kernel, one at a time.

A cancelled task is interrupted where it is, and the process stays warm for the next one. The process ends when the kernel is gone.
"""

from __future__ import annotations

import _thread
import os
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from pacifico.errors import InternalError, PacificoError
from pacifico.explorer.engine.frames import read_frame, write_frame

if TYPE_CHECKING:
    from typing import BinaryIO

NICENESS = 5
"""How far the processes give way to the kernel and to JupyterLab, which stay responsive while all cores compute."""


class _Running:
    """Number of the task that runs, shared with the thread that interrupts it.

    Attributes
    ----------
    interrupted : bool
        Whether the task was interrupted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number: int | None = None
        self.interrupted = False

    def begin(self, number: int) -> None:
        """Set the number of the task."""
        with self._lock:
            self._number, self.interrupted = number, False

    def end(self) -> None:
        """No task runs."""
        with self._lock:
            self._number = None

    def interrupt(self, number: int) -> None:
        """Interrupt a task if it runs."""
        with self._lock:
            if self._number == number:
                self.interrupted = True
                _thread.interrupt_main()


def main() -> None:
    """Run tasks until standard input ends."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # a server started in the background hands ignored interrupts down to its kernels, and then nothing could be cancelled
    signal.signal(signal.SIGINT, signal.default_int_handler)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not mix with replies
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    running = _Running()
    threading.Thread(target=_read, args=(inbox, running), daemon=True).start()
    # a thread of its own: an interrupt must not cut a message
    threading.Thread(target=_write, args=(out, outbox), daemon=True).start()
    from pacifico.explorer.engine.tasks import Desk  # noqa: PLC0415 (loads the engine while the first task is on its way)

    desk = Desk()
    while True:
        kind, *content = inbox.get()
        if kind == "site":
            desk.add_site(*content)
        else:
            number, name, arguments = content
            outbox.put((number, *_answer(desk, running, (number, name, arguments), outbox)))


def _read(inbox: queue.SimpleQueue[Any], running: _Running) -> None:
    """Pass messages on, and interrupt cancelled tasks; end the process when the kernel is gone."""
    try:
        while True:
            message = read_frame(sys.stdin.buffer)
            if message[0] == "cancel":
                running.interrupt(message[1])
            else:
                inbox.put(message)
    except EOFError:
        os._exit(0)


def _write(out: BinaryIO, outbox: queue.SimpleQueue[Any]) -> None:
    """Write replies; end the process when nobody reads them."""
    try:
        while True:
            write_frame(out, outbox.get())
    except OSError:
        os._exit(0)


def _answer(
    desk: Any, running: _Running, task: tuple[int, str, tuple[Any, ...]], outbox: queue.SimpleQueue[Any]
) -> tuple[str, Any]:
    """Run one task; return its result, its error, or that it was cancelled.

    Parameters
    ----------
    desk : Desk
        What the process can do.
    running : _Running
        Where the reading thread sees the task's number.
    task : (int, str, tuple)
        Number, name and arguments.
    outbox : SimpleQueue
        Where its stages go.
    """
    number, name, arguments = task

    def on_stage(stage: str, percent: int, message: str) -> None:
        outbox.put((number, "stage", (stage, percent, message)))

    try:
        running.begin(number)
        try:
            return "result", desk.run(name, arguments, on_stage)
        finally:
            running.end()
    except KeyboardInterrupt:
        return "cancelled", None
    except PacificoError as error:
        return "error", error
    except Exception as error:  # noqa: BLE001 (a bug ends the task, not the process)
        if running.interrupted:  # compiled kernels turn an interrupt into an error of their own
            return "cancelled", None
        import traceback  # noqa: PLC0415

        traceback.print_exc(file=sys.stderr)
        return "error", InternalError(f"{type(error).__name__}: {error}; the log of JupyterLab has the details")


if __name__ == "__main__":
    main()
