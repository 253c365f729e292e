"""Requests and statuses in the store: every write of a status is a compare-and-swap, read back where in doubt."""

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
from pacifico.jobs.store.base import ExistsError, NotFoundError, StoreError, SwapRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.status import Status
    from pacifico.jobs.store.base import Store


class ConflictError(InputError):
    """The layout_id stands for another request already."""


class RefusedError(Exception):
    """A swap was refused; what stands there now comes with it."""

    def __init__(self, current: Held) -> None:
        super().__init__(f"{current.status.layout_id} is {current.status.status} by now")
        self.current = current


@dataclass(frozen=True, slots=True)
class Held:
    """A status as read or written: what a swap replaces. `age_s` by the store's clock."""

    status: Status
    version: str
    age_s: float

    @property
    def alive(self) -> bool:
        """Whether an attempt holds a live lease."""
        return self.status.lease_alive(self.age_s)

    @property
    def stalled(self) -> bool:
        """Whether it is processing by its word alone."""
        return self.status.status == "processing" and not self.alive

    @property
    def lease_left_s(self) -> float:
        """What is left of a live lease [s]."""
        return max(0.0, (self.status.lease_seconds or 0.0) - self.age_s) if self.alive else 0.0


class Records:
    """The jobs of a store."""

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
            There is none, or it is another owner's.
        InputError, UnknownVersionError
            It can't be read.
        """
        data = self._read(keys.request(owner, layout_id), owner, layout_id)
        return parse_request(data), hashlib.sha256(data).hexdigest()

    def read(self, owner: str, layout_id: str) -> Held:
        """Read a status.

        Raises
        ------
        NotFoundError
            There is none, or it is another owner's.
        """
        try:
            blob = self.store.read(keys.status(owner, layout_id))
        except NotFoundError:
            raise _not_found(owner, layout_id) from None
        return Held(parse_status(blob.data), blob.version, blob.age_s)

    def submit(self, request: JobRequest) -> Held:
        """Write request, hint and status, each only where it isn't yet; the same request again changes nothing.

        Raises
        ------
        ConflictError
            The layout_id stands for another request.
        """
        data = request.to_bytes()
        key = keys.request(request.owner, request.layout_id)
        try:
            self.store.create(key, data, kind="jobs")
        except ExistsError:
            if self.store.read(key).data != data:
                raise ConflictError(
                    f"layout_id {request.layout_id} stands for another request already; submit this one under a new layout_id"
                ) from None
        return self.ensure_status(request, hashlib.sha256(data).hexdigest())

    def ensure_status(self, request: JobRequest, request_sha256: str) -> Held:
        """Read the status; where a submission broke off before it, write the first."""
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
        self._hint(first)  # before the status: a listed job may not be there yet, a job there is always listed
        try:
            version = self.store.create(keys.status(owner, layout_id), first.to_bytes(), kind="jobs")
        except ExistsError:
            held = self.read(owner, layout_id)
            if held.status.created_ms != first.created_ms:
                self.store.delete(_hint_key(first))
            return held
        return Held(first, version, 0.0)

    def swap(self, held: Held, new: Status) -> Held:
        """Write a status over the one that was read.

        Where the store refuses or fails, it is read back: a write that landed is a write, whatever the reply was.

        Raises
        ------
        RefusedError
            Another status stands there now.
        StoreError
            The store fails; whether the write landed is unknown. The same call may be made again.
        """
        key = keys.status(new.owner, new.layout_id)
        data = new.to_bytes()
        try:
            version = self.store.swap(key, data, held.version, kind="jobs")
        except (SwapRefusedError, StoreError) as error:
            blob = self.store.read(key)
            if blob.data == data:
                return Held(new, blob.version, blob.age_s)
            if isinstance(error, StoreError) and blob.version == held.version:
                raise
            raise RefusedError(Held(parse_status(blob.data), blob.version, blob.age_s)) from error
        return Held(new, version, 0.0)

    def change(self, owner: str, layout_id: str, step: Callable[[Held, float], Status | None]) -> Held:
        """Read, step and swap until the swap holds; where `step` gives None, nothing is written."""
        held = self.read(owner, layout_id)
        while True:
            new = step(held, self.now())
            if new is None:
                return held
            try:
                result = self.swap(held, new)
            except RefusedError as refused:
                held = refused.current
                continue
            self.index(result.status, before=held.status)
            return result

    def cancel(self, owner: str, layout_id: str) -> Held:
        """Cancel what hasn't ended; a running attempt finds out at its next renewal."""

        def step(held: Held, now: float) -> Status | None:
            return None if held.status.terminal else states.cancelled(held.status, now=now)

        return self.change(owner, layout_id, step)

    def redrive(self, owner: str, layout_id: str) -> Held:
        """Put a failed job into the queue again; who calls sends the message.

        Raises
        ------
        InputError
            The job is neither failed nor queued.
        """

        def step(held: Held, now: float) -> Status | None:
            if held.status.status == "queued":
                return None
            if held.status.status != "failed":
                raise InputError(
                    f"layout {layout_id} is {held.status.status}; only a failed one can be redriven: submit it under a new layout_id"
                )
            new = states.redriven(held.status, now=now)
            self._hint(new)  # before the swap: a hint that says 'failed' is never wrong
            return new

        return self.change(owner, layout_id, step)

    def fail_dead(self, owner: str, layout_id: str, *, sent: float, receives: int) -> Held:
        """End a job whose message is a dead letter, unless its lease is alive or it was queued anew since.

        `sent` is when the dead letter was first sent [s since 1970], by the queue's clock.
        """

        def step(held: Held, now: float) -> Status | None:
            status = held.status
            if status.terminal or held.alive or sent < status.queued_at.timestamp() - CLOCKS_APART_S:
                return None
            last = f"; the last said: {status.error_message}" if status.error_message else ""
            message = f"given up after {receives} deliveries and {status.attempt} attempts{last}"
            return states.failed(status, kind=status.error_kind or "lost", message=message, now=now)

        return self.change(owner, layout_id, step)

    def index(self, status: Status, *, before: Status | None = None) -> None:
        """Write the listing hint of a status, and take away the one of the status before it.

        The status stays the truth: where the store fails here, a listing is late until the next hint.
        """
        with contextlib.suppress(StoreError):
            self._hint(status)
            if before is not None and (old := _hint_key(before)) != _hint_key(status):
                self.store.delete(old)

    def _hint(self, status: Status) -> None:
        self.store.put(_hint_key(status), b"", kind="jobs")

    def _read(self, key: str, owner: str, layout_id: str) -> bytes:
        try:
            return self.store.read(key).data
        except NotFoundError:
            raise _not_found(owner, layout_id) from None


#: Store and queue keep the same time to within this [s].
CLOCKS_APART_S = 2.0


def new_nonce() -> str:
    """Make a token that no other attempt has."""
    return uuid.uuid4().hex


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
