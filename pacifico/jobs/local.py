"""Run jobs on this machine, in this process or the background."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from pacifico.errors import OutsideServiceError
from pacifico.jobs import status as states
from pacifico.jobs.delivery import Ending
from pacifico.jobs.lifecycle import deliver
from pacifico.jobs.process_lock import has_ended, process_name
from pacifico.jobs.store.base import PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pacifico.jobs.delivery import Runner
    from pacifico.jobs.records import Records, StoredStatus
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.status import Status
    from pacifico.jobs.stop_signals import StopSignals


class NeverStop:
    """A stop that never comes: a foreground run ends with its process."""

    requested = False

    @contextlib.contextmanager
    def watch(self, signals: StopSignals) -> Iterator[None]:  # noqa: ARG002 (the protocol's)
        """Watch nothing."""
        yield


def run(records: Records, owner: str, layout_id: str, *, settings: Settings, runner: Runner) -> StoredStatus:
    """Run a job to its end.

    There is no redelivery, so an outside fault ends it too.

    KeyboardInterrupt cancels it.

    Parameters
    ----------
    records : Records
        The store's jobs.
    owner, layout_id : str
        The job.
    settings : Settings
        Lease and limits.
    runner : Runner
        Runs the notebook.
    """
    try:
        delivery = deliver(
            records,
            owner,
            layout_id,
            worker=process_name(),
            settings=settings,
            runner=runner,
            stop=NeverStop(),
        )
    except KeyboardInterrupt:
        records.cancel(owner, layout_id)
        raise
    if delivery.ending in (Ending.RELEASED, Ending.UNREADABLE):
        kind, message = delivery.kind or "service", delivery.message

        def step(stored: StoredStatus, now: float) -> Status | None:
            if stored.status.status != "queued":
                return None
            return states.failed(stored.status, kind=kind, message=message, now=now)

        return records.change(owner, layout_id, step)
    return records.read(owner, layout_id)


def start_background(jobs: Sequence[tuple[str, str]], *, command: Sequence[str] | None = None) -> None:
    """Start a background process that runs these jobs in turn.

    Returns once all jobs are assigned to it.

    Raises
    ------
    OutsideServiceError
        It ended before that.
    """
    process = spawn_background(jobs, command=command)
    process.returncode = 0  # it goes on alone: no warning about a running child


def spawn_background(
    jobs: Sequence[tuple[str, str]], *, command: Sequence[str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a background process as `start_background`, and return it.

    Raises
    ------
    OutsideServiceError
        It ended before all jobs were assigned to it.
    """
    reader, writer = os.pipe()
    with open(reader, "rb") as pipe:  # noqa: PTH123 (a descriptor)
        process = subprocess.Popen(
            [*(command or (sys.executable, "-m", "pacifico.jobs.background")), str(writer)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writer],
            start_new_session=True,
        )
        os.close(writer)
        assert process.stdin is not None  # noqa: S101 (a pipe was requested above)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(list(jobs)).encode())
            process.stdin.close()
        said = pipe.read()
    if said != b"assigned":
        status = process.wait()
        reason = said.decode(errors="replace") or f"exit status {status}"
        raise OutsideServiceError(f"the background process did not take the jobs: {reason}; run them in the foreground")
    return process


def fail_if_ended(records: Records, stored: StoredStatus) -> StoredStatus:
    """End a local job whose process has ended.

    Return any other as it is.

    Whoever may read the store but not write to it gets the status as it is, too.
    """

    def step(found: StoredStatus, now: float) -> Status | None:
        if found.status.terminal or not has_ended(found.status.worker):
            return None
        message = "the process that ran it on this machine has ended; redrive it, or submit it again"
        return states.failed(found.status, kind="lost", message=message, now=now)

    if stored.status.terminal or not has_ended(stored.status.worker):
        return stored
    try:
        return records.change(stored.status.owner, stored.status.layout_id, step)
    except PermissionDeniedError:
        return stored
