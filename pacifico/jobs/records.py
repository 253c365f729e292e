"""Requests and statuses in the store.

The key is the identity of a request or a status: content that names another owner or layout is refused. Every change of a
status is a compare-and-swap, read back where the reply leaves doubt.
"""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.request import parse_request
from pacifico.jobs.status import parse_status
from pacifico.jobs.store.base import ExistsError, NotFoundError, PermissionDeniedError, StoreError, SwapRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.status import Status
    from pacifico.jobs.store.base import Blob, Store
    from pacifico.run.outcome import ErrorKind

#: Largest difference between the clocks of store and queue [s].
CLOCK_TOLERANCE_S = 2.0

#: A job that has not changed for this long while its queue is empty has lost its message [s]. SQS counts lag by up to a
#: minute.
STRANDED_S = 120.0

#: Largest request.json that is read [bytes]: 64 kB of parameters, and the other fields.
MAX_REQUEST_BYTES = 131_072


class ConflictError(InputError):
    """The layout_id names another request already."""


class NotRedrivableError(InputError):
    """The job can't be put into the queue again."""


class InUseError(InputError):
    """Layouts that have not ended need what is to be deleted."""


class SwapLostError(Exception):
    """A swap was refused; `current` is what the store holds now."""

    def __init__(self, current: StoredStatus) -> None:
        super().__init__(f"{current.status.layout_id} is {current.status.status} by now")
        self.current = current


@dataclass(frozen=True, slots=True)
class StoredStatus:
    """A status with its version and age in the store."""

    status: Status
    version: str
    age_s: float

    @property
    def alive(self) -> bool:
        """Whether an attempt holds a live lease."""
        return self.status.lease_alive(self.age_s)

    @property
    def lease_dead(self) -> bool:
        """Whether the job is processing, but its lease has ended."""
        return self.status.status == "processing" and not self.alive

    @property
    def lease_left_s(self) -> float:
        """Time left of a live lease [s]; 0 without one."""
        return max(0.0, (self.status.lease_seconds or 0.0) - self.age_s) if self.alive else 0.0


