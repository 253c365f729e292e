"""The loop of one worker process: receive, run, record, acknowledge; one job at a time."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs.lifecycle import Delivery, Ending, deliver, settle
from pacifico.jobs.queue import parse_pointer
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.store.base import NotFoundError

if TYPE_CHECKING:
    from pacifico.jobs.lifecycle import Runner
    from pacifico.jobs.queue import Message, Queue
    from pacifico.jobs.records import Records
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.status import Status
    from worker.health import Pulse
    from worker.protection import Protection
    from worker.report import Reporter
    from worker.stop import Stop

log = logging.getLogger(__name__)

_PAUSE_S = 2.0  # while the queue is away
_SWEPT = 2000  # dead letters looked at in one sweep


class Worker:
    """Works off a queue until it is told to stop."""

    def __init__(
        self,
        *,
        name: str,
        records: Records,
        queue: Queue,
        dead_letters: Queue | None,
        runner: Runner,
        settings: Settings,
        stop: Stop,
        reporter: Reporter,
        pulse: Pulse,
        protection: Protection,
    ) -> None:
        self._name = name
        self._records = records
        self._queue = queue
        self._dead_letters = dead_letters
        self._runner = runner
        self._settings = settings
        self._stop = stop
        self._reporter = reporter
        self._pulse = pulse
        self._protection = protection
        self._swept_at = float("-inf")

    def run(self, *, burst: bool = False) -> None:
        """Work until told to stop; with `burst`, until the queue is empty."""
        while not self._stop.requested:
            self._pulse.beat("receive")
            try:
                # A stop during a long poll ends the loop after it: at most `wait_s`, within every grace.
                found = self._queue.receive(
                    wait_s=0 if burst else self._settings.wait_s, visibility_s=self._settings.visibility_s
                )
            except OutsideServiceError as error:
                log.warning("no messages: %s", error)
                self._stop.wait(_PAUSE_S)
                continue
            for message in found:
                self._take(message)
            if not found:
                self._sweep()
                if burst and self._drained():
                    return

    def _take(self, message: Message) -> None:
        if self._stop.requested:
            # It came with the last poll: the next worker has it at once, and no receive is counted against it.
            self._settle(Delivery(ending=Ending.HANDED_BACK, do="copy"), message)
            return
        self._pulse.beat("job")
        started = time.monotonic()
        with self._protection.held():
            delivery = self._deliver(message)
            self._settle(delivery, message)
        self._reporter.end(delivery, message, seconds=time.monotonic() - started)

    def _deliver(self, message: Message) -> Delivery:
        try:
            pointer = parse_pointer(message.body)
        except (InputError, UnknownVersionError) as error:
            # Nothing says whose it is: it is told here, comes again, and ends as a dead letter.
            return Delivery(ending=Ending.UNREADABLE, message=str(error), do="hide", delay_s=self._settings.retry_s)

        def keep_hidden() -> None:
            self._pulse.beat("job")
            self._queue.hide(message, self._settings.visibility_s)

        def on_start(status: Status) -> None:
            self._reporter.start(status, message)

        return deliver(
            self._records,
            pointer.owner,
            pointer.layout_id,
            worker=self._name,
            settings=self._settings,
            runner=self._runner,
            stop=self._stop,
            receives=message.receives,
            keep_hidden=keep_hidden,
            on_start=on_start,
        )

    def _settle(self, delivery: Delivery, message: Message) -> None:
        try:
            settle(delivery, message, self._queue)
        except OutsideServiceError as error:
            # What the store holds stands; the message returns, and finds it.
            log.warning("message %s not settled: %s", message.message_id, error)

    def _drained(self) -> bool:
        """Whether nothing waits, is held or is delayed."""
        try:
            return not any(self._queue.depth().values()) or self._stop.wait(0.5)
        except OutsideServiceError as error:
            log.warning("queue not read: %s", error)
            return self._stop.wait(_PAUSE_S)

    def _sweep(self) -> None:
        """End the jobs of dead letters; the letters are left for who looks into them."""
        if self._dead_letters is None or time.monotonic() - self._swept_at < self._settings.sweep_s:
            return
        self._swept_at = time.monotonic()
        seen: list[Message] = []
        try:
            while not self._stop.requested and len(seen) < _SWEPT:
                self._pulse.beat("sweep")
                found = self._dead_letters.receive(wait_s=0, visibility_s=60, most=10)
                seen += found
                for message in found:
                    self._bury(message)
                if not found:
                    break
        except OutsideServiceError as error:
            log.warning("dead letters not swept: %s", error)
        with contextlib.suppress(OutsideServiceError):  # else they show again by themselves
            self._dead_letters.show(seen)

    def _bury(self, message: Message) -> None:
        try:
            pointer = parse_pointer(message.body)
            before = self._records.read(pointer.owner, pointer.layout_id).status.status
            after = self._records.fail_dead(
                pointer.owner, pointer.layout_id, sent=message.sent, receives=self._settings.max_receives
            ).status
        except (NotFoundError, InputError, UnknownVersionError) as error:
            log.warning("dead letter %s stands for no job: %s", message.message_id, error)
            return
        if after.status == "failed" != before:
            self._reporter.end(
                Delivery(
                    ending=Ending.FAILED,
                    status=after,
                    kind=after.error_kind,
                    message=after.error_message or "",
                    do="leave",
                ),
                message,
                seconds=0.0,
            )
