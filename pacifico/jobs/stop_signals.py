"""How a running job is told to stop."""

from __future__ import annotations

import threading

#: Time after the grace for a notebook's process to write the report of what ran [s].
LAST_WORDS_S = 20.0
#: Time after that for uploading it. Nothing needs it: the job runs again elsewhere [s].
KEEP_S = 15.0
#: Time after that for the status, the fresh message and the end of the process [s].
HAND_BACK_S = 15.0
#: All of it after the grace. The grace and this must fit in the time between SIGTERM and SIGKILL (ECS: stopTimeout) [s].
AFTER_GRACE_S = LAST_WORDS_S + KEEP_S + HAND_BACK_S


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
