"""One process that computes for the map, seen from the kernel."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.explorer.engine.frames import read_frame, write_frame
from pacifico.explorer.engine.messages import MOST_SITES

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = (sys.executable, "-P", "-m", "pacifico.explorer.engine.child")
"""Program of a process; -P, because a file in the notebook's folder may have the name of a library."""


class Worker:
    """One process. Its replies are delivered by a thread.

    Parameters
    ----------
    deliver : callable
        Called in that thread with the worker and each reply, and with None when the process has ended.
    """

    def __init__(self, deliver: Callable[[Worker, tuple[int, str, Any] | None], None]) -> None:
        package = str(Path(__file__).parents[3])
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # an interrupt of the kernel is not for it
        )
        assert self._process.stdin is not None  # noqa: S101 (pipes were requested above)
        assert self._process.stdout is not None  # noqa: S101
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._sites: list[str] = []
        self.pid = self._process.pid
        self.ended = False
        threading.Thread(target=self._read, args=(deliver,), name="pacifico-replies", daemon=True).start()

    def add_site(self, key: str, site: Any, dem: Any) -> None:
        """Load a site and its terrain, unless the process keeps it."""
        if key not in self._sites:
            self._sites = [*self._sites, key][-MOST_SITES:]
            self._send(("site", key, site, dem))

    def run(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        """Start a task; its replies carry its number."""
        self._send(("run", number, name, arguments))

    def cancel(self, number: int) -> None:
        """Interrupt a task, if it still runs."""
        self._send(("cancel", number))

    def kill(self) -> None:
        """End the process at once."""
        self.ended = True
        self._process.kill()
        self._process.wait()

    def _send(self, message: Any) -> None:
        """Send a message; of a process that is gone, the reading thread reports the end."""
        with contextlib.suppress(OSError, ValueError):
            write_frame(self._stdin, message)

    def _read(self, deliver: Callable[[Worker, tuple[int, str, Any] | None], None]) -> None:
        """Deliver replies until the process ends."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                deliver(self, read_frame(self._stdout))
        self.ended = True
        self._process.wait()
        with contextlib.suppress(OSError):  # what it did not read is lost
            self._stdin.close()
        self._stdout.close()
        deliver(self, None)
