"""One notebook run: staged, executed in a kernel of its own, truthfully recorded."""

from __future__ import annotations

import errno
import queue
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico import errors
from pacifico.errors import OutsideServiceError
from pacifico.run import folder, inputs, manifest, notebooks
from pacifico.run import kernel as kernels
from pacifico.run.outcome import MARGIN_NOTES, STAGES, ErrorKind, Outcome

if TYPE_CHECKING:
    from pacifico.run.engine import Recording

JSON = None | bool | int | float | str | list[Any] | dict[str, Any]
OnStage = Callable[[str, int, str], None]

_TICK_S = 0.1
_TICKS_A_WEIGHING = 5  # adding up a process group reads all of /proc
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class RunRequest:
    """What to run, on what, into where."""

    notebook: str
    """Name of a shipped template, such as "layout_report"."""
    parameters: Mapping[str, JSON]
    inputs: Mapping[str, Path]
    """Parameter of the notebook: file. It is copied to `inputs/` under its own name, and the parameter is given the
    path relative to the report folder, `inputs/site.kml`."""
    out_dir: Path
    timeout_s: float | None = None
    """Limit of the whole run [s]."""
    attempt: int = 1
    worker: str = ""
    env: Mapping[str, str] | None = None
    """The kernel's whole environment; None for a copy of ours without what looks like a credential."""
    memory_limit_bytes: int | None = None
    """Limit of the kernel's process group, resident [bytes]; needs /proc."""
    notes: Mapping[str, JSON] = field(default_factory=dict)
    """Kept in the manifest as they are, under "notes": what the caller knows of the inputs, such as where from."""


def execute(
    request: RunRequest,
    *,
    on_stage: OnStage | None = None,
    cancel: threading.Event | None = None,
    kernel: Any = None,
) -> Outcome:
    """Run a notebook and leave a report folder, whether it completes or fails.

    Parameters
    ----------
    request : RunRequest
    on_stage : callable, optional
        Called with name, percentage and message as each stage begins, in the caller's thread. What it raises ends
        the run, without a report.
    cancel : threading.Event, optional
        Once set, the run is stopped within a fraction of a second.
    kernel : jupyter_client.KernelManager, optional
        One that `pacifico.run.kernel.start` started ahead, warmed perhaps; its environment was settled then. It is
        used for this run alone and ended with it. Without it one is started.

    Returns
    -------
    Outcome
        The folder stands under its name by then, `manifest.json` in it.

    Raises
    ------
    InputError
        Nothing was started: unknown notebook, unknown, missing or misfit parameter, an input that is not there, or
        an output folder that must not be replaced. A kernel that was handed in is still the caller's.
    OutsideServiceError
        No kernel could be started, or the report could not be written (disk full).
    """
    return _execute(request, notebooks.find(request.notebook), on_stage=on_stage, cancel=cancel, kernel=kernel)


