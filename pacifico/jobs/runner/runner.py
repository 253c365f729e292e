"""Runs notebooks for a worker, each in processes of its own: watched, limited, and gone afterwards.

What a notebook gets: a scrubbed environment (no credentials, no queue, no store), a scratch folder as its home and
working folder, copies of its inputs. It runs in process groups of its own, which are killed when its time, its memory or
its job is over. What it doesn't get is a user or a network of its own: notebooks are ours and trusted, their data is not.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pacifico.errors import OutsideServiceError
from pacifico.jobs.lifecycle import RunOutcome
from pacifico.jobs.runner import terrain_cache
from pacifico.jobs.runner.child import Line
from pacifico.jobs.runner.staging import metrics_of, stage
from pacifico.run.kernel import scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pacifico.jobs.lifecycle import Orders, Task
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.status import ErrorKind
    from pacifico.jobs.store.base import Store

log = logging.getLogger(__name__)

_KEPT = re.compile(
    r"PATH|LANG|LANGUAGE|LC_.*|TZ|PYTHON(PATH|UTF8|DONTWRITEBYTECODE|WARNINGS)|LD_LIBRARY_PATH|VIRTUAL_ENV|CONDA_PREFIX"
    r"|(GDAL|PROJ|CPL|OGR|NUMBA|OMP|OPENBLAS|MKL)_.*|(SSL|CURL|REQUESTS)_C.*|PACIFICO_.*|(https?|no)_proxy",
    re.IGNORECASE,
)
_START_S = 120.0  # a cold machine's imports
_LAST_WORDS_S = 30.0  # for the report of a run that was stopped
_LOOK_S = 0.2
_OUT_OF_MEMORY = "the machine ran out of memory and ended the run; ask for less, or give the workers more"


class Child:
    """One runner process with its kernel, ready or on the way."""

    def __init__(
        self, folder: Path, connection: socket.socket, pid: int, process: subprocess.Popen[bytes] | None
    ) -> None:
        self.folder = folder
        self.pid = pid
        self.kernel_group: int | None = None
        self._process = process
        self._socket = connection
        self._line = Line(connection)
        self._messages: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._closed = False
        threading.Thread(target=self._listen, name="child", daemon=True).start()

    def send(self, **message: Any) -> None:
        """Tell it something."""
        self._line.send(**message)

    def next(self, timeout_s: float) -> dict[str, Any] | None:
        """Give the next thing it says; None where there is none in that time.

        Raises
        ------
        EOFError
            It is gone and has said all.
        """
        with self._news:
            self._news.wait_for(lambda: self._messages or self._closed, timeout_s)
            if self._messages:
                return self._messages.pop(0)
            if self._closed:
                raise EOFError
            return None

    def ready(self, timeout_s: float = _START_S) -> None:
        """Wait until its kernel is warm.

        Raises
        ------
        OutsideServiceError
            It failed to start, or took too long.
        """
        if self.kernel_group is not None:
            return
        try:
            message = self.next(timeout_s)
        except EOFError:
            raise OutsideServiceError("the process that runs notebooks ended before it was ready") from None
        if message is None:
            raise OutsideServiceError(f"the process that runs notebooks was not ready in {timeout_s:g} s")
        if "ready" not in message:
            raise OutsideServiceError(f"the process that runs notebooks failed to start: {message.get('fault')}")
        self.kernel_group = message["ready"]["kernel_group"]

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self._closed

    def end(self) -> None:
        """Kill all its processes and remove its folder."""
        for group in self._groups():
            _kill(group)
        self._socket.close()
        if self._process is not None:
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _groups(self) -> list[int]:
        return [group for group in (self.kernel_group, self.pid) if group is not None]

    def _listen(self) -> None:
        for message in self._line:
            with self._news:
                self._messages.append(message)
                self._news.notify_all()
        with self._news:
            self._closed = True
            self._news.notify_all()


class Spawner(Protocol):
    """Starts children."""

    def spawn(self, folder: Path) -> Child:
        """Start one in a fresh folder, and return without waiting for it."""

    def close(self) -> None:
        """End what it keeps."""


class ProcessSpawner:
    """Starts each child as a new interpreter: imports are paid by each."""

    def __init__(self, command: Sequence[str] = (sys.executable, "-m", "pacifico.jobs.runner.child")) -> None:
        self._command = command

    def spawn(self, folder: Path) -> Child:
        """Start one, and return without waiting for it."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [*self._command, str(theirs.fileno())],
                cwd=folder,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        return Child(folder, ours, process.pid, process)

    def close(self) -> None:
        """Keep nothing, end nothing."""


