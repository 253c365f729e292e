"""The life of a job: at least one delivery in, exactly one result out.

States::

    submit                    claim                       commit
    ------> queued ------------------------> processing ----------> completed
              ^  ^                            |  |   |
              |  +---- release (stop, fault) -+  |   +-- fail ----> failed
              |                                  |                    |
              |      takeover: processing -> processing (attempt n+1) |
              +------------------------ redrive ----------------------+
    queued | processing -- cancel --> cancelled      queued | dead processing -- sweep, refuse --> failed
    queued -- assign --> queued                      queued | processing of a process that is gone -- give up --> failed

Every arrow is one compare-and-swap of status.json; what is not drawn can't happen. Writers:

====================  =========================================  ====================================================
arrow                 who                                        guard besides the swap
====================  =========================================  ====================================================
submit                client (or a worker that finds a request   written only where nothing is
                      without status: the client died between)
claim, takeover       worker with a message, or a local run      queued, or processing with a dead lease
renew                 the attempt's one writer                   nonce its own, before its own monotonic deadline
commit, fail,         the attempt's one writer                   the same; files uploaded before
release
cancel                client                                     not terminal
redrive               client                                     failed
sweep                 idle worker, with a dead letter            no live lease; the letter is no older than the
                                                                 last time the job was queued
refuse                worker with a message whose request can't  no live lease
                      be read, or is not what was submitted
assign                background process on this machine: its    queued
                      name, before it runs the job
give up               whoever reads a local run's status on its  the process of that name (number and start) is gone
                      machine; the local run itself, where the
                      surroundings failed (nobody brings it
                      again)
====================  =========================================  ====================================================

Pairs that race, and how each ends (the loser reads what the winner wrote):

- claim / claim (a message delivered twice, or two messages): one swap holds. The loser meets a live lease: it sends a
  copy delayed by what is left of the lease and deletes the message it holds; the copy finds a terminal state, or a dead
  lease to take over.
- renew / takeover: the lease is dead only when the store's Date - Last-Modified says so, and a renewal makes a new
  version. If the renewal lands first, the takeover's swap is refused; if the takeover lands first, the renewal is
  refused, the nonce read back is another's, and the attempt stops.
- commit / takeover (a zombie: stopped, then continued): as renew / takeover. The zombie's files lie under its own
  attempt and nothing points to them.
- renew | commit / its own lost reply: read back; the bytes are its own, so it holds.
- renew (its reply lost, still under way) / the next renew: refused by the late one; the nonce read back is its own, so
  it takes that version and goes on.
- cancel / commit: one holds. Cancel first: the commit is refused, nothing is committed, the message is acknowledged.
  Commit first: cancel finds it completed and leaves it.
- cancel / renew: the renewal is refused, reads 'cancelled', and the processes are killed. Or the cancel is refused,
  reads again and cancels the renewed one.
- cancel / claim: as cancel / renew.
- sweep / claim (a duplicate is still under way): claim first: a live lease, the sweep leaves it. Sweep first: the claim
  finds it failed and acknowledges.
- sweep / redrive: the redriven job is queued later than its dead letter was sent: the sweep leaves it.
- give up / commit: the process is gone, so its commit has landed, or never will. If it landed, the swap is refused.
- give up / claim by another: one swap holds; a worker that claims the job has another name, which is not given up.
- redrive / redrive, submit / submit: one swap holds; both send: a duplicate, see claim / claim.
- release / cancel: one holds; the released or cancelled message finds its state.
- commit / delete of the message lost: delivered again, found completed, acknowledged without a run.
- crash between any two steps: the message is still there. Before the claim: as if nothing had been. After it: the lease
  dies, the message returns, takeover. After the commit: acknowledged. After a copy was sent and before the delete: two
  messages, see claim / claim.
"""

from __future__ import annotations

import enum
import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from pacifico.errors import InputError
from pacifico.jobs import status as states
from pacifico.jobs.attempt import Attempt, LostError
from pacifico.jobs.records import RefusedError, new_nonce
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.store.base import NotFoundError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pacifico.jobs.queue import Message
    from pacifico.jobs.records import Held, Records
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.status import ErrorKind, Status

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How one run of the notebook ended, and where its report lies.

    `kind` None: completed. 'service' and 'lost' are the surroundings' fault, 'cancelled' is an interrupt that was asked
    for; the rest is the request's own.
    """

    report: Path
    kind: ErrorKind | None = None
    message: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


class Orders:
    """What a running job is told: `interrupt` keeps what ran, `abandon` kills it at once."""

    def __init__(self) -> None:
        self.interrupt = threading.Event()
        self.abandon = threading.Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One attempt, as a runner sees it."""

    request: JobRequest
    attempt: int
    worker: str


