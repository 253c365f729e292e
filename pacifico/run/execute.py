"""Execute a notebook in its own kernel and record the run."""

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
from pacifico.run.redact import holds_secret, redact

if TYPE_CHECKING:
    from pacifico.run.engine import Recording

JSON = None | bool | int | float | str | list[Any] | dict[str, Any]
OnStage = Callable[[str, int, str], None]

_TICK_S = 0.1
_TICKS_PER_MEMORY_CHECK = 5  # adding up a process group reads all of /proc
_TEXT_FILES = {".ipynb", ".json", ".geojson", ".csv", ".md", ".txt", ".kml", ".html"}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class RunRequest:
    """What to run, on which inputs, and where to write."""

    notebook: str
    """Name of a shipped template, such as "layout_report"."""
    parameters: Mapping[str, JSON]
    inputs: Mapping[str, Path]
    """Files by parameter of the notebook. Each is copied to `inputs/` under its own name, and the parameter gets the path
    relative to the report folder, `inputs/site.kml`."""
    out_dir: Path
    timeout_s: float | None = None
    """Limit of the whole run [s]."""
    attempt: int = 1
    worker: str = ""
    env: Mapping[str, str] | None = None
    """The kernel's whole environment; None for a copy of this process's without credentials."""
    memory_limit_bytes: int | None = None
    """Limit of the resident memory of the kernel's process group [bytes]; needs /proc."""
    notes: Mapping[str, JSON] = field(default_factory=dict)
    """Written to the manifest as "notes": what the caller knows about the inputs, such as their origin."""


def execute(
    request: RunRequest,
    *,
    on_stage: OnStage | None = None,
    cancel: threading.Event | None = None,
    kernel: Any = None,
) -> Outcome:
    """Run a notebook and write its report folder.

    Parameters
    ----------
    request : RunRequest
    on_stage : callable, optional
        Called with name, percentage and message as each stage begins, in the caller's thread. An exception in it
        ends the run without a report.
    cancel : threading.Event, optional
        Stops the run within a fraction of a second once set.
    kernel : jupyter_client.KernelManager, optional
        A kernel from `pacifico.run.kernel.start`, perhaps warmed, with its environment. It is used for this run alone and
        ended with it. By default one is started.

    Returns
    -------
    Outcome
        How the run ended. The report folder is complete by then.

    Raises
    ------
    InputError
        Nothing was started: unknown notebook, unknown, missing or mistyped parameter, missing input, or an output folder
        that must not be replaced. A kernel that was passed in is still the caller's.
    OutsideServiceError
        No kernel could be started, or the report could not be written (disk full).
    """
    return execute_template(request, notebooks.find(request.notebook), on_stage=on_stage, cancel=cancel, kernel=kernel)


