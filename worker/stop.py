"""Stop of a worker.

On SIGTERM or SIGINT take no more jobs, and grant a running one a grace.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pacifico.jobs.stop_signals import StopSignals


class Stop:
    """A stop that is requested once, by a signal."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._event = threading.Event()
        self._requested_at = 0.0

    @property
    def requested(self) -> bool:
        """Whether no new job may start."""
        return self._event.is_set()

    def request(self) -> None:
        """Request the stop; further requests change nothing."""
        if not self._event.is_set():
            self._requested_at = time.monotonic()
            self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait some seconds or until the stop; return whether it was requested."""
        return self._event.wait(seconds)

    def on_signals(self) -> None:
        """Request the stop on SIGTERM and SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.request())

    @contextlib.contextmanager
    def watch(self, signals: StopSignals) -> Iterator[None]:
        """Interrupt a running job when the grace is over."""
        done = threading.Event()

        def wait() -> None:
            while not self._event.wait(0.2):
                if done.is_set():
                    return
            if not done.wait(max(0.0, self._requested_at + self._grace_s - time.monotonic())):
                signals.interrupt.set()

        thread = threading.Thread(target=wait, name="grace", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
