"""Run notebooks in processes of their own, with limits.

A notebook gets a scrubbed environment (no credentials, no queue, no store), a scratch folder as home and working folder,
and copies of its inputs. All its processes are killed when its time, its memory or its job is over, detached ones too. It has no user and
no network of its own: notebooks are ours and trusted, their data is not.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.jobs.delivery import RunOutcome
from pacifico.jobs.runner.job_inputs import stage_inputs
from pacifico.jobs.runner.staging import metrics_of
from pacifico.jobs.stop_signals import LAST_WORDS_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pacifico.jobs.delivery import RunTask
    from pacifico.jobs.runner.processes import Child, Spawner
    from pacifico.jobs.runner.terrain_cache import TerrainCache
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.stop_signals import StopSignals
    from pacifico.jobs.store.base import Store
    from pacifico.run.outcome import ErrorKind

log = logging.getLogger(__name__)

_TICK_S = 0.2
_OUT_OF_MEMORY = "the machine ran out of memory and ended the run; ask for less, or give the workers more"


class NotebookRunner:
    """Runs one notebook at a time, with the next process started ahead.

    Parameters
    ----------
    store : Store
        Where inputs come from.
    settings : Settings
        Limits and scratch folder.
    spawner : Spawner
        Starts the processes.
    standby : bool
        Whether the next process is started ahead.
    """

    def __init__(self, store: Store, settings: Settings, spawner: Spawner, *, standby: bool = True) -> None:
        self._store = store
        self._settings = settings
        self._spawner = spawner
        self._standby = standby
        self._next: Child | None = None
        self._current: Child | None = None

    def prepare(self) -> None:
        """Start the next process ahead, unless one waits already."""
        if self._standby and (self._next is None or self._next.gone):
            self._drop_next()
            self._next = self._spawn()

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """Yield the folder of a new process, then end both."""
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

    def run(
        self, task: RunTask, folder: Path, on_stage: Callable[[str, str], None], signals: StopSignals
    ) -> RunOutcome:
        """Run a notebook in the workspace.

        Parameters
        ----------
        task : RunTask
            What to run.
        folder : Path
            The workspace.
        on_stage : callable
            Called with the name and message of each stage.
        signals : StopSignals
            Tell the run to stop: staging within a fraction of a second, a notebook after its last words.

        Raises
        ------
        InputError
            The request's inputs can't be used.
        OSError
            Store, host, disk or processes failed.
        StoppedError
            The job was told to stop before the notebook began.
        """
        child = self._current
        if child is None or child.folder != folder:
            raise RuntimeError("run was called outside its workspace")
        inputs = stage_inputs(task, self._store, self._settings, folder, signals)
        report = folder / "report"
        child.wait_ready(signals)
        child.send(
            run={
                "notebook": task.request.notebook,
                "parameters": inputs.parameters,
                "inputs": {name: str(path) for name, path in inputs.files.items()},
                "out_dir": str(report),
                "timeout_s": self._settings.job_timeout_s,
                "memory_limit_bytes": self._settings.job_memory_bytes or None,
                "notes": {"layout_id": task.request.layout_id, "owner": task.request.owner, "dem": task.request.dem},
                "attempt": task.attempt,
                "worker": task.worker,
            }
        )
        self.prepare()
        outcome = self._watch(child, report, on_stage, signals)
        if not signals.stopped and outcome.kind != "lost":
            _keep_terrain(inputs.terrain, signals)
        return outcome

    def close(self) -> None:
        """End the waiting process and the spawner."""
        self._drop_next()
        self._spawner.close()

    def _watch(
        self, child: Child, report: Path, on_stage: Callable[[str, str], None], signals: StopSignals
    ) -> RunOutcome:
        """Watch a run until it ends or breaks a limit.

        Parameters
        ----------
        child : Child
            Process of the notebook.
        report : Path
            Report folder.
        on_stage : callable
            Called with each stage.
        signals : StopSignals
            Requests to stop.
        """
        deadline = time.monotonic() + self._settings.job_timeout_s + LAST_WORDS_S
        oom_before = _oom_kills()
        interrupted = False
        while True:
            if signals.abandon.is_set():
                return RunOutcome(report=report, kind="lost", message="abandoned")
            if signals.interrupt.is_set() and not interrupted:
                interrupted = True
                child.send(interrupt=True)
                deadline = min(deadline, time.monotonic() + LAST_WORDS_S)
            if time.monotonic() > deadline:
                kind: ErrorKind = "cancelled" if interrupted else "timeout"
                return RunOutcome(
                    report=report, kind=kind, message=f"stopped: the run took over {self._settings.job_timeout_s:g} s"
                )
            try:
                message = child.next(_TICK_S)
            except EOFError:
                return _died(report, oom_before)
            if message is None:
                child.remember()
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


def _keep_terrain(terrain: TerrainCache, signals: StopSignals) -> None:
    """Copy new terrain to the store, until a stop."""

    def keep() -> None:
        try:
            terrain.keep(signals)
        except Exception:
            log.exception("terrain not kept")

    # A daemon: after a stop it ends with the file that it is sending, and nobody waits for it.
    thread = threading.Thread(target=keep, name="terrain", daemon=True)
    thread.start()
    while thread.is_alive() and not signals.stopped:
        thread.join(_TICK_S)


def _died(report: Path, oom_before: int) -> RunOutcome:
    if _oom_kills() > oom_before:
        return RunOutcome(report=report, kind="memory", message=_OUT_OF_MEMORY)
    return RunOutcome(report=report, kind="lost", message="the process that ran the notebook was killed")


def _judge(outcome: Mapping[str, Any], report: Path, oom_before: int) -> RunOutcome:
    """Turn a run's record into the outcome of the job."""
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
    """Count of processes killed for memory in this control group."""
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
