"""When a worker ends: on SIGTERM or SIGINT it takes no more, and a running job has a grace to finish."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pacifico.jobs.lifecycle import Orders


class Stop:
    """A stop that a signal asks for, once."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._asked = threading.Event()
        self._asked_at = 0.0

    @property
    def requested(self) -> bool:
        """Whether no new job may start."""
        return self._asked.is_set()

    def request(self) -> None:
        """Ask for it; a second time changes nothing."""
        if not self._asked.is_set():
            self._asked_at = time.monotonic()
            self._asked.set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until a stop is asked for; tell which."""
        return self._asked.wait(seconds)

    def on_signals(self) -> None:
        """Have SIGTERM and SIGINT ask for it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.request())

    @contextlib.contextmanager
    def watch(self, orders: Orders) -> Iterator[None]:
        """Interrupt a running job when the grace is over."""
        done = threading.Event()

        def wait() -> None:
            while not self._asked.wait(0.2):
                if done.is_set():
                    return
            if not done.wait(max(0.0, self._asked_at + self._grace_s - time.monotonic())):
                orders.interrupt.set()

        thread = threading.Thread(target=wait, name="grace", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
