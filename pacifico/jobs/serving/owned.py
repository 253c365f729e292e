"""The jobs of one owner, for servers: no call waits for a run."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs import keys
from pacifico.jobs.client import QUEUED, JobClient
from pacifico.jobs.reading.fetching import shortfall_of
from pacifico.jobs.reading.listing import hint_rows
from pacifico.jobs.records import InUseError
from pacifico.jobs.request import UnknownVersionError, file_sha256
from pacifico.jobs.serving import purge
from pacifico.jobs.status import TERMINAL
from pacifico.jobs.store.base import NotFoundError
from pacifico.jobs.submission import quotas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pacifico.jobs.records import Records, StoredStatus
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.status import Status
    from pacifico.jobs.store.base import Store

#: Message of a layout whose request was abandoned before it was done.
ABANDONED = "cancelled, since the client that waited for it left"
#: Layouts that a refusal names.
_MOST_NAMED = 5
#: Layouts whose unchanging facts are kept.
_MOST_KEPT = 1024


class OwnedJobs(JobClient):
    """A client whose jobs run elsewhere: behind a queue, or by whoever called `accept`.

    May be used by several threads at once.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._lock = Lock()

    @property
    def records(self) -> Records:
        """The store's jobs."""
        return self._records

    @property
    def store(self) -> Store:
        """The store."""
        return self._store

    @property
    def queued_elsewhere(self) -> bool:
        """Whether a queue takes the jobs."""
        return self._queue is not None

    def probe(self) -> None:
        """Return when store and queue can be reached; else raise OutsideServiceError."""
        self._store.probe()
        if self._queue is not None:
            self._queue.depth()

    def accept(self, request: JobRequest, *, send: bool = True) -> StoredStatus:
        """Check and store a request, and send it if there is a queue.

        Parameters
        ----------
        request : JobRequest
            The job.
        send : bool
            Whether to send it to the queue; False where the caller runs it.

        Raises
        ------
        InputError
            Site, DEM, notebook, parameters or uploads can't be used, the layout_id names another request, or a quota is
            reached.
        NotSentError, OutsideServiceError
            Queue or store failed. The same call may be made again.
        """
        self._check(request)
        if quotas.beyond_quota(self._records, self.owner, self.settings, [request]):
            raise quotas.refusal(self.owner, self.settings)
        stored = self._records.submit(request)
        if send and stored.status.status == "queued":
            self._sender.send(stored.status)
        return stored

    def abandon(self, layout_id: str) -> None:
        """Cancel a layout whose client has left; the same request may come again."""
        self._records.cancel(self.owner, keys.canonical_id(layout_id), message=ABANDONED)

    def clear_abandoned(self, layout_id: str) -> bool:
        """Delete a layout that was abandoned; return whether it was."""
        try:
            status = self._read(layout_id).status
            if status.status != "cancelled" or status.error_message != ABANDONED:
                return False
            self.delete(layout_id)
        except NotFoundError:  # deleted meanwhile
            return True
        return True

    def read(self, layout_id: str) -> StoredStatus:
        """Read a status with its version."""
        return self._read(layout_id)

    def status(self, layout_id: str) -> dict[str, Any]:
        """Read a status, with `stalled`, target and shortfall."""
        stored = self._read(layout_id)
        return self.body_of(stored)

    def body_of(self, stored: StoredStatus) -> dict[str, Any]:
        """Status as JSON, with `stalled`, target and shortfall."""
        body = {**stored.status.to_json(), "stalled": self._sender.stalled(stored)}
        return {**body, "target_capacity_kw": self._target_kw(stored), "shortfall": self._shortfall(stored)}

    def request_of(self, layout_id: str) -> JobRequest:
        """Read the request of a layout."""
        return self._records.request(self.owner, keys.canonical_id(layout_id))[0]

    def redrive(self, layout_id: str, *, force: bool = False) -> dict[str, Any]:
        """Put a failed or stranded job into the queue again, without running it here."""
        self._read(layout_id)
        stored = self._records.redrive(self.owner, keys.canonical_id(layout_id), force=force)
        if self._queue is not None:
            self._sender.send(stored.status)
        return {"layout_id": stored.status.layout_id, "status": stored.status.status, "message": QUEUED}

    def delete(self, layout_id: str) -> int:
        """Delete a layout with everything that belongs to it; return the number of objects."""
        return purge.purge_layout(self._records, self.owner, layout_id)

    def delete_site(self, site_id: str) -> int:
        """Delete a site; completed layouts keep their copy of its boundary.

        Raises
        ------
        InUseError
            Layouts of it are queued or running.
        """
        self._require_unused(f"site {site_id[:60]!r}", lambda status: status.site_id == site_id)
        return purge.purge_site(self._store, self.owner, site_id)

    def delete_upload(self, sha256: str) -> int:
        """Delete a DEM or another uploaded file; layouts keep their copies.

        Raises
        ------
        InUseError
            Layouts that need it are queued or running.
        """
        address = f"upload:{sha256}"
        self._require_unused(address, lambda status: address in self._uploads_of(status))
        return purge.purge_upload(self._store, self.owner, sha256)

    def unfinished(self) -> Iterator[Status]:
        """Statuses of the layouts that have not ended, newest first."""
        for row in hint_rows(self._store, self.owner):
            if row["status"] in TERMINAL:  # a hint of an end is never wrong
                continue
            try:
                status = self._read(row["layout_id"]).status
            except (InputError, UnknownVersionError):  # deleted meanwhile, or planted
                continue
            if not status.terminal:
                yield status

    def file(self, layout_id: str, name: str, path: Path) -> StoredStatus:
        """Copy one file of a report and check its hash.

        Parameters
        ----------
        layout_id : str
            The layout.
        name : str
            Name in the report folder; only those that the status lists can be read.
        path : Path
            File to write.

        Raises
        ------
        NotFoundError
            The owner has no such layout, or its report has no such file.
        OutsideServiceError
            The file in the store is not the one that the job made.
        """
        stored = self._read(layout_id)
        artifact = stored.status.artifacts.get(name)
        if artifact is None:
            raise NotFoundError(f"layout {stored.status.layout_id} has no such file; its status lists those it has")
        key = keys.artifact(self.owner, stored.status.layout_id, stored.status.attempt, name)
        self._store.get_file(key, path, limit=artifact.bytes)
        if file_sha256(path) != artifact.sha256:
            raise OutsideServiceError(
                f"{name} of layout {stored.status.layout_id} is not the file that the job made; redrive or submit again"
            )
        return stored

    def _require_unused(self, what: str, is_user: Callable[[Status], bool]) -> None:
        """Raise InUseError where a layout that has not ended is a user."""
        users = [status.layout_id for status in self.unfinished() if is_user(status)]
        if users:
            more = f" and {len(users) - _MOST_NAMED} more" if len(users) > _MOST_NAMED else ""
            raise InUseError(
                f"{what} is in use by {', '.join(users[:_MOST_NAMED])}{more}; cancel these layouts, or wait for their end"
            )

    def _uploads_of(self, status: Status) -> list[str]:
        """Addresses of the files that a layout's request names."""
        try:
            request = self.request_of(status.layout_id)
        except (InputError, UnknownVersionError):
            return []
        return [str(value) for value in (request.dem, *request.parameters.values())]

    def _target_kw(self, stored: StoredStatus) -> float | None:
        """Requested capacity [kW]; None for as much as fits, or where the request can't be read."""
        key = ("target", stored.status.layout_id)
        if (found := self._recall(key)) is not None:
            return float(found) or None
        try:
            target = self.request_of(stored.status.layout_id).target_capacity_kw
        except (InputError, UnknownVersionError):
            return None
        self._keep(key, target or 0.0)
        return target

    def _shortfall(self, stored: StoredStatus) -> str:
        """Why a completed layout is less than requested; else empty."""
        status = stored.status
        if status.status != "completed":
            return ""
        key = ("shortfall", f"{status.layout_id}/{status.attempt}")
        if (found := self._recall(key)) is not None:
            return str(found)
        try:
            text = shortfall_of(self._store, status)
        except InputError:  # the file is gone or no JSON: the status is still right
            return ""
        self._keep(key, text)
        return text

    def _recall(self, key: tuple[str, str]) -> Any:
        with self._lock:
            return self._kept.get(key)

    def _keep(self, key: tuple[str, str], value: Any) -> None:
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