class Records:
    """The requests and statuses of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def now(self) -> float:
        """Seconds since 1970 by the store's clock."""
        return self.store.now()

    def request(self, owner: str, layout_id: str) -> tuple[JobRequest, str]:
        """Read a request with the hash of its bytes.

        Raises
        ------
        NotFoundError
            The owner has no such layout.
        InputError, UnknownVersionError
            It can't be read, or names another owner or layout than its key.
        """
        try:
            data = self.store.read(keys.request(owner, layout_id), limit=MAX_REQUEST_BYTES).data
        except NotFoundError:
            raise _not_found(owner, layout_id) from None
        request = parse_request(data)
        _check_identity("request.json", request, owner, layout_id)
        return request, hashlib.sha256(data).hexdigest()

    def exists(self, owner: str, layout_id: str) -> bool:
        """Whether the owner has such a layout."""
        try:
            self.store.read(keys.status(owner, layout_id))
        except NotFoundError:
            return False
        return True

    def read(self, owner: str, layout_id: str) -> StoredStatus:
        """Read a status.

        Raises
        ------
        NotFoundError
            The owner has no such layout.
        InputError, UnknownVersionError
            It can't be read, or names another owner or layout than its key.
        """
        try:
            return _stored(self.store.read(keys.status(owner, layout_id)), owner, layout_id)
        except NotFoundError:
            raise _not_found(owner, layout_id) from None

    def submit(self, request: JobRequest) -> StoredStatus:
        """Write request, hint and status where they are missing.

        The same request again changes nothing.

        Raises
        ------
        ConflictError
            The layout_id names another request.
        """
        data = request.to_bytes()
        key = keys.request(request.owner, request.layout_id)
        try:
            self.store.create(key, data, kind="jobs")
        except ExistsError:
            if self.store.read(key, limit=MAX_REQUEST_BYTES).data != data:
                raise ConflictError(
                    f"layout_id {request.layout_id} names another request already; submit this one under a new layout_id"
                ) from None
        return self.ensure_status(request, hashlib.sha256(data).hexdigest())

    def ensure_status(self, request: JobRequest, request_sha256: str) -> StoredStatus:
        """Read the status, or write the first one."""
        owner, layout_id = request.owner, request.layout_id
        with contextlib.suppress(NotFoundError):
            return self.read(owner, layout_id)
        first = states.queued(
            layout_id=layout_id,
            owner=owner,
            site_id=request.site_id,
            request_sha256=request_sha256,
            now=self.now(),
        )
        self._write_hint(first)  # before the status: every job that exists is listed
        try:
            version = self.store.create(keys.status(owner, layout_id), first.to_bytes(), kind="jobs")
        except ExistsError:
            stored = self.read(owner, layout_id)
            if stored.status.created_ms != first.created_ms:
                self.store.delete(_hint_key(first))
            return stored
        return StoredStatus(first, version, 0.0)

    def swap(self, stored: StoredStatus, new: Status) -> StoredStatus:
        """Replace a status that was read.

        Where the store refuses or fails, the status is read back: a write that was made counts, whatever the reply.

        Raises
        ------
        SwapLostError
            The store holds another status by now.
        StoreError
            The store fails, and whether it wrote is unknown. The same call may be made again.
        """
        key = keys.status(new.owner, new.layout_id)
        data = new.to_bytes()
        try:
            version = self.store.swap(key, data, stored.version, kind="jobs")
        except (SwapRefusedError, StoreError) as error:
            if isinstance(error, PermissionDeniedError):
                raise  # nothing was written
            blob = self.store.read(key)
            if blob.data == data:
                return StoredStatus(new, blob.version, blob.age_s)
            if isinstance(error, StoreError) and blob.version == stored.version:
                raise
            raise SwapLostError(_stored(blob, new.owner, new.layout_id)) from error
        return StoredStatus(new, version, 0.0)

    def change(self, owner: str, layout_id: str, step: Callable[[StoredStatus, float], Status | None]) -> StoredStatus:
        """Read, step and swap until a swap succeeds."""
        stored = self.read(owner, layout_id)
        while True:
            new = step(stored, self.now())
            if new is None:
                return stored
            try:
                result = self.swap(stored, new)
            except SwapLostError as lost:
                stored = lost.current
                continue
            self.index(result.status, before=stored.status)
            return result

    def cancel(self, owner: str, layout_id: str, *, message: str = "cancelled on request") -> StoredStatus:
        """Cancel a job that has not ended.

        A running attempt notices within two seconds.
        """

        def step(stored: StoredStatus, now: float) -> Status | None:
            return None if stored.status.terminal else states.cancelled(stored.status, now=now, message=message)

        return self.change(owner, layout_id, step)

    def redrive(self, owner: str, layout_id: str, *, force: bool = False) -> StoredStatus:
        """Set a failed or stranded job to queued.

        A job whose lease is dead is stranded too: its message may have expired or been purged.

        Raises
        ------
        NotRedrivableError
            The job runs or has ended well, or it failed by its own request and `force` is not set.
        """

        def step(stored: StoredStatus, now: float) -> Status | None:
            status = stored.status
            if status.status not in ("failed", "queued") and not stored.lease_dead:
                raise NotRedrivableError(
                    f"layout {layout_id} is {status.status}; only a failed one can be redriven: submit it under a new layout_id"
                )
            if status.status == "failed" and status.error_kind in states.REQUEST_FAULTS and not force:
                raise NotRedrivableError(
                    f"layout {layout_id} failed by its own request ({status.error_kind}: {status.error_message}); "
                    "it would fail again: change the request, or redrive with force"
                )
            new = states.redriven(status, now=now)
            self._write_hint(new)  # before the swap: a listed 'failed' is never wrong
            return new

        return self.change(owner, layout_id, step)

    def note(self, owner: str, layout_id: str, message: str) -> StoredStatus:
        """Write a note into the status of a queued job."""

        def step(stored: StoredStatus, now: float) -> Status | None:
            if stored.status.status != "queued" or stored.status.stage_message == message:
                return None
            return states.noted(stored.status, message=message, now=now)

        return self.change(owner, layout_id, step)

    def fail_dead(
        self,
        owner: str,
        layout_id: str,
        *,
        sent: float,
        receives: int,
        queue_empty: Callable[[], bool],
    ) -> StoredStatus:
        """End the job of a dead letter, unless it runs or was requeued.

        A job that was queued after its letter was sent has another message. Where the queue is empty that message is
        lost, or a clock was set back.

        Parameters
        ----------
        owner, layout_id : str
            The job.
        sent : float
            When the dead letter was first sent [s since 1970], by the queue's clock.
        receives : int
            How often it was received.
        queue_empty : callable
            Says whether no message waits, is held or is delayed. It is asked after the status was read: an answer from before
            may be older than the new message.
        """

        def step(stored: StoredStatus, now: float) -> Status | None:
            status = stored.status
            requeued = sent < status.queued_at.timestamp() - CLOCK_TOLERANCE_S
            if status.terminal or stored.alive:
                return None
            if requeued and not (stored.age_s >= STRANDED_S and queue_empty()):
                return None
            last = f"; last error: {status.error_message}" if status.error_message else ""
            message = f"given up after {receives} deliveries and {status.attempt} attempts{last}"
            return states.failed(status, kind=status.error_kind or "lost", message=message, now=now)

        return self.change(owner, layout_id, step)

    def fail(self, owner: str, layout_id: str, *, kind: ErrorKind, message: str) -> StoredStatus:
        """End a job that has neither ended nor a live attempt.

        Parameters
        ----------
        owner, layout_id : str
            The job.
        kind : ErrorKind
            Whose fault it is.
        message : str
            Why it failed.
        """

        def step(stored: StoredStatus, now: float) -> Status | None:
            if stored.status.terminal or stored.alive:
                return None
            return states.failed(stored.status, kind=kind, message=message, now=now)

        return self.change(owner, layout_id, step)

    def index(self, status: Status, *, before: Status | None = None) -> None:
        """Replace the listing hint of a job.

        The status is what counts: where the store fails here, listings lag until the next hint.
        """
        with contextlib.suppress(StoreError):
            self._write_hint(status)
            if before is not None and (old := _hint_key(before)) != _hint_key(status):
                self.store.delete(old)

    def remove_hint(self, status: Status) -> None:
        """Delete the listing hint of a status."""
        self.store.delete(_hint_key(status))

    def _write_hint(self, status: Status) -> None:
        self.store.put(_hint_key(status), b"", kind="jobs")


