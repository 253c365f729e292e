"""The loop of one worker process.

Receive, run, record, acknowledge; one job at a time.

Receives are counted by the queue and end a message in the dead-letter queue, so they must be for crashes only. While
store or queue are away the loop receives nothing, and hands back what it holds as a fresh copy. A store that can be read
but takes no writes (a full disk) is away too.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs.delivery import Delivery, Ending, settle
from pacifico.jobs.lifecycle import deliver
from pacifico.jobs.queue import NoQueueError, QueueDeniedError, parse_pointer
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.store.base import PROBE_KEY, NoStoreError, PermissionDeniedError, StoreError
from pacifico.jobs.submission.quotas import running_jobs
from pacifico.run.redact import redact

if TYPE_CHECKING:
    from pacifico.jobs.delivery import Runner
    from pacifico.jobs.queue import Message, Queue
    from pacifico.jobs.records import Records
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.status import Status
    from worker.health import Pulse
    from worker.protection import Protection
    from worker.report import Reporter
    from worker.stop import Stop

log = logging.getLogger(__name__)

#: Pauses while store or queue are away [s]: the first, doubled up to the longest.
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0

#: What is written to see whether the store takes writes: a full disk still takes an empty file.
_PROBE = bytes(4096)

#: Dead letters read in one sweep.
_MAX_SWEPT = 2000

#: Faults that a retry can't help: the settings or the rights are wrong.
_LASTING = (NoQueueError, QueueDeniedError, NoStoreError, PermissionDeniedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a worker process works with.

    `dead_letters` may be None: then nothing is swept.
    """

    records: Records
    queue: Queue
    dead_letters: Queue | None
    runner: Runner
    reporter: Reporter
    pulse: Pulse
    protection: Protection


