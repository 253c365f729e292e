"""How a running job is told to stop."""

from __future__ import annotations

import threading


class StoppedError(Exception):
    """The job was told to stop; what it was doing is abandoned."""


class StopSignals:
    """Two requests to a running job.

    `interrupt` keeps what has run so far, `abandon` kills it at once.
    """

    def __init__(self) -> None:
        self.interrupt = threading.Event()
        self.abandon = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether either request was made."""
        return self.interrupt.is_set() or self.abandon.is_set()

    def check(self) -> None:
        """Raise StoppedError once the job was told to stop."""
        if self.stopped:
            raise StoppedError("the job was told to stop")
