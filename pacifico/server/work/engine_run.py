"""Run a layout's engine for a request that waits, as one attempt of its job.

Claim, lease, upload and commit are those of every job; only the notebook is left out.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pacifico.errors import InputError
from pacifico.jobs.delivery import RunOutcome
from pacifico.jobs.runner.job_inputs import stage_inputs
from pacifico.jobs.runner.staging import metrics_of
from pacifico.jobs.runner.terrain_cache import FOLDER
from pacifico.jobs.stop_signals import StoppedError, StopSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pacifico.jobs.delivery import RunTask
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.store.base import Store

_TICK_S = 0.1
_ABANDONED = "the request was abandoned"

#: The notebook whose layout the engine makes without it.
NOTEBOOK = "layout_report"

#: Parameters of the notebook that its layout depends on; the others shape the report alone.
ENGINE_PARAMETERS = frozenset(
    {"dem_units", "layer", "entry", "poi", "exclusions", "setback_m", "max_road_grade_pct", "spec"}
)  # fmt: skip


class Call(Protocol):
    """Starts a task in a process of the pool."""

    def __call__(
        self, task: str, arguments: Mapping[str, Any], on_stage: Callable[[str, str], None]
    ) -> concurrent.futures.Future[Any]:
        """Start it and return its future; cancelling that kills the process.

        Parameters
        ----------
        task : str
            Name of the task.
        arguments : mapping
            Its arguments.
        on_stage : callable
            Called with each stage.
        """


class EngineRunner:
    """Runs the engine in one process of the pool.

    Parameters
    ----------
    store : Store
        Where inputs come from.
    settings : Settings
        Limits.
    call : Call
        Starts a task in the process.
    timeout_s : float
        Longest run [s].
    """

    def __init__(self, store: Store, settings: Settings, call: Call, *, timeout_s: float) -> None:
        self._store = store
        self._settings = settings
        self._call = call
        self._timeout_s = timeout_s
        self._stops = [StopSignals()]

    def stop(self) -> None:
        """End the run at once: whoever asked for it is gone, or has cancelled it."""
        for signals in self._stops:
            signals.abandon.set()

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """Yield a scratch folder, removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="pacifico-engine-", dir=self._settings.scratch) as folder:
            yield Path(folder)

    def run(
        self, task: RunTask, folder: Path, on_stage: Callable[[str, str], None], signals: StopSignals
    ) -> RunOutcome:
        """Stage the inputs and run the engine.

        Parameters
        ----------
        task : RunTask
            What to run.
        folder : Path
            The workspace.
        on_stage : callable
            Called with each stage.
        signals : StopSignals
            Tell the run to stop.
        """
        self._stops.append(signals)
        if self._stops[0].stopped:  # stopped before it began
            raise StoppedError(_ABANDONED)
        check_engine_request(task.request)
        inputs = stage_inputs(task, self._store, self._settings, folder, signals)
        report = folder / "report"
        given = arguments_of(inputs.parameters, inputs.files)
        arguments = {**given, "dem_cache": str(folder / FOLDER), "out": str(report)}
        future = self._call("generate", arguments, on_stage)
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                future.result(_TICK_S)
                break
            except concurrent.futures.CancelledError:
                raise StoppedError(_ABANDONED) from None
            except TimeoutError:
                if future.done():
                    raise
            if signals.stopped:
                future.cancel()
                raise StoppedError(_ABANDONED)
            if time.monotonic() > deadline:
                future.cancel()
                message = f"the run took over {self._timeout_s:g} s; submit it as a job with 'Prefer: respond-async'"
                return RunOutcome(report=report, kind="timeout", message=message)
        inputs.terrain.keep(signals)
        return RunOutcome(report=report, metrics=metrics_of(report))


def arguments_of(parameters: Mapping[str, Any], inputs: Mapping[str, Path]) -> dict[str, Any]:
    """Arguments of the task `generate` from a staged job."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return {"dem": None, **given, **{name: str(path) for name, path in inputs.items()}}


def check_engine_request(request: JobRequest) -> None:
    """Refuse what only the notebook can do.

    Raises
    ------
    InputError
        The request names another notebook, or parameters of the report.
    """
    more = sorted(set(request.parameters) - ENGINE_PARAMETERS)
    if request.notebook != NOTEBOOK or more:
        what = f"the parameters {', '.join(more)}" if more else f"the notebook {request.notebook}"
        raise InputError(f"{what}: only a job makes a report; send the request with 'Prefer: respond-async'")
