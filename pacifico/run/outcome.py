"""Outcome of a run, and its stages."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Status = Literal["completed", "failed"]
ErrorKind = Literal["request", "service", "timeout", "memory", "lost", "cancelled"]

STAGES: dict[str, tuple[int, str]] = {
    "queued": (0, "Waiting for a worker"),
    "fetching_dem": (10, "Reading the site and its elevation model"),
    "computing_slope": (25, "Computing slope"),
    "analyzing_terrain": (40, "Finding buildable ground"),
    "placing_assets": (55, "Placing assets"),
    "generating_roads": (70, "Drawing roads"),
    "computing_earthwork": (85, "Computing cut and fill"),
    "finalizing": (95, "Writing the report"),
    "completed": (100, "Done"),
}
"""Stages by name: progress [%] and message. Cells of a notebook name them in tags, `stage:fetching_dem`."""

MARGIN_NOTES: dict[ErrorKind, str] = {
    "request": "The same request will fail again: change the request.",
    "service": "What failed is outside the request: trying again later may help.",
    "timeout": "The run was stopped at its time limit: ask for less (a coarser resolution), or allow more time.",
    "memory": "The run needed more memory than it may use: ask for less (a coarser resolution), or allow more.",
    "lost": "The kernel ended without an error: the request may be fine and can be tried again.",
    "cancelled": "The run was stopped on request.",
}
"""What each kind of failure means for the user."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended, as `manifest.json` records it."""

    status: Status
    error_kind: ErrorKind | None
    failing_cell: int | None
    """Position in report.ipynb from 0, with the note at its top; None if no cell had begun."""
    error_name: str | None
    error_message: str | None
    started: str
    """UTC, ISO 8601."""
    finished: str
    seconds: float
    outputs: Mapping[str, Mapping[str, Any]]
    """Hash and size of each output by relative path; without inputs and manifest."""
    stage: str
    """The last stage that began, "queued" before the first, "completed" at the end."""

    @property
    def completed(self) -> bool:
        """Whether the notebook ran to its end."""
        return self.status == "completed"

    def as_dict(self) -> dict[str, Any]:
        """The outcome as plain data, without outputs."""
        return {k: v for k, v in asdict(self).items() if k != "outputs"}