class Runner(Protocol):
    """Runs one notebook at a time in processes of its own."""

    def workspace(self) -> AbstractContextManager[Path]:
        """Give the scratch folder of the next run; it is gone afterwards."""

    def run(self, task: Task, folder: Path, on_stage: Callable[[str, str], None], orders: Orders) -> RunOutcome:
        """Run it in its workspace, inputs included; OSError where the surroundings fail. Abandoned: any outcome."""


class Ending(enum.StrEnum):
    """What became of one delivery."""

    COMPLETED = "completed"
    FAILED = "failed"
    ACKNOWLEDGED = "acknowledged"  # it had ended before
    LOST = "lost"  # another took it over, or the store was away too long
    CANCELLED = "cancelled"
    RELEASED = "released"  # the surroundings failed: it comes again
    HANDED_BACK = "handed back"  # a stop, or a live lease: a fresh copy comes
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one delivery, for logs and metrics."""

    ending: Ending
    status: Status | None = None
    kind: ErrorKind | None = None
    message: str = ""
    delay_s: float = 0.0
    do: Literal["delete", "copy", "hide", "leave"]


class Stop(Protocol):
    """Whether to stop: `requested` once no new job may start, `expired` once a running one must be handed back."""

    @property
    def requested(self) -> bool:
        """No new job."""

    def watch(self, orders: Orders) -> AbstractContextManager[None]:
        """Interrupt those orders when the grace is over."""


def claim(records: Records, owner: str, layout_id: str, *, worker: str, settings: Settings) -> Attempt | Held:
    """Begin an attempt, or say what stands in its way: a terminal status or a live lease.

    Raises
    ------
    NotFoundError
        There is no such request.
    InputError
        The request can't be read; its status then says so.
    UnknownVersionError
        Request or status are a newer pacifico's.
    StoreError
        The store fails.
    """
    try:
        request, sha256 = records.request(owner, layout_id)
    except NotFoundError:
        raise
    except InputError as error:
        held = records.read(owner, layout_id)
        if held.status.terminal or held.alive:
            return held
        return _refuse(records, held, str(error))
    held = records.ensure_status(request, sha256)
    nonce = new_nonce()
    while True:
        if held.status.terminal or held.alive:
            return held
        if held.status.request_sha256 != sha256 or (request.owner, request.layout_id) != (owner, layout_id):
            return _refuse(records, held, f"request.json of {layout_id} is not the one that was submitted")
        started = Attempt.clock()
        new = states.claimed(held.status, worker=worker, nonce=nonce, lease_s=settings.lease_s, now=records.now())
        try:
            mine = _swap_twice(records, held, new)
        except RefusedError as refused:
            held = refused.current
            continue
        return Attempt(records, mine, before=held.status, request=request, settings=settings, started=started)


def _swap_twice(records: Records, held: Held, new: Status) -> Held:
    """Swap; where the store failed, ask once more with the same bytes: the write may have landed, or may still."""
    try:
        return records.swap(held, new)
    except StoreError:
        return records.swap(held, new)


def _refuse(records: Records, held: Held, message: str) -> Held:
    def step(found: Held, now: float) -> Status | None:
        if found.status.terminal or found.alive:
            return None
        return states.failed(found.status, kind="request", message=message, now=now)

    return records.change(held.status.owner, held.status.layout_id, step)


def deliver(
    records: Records,
    owner: str,
    layout_id: str,
    *,
    worker: str,
    settings: Settings,
    runner: Runner,
    stop: Stop,
    receives: int = 1,
    keep_hidden: Callable[[], None] | None = None,
    on_start: Callable[[Status], None] | None = None,
) -> Delivery:
    """Take one delivery of a job to its end, and say what to do with the message.

    Parameters
    ----------
    records, owner, layout_id
        The job.
    worker
        Name of this worker, as the status shows it.
    settings
        Lease, limits and pauses.
    runner
        Runs the notebook.
    stop
        Tells when this process must end.
    receives
        How often the message was received, this time included.
    keep_hidden
        Called at every renewal; a failure of it only logs.
    on_start
        Called with the status once the job is claimed.
    """
    try:
        claimed = claim(records, owner, layout_id, worker=worker, settings=settings)
    except UnknownVersionError as error:
        return _again(None, str(error), None, receives, settings, ending=Ending.UNREADABLE)
    except InputError as error:
        return _again(None, str(error), "request", receives, settings, ending=Ending.UNREADABLE)
    except StoreError as error:
        return _again(None, str(error), "service", receives, settings)
    if not isinstance(claimed, Attempt):
        if claimed.status.terminal:
            records.index(claimed.status)  # whoever ended it may have died before its hint
            return Delivery(ending=Ending.ACKNOWLEDGED, status=claimed.status, do="delete")
        return Delivery(ending=Ending.HANDED_BACK, status=claimed.status, do="copy", delay_s=claimed.lease_left_s + 1)
    if on_start is not None:
        on_start(claimed.status)
    orders = Orders()
    task = Task(request=claimed.request, attempt=claimed.status.attempt, worker=worker)
    try:
        with claimed.renewing(orders.abandon, keep_hidden), stop.watch(orders):
            try:
                with runner.workspace() as folder:
                    outcome = _run(runner, task, folder, claimed.progress, orders)
                    return _end(claimed, outcome, stop=stop, receives=receives, settings=settings)
            except OSError as error:  # disk full, no process to be had
                claimed.check()
                return _give_back(claimed, "service", str(error), receives=receives, settings=settings)
    except LostError as lost:
        return _lost(lost)


def _run(runner: Runner, task: Task, folder: Path, on_stage: Callable[[str, str], None], orders: Orders) -> RunOutcome:
    try:
        return runner.run(task, folder, on_stage, orders)
    except InputError as error:
        return RunOutcome(report=folder / "report", kind="request", message=str(error))


def _end(attempt: Attempt, outcome: RunOutcome, *, stop: Stop, receives: int, settings: Settings) -> Delivery:
    """Write how the attempt ended: files first, then the one swap, and the message last of all."""
    attempt.check()
    kind, message = outcome.kind, outcome.message
    try:
        artifacts = attempt.upload(outcome.report)
    except StoreError as error:
        kind, message, artifacts = "service", str(error), {}
    except InputError as error:
        kind, message, artifacts = "request", str(error), {}
    if kind is None:
        metrics = outcome.metrics
        status = attempt.swap(lambda s, now: states.completed(s, artifacts=artifacts, metrics=metrics, now=now))
        return Delivery(ending=Ending.COMPLETED, status=status, do="delete")
    if kind == "cancelled" and stop.requested:
        reason = "the worker had to stop; the job goes back to the queue"
        status = attempt.swap(lambda s, now: states.released(s, reason=reason, kind=None, now=now))
        return Delivery(ending=Ending.HANDED_BACK, status=status, do="copy", message=reason)
    if kind in ("service", "lost", "cancelled"):
        fault: ErrorKind = "lost" if kind == "cancelled" else kind
        return _give_back(attempt, fault, message, receives=receives, settings=settings)
    final: ErrorKind = kind
    status = attempt.swap(lambda s, now: states.failed(s, kind=final, message=message, artifacts=artifacts, now=now))
    return Delivery(ending=Ending.FAILED, status=status, kind=kind, message=message, do="delete")


def _give_back(attempt: Attempt, kind: ErrorKind, message: str, *, receives: int, settings: Settings) -> Delivery:
    status = attempt.swap(lambda s, now: states.released(s, reason=message, kind=kind, now=now))
    return _again(status, message, kind, receives, settings)


def _lost(lost: LostError) -> Delivery:
    current = lost.current
    if current is not None and current.status.terminal:
        ending = Ending.CANCELLED if current.status.status == "cancelled" else Ending.LOST
        return Delivery(ending=ending, status=current.status, kind="lost", message=str(lost), do="delete")
    # Another attempt may hold this very message by now: it is theirs to delete, or returns by itself.
    return Delivery(
        ending=Ending.LOST, status=current.status if current else None, kind="lost", message=str(lost), do="leave"
    )


def _again(
    status: Status | None,
    message: str,
    kind: ErrorKind | None,
    receives: int,
    settings: Settings,
    *,
    ending: Ending = Ending.RELEASED,
) -> Delivery:
    pause = min(settings.retry_s * 2 ** min(receives - 1, 10), 900.0)
    return Delivery(ending=ending, status=status, kind=kind, message=message, do="hide", delay_s=pause)


def settle(delivery: Delivery, message: Message, queue: Settler) -> None:
    """Do with the message what its delivery ended in: always after the store holds the result."""
    if delivery.do == "delete":
        queue.delete(message)
    elif delivery.do == "copy":
        queue.send_copy(message, delay_s=delivery.delay_s)
        queue.delete(message)
    elif delivery.do == "hide":
        queue.hide(message, delivery.delay_s)


class Settler(Protocol):
    """What `settle` asks of a queue."""

    def delete(self, message: Message) -> None:
        """Delete a received message."""

    def hide(self, message: Message, seconds: float) -> None:
        """Keep a received message hidden for so long."""

    def send_copy(self, message: Message, *, delay_s: float) -> None:
        """Send the same text as a fresh message."""