def _execute(
    request: RunRequest,
    template: notebooks.Template,
    *,
    on_stage: OnStage | None = None,
    cancel: threading.Event | None = None,
    kernel: Any = None,
) -> Outcome:
    started, clock = datetime.now(UTC), time.monotonic()
    out_dir = Path(request.out_dir).absolute()
    names = inputs.names(request.inputs)
    parameters = {**request.parameters, **{name: f"{inputs.FOLDER}/{file}" for name, file in names.items()}}
    notebooks.check(template, parameters)
    folder.check(out_dir)

    staged = folder.stage(out_dir)
    try:
        given = inputs.copy(request.inputs, names, staged)
        running = kernel if kernel is not None else kernels.start(staged, env=request.env)
        try:
            if kernel is not None:
                kernels.warm(kernel, f"import os; os.chdir({str(staged)!r})")
            recording, stopped = _supervise(request, template, parameters, staged, running, clock, on_stage, cancel)
            death = kernels.exit_status(running)
        finally:
            kernels.stop(running)
        failure = _failure(recording, stopped, death, request)
        outcome = _record(recording, failure, template, staged, started, clock)
        manifest.write(
            staged,
            {
                "request": {
                    "notebook": template.name,
                    "parameters": dict(parameters),
                    "timeout_s": request.timeout_s,
                    "memory_limit_bytes": request.memory_limit_bytes,
                },
                "inputs": inputs.settle(given, parameters, staged),
                "notes": dict(request.notes),
                "notebook": {"name": template.name, "sha256": template.sha256},
                "environment": manifest.environment(),
                "started": outcome.started,
                "finished": outcome.finished,
                "attempt": request.attempt,
                "worker": request.worker,
                "outcome": outcome.as_dict(),
                "outputs": outcome.outputs,
            },
        )
        folder.place(staged, out_dir)
    except OSError as error:
        if isinstance(error, errors.PacificoError):
            raise
        raise OutsideServiceError(f"the report can't be written to {out_dir}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return outcome


def _supervise(
    request: RunRequest,
    template: notebooks.Template,
    parameters: Mapping[str, Any],
    staged: Path,
    running: Any,
    clock: float,
    on_stage: OnStage | None,
    cancel: threading.Event | None,
) -> tuple[Recording, ErrorKind | None]:
    """Run in another thread, watch time, memory and the caller's wish in this one."""
    from pacifico.run import engine  # noqa: PLC0415 (papermill: 2 s, while the kernel boots)

    stages: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    recording = engine.Recording(kernel=running, title=template.name, on_stage=stages.put)

    faults: list[BaseException] = []

    def work() -> None:
        try:
            kernels.apart(lambda: engine.run(template.path, staged / "report.ipynb", dict(parameters), recording))
        except BaseException as fault:  # noqa: BLE001 (raised again below, in the caller's thread)
            faults.append(fault)
        finally:
            stages.put(None)

    thread = threading.Thread(target=work, name="pacifico-run")
    thread.start()
    stopped: ErrorKind | None = None
    ticks = 0
    try:
        while True:
            try:
                stage = stages.get(timeout=_TICK_S)
            except queue.Empty:
                ticks += 1
                weigh = ticks % _TICKS_A_WEIGHING == 0
                if stopped is None and (stopped := _reason_to_stop(request, running, clock, cancel, weigh=weigh)):
                    kernels.kill(running)
                continue
            if stage is None:
                break
            if on_stage is not None:
                on_stage(stage, *STAGES[stage])
    finally:
        if thread.is_alive():
            # Reached by an exception of the caller's, or the moment between the last word and the end.
            if stopped is None and stages.empty() and recording.notebook is not None:
                thread.join(timeout=_TICK_S)
            if thread.is_alive():
                kernels.kill(running)
            thread.join()
    if faults:
        raise faults[0]
    return recording, stopped


def _reason_to_stop(
    request: RunRequest, running: Any, clock: float, cancel: threading.Event | None, *, weigh: bool
) -> ErrorKind | None:
    if cancel is not None and cancel.is_set():
        return "cancelled"
    if request.timeout_s is not None and time.monotonic() - clock > request.timeout_s:
        return "timeout"
    pgid = kernels.group(running)
    if (
        weigh
        and request.memory_limit_bytes is not None
        and pgid
        and kernels.memory_bytes(pgid) > request.memory_limit_bytes
    ):
        return "memory"
    return None


def _failure(
    recording: Recording, stopped: ErrorKind | None, death: str, request: RunRequest
) -> tuple[ErrorKind, str, str] | None:
    """Kind, name and message of what ended the run early; None when every cell ran."""
    if recording.error_name is None:
        return None
    message = _ANSI.sub("", recording.error_message or "").strip()
    if recording.raised_in_cell:
        return _kind_of(recording.error_name, message), recording.error_name, message
    if stopped == "cancelled":
        return stopped, "Cancelled", "the run was stopped on request"
    if stopped == "timeout":
        return stopped, "TimeLimit", f"the run was stopped at its limit of {request.timeout_s:g} s"
    if stopped == "memory":
        limit = (request.memory_limit_bytes or 0) / 1e6
        return stopped, "MemoryLimit", f"the run was stopped: its kernel held more than {limit:.0f} MB"
    if recording.error_name == "DeadKernelError" or "Kernel died" in message:
        return "lost", "KernelDied", f"the kernel died: {death}"
    return "lost", recording.error_name, message


def _kind_of(name: str, message: str) -> ErrorKind:
    """Whose fault an error raised in a cell is; the error tree is in one module, so the name tells."""
    known = getattr(errors, name, None)
    if isinstance(known, type) and issubclass(known, OutsideServiceError):
        return "service"
    if name in {"MemoryError", "_ArrayMemoryError"}:
        return "memory"
    if name == "OSError" and f"[Errno {errno.ENOSPC}]" in message:
        return "service"
    return "request"


def _record(
    recording: Recording,
    failure: tuple[ErrorKind, str, str] | None,
    template: notebooks.Template,
    staged: Path,
    started: datetime,
    clock: float,
) -> Outcome:
    from pacifico.run import engine, html  # noqa: PLC0415

    kind, name, message = failure or (None, None, None)
    failing = None
    if failure is not None:
        failing = engine.mark_failed(
            staged / "report.ipynb",
            recording,
            error_name=failure[1],
            error_message=failure[2],
            remedy=MARGIN_NOTES[failure[0]],
        )
    html.write(staged, title=template.name)
    return Outcome(
        status="completed" if failure is None else "failed",
        error_kind=kind,
        failing_cell=failing,
        error_name=name,
        error_message=message,
        started=started.isoformat(timespec="milliseconds"),
        finished=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=round(time.monotonic() - clock, 3),
        outputs=manifest.outputs(staged),
        stage="completed" if failure is None else recording.stage,
    )
