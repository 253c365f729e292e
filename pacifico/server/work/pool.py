"""Processes that compute for requests, each one task at a time.

A process gets a scrubbed environment without credentials and speaks JSON lines over its standard streams. A task that is
cancelled or takes too long ends with its process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import EditRefused, InputError, InternalError, NoBuildableGroundError, OutsideServiceError
from pacifico.jobs.runner.environment import environment
from pacifico.jobs.store.base import NotFoundError
from pacifico.server.work.fair_slots import FairSlots

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

#: Longest reply of a process [bytes]; large results are files.
MOST_REPLY = 64 << 20

COMMAND = (sys.executable, "-m", "pacifico.server.work.child")

_ERRORS: dict[str, type[Exception]] = {
    "not_found": NotFoundError,
    "edit_refused": EditRefused,
    "no_buildable_ground": NoBuildableGroundError,
    "input": InputError,
    "outside": OutsideServiceError,
}


_ENDED = "the process that computed was ended, perhaps for want of memory; ask for less, or try again"


class TimeLimitError(OutsideServiceError):
    """A computation took longer than the settings allow."""


class Worker:
    """One process of the pool."""

    def __init__(self, process: asyncio.subprocess.Process, home: Path) -> None:
        self._process = process
        self._home = home
        self._ended = False
        self.pid = process.pid

    @classmethod
    async def start(cls, command: tuple[str, ...]) -> Worker:
        """Start a process; it loads its packages while it waits."""
        home = Path(tempfile.mkdtemp(prefix="pacifico-server-"))
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment(home),
            cwd=home,
            start_new_session=True,
            limit=MOST_REPLY,
        )
        return cls(process, home)

    @property
    def alive(self) -> bool:
        """Whether the process runs and was not told to end."""
        return not self._ended and self._process.returncode is None

    async def call(
        self, task: str, arguments: Mapping[str, Any], on_stage: Callable[[str, str], None] | None = None
    ) -> Any:
        """Run one task and return its result.

        Parameters
        ----------
        task : str
            Name in `pacifico.server.work.tasks`.
        arguments : mapping
            Its arguments, as JSON values.
        on_stage : callable, optional
            Called with the name and message of each stage.

        Raises
        ------
        InputError, OutsideServiceError, InternalError
            The task raised it, or the process ended.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 (pipes were requested above)
        assert stdout is not None  # noqa: S101
        try:
            stdin.write(json.dumps({"task": task, "arguments": dict(arguments)}).encode() + b"\n")
            await stdin.drain()
        except ConnectionError:
            raise OutsideServiceError(_ENDED) from None
        while reply := await _read(stdout):
            if "stage" not in reply:
                return _result(reply)
            if on_stage is not None:
                on_stage(*reply["stage"])
        raise OutsideServiceError(_ENDED)

    def end(self) -> None:
        """Kill the process and all that it started."""
        self._ended = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        shutil.rmtree(self._home, ignore_errors=True)

    async def wait(self) -> None:
        """Wait for the end of the process and of its streams."""
        # a line over the limit, or a task that was abandoned and still reads
        with contextlib.suppress(ConnectionError, ValueError, RuntimeError):
            await self._process.communicate()
        await self._process.wait()


class Pool:
    """A bounded number of processes, fair between owners.

    Parameters
    ----------
    count : int
        Processes, at most.
    timeout_s : float
        Longest task [s].
    command : tuple of str
        Program of a process.
    """

    def __init__(self, count: int, *, timeout_s: float, command: tuple[str, ...] = COMMAND) -> None:
        self._slots = FairSlots(count)
        self._timeout_s = timeout_s
        self._command = command
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(
        self,
        owner: str,
        task: str,
        arguments: Mapping[str, Any],
        *,
        on_stage: Callable[[str, str], None] | None = None,
    ) -> Any:
        """Run a task in a process. Cancelling this call kills the process.

        Parameters
        ----------
        owner : str
            For whom.
        task : str
            Name of the task.
        arguments : mapping
            Its arguments.
        on_stage : callable, optional
            Called with each stage.

        Raises
        ------
        BusyError, TimeLimitError
            Too much of this owner's waits already, or the task took too long.
        InputError, OutsideServiceError, InternalError
            The task raised it.
        """
        async with self.worker(owner) as worker:
            try:
                return await asyncio.wait_for(worker.call(task, arguments, on_stage), self._timeout_s)
            except TimeoutError:
                raise TimeLimitError(
                    f"the computation took over {self._timeout_s:g} s; ask for less, or for a job with 'Prefer: respond-async'"
                ) from None

    @contextlib.asynccontextmanager
    async def worker(self, owner: str) -> AsyncIterator[Worker]:
        """Wait for a process and hold it. It is killed unless its task ended."""
        async with self._slots.slot(owner):
            if self._closed:
                raise OutsideServiceError("the server is stopping; try again in a while")
            worker = await self._get()
            try:
                yield worker
            except (InputError, InternalError):
                self._put(worker)  # the task's own answer: the process is fine
                raise
            except BaseException:
                self._drop(worker)
                raise
            self._put(worker)

    def close(self) -> None:
        """Kill all processes."""
        self._closed = True
        for worker in tuple(self._all):
            self._drop(worker)
        self._idle.clear()

    async def stop(self) -> None:
        """Kill all processes and wait for their end."""
        self.close()
        await asyncio.gather(*self._ending)

    async def _get(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._drop(worker)
        worker = await Worker.start(self._command)
        self._all.add(worker)
        return worker

    def _put(self, worker: Worker) -> None:
        if worker.alive and not self._closed:
            self._idle.append(worker)
        else:
            self._drop(worker)

    def _drop(self, worker: Worker) -> None:
        self._all.discard(worker)
        worker.end()
        with contextlib.suppress(RuntimeError):  # at the end of the program no loop runs
            task = asyncio.get_running_loop().create_task(worker.wait())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


async def _read(stdout: asyncio.StreamReader) -> dict[str, Any]:
    """Next reply of a process; empty where it has ended."""
    try:
        reply: dict[str, Any] = json.loads(await stdout.readline() or b"{}")
    except ValueError as error:  # a cut line, or one over the limit
        raise OutsideServiceError(f"{_ENDED} ({error})") from None
    return reply


def _result(reply: Mapping[str, Any]) -> Any:
    """Result of a task, or its error."""
    if "error" not in reply:
        return reply["result"]
    kind, message = reply["error"]
    if kind in _ERRORS:
        raise _ERRORS[kind](message)
    raise InternalError(message)
