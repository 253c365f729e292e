"""One delivery of a job: its run, its end, its message."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pacifico.jobs.queue import Message
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.status import Status
    from pacifico.jobs.stop_signals import StopSignals
    from pacifico.run.outcome import ErrorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How one run of the notebook ended, and where its report is.

    `kind` is None for a completed run. 'service' and 'lost' are outside faults, 'cancelled' is a requested interrupt, and
    the others are the request's own faults.
    """

    report: Path
    kind: ErrorKind | None = None
    message: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTask:
    """One attempt as a runner sees it."""

    request: JobRequest
    attempt: int
    worker: str


class Runner(Protocol):
    """Runs one notebook at a time in processes of its own."""

    def workspace(self) -> AbstractContextManager[Path]:
        """Return the scratch folder of the next run, removed afterwards."""

    def run(
        self, task: RunTask, folder: Path, on_stage: Callable[[str, str], None], signals: StopSignals
    ) -> RunOutcome:
        """Run the task in its workspace.

        InputError means a fault of the request, OSError an outside fault, StoppedError a stop before the notebook began.

        Parameters
        ----------
        task : RunTask
            Attempt to run.
        folder : Path
            Workspace of the run.
        on_stage : callable
            Called with each stage and its message.
        signals : StopSignals
            Requests to stop.
        """


class Ending(enum.StrEnum):
    """How one delivery ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    ACKNOWLEDGED = "acknowledged"  # the job had ended before
    LOST = "lost"  # another worker took it over, or the store was away for a whole lease
    CANCELLED = "cancelled"
    RELEASED = "released"  # an outside fault: the message returns
    HANDED_BACK = "handed back"  # a stop, an outage or a live lease: a fresh copy was sent
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How one delivery ended, and what to do with its message.

    `store_failed` says that the store gave no answer: where it is still away, the delivery must not count as a receive.
    """

    ending: Ending
    status: Status | None = None
    kind: ErrorKind | None = None
    message: str = ""
    delay_s: float = 0.0
    do: Literal["delete", "copy", "hide", "leave"]
    store_failed: bool = False


class Stop(Protocol):
    """Whether this process must stop."""

    @property
    def requested(self) -> bool:
        """Whether no new job may start."""

    def watch(self, signals: StopSignals) -> AbstractContextManager[None]:
        """Interrupt the run of these signals when its grace is over."""


def settle(delivery: Delivery, message: Message, queue: MessageActions) -> None:
    """Delete, copy, hide or leave the message of a delivery."""
    if delivery.do == "delete":
        queue.delete(message)
    elif delivery.do == "copy":
        queue.send_copy(message, delay_s=delivery.delay_s)
        queue.delete(message)
    elif delivery.do == "hide":
        queue.hide(message, delivery.delay_s)


class MessageActions(Protocol):
    """What `settle` needs of a queue."""

    def delete(self, message: Message) -> None:
        """Delete a received message."""

    def hide(self, message: Message, seconds: float) -> None:
        """Keep a received message hidden for some seconds."""

    def send_copy(self, message: Message, *, delay_s: float) -> None:
        """Send the same text as a fresh message."""
