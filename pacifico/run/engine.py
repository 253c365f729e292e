"""A papermill engine that records truthfully what ran.

The engine of papermill 2.7 marks cells that never ran, and those of a dead kernel, as completed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient.exceptions import CellExecutionError
from papermill import execute_notebook
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

from pacifico.escaping import for_markdown_block
from pacifico.run.outcome import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FAILED_TAG = "run-failed"


@dataclass
class Recording:
    """State of a run in progress.

    One thread writes it, another reads it.
    """

    kernel: Any
    title: str
    on_stage: Callable[[str], None]
    stage: str = "queued"
    cell: int | None = None
    """Position of the last cell that began, in the executed notebook."""
    error_name: str | None = None
    error_message: str | None = None
    raised_in_cell: bool = False
    notebook: Any = field(default=None, repr=False)


class _Recorder(NotebookExecutionManager):  # type: ignore[misc]
    def __init__(self, nb: Any, output_path: str, recording: Recording) -> None:
        super().__init__(nb, output_path=output_path, progress_bar=False)
        self.recording = recording
        self.failed = False
        recording.notebook = nb

    def notebook_start(self, **kwargs: Any) -> None:
        # Paths of this machine mean nothing to a reader.
        self.nb.metadata.papermill.update(input_path=f"{self.recording.title}.ipynb", output_path="report.ipynb")
        super().notebook_start(**kwargs)

    def save(self, **kwargs: Any) -> None:
        """Save the notebook of a run that failed.

        papermill saves before and after each cell. Each time costs tens of milliseconds, and nobody reads a report before
        its run is over. After a run without failure papermill saves once more.
        """
        if self.failed:
            super().save(**kwargs)

    def cell_start(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        self.recording.cell = cell_index
        for tag in cell.metadata.get("tags", []):
            stage = tag.removeprefix("stage:")
            if stage != tag and stage in STAGES and stage != self.recording.stage:
                self.recording.stage = stage
                self.recording.on_stage(stage)
        super().cell_start(cell, cell_index, **kwargs)

    def notebook_complete(self, **kwargs: Any) -> None:  # noqa: ARG002 (papermill's signature)
        """Record the end; cells that never ran stay 'pending'."""
        self.end_time = self.now()
        about = self.nb.metadata.papermill
        about["end_time"] = self.end_time.isoformat()
        about["duration"] = (self.end_time - self.start_time).total_seconds()
        self.save()


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    def papermill_execute_cells(self) -> None:
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except BaseException:
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index)
                raise
            finally:
                self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)


class _TruthfulEngine(Engine):  # type: ignore[misc]
    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, output_path: str, **kwargs: Any) -> Any:
        """Execute a notebook, and save it if it fails.

        Parameters
        ----------
        nb : Any
            Notebook.
        kernel_name : str
            Kernel of the notebook.
        output_path : str
            File to save it in.
        **kwargs : Any
            Options of the engine.
        """
        recording: Recording = kwargs["recording"]
        recorder = _Recorder(nb, output_path, recording)
        recorder.notebook_start()
        client = _Client(
            recorder, km=recording.kernel, kernel_name=kernel_name, timeout=None, startup_timeout=60, iopub_timeout=60
        )
        try:
            client.execute()
        except BaseException:
            recorder.failed = True
            raise
        finally:
            recorder.notebook_complete()
            if client.kc is not None:
                client.kc.stop_channels()
        return nb


papermill_engines.register("pacifico", _TruthfulEngine)
# It warns about parameters whose annotation it can't parse; notebooks.check has checked them.
logging.getLogger("papermill").setLevel(logging.ERROR)


def run(template: Path, output: Path, parameters: dict[str, Any], recording: Recording) -> None:
    """Execute a template into `output`; failures are in the recording, not raised.

    Parameters
    ----------
    template : Path
        The notebook.
    output : Path
        Where to write the executed notebook.
    parameters : dict
        Values by name.
    recording : Recording
        What is recorded.
    """
    try:
        execute_notebook(
            _literal(template),
            _literal(output),
            parameters=parameters,
            engine_name="pacifico",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            recording=recording,
        )
    except CellExecutionError as error:
        recording.raised_in_cell = True
        recording.error_name, recording.error_message = error.ename, error.evalue
    except Exception as error:
        if recording.notebook is None:
            raise  # before the run began: a bug
        # nbclient has a dozen errors for a dead kernel; all are recorded.
        recording.error_name, recording.error_message = type(error).__name__, str(error)


def mark_failed(path: Path, recording: Recording, *, error_name: str, error_message: str, remedy: str) -> int | None:
    """Write a note about the failure into the saved notebook.

    Parameters
    ----------
    path : Path
        The saved notebook.
    recording : Recording
        Of its run.
    error_name, error_message : str
        What failed.
    remedy : str
        What the reader can do.

    Returns
    -------
    int or None
        Position of the failing cell, with the note counted.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    failing = None
    for index, cell in enumerate(notebook.cells):
        if cell.metadata.get("papermill", {}).get("status") in {"failed", "running"}:
            cell.metadata.papermill.update(status="failed", exception=True)
            failing = index
    if failing is None:
        place = "before its first cell ran" if recording.cell is None else "between two cells"
    else:
        cell = notebook.cells[failing]
        number = f"cell [{cell.execution_count}]" if cell.get("execution_count") else f"cell {failing + 1}"
        place = f"in {number}, at stage *{STAGES[recording.stage][1].lower()}*"
        cell.metadata.setdefault("tags", []).append("failing-cell")
    never = sum(
        c.cell_type == "code" and c.metadata.get("papermill", {}).get("status") == "pending" for c in notebook.cells
    )
    text = [
        f"# This run failed {place}",
        for_markdown_block(f"{error_name}: {error_message}"),
        f"{remedy} Cells that did not run: {never}. Nothing below is a finished result.",
    ]
    note = nbformat.v4.new_markdown_cell("\n\n".join(text), metadata={"tags": [FAILED_TAG]})  # type: ignore[no-untyped-call]
    note.id = "run-failed"
    notebook.cells.insert(0, note)
    notebook.metadata.setdefault("papermill", {})["exception"] = True
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    return None if failing is None else failing + 1


def _literal(path: Path) -> str:
    """Path with braces escaped: papermill takes paths as format strings."""
    return str(path).replace("{", "{{").replace("}", "}}")