def new_nonce() -> str:
    """Return a token that no other attempt has."""
    return uuid.uuid4().hex


def _stored(blob: Blob, owner: str, layout_id: str) -> StoredStatus:
    status = parse_status(blob.data)
    _check_identity("status.json", status, owner, layout_id)
    return StoredStatus(status, blob.version, blob.age_s)


def _check_identity(what: str, content: JobRequest | Status, owner: str, layout_id: str) -> None:
    """Refuse content that names another owner or layout than its key.

    Parameters
    ----------
    what : str
        Name of the object, for the message.
    content : JobRequest or Status
        The object as read.
    owner, layout_id : str
        What its key says.
    """
    if (content.owner, content.layout_id) != (owner, layout_id):
        raise InputError(
            f"{what} of layout {layout_id} names layout {content.layout_id[:36]} of {content.owner[:60]!r}, not its own key; "
            "submit the job under a new layout_id"
        )


def _hint_key(status: Status) -> str:
    return keys.hint(
        status.owner,
        status.layout_id,
        created_ms=status.created_ms,
        revision=status.state_revision,
        status=status.status,
    )


def _not_found(owner: str, layout_id: str) -> NotFoundError:
    return NotFoundError(f"layout {layout_id} not found among those of {owner!r}; check the id and PACIFICO_OWNER")
