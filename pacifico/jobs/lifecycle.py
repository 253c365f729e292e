"""The life of a job, delivered at least once and with exactly one result.

States::

    submit                    claim                       commit
    ------> queued ------------------------> processing ----------> completed
              ^  ^                            |  |   |
              |  +-- release (stop, outage) --+  |   +-- fail ----> failed
              |                                  |                    |
              |      takeover: processing -> processing (attempt n+1) |
              +------------------------ redrive ----------------------+
    queued | processing -- cancel --> cancelled      queued | dead processing -- sweep, refuse --> failed
    queued -- assign, note, redrive --> queued <-- redrive -- dead processing       queued | processing of an ended process -- give up --> failed

Every arrow is one compare-and-swap of status.json. There are no other changes. Who writes them:

====================  =========================================  ====================================================
arrow                 writer                                     condition besides the swap
====================  =========================================  ====================================================
submit                client, or a worker that finds a request   written only where no status exists
                      without status (the client died between)
claim, takeover       worker with a message, or a local run      queued, or processing with a dead lease
renew                 the attempt's one writer                   nonce is its own, before its own monotonic deadline
commit, fail,         the attempt's one writer                   the same; files are uploaded first
release
cancel                client                                     not ended
redrive               client                                     failed, not by the request's own fault unless forced;
                                                                 or queued, or a dead lease (its message was lost)
note                  client that could not send the message     queued
sweep                 idle worker, with a dead letter            no live lease; the job was not queued again since,
                                                                 or its new message is lost (the queue is empty)
refuse                worker with a message whose request can't  no live lease
                      be read, or is not the submitted one
assign                background process on this machine, with   queued
                      its name, before it runs the job
give up               reader of a local run's status on its      the process of that name no longer holds its lock
                      machine; or the local run itself after
                      an outage (there is no redelivery)
====================  =========================================  ====================================================

Pairs that race, and how each ends (the loser reads what the winner wrote):

- claim / claim (a message delivered twice, or two messages): one swap succeeds. The loser meets a live lease: it sends a
  copy, delayed by the rest of the lease, and deletes its own message. The copy finds an ended job, or a dead lease to
  take over.
- renew / takeover: the lease is dead only by the store's Date - Last-Modified, and a renewal makes a new version. Renewal
  first: the takeover's swap is refused. Takeover first: the renewal is refused, the nonce read back is another's, and
  the attempt stops.
- commit / takeover (by a stopped and continued process): as renew / takeover. The late files lie under their own attempt
  and nothing points to them.
- renew or commit / its own lost reply: read back; the bytes are its own, so the write counts.
- renew (reply lost, write still under way) / next renew: refused by the late write; the nonce read back is its own, so
  the attempt takes that version and goes on.
- cancel / commit: one succeeds. Cancel first: the commit is refused, nothing is committed, the message is acknowledged.
  Commit first: cancel finds the job completed and leaves it.
- cancel / renew or claim: the renewal is refused, reads 'cancelled', and the processes are killed. Or the cancel is
  refused, reads again, and cancels the renewed status.
- sweep / claim of a duplicate: claim first: the sweep leaves a live lease. Sweep first: the claim finds the job failed.
- sweep / redrive: the job was queued after its dead letter was sent: left until the queue is empty (two minutes long).
- give up / commit: the process is gone, so its commit was made already or never will be. If it was made, the swap is
  refused. Give up / claim by another: one swap succeeds; a worker that claims the job has another name, not given up.
- redrive / redrive, submit / submit: one swap succeeds and both send: a duplicate, see claim / claim.
- delete / commit or renew: the swap finds no status. The attempt stops, and deletes what it uploaded.
- release / cancel: one succeeds; the message of the other finds its state.
- commit / lost deletion of the message: delivered again, found completed, acknowledged without a run.
- crash between two steps: the message is still there. Before the claim: nothing has happened. After it: the lease dies, the
  message returns, takeover. After the commit: acknowledged. Between copy and deletion: two messages, see claim / claim.

Whatever one job raises ends that job with its cause; it never ends the worker.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.jobs import status as states
from pacifico.jobs.attempt import Attempt, LostError
from pacifico.jobs.delivery import Delivery, Ending, RunOutcome, RunTask
from pacifico.jobs.records import SwapLostError, new_nonce
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.stop_signals import KEEP_S, StoppedError, StopSignals
from pacifico.jobs.store.base import PermissionDeniedError, StoreError
from pacifico.run.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pacifico.jobs.delivery import Runner, Stop
    from pacifico.jobs.records import Records, StoredStatus
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.status import Status
    from pacifico.run.outcome import ErrorKind

log = logging.getLogger(__name__)


def claim(records: Records, owner: str, layout_id: str, *, worker: str, settings: Settings) -> Attempt | StoredStatus:
    """Begin an attempt, or return the status that prevents it.

    Parameters
    ----------
    records : Records
        The store's jobs.
    owner, layout_id : str
        The job.
    worker : str
        Name of the claiming worker.
    settings : Settings
        Its lease.

    Raises
    ------
    NotFoundError
        There is no such request.
    InputError
        Request and status can't be read.
    UnknownVersionError
        A newer pacifico wrote request or status.
    StoreError
        The store fails.
    """
    try:
        request, sha256 = records.request(owner, layout_id)
    except InputError as error:
        if isinstance(error, LookupError):
            raise
        return records.fail(owner, layout_id, kind="request", message=str(error))
    stored = records.ensure_status(request, sha256)
    while True:
        if stored.status.terminal or stored.alive:
            return stored
        if stored.status.request_sha256 != sha256:
            message = f"request.json of {layout_id} is not the submitted one; submit the job under a new layout_id"
            return records.fail(owner, layout_id, kind="request", message=message)
        started = Attempt.clock()
        nonce = new_nonce()  # each time: an earlier write of this claim may have been made, and taken over since
        new = states.claimed(stored.status, worker=worker, nonce=nonce, lease_s=settings.lease_s, now=records.now())
        try:
            mine = _swap_with_retry(records, stored, new)
        except SwapLostError as lost:
            stored = lost.current
            continue
        return Attempt(records, mine, before=stored.status, request=request, settings=settings, started=started)


def _swap_with_retry(records: Records, stored: StoredStatus, new: Status) -> StoredStatus:
    """Swap, and try once more after a failure of the store."""
    try:
        return records.swap(stored, new)
    except PermissionDeniedError:
        raise
    except StoreError:
        return records.swap(stored, new)


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
    """Take one delivery of a job to its end.

    Parameters
    ----------
    records : Records
        The store's jobs.
    owner, layout_id : str
        The job.
    worker : str
        Name of this worker, as the status shows it.
    settings : Settings
        Lease, limits and pauses.
    runner : Runner
        Runs the notebook.
    stop : Stop
        Says when this process must end.
    receives : int
        How often the message was received, this time included.
    keep_hidden : callable, optional
        Called at every renewal to keep the message hidden; its failures are only logged.
    on_start : callable, optional
        Called with the status once the job is claimed.
    """
    try:
        claimed = claim(records, owner, layout_id, worker=worker, settings=settings)
    except UnknownVersionError as error:
        return _retry(None, str(error), None, receives, settings, ending=Ending.UNREADABLE)
    except InputError as error:
        return _retry(None, str(error), "request", receives, settings, ending=Ending.UNREADABLE)
    except StoreError as error:
        # Missing rights may concern this job alone: that counts as a receive, so it can't circle for ever.
        away = not isinstance(error, PermissionDeniedError)
        return _retry(None, str(error), "service", receives, settings, store_failed=away)
    if not isinstance(claimed, Attempt):
        if claimed.status.terminal:
            records.index(claimed.status)  # the worker that ended it may have died before writing the hint
            return Delivery(ending=Ending.ACKNOWLEDGED, status=claimed.status, do="delete")
        return Delivery(ending=Ending.HANDED_BACK, status=claimed.status, do="copy", delay_s=claimed.lease_left_s + 1)
    if on_start is not None:
        on_start(claimed.status)
    signals = StopSignals()
    task = RunTask(request=claimed.request, attempt=claimed.status.attempt, worker=worker)
    try:
        with claimed.renewing(signals.abandon, keep_hidden), stop.watch(signals):
            return _attempt(claimed, task, runner, signals, stop=stop, receives=receives, settings=settings)
    except LostError as lost:
        return _lost(claimed, lost, settings)


def _attempt(
    attempt: Attempt,
    task: RunTask,
    runner: Runner,
    signals: StopSignals,
    *,
    stop: Stop,
    receives: int,
    settings: Settings,
) -> Delivery:
    """Run a claimed job and write how it ended, whatever it raises.

    Parameters
    ----------
    attempt : Attempt
        The claimed job.
    task : RunTask
        What to run.
    runner : Runner
        Runs it.
    signals : StopSignals
        Tell the run to stop.
    stop : Stop
        Says whether this process must end.
    receives : int
        How often the message was received.
    settings : Settings
        Pauses.

    Raises
    ------
    LostError
        The job is no longer this attempt's.
    """
    try:
        with runner.workspace() as folder:
            outcome = _run(runner, task, folder, attempt, signals)
            return _end(attempt, outcome, stop=stop, receives=receives, settings=settings)
    except OSError as error:  # disk full, no process to be had, store or host away
        attempt.check()
        return _give_back(attempt, "service", str(error), receives=receives, settings=settings)
    except LostError:
        raise
    except Exception as error:
        attempt.check()
        log.exception("%s: attempt %d ended by a fault of pacifico's own", task.request.layout_id, task.attempt)
        message = f"internal error, {type(error).__name__}: {error}; please report it"
        status = attempt.swap(lambda s, now: states.failed(s, kind="service", message=message, now=now))
        return Delivery(ending=Ending.FAILED, status=status, kind="service", message=redact(message), do="delete")


def _run(runner: Runner, task: RunTask, folder: Path, attempt: Attempt, signals: StopSignals) -> RunOutcome:
    """Run the notebook in `folder`; return errors that end the job as outcomes."""
    try:
        return runner.run(task, folder, attempt.progress, signals)
    except StoppedError as error:
        return RunOutcome(report=folder / "report", kind="cancelled", message=str(error))
    except InputError as error:
        return RunOutcome(report=folder / "report", kind="request", message=str(error))


def _end(attempt: Attempt, outcome: RunOutcome, *, stop: Stop, receives: int, settings: Settings) -> Delivery:
    """Upload the attempt's files, then write how it ended.

    Parameters
    ----------
    attempt : Attempt
        The attempt that ended.
    outcome : RunOutcome
        How its run ended.
    stop : Stop
        Says whether this process must end.
    receives : int
        How often the message was received.
    settings : Settings
        Pauses.
    """
    attempt.check()
    kind, message = outcome.kind, outcome.message
    if kind == "cancelled" and stop.requested:
        attempt.keep(outcome.report, KEEP_S)
        reason = "the worker had to stop; the job goes back to the queue"
        status = attempt.swap(lambda s, now: states.released(s, reason=reason, kind=None, now=now))
        return Delivery(ending=Ending.HANDED_BACK, status=status, do="copy", message=reason)
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
    if kind in ("service", "lost", "cancelled"):
        fault: ErrorKind = "lost" if kind == "cancelled" else kind
        return _give_back(attempt, fault, message, receives=receives, settings=settings)
    status = attempt.swap(lambda s, now: states.failed(s, kind=kind, message=message, artifacts=artifacts, now=now))
    return Delivery(ending=Ending.FAILED, status=status, kind=kind, message=redact(message), do="delete")


def _give_back(attempt: Attempt, kind: ErrorKind, message: str, *, receives: int, settings: Settings) -> Delivery:
    """Return a job to the queue after an outside fault.

    Parameters
    ----------
    attempt : Attempt
        The attempt that ended.
    kind : ErrorKind
        What failed.
    message : str
        Why.
    receives : int
        How often the message was received.
    settings : Settings
        Pauses.
    """
    status = attempt.swap(lambda s, now: states.released(s, reason=message, kind=kind, now=now))
    return _retry(status, message, kind, receives, settings)


def _lost(attempt: Attempt, lost: LostError, settings: Settings) -> Delivery:
    if lost.deleted:
        attempt.discard()
    current = lost.current
    status = current.status if current is not None else None
    if status is not None and status.terminal:
        ending = Ending.CANCELLED if status.status == "cancelled" else Ending.LOST
        return Delivery(ending=ending, status=status, kind="lost", message=str(lost), do="delete")
    # Another attempt may hold this very message by now: it will delete it, or the message returns by itself.
    return Delivery(
        ending=Ending.LOST,
        status=status,
        kind="lost",
        message=str(lost),
        delay_s=settings.retry_s,
        do="leave",
        store_failed=current is None,
    )


def _retry(
    status: Status | None,
    message: str,
    kind: ErrorKind | None,
    receives: int,
    settings: Settings,
    *,
    ending: Ending = Ending.RELEASED,
    store_failed: bool = False,
) -> Delivery:
    """Hide the message for a pause that doubles with every receive.

    Parameters
    ----------
    status : Status or None
        The job's status, where it could be written.
    message : str
        What went wrong.
    kind : ErrorKind or None
        Whose fault it is, where that is known.
    receives : int
        How often the message was received.
    settings : Settings
        First pause [s].
    ending : Ending
        How the delivery ended.
    store_failed : bool
        Whether the store gave no answer.
    """
    pause_s = min(settings.retry_s * 2 ** min(receives - 1, 10), 900.0)
    return Delivery(
        ending=ending,
        status=status,
        kind=kind,
        message=redact(message),
        do="hide",
        delay_s=pause_s,
        store_failed=store_failed,
    )
