"""Jobs without a queue: run on this machine, in this process or behind it, through the same lifecycle."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.errors import OutsideServiceError
from pacifico.jobs import status as states
from pacifico.jobs.lifecycle import Ending, deliver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pacifico.jobs.lifecycle import Orders, Runner
    from pacifico.jobs.records import Held, Records
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.status import Status

_PREFIX = "local"


class NeverStop:
    """A stop that is not asked for: a foreground run ends with its process."""

    requested = False

    @contextlib.contextmanager
    def watch(self, orders: Orders) -> Iterator[None]:  # noqa: ARG002 (the protocol's)
        """Watch nothing."""
        yield


def process_name() -> str:
    """Name this process, so that another on this machine can tell whether it is still there."""
    return f"{_PREFIX}:{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def is_gone(worker: str | None) -> bool:
    """Tell whether a name stands for a process of this machine that is no more; others' are not judged."""
    parts = (worker or "").split(":")
    if len(parts) != 4 or parts[0] != _PREFIX or parts[1] != socket.gethostname():
        return False
    return _started(int(parts[2])) != parts[3]


def run(records: Records, owner: str, layout_id: str, *, settings: Settings, runner: Runner) -> Held:
    """Run a job here and now; nobody brings it again, so a fault of the surroundings ends it too.

    KeyboardInterrupt cancels it.
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

        def step(held: Held, now: float) -> Status | None:
            if held.status.status != "queued":
                return None
            return states.failed(held.status, kind=kind, message=message, now=now)

        return records.change(owner, layout_id, step)
    return records.read(owner, layout_id)


def start_background(jobs: Sequence[tuple[str, str]], *, command: Sequence[str] | None = None) -> None:
    """Start a process that runs these jobs one after another, and outlives this one.

    Returns once it has put its name on all of them.

    Raises
    ------
    OutsideServiceError
        It ended before that.
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
        assert process.stdin is not None  # noqa: S101 (asked for above)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(list(jobs)).encode())
            process.stdin.close()
        said = pipe.read()
    if said != b"assigned":
        reason = said.decode(errors="replace") or f"exit status {process.wait()}"
        raise OutsideServiceError(f"the background process did not take the jobs: {reason}; run them in the foreground")
    process.returncode = 0  # it is on its own now: no warning that it runs


def give_up_if_gone(records: Records, held: Held) -> Held:
    """End a local job whose process is gone; every other is returned as it is."""

    def step(found: Held, now: float) -> Status | None:
        if found.status.terminal or not is_gone(found.status.worker):
            return None
        message = "the process that ran it on this machine is gone; redrive it, or submit it again"
        return states.failed(found.status, kind="lost", message=message, now=now)

    if held.status.terminal or not is_gone(held.status.worker):
        return held
    return records.change(held.status.owner, held.status.layout_id, step)


def _started(pid: int) -> str:
    """When a process started, in the machine's ticks; empty where it is no more."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "" if Path("/proc/self").exists() else _answers(pid)
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def _answers(pid: int) -> str:
    """Where there is no /proc: whether a process of that number is there, whichever it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "there"
