"""Wait for jobs by reading their statuses."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pacifico.jobs.status import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_READERS = 16  # statuses read at once

Body = dict[str, Any]


class WaitTimeoutError(TimeoutError):
    """Not all jobs ended in time.

    `bodies` are their last statuses by layout_id.
    """

    def __init__(self, message: str, bodies: dict[str, Body]) -> None:
        super().__init__(message)
        self.bodies = bodies


def wait_for_all(
    read: Callable[[str], Body],
    layout_ids: Sequence[str],
    *,
    timeout_s: float | None,
    on_status: Callable[[Body], None] | None,
    poll_s: float,
) -> dict[str, Body]:
    """Read statuses until all jobs have ended, and return them by layout_id.

    Parameters
    ----------
    read : callable
        Reads one status.
    layout_ids : sequence of str
        The jobs.
    timeout_s : float or None
        Longest wait [s].
    on_status : callable or None
        Called with every status read.
    poll_s : float
        Pause between two reads [s].

    Raises
    ------
    WaitTimeoutError
        They had not all ended in that time.
    """
    ids = list(dict.fromkeys(layout_ids))
    end = None if timeout_s is None else time.monotonic() + timeout_s
    found: dict[str, Body] = {}
    with ThreadPoolExecutor(_READERS) as pool:
        while True:
            for body in pool.map(read, [i for i in ids if i not in found or not _ended(found[i])]):
                found[body["layout_id"]] = body
                if on_status is not None:
                    on_status(body)
            running = [i for i in ids if not _ended(found[i])]
            if not running:
                return {i: found[i] for i in ids}
            if end is not None and time.monotonic() >= end:
                message = f"{len(running)} of {len(ids)} jobs had not ended after {timeout_s:g} s"
                raise WaitTimeoutError(message, {i: found[i] for i in ids})
            time.sleep(poll_s if end is None else max(0.0, min(poll_s, end - time.monotonic())))


def _ended(body: Body) -> bool:
    return body["status"] in TERMINAL
