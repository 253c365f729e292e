"""Wait for jobs by reading their statuses."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pacifico.jobs.status import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_READERS = 16  # statuses read at once
QUEUED_AT_ONCE = 4
"""Queued jobs read in a look: more only while some of them have left the queue. Each read is a request to the store."""

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

    Each look reads the jobs that run, and in turn some of those that are queued: with hundreds in the queue, reading all twice a
    second would keep the store busier than the jobs do.

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

        def read_now(which: Sequence[str]) -> None:
            for layout_id, body in zip(which, pool.map(read, which), strict=True):
                found.pop(layout_id, None)
                found[layout_id] = body  # at the end: the queued job read longest ago comes first
                if on_status is not None:
                    on_status(body)

        read_now(ids)
        while True:
            late = end is not None and time.monotonic() >= end
            if late:
                read_now([i for i in ids if not _ended(found[i])])
            running = [i for i in ids if not _ended(found[i])]
            if not running:
                return {i: found[i] for i in ids}
            if late:
                message = f"{len(running)} of {len(ids)} jobs had not ended after {timeout_s:g} s"
                raise WaitTimeoutError(message, {i: found[i] for i in ids})
            time.sleep(poll_s if end is None else max(0.0, min(poll_s, end - time.monotonic())))
            _look(found, read_now)


def _look(found: dict[str, Body], read_now: Callable[[Sequence[str]], None]) -> None:
    """Read the running jobs, and queued ones until none of those read has left the queue.

    Parameters
    ----------
    found : dict
        Last status of each job, in the order in which they were read.
    read_now : callable
        Reads the statuses of some jobs into `found`.
    """
    queued = [i for i, body in found.items() if body["status"] == "queued"]
    read_now([i for i, body in found.items() if body["status"] != "queued" and not _ended(body)])
    for k in range(0, len(queued), QUEUED_AT_ONCE):
        batch = queued[k : k + QUEUED_AT_ONCE]
        read_now(batch)
        if all(found[i]["status"] == "queued" for i in batch):
            return


def _ended(body: Body) -> bool:
    return body["status"] in TERMINAL
