"""Runner processes.

Started ahead, told once what to run, then thrown away with their folder.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from pacifico.errors import OutsideServiceError
from pacifico.jobs.runner.child import JsonLines
from pacifico.jobs.runner.environment import environment, prepare_caches
from pacifico.run.process_tree import RunProcesses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pacifico.jobs.stop_signals import StopSignals

#: Time for the imports of a cold machine [s].
_START_S = 120.0
_TICK_S = 0.2
#: Pause between two looks at a runner's processes: each look reads all of /proc [s].
_REMEMBER_S = 1.0


class Child:
    """One runner process with its kernel, ready or starting.

    Parameters
    ----------
    folder : Path
        Its scratch folder.
    connection : socket
        Our end of the line to it.
    pid : int
        Its process.
    process : Popen or None
        Its process where it is our own child.
    """

    def __init__(
        self, folder: Path, connection: socket.socket, pid: int, process: subprocess.Popen[bytes] | None
    ) -> None:
        self.folder = folder
        self.pid = pid
        self._ready = False
        self._process = process
        self._socket = connection
        self._line = JsonLines(connection)
        self._messages: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._closed = False
        # its home is a folder that no other job has: so its processes are known, also those that it did not start itself
        self._processes = RunProcesses([pid] if pid else [], mark=f"HOME={folder}")
        self._remembered_at = float("-inf")
        threading.Thread(target=self._listen, name="child", daemon=True).start()

    def send(self, **message: Any) -> None:
        """Send a message to the process."""
        self._line.send(**message)

    def next(self, timeout_s: float) -> dict[str, Any] | None:
        """Return its next message; None if there is none in that time.

        Raises
        ------
        EOFError
            It has ended, and all its messages are read.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._closed, timeout_s)
            if self._messages:
                return self._messages.pop(0)
            if self._closed:
                raise EOFError
            return None

    def wait_ready(self, signals: StopSignals, timeout_s: float = _START_S) -> None:
        """Wait until its kernel is warm.

        Raises
        ------
        OutsideServiceError
            It failed to start, or took too long.
        StoppedError
            The job was told to stop.
        """
        end = time.monotonic() + timeout_s
        while not self._ready:
            signals.check()
            if time.monotonic() > end:
                raise OutsideServiceError(f"the process that runs notebooks was not ready in {timeout_s:g} s")
            try:
                message = self.next(_TICK_S)
            except EOFError:
                raise OutsideServiceError("the process that runs notebooks ended before it was ready") from None
            if message is not None and "ready" not in message:
                raise OutsideServiceError(f"the process that runs notebooks failed to start: {message.get('fault')}")
            self._ready = message is not None

    @property
    def gone(self) -> bool:
        """Whether the process has ended."""
        return self._closed

    def end(self) -> None:
        """Kill all its processes and remove its folder."""
        self._processes.kill()
        self._socket.close()
        if self._process is not None:
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def remember(self) -> None:
        """Note its processes now and then: it may be killed before them."""
        if time.monotonic() - self._remembered_at > _REMEMBER_S:
            self._remembered_at = time.monotonic()
            self._processes.find()

    def _listen(self) -> None:
        for message in self._line:
            with self._changed:
                self._messages.append(message)
                self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Spawner(Protocol):
    """Starts runner processes."""

    def spawn(self, folder: Path) -> Child:
        """Start one in a new folder, without waiting for it."""

    def close(self) -> None:
        """End the processes it keeps."""


class ProcessSpawner:
    """Starts each runner process as a new interpreter.

    Parameters
    ----------
    command : sequence of str
        The interpreter and its arguments.
    isolated : bool
        Whether every job has caches of its own, as in a worker.
    """

    def __init__(
        self, command: Sequence[str] = (sys.executable, "-m", "pacifico.jobs.runner.child"), *, isolated: bool = False
    ) -> None:
        self._command = command
        self._isolated = isolated

    def spawn(self, folder: Path) -> Child:
        """Start one, without waiting for it."""
        if self._isolated:
            prepare_caches(folder)
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [*self._command, str(theirs.fileno())],
                cwd=folder,
                env=environment(folder, isolated=self._isolated),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        return Child(folder, ours, process.pid, process)

    def close(self) -> None:
        """Do nothing: no process is kept."""
