"""Send jobs to the queue, and notice lost messages."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs.queue import Pointer, Queue, QueueError
from pacifico.jobs.records import STRANDED_S
from pacifico.jobs.store.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.jobs.records import Records, StoredStatus
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.status import Status

log = logging.getLogger(__name__)

#: Note in the status of a stored job whose message could not be sent.
NOT_SENT = "not sent to the queue; submit it again, or redrive it"


class NotSentError(OutsideServiceError):
    """The job is stored, but its message could not be sent.

    The same call may be made again.
    """

    def __init__(self, layout_id: str, reason: str) -> None:
        super().__init__(f"layout {layout_id} is stored, but not sent: {reason}; submit it again with this layout_id")
        self.layout_id = layout_id


class Sender:
    """Sends the messages of one owner's jobs.

    Parameters
    ----------
    records : Records
        The store's jobs.
    queue : Queue or None
        Where to send; None where jobs run on this machine.
    settings : Settings
        How long the queue keeps a message.
    owner : str
        Whose jobs.
    """

    def __init__(self, records: Records, queue: Queue | None, settings: Settings, owner: str) -> None:
        self._records = records
        self._queue = queue
        self._settings = settings
        self._owner = owner

    def send(self, status: Status) -> None:
        """Send a job's message.

        Raises
        ------
        NotSentError
            The queue failed; the job's status says so.
        """
        if self._queue is None:
            return
        try:
            self._queue.send(Pointer(self._owner, status.layout_id))
        except QueueError as error:
            self._note(status.layout_id, NOT_SENT)
            raise NotSentError(status.layout_id, str(error)) from error
        if status.stage_message == NOT_SENT:
            self._note(status.layout_id, "")

    def send_all(self, responses: Sequence[dict[str, Any]]) -> None:
        """Send the messages of the queued among some responses; those not sent become 'unsent'."""
        if self._queue is None:
            return
        queued = list(dict.fromkeys(r["layout_id"] for r in responses if r["status"] == "queued"))
        unsent = self._queue.send_many([Pointer(self._owner, layout_id) for layout_id in queued])
        reasons = {pointer.layout_id: reason for pointer, reason in unsent.items()}
        for response in responses:
            reason = reasons.get(response["layout_id"])
            if reason is not None and response["status"] == "queued":
                response.update(status="unsent", message=f"stored, but not sent: {reason}; submit it again")
        for layout_id in reasons:
            self._note(layout_id, NOT_SENT)

    def stalled(self, stored: StoredStatus) -> bool:
        """Whether nothing will happen to a job by itself soon.

        So it is where the lease of a running job has ended, or the message of a queued one was not sent, has expired or
        was deleted.
        """
        status = stored.status
        if status.status != "queued":
            return stored.lease_dead
        if status.stage_message == NOT_SENT:
            return True
        if stored.age_s < STRANDED_S:
            return False
        if self._queue is None:
            return status.worker is None  # no process was named to run it
        waited_s = (status.updated_at - status.queued_at).total_seconds() + stored.age_s
        if waited_s > self._settings.retention_s:
            return True
        try:
            return not any(self._queue.depth().values())
        except QueueError as error:
            log.warning("queue not read, so lost messages go unnoticed: %s", error)
            return False

    def _note(self, layout_id: str, message: str) -> None:
        with contextlib.suppress(StoreError, InputError):  # the caller is told in any case
            self._records.note(self._owner, layout_id, message)