class NotebookRunner:
    """Runs one notebook at a time, and has the next child started ahead."""

    def __init__(self, store: Store, settings: Settings, spawner: Spawner, *, standby: bool = True) -> None:
        self._store = store
        self._settings = settings
        self._spawner = spawner
        self._standby = standby
        self._next: Child | None = None
        self._current: Child | None = None

    def prepare(self) -> None:
        """Start the next child ahead, unless one waits already."""
        if self._standby and (self._next is None or self._next.gone):
            self._drop_next()
            self._next = self._spawn()

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """Give the folder of a child that has run nothing yet; both are gone afterwards."""
        child = self._next if self._next is not None and not self._next.gone else None
        if child is None:
            self._drop_next()
            child = self._spawn()
        self._next = None
        self._current = child
        try:
            yield child.folder
        finally:
            self._current = None
            child.end()

    def run(self, task: Task, folder: Path, on_stage: Callable[[str, str], None], orders: Orders) -> RunOutcome:
        """Run a notebook in the workspace.

        Raises
        ------
        InputError
            The request's inputs can't be had.
        OSError
            The surroundings failed: store, disk, processes.
        """
        child = self._current
        if child is None or child.folder != folder:
            raise RuntimeError("run was called outside its workspace")
        inputs, parameters = stage(task.request, self._store, self._settings, folder / "staged")
        terrain = terrain_cache.TerrainCache(
            self._store, task.request, inputs["boundary"], folder / terrain_cache.FOLDER
        )
        terrain.fetch()
        report = folder / "report"
        child.ready()
        child.send(
            run={
                "notebook": task.request.notebook,
                "parameters": parameters,
                "inputs": {name: str(path) for name, path in inputs.items()},
                "out_dir": str(report),
                "timeout_s": self._settings.job_timeout_s,
                "memory_limit_bytes": self._settings.job_memory_bytes or None,
                "notes": {"layout_id": task.request.layout_id, "owner": task.request.owner, "dem": task.request.dem},
                "attempt": task.attempt,
                "worker": task.worker,
            }
        )
        self.prepare()
        outcome = self._watch(child, report, on_stage, orders)
        if outcome.kind != "lost":
            terrain.keep()
        return outcome

    def close(self) -> None:
        """End the child that waits, and who starts them."""
        self._drop_next()
        self._spawner.close()

    def _watch(self, child: Child, report: Path, on_stage: Callable[[str, str], None], orders: Orders) -> RunOutcome:
        deadline = time.monotonic() + self._settings.job_timeout_s + _LAST_WORDS_S
        oom_before = _oom_kills()
        told = False
        while True:
            if orders.abandon.is_set():
                return RunOutcome(report=report, kind="lost", message="abandoned")
            if orders.interrupt.is_set() and not told:
                told = True
                child.send(interrupt=True)
                deadline = min(deadline, time.monotonic() + _LAST_WORDS_S)
            if time.monotonic() > deadline:
                kind: ErrorKind = "cancelled" if told else "timeout"
                return RunOutcome(
                    report=report, kind=kind, message=f"stopped: the run took over {self._settings.job_timeout_s:g} s"
                )
            try:
                message = child.next(_LOOK_S)
            except EOFError:
                return _died(report, oom_before)
            if message is None:
                continue
            if "stage" in message:
                on_stage(*message["stage"])
            elif "fault" in message:
                name, text, code = message["fault"]
                return RunOutcome(report=report, kind="request" if code == 2 else "service", message=f"{name}: {text}")
            elif "outcome" in message:
                return _judge(message["outcome"], report, oom_before)

    def _spawn(self) -> Child:
        root = self._settings.scratch
        if root is not None:
            root.mkdir(parents=True, exist_ok=True)
        return self._spawner.spawn(Path(tempfile.mkdtemp(prefix="pacifico-job-", dir=root)))

    def _drop_next(self) -> None:
        if self._next is not None:
            self._next.end()
            self._next = None


def environment(folder: Path, source: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment of a notebook's processes: what they need by name, and nothing that looks like a credential."""
    given = os.environ if source is None else source
    kept = {name: value for name, value in scrubbed(given).items() if _KEPT.fullmatch(name)}
    cache = given.get("XDG_CACHE_HOME") or str(Path(given.get("HOME") or "/tmp") / ".cache")  # noqa: S108 (a cache)
    terrain = str(folder / terrain_cache.FOLDER)
    own = {"HOME": str(folder), "TMPDIR": str(folder), "XDG_CACHE_HOME": cache, "PACIFICO_DEM_CACHE": terrain}
    return {**kept, **own, "PYTHONHASHSEED": "0"}


def _died(report: Path, oom_before: int) -> RunOutcome:
    if _oom_kills() > oom_before:
        return RunOutcome(report=report, kind="memory", message=_OUT_OF_MEMORY)
    return RunOutcome(report=report, kind="lost", message="the process that ran the notebook was killed by others")


def _judge(outcome: Mapping[str, Any], report: Path, oom_before: int) -> RunOutcome:
    """Turn what the run recorded into what the job does about it."""
    if outcome["status"] == "completed":
        return RunOutcome(report=report, metrics=metrics_of(report))
    kind: ErrorKind = outcome["error_kind"] or "request"
    message = outcome["error_message"] or kind
    if outcome["error_name"] and outcome["error_name"] not in message:
        message = f"{outcome['error_name']}: {message}"
    if kind == "lost" and _oom_kills() > oom_before:
        kind, message = "memory", _OUT_OF_MEMORY
    elif kind == "request" and _disk_full(message):
        kind = "service"
    return RunOutcome(report=report, kind=kind, message=message)


def _disk_full(message: str) -> bool:
    return "[Errno 28]" in message or "No space left on device" in message


def _oom_kills() -> int:
    """Count what the operating system killed for memory in this control group; 0 where it isn't told."""
    for path, name in (("/sys/fs/cgroup/memory.events", "oom_kill"), (_cgroup_v1(), "oom_kill")):
        with contextlib.suppress(OSError, ValueError):
            for line in Path(path).read_text(encoding="ascii").splitlines():
                if line.startswith(name + " "):
                    return int(line.split()[1])
    return 0


def _cgroup_v1() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
            if ":memory:" in line:
                return f"/sys/fs/cgroup/memory{line.split(':', 2)[2]}/memory.oom_control"
    return "/sys/fs/cgroup/memory/memory.oom_control"


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