class Worker:
    """Takes jobs from a queue until it is told to stop.

    Parameters
    ----------
    name : str
        Name of this worker, as statuses show it.
    services : Services
        What it works with.
    settings : Settings
        Limits and pauses.
    stop : Stop
        Says when to end.
    """

    def __init__(self, name: str, services: Services, settings: Settings, stop: Stop) -> None:
        self._name = name
        self._services = services
        self._settings = settings
        self._stop = stop
        self._swept_at = float("-inf")
        self._pause_s = _FIRST_PAUSE_S
        self._store_failed = False

    def run(self, *, burst: bool = False) -> None:
        """Work until told to stop; with `burst`, until the queue is empty."""
        while not self._stop.requested:
            self._services.pulse.beat("receive")
            found = self._receive(burst=burst)
            if found is None:
                self._stop.wait(self._pause_s)
                self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
                continue
            self._pause_s = _FIRST_PAUSE_S
            for message in found:
                self._take(message)
            if not found:
                self._sweep()
                if burst and self._drained():
                    return

    def _receive(self, *, burst: bool) -> list[Message] | None:
        """Messages from the queue; None while queue or store are away."""
        try:
            self._probe()
            # A stop during a long poll ends the loop after it: at most `wait_s`, within every grace.
            found = self._services.queue.receive(
                wait_s=0 if burst else self._settings.wait_s, visibility_s=self._settings.visibility_s
            )
        except OutsideServiceError as error:
            log.warning("no jobs taken: %s", redact(str(error)))
            self._services.pulse.fail(redact(str(error)), lasting=isinstance(error, _LASTING))
            return None
        self._services.pulse.recover()
        return found

    def _take(self, message: Message) -> None:
        if self._stop.requested:
            # It came with the last poll: the next worker gets it at once, and no receive counts against it.
            self._settle(Delivery(ending=Ending.HANDED_BACK, do="copy"), message)
            return
        self._services.pulse.beat("job")
        started = time.monotonic()
        with self._services.protection.held():
            delivery = self._deliver(message)
            # An attempt that had no answer for a whole lease met an outage, also where the store is back by now.
            if delivery.store_failed and (self._store_away() or delivery.ending is Ending.LOST):
                delivery = replace(delivery, do="copy")
            self._settle(delivery, message)
        try:
            self._services.reporter.end(delivery, message, seconds=time.monotonic() - started)
        except Exception:
            log.exception("the end of message %s is not logged", message.message_id)

    def _deliver(self, message: Message) -> Delivery:
        """Deliver one message. Nothing that a job raises may end the worker."""
        try:
            pointer = parse_pointer(message.body)
        except (InputError, UnknownVersionError) as error:
            # Nothing says whose job it is: it is logged here, returns, and ends as a dead letter.
            return Delivery(
                ending=Ending.UNREADABLE, message=redact(str(error)), do="hide", delay_s=self._settings.retry_s
            )

        def keep_hidden() -> None:
            self._services.pulse.beat("job")
            self._services.queue.hide(message, self._settings.visibility_s)

        def on_start(status: Status) -> None:
            self._services.reporter.start(status, message)

        try:
            if self._is_over_its_share(pointer.owner, pointer.layout_id):
                return Delivery(ending=Ending.HANDED_BACK, do="copy", delay_s=self._settings.retry_s)
            return deliver(
                self._services.records,
                pointer.owner,
                pointer.layout_id,
                worker=self._name,
                settings=self._settings,
                runner=self._services.runner,
                stop=self._stop,
                receives=message.receives,
                keep_hidden=keep_hidden,
                on_start=on_start,
            )
        except Exception as error:
            log.exception("message %s ended by a fault of pacifico's own", message.message_id)
            text = redact(f"internal error, {type(error).__name__}: {error}; please report it")
            self._fail(message, pointer.owner, pointer.layout_id, text)
            return Delivery(
                ending=Ending.RELEASED, kind="service", message=text, do="hide", delay_s=self._settings.retry_s
            )

    def _is_over_its_share(self, owner: str, layout_id: str) -> bool:
        """Whether as many jobs of the owner run already as may at once."""
        most = self._settings.max_running_jobs
        if not most:
            return False
        try:
            return running_jobs(self._services.records, owner, enough=most, besides=layout_id) >= most
        except StoreError as error:
            log.warning("running jobs of %r not counted: %s", owner, redact(str(error)))
            return False  # the delivery will meet the same fault

    def _fail(self, message: Message, owner: str, layout_id: str, text: str) -> None:
        """End a job whose delivery failed outside its attempt.

        Parameters
        ----------
        message : Message
            The delivery.
        owner, layout_id : str
            The job.
        text : str
            Why it failed.
        """
        try:
            self._services.records.fail(owner, layout_id, kind="service", message=text)
        except Exception:
            log.exception("the job of message %s could not be marked failed", message.message_id)

    def _probe(self) -> None:
        """Ask whether the store answers; after a failure, whether it takes writes.

        Raises
        ------
        StoreError
            It does not.
        """
        store = self._services.records.store
        if self._store_failed:
            store.put(PROBE_KEY, _PROBE, kind="terrain")
            self._store_failed = False
        else:
            store.probe()

    def _store_away(self) -> bool:
        self._store_failed = True
        try:
            self._probe()
        except StoreError as error:
            log.warning("store away, the message is handed back: %s", redact(str(error)))
            return True
        return False

    def _settle(self, delivery: Delivery, message: Message) -> None:
        try:
            settle(delivery, message, self._services.queue)
        except OutsideServiceError as error:
            # What the store holds counts; the message returns and finds it.
            log.warning("message %s not settled: %s", message.message_id, error)

    def _drained(self) -> bool:
        """Whether no message waits, is held or is delayed."""
        try:
            return self._queue_empty() or self._stop.wait(0.5)
        except OutsideServiceError as error:
            log.warning("queue not read: %s", error)
            return self._stop.wait(_FIRST_PAUSE_S)

    def _sweep(self) -> None:
        """Mark the jobs of dead letters failed; the letters stay for inspection."""
        dead_letters = self._services.dead_letters
        if dead_letters is None or time.monotonic() - self._swept_at < self._settings.sweep_s:
            return
        self._swept_at = time.monotonic()
        seen: list[Message] = []
        try:
            while not self._stop.requested and len(seen) < _MAX_SWEPT:
                self._services.pulse.beat("sweep")
                found = dead_letters.receive(wait_s=0, visibility_s=60, most=10)
                seen += found
                for message in found:
                    self._fail_dead_letter(message)
                if not found:
                    break
        except OutsideServiceError as error:
            log.warning("dead letters not swept: %s", error)
        with contextlib.suppress(OutsideServiceError):  # else they show again by themselves
            dead_letters.show(seen)

    def _queue_empty(self) -> bool:
        """Whether no message waits, is held or is delayed."""
        return not any(self._services.queue.depth().values())

    def _fail_dead_letter(self, message: Message) -> None:
        records = self._services.records
        try:
            pointer = parse_pointer(message.body)
            before = records.read(pointer.owner, pointer.layout_id).status.status
            after = records.fail_dead(
                pointer.owner,
                pointer.layout_id,
                sent=message.sent,
                receives=self._settings.max_receives,
                queue_empty=self._queue_empty,
            ).status
        except (InputError, UnknownVersionError) as error:
            log.warning("dead letter %s points to no job: %s", message.message_id, error)
            return
        except OutsideServiceError:
            raise
        except Exception:  # one dead letter must not end the worker
            log.exception("dead letter %s ended by a fault of pacifico's own", message.message_id)
            return
        if after.status == "failed" != before:
            delivery = Delivery(
                ending=Ending.FAILED, status=after, kind=after.error_kind, message=after.error_message or "", do="leave"
            )
            self._services.reporter.end(delivery, message, seconds=0.0)
