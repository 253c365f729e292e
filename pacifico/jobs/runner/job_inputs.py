"""Inputs of one attempt: staged files, parameters, and elevation of earlier jobs."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pacifico.jobs.runner.staging import stage
from pacifico.jobs.runner.terrain_cache import FOLDER, TerrainCache

if TYPE_CHECKING:
    from pathlib import Path

    from pacifico.jobs.delivery import RunTask
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.stop_signals import StopSignals
    from pacifico.jobs.store.base import Store

_TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class JobInputs:
    """What a run needs."""

    files: dict[str, Path]
    """By the parameter that takes them."""
    parameters: dict[str, Any]
    terrain: TerrainCache


def stage_inputs(task: RunTask, store: Store, settings: Settings, folder: Path, signals: StopSignals) -> JobInputs:
    """Stage a job's inputs in `folder`, but return from a stop at once.

    Parameters
    ----------
    task : RunTask
        The job.
    store : Store
        Where its site and uploads are.
    settings : Settings
        Limits.
    folder : Path
        The workspace.
    signals : StopSignals
        Tell it to stop.

    Raises
    ------
    InputError, OutsideServiceError
        The inputs can't be used, or store or host failed.
    StoppedError
        The job was told to stop.
    """
    results: list[JobInputs] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            files, parameters = stage(task.request, store, settings, folder / "staged", signals)
            terrain = TerrainCache(store, task.request, files["boundary"], folder / FOLDER)
            terrain.fetch()
            results.append(JobInputs(files, parameters, terrain))
        except BaseException as error:  # noqa: BLE001 (raised again below, in the caller's thread)
            errors.append(error)

    # A daemon: after a stop it may wait for a reply of its host a while, and nobody waits for it.
    thread = threading.Thread(target=work, name="stage", daemon=True)
    thread.start()
    while thread.is_alive():
        signals.check()
        thread.join(_TICK_S)
    if errors:
        raise errors[0]
    return results[0]