def execute_template(
    request: RunRequest,
    template: notebooks.Template,
    *,
    on_stage: OnStage | None = None,
    cancel: threading.Event | None = None,
    kernel: Any = None,
) -> Outcome:
    """Run a template as `execute` does; `request.notebook` is not looked up.

    Parameters
    ----------
    request : RunRequest
        Parameters, inputs and limits.
    template : Template
        The notebook.
    on_stage, cancel, kernel
        As for `execute`.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    out_dir = Path(request.out_dir).absolute()
    names = inputs.names(request.inputs)
    parameters = {**request.parameters, **{name: f"{inputs.FOLDER}/{file}" for name, file in names.items()}}
    notebooks.check(template, parameters)
    folder.check(out_dir)

    staged = folder.stage(out_dir)
    try:
        described = inputs.copy(request.inputs, names, staged)
        running = kernel if kernel is not None else kernels.start(staged, env=request.env)
        run = _Run(request, template, parameters, staged, running, clock)
        try:
            if kernel is not None:
                kernels.warm(kernel, f"import os; os.chdir({str(staged)!r})")
            recording, stopped = _supervise(run, on_stage, cancel)
            death = kernels.exit_status(running)
        finally:
            kernels.stop(running)
        outcome = _record(run, recording, _failure(recording, stopped, death, request), started)
        _write_manifest(run, outcome, described)
        folder.place(staged, out_dir)
    except OSError as error:
        if isinstance(error, errors.PacificoError):
            raise
        raise OutsideServiceError(
            f"the report can't be written to {out_dir}: {error.strerror or error}; check its disk"
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return outcome


@dataclass(frozen=True)
class _Run:
    """What one execution works with."""

    request: RunRequest
    template: notebooks.Template
    parameters: Mapping[str, Any]
    """All values that the notebook gets, paths of inputs included."""
    staged: Path
    """Hidden folder in which the report is written."""
    kernel: Any
    clock: float
    """Monotonic time of the start [s]."""


def _write_manifest(run: _Run, outcome: Outcome, described: Mapping[str, Mapping[str, Any]]) -> None:
    manifest.write(
        run.staged,
        {
            "request": {
                "notebook": run.template.name,
                "parameters": dict(run.parameters),
                "timeout_s": run.request.timeout_s,
                "memory_limit_bytes": run.request.memory_limit_bytes,
            },
            "inputs": inputs.settle(described, run.parameters, run.staged),
            "notes": dict(run.request.notes),
            "notebook": {"name": run.template.name, "sha256": run.template.sha256},
            "environment": manifest.environment(),
            "started": outcome.started,
            "finished": outcome.finished,
            "attempt": run.request.attempt,
            "worker": run.request.worker,
            "outcome": outcome.as_dict(),
            "outputs": outcome.outputs,
        },
    )


def _supervise(
    run: _Run, on_stage: OnStage | None, cancel: threading.Event | None
) -> tuple[Recording, ErrorKind | None]:
    """Run the notebook in a thread and watch its limits."""
    from pacifico.run import engine  # noqa: PLC0415 (papermill: 2 s, while the kernel boots)

    stages: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    recording = engine.Recording(kernel=run.kernel, title=run.template.name, on_stage=stages.put)

    faults: list[BaseException] = []

    def work() -> None:
        try:
            output = run.staged / "report.ipynb"
            kernels.in_thread(lambda: engine.run(run.template.path, output, dict(run.parameters), recording))
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
                check_memory = ticks % _TICKS_PER_MEMORY_CHECK == 0
                if stopped is None and (stopped := _reason_to_stop(run, cancel, check_memory=check_memory)):
                    kernels.kill(run.kernel)
                continue
            if stage is None:
                break
            if on_stage is not None:
                on_stage(stage, *STAGES[stage])
    finally:
        if thread.is_alive():
            # An exception of the caller, or the moment between the last message and the thread's end.
            if stopped is None and stages.empty() and recording.notebook is not None:
                thread.join(timeout=_TICK_S)
            if thread.is_alive():
                kernels.kill(run.kernel)
            thread.join()
    if faults:
        raise faults[0]
    return recording, stopped


def _reason_to_stop(run: _Run, cancel: threading.Event | None, *, check_memory: bool) -> ErrorKind | None:
    request = run.request
    if cancel is not None and cancel.is_set():
        return "cancelled"
    if request.timeout_s is not None and time.monotonic() - run.clock > request.timeout_s:
        return "timeout"
    if not check_memory or request.memory_limit_bytes is None:
        return None
    group = kernels.group(run.kernel)
    return "memory" if group and kernels.memory_bytes(group) > request.memory_limit_bytes else None


def _failure(
    recording: Recording, stopped: ErrorKind | None, death: str, request: RunRequest
) -> tuple[ErrorKind, str, str] | None:
    """Kind, name and message of the failure; None if every cell ran.

    Parameters
    ----------
    recording : Recording
        Of the run.
    stopped : ErrorKind or None
        Why the run was stopped from outside.
    death : str
        How the kernel's process ended.
    request : RunRequest
        Its limits.
    """
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
    """Whose fault a cell's error is, by its name.

    All our errors are in one module.
    """
    known = getattr(errors, name, None)
    if isinstance(known, type) and issubclass(known, OutsideServiceError):
        return "service"
    if name in {"MemoryError", "_ArrayMemoryError"}:
        return "memory"
    if name == "OSError" and f"[Errno {errno.ENOSPC}]" in message:
        return "service"
    return "request"


def _record(run: _Run, recording: Recording, failure: tuple[ErrorKind, str, str] | None, started: datetime) -> Outcome:
    """Finish the report's notebook and page, and describe the outcome.

    Parameters
    ----------
    run : _Run
        What was run.
    recording : Recording
        What was recorded.
    failure : tuple or None
        Kind, name and message of the failure.
    started : datetime
        When the run began.
    """
    from pacifico.run import engine, html  # noqa: PLC0415

    kind, name, message = failure or (None, None, None)
    failing = None
    if failure is not None:
        failing = engine.mark_failed(
            run.staged / "report.ipynb",
            recording,
            error_name=failure[1],
            error_message=failure[2],
            remedy=MARGIN_NOTES[failure[0]],
        )
    if holds_secret(dict(run.parameters)):
        _redact_files(run.staged)
    html.write(run.staged, title=run.template.name)
    return Outcome(
        status="completed" if failure is None else "failed",
        error_kind=kind,
        failing_cell=failing,
        error_name=name,
        error_message=None if message is None else redact(message),
        started=started.isoformat(timespec="milliseconds"),
        finished=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=round(time.monotonic() - run.clock, 3),
        outputs=manifest.outputs(run.staged),
        stage="completed" if failure is None else recording.stage,
    )


def _redact_files(report: Path) -> None:
    """Redact the text files of a report."""
    for path in report.rglob("*"):
        if path.suffix in _TEXT_FILES and path.is_file() and inputs.FOLDER not in path.relative_to(report).parts:
            path.write_text(redact(path.read_text(encoding="utf-8")), encoding="utf-8")
