"""Client of jobs: submit, follow, list, cancel, redrive and fetch."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError, OutsideServiceError, named
from pacifico.jobs import keys, local
from pacifico.jobs.cleanup import delete_leftovers, find_leftovers
from pacifico.jobs.queue import Queue
from pacifico.jobs.reading.fetching import fetch_report, require_room, shortfall_of
from pacifico.jobs.reading.listing import iso, rows_since, site_names
from pacifico.jobs.reading.waiting import wait_for_all
from pacifico.jobs.records import Records
from pacifico.jobs.request import JobRequest, UnknownVersionError, parse_request
from pacifico.jobs.sending import Sender
from pacifico.jobs.settings import Settings, from_environment
from pacifico.jobs.status import STATES
from pacifico.jobs.store.base import NotFoundError, PermissionDeniedError
from pacifico.jobs.store.open import open_store
from pacifico.jobs.submission import quotas
from pacifico.jobs.submission.checks import check_request
from pacifico.jobs.submission.uploading import Uploader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import boto3

    from pacifico.jobs.cleanup import Leftover
    from pacifico.jobs.records import StoredStatus
    from pacifico.jobs.runner.processes import Spawner
    from pacifico.jobs.store.base import SignedUpload

_READERS = 16  # statuses read at once

QUEUED, DONE = "Layout generation job queued successfully", "Layout generated on this machine"

Body = dict[str, Any]
Bodies = list[Body]  # within the class, `list` is a method


class JobClient:
    """The jobs of one owner.

    With a queue in the settings jobs are queued; without one they run on this machine.

    Examples
    --------
    >>> client = JobClient()  # doctest: +SKIP
    >>> site = client.upload_site("site.kml")  # doctest: +SKIP
    >>> client.submit(client.request(site, dem="3dep"))["status"]  # doctest: +SKIP
    'queued'
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        owner: str | None = None,
        spawner: Spawner | None = None,
        session: boto3.Session | None = None,
    ) -> None:
        self.settings = settings or from_environment()
        self.owner = owner or self.settings.owner
        keys.encode(self.owner)
        self._records = Records(open_store(self.settings, session=session))
        self._store = self._records.store
        self._queue = Queue(self.settings.queue_url, session=session) if self.settings.queue_url else None
        self._sender = Sender(self._records, self._queue, self.settings, self.owner)
        self._spawner = spawner
        self._uploader = Uploader(self._store, self.owner, self.settings)

    def upload_site(self, path: str | Path, *, site_id: str | None = None, as_read: bytes | None = None) -> str:
        """Store a boundary file and return its site_id.

        Raises
        ------
        InputError
            There is no such file, its kind or size is not accepted, or the site_id names another file.
        """
        return self._uploader.site(Path(path), site_id=site_id, as_read=as_read)

    def upload_file(self, path: str | Path) -> str:
        """Store a DEM, exclusions or weather file and return `upload:<sha256>` for requests.

        A file that the store has already is not sent again, so one DEM of many jobs is sent once.
        """
        return self._uploader.file(Path(path))

    def presign_upload(self, name: str, *, size_bytes: int, expires_s: int = 900) -> tuple[str, SignedUpload]:
        """Return a ticket, and an address that takes a boundary file of that size.

        `register_site(ticket)` makes a site of the file that arrived.

        Parameters
        ----------
        name : str
            Name of the file, which tells its kind.
        size_bytes : int
            Its size, the only one that is accepted [bytes].
        expires_s : int
            Time until the address expires, at most 3600 [s].

        Raises
        ------
        InputError
            Kind, size or time are not accepted.
        """
        return self._uploader.tickets.issue(name, size_bytes=size_bytes, expires_s=expires_s)

    def register_site(self, ticket: str, *, site_id: str | None = None) -> str:
        """Make a site of a file sent to a presigned address."""
        with self._uploader.tickets.redeem(ticket) as path:
            return self.upload_site(path, site_id=site_id)

    def presign_download(self, layout_id: str, name: str = "report.html", *, expires_s: int = 3600) -> str:
        """Return a temporary address of one file of a report."""
        stored = self._read(layout_id)
        if name not in stored.status.artifacts:
            raise NotFoundError(f"layout {layout_id} has no file {name!r}; it has: {named(stored.status.artifacts)}")
        key = keys.artifact(self.owner, layout_id, stored.status.attempt, name)
        return self._store.presign_get(key, expires_s=expires_s)

    def request(self, site_id: str, *, idempotency_key: str | None = None, **fields: Any) -> JobRequest:
        """Make a checked request of this owner's.

        Parameters
        ----------
        site_id : str
            The site, as `upload_site` returned it.
        idempotency_key : str, optional
            Requests with the same key have the same layout_id, so a repeated submission is one job.
        fields
            Fields of `JobRequest`.

        Raises
        ------
        InputError
            A field is unknown, missing or out of range.
        """
        layout_id = str(uuid.uuid4()) if idempotency_key is None else self.layout_id_of(idempotency_key)
        body = {"schema_version": 1, "layout_id": layout_id, "site_id": site_id, "owner": self.owner, **fields}
        return parse_request(body)

    def layout_id_of(self, idempotency_key: str) -> str:
        """Layout_id of this owner's requests with an idempotency key."""
        return keys.keyed_id(self.owner, idempotency_key)

    def submit(self, request: JobRequest, *, background: bool = False) -> dict[str, Any]:
        """Submit one job. The same request twice is one job.

        Without a queue the job runs here, before this returns or, with `background`, after it.

        Raises
        ------
        InputError
            Site or DEM are not the owner's or not allowed, the notebook does not take the parameters, the layout_id names
            another request, or a quota is reached.
        NotSentError
            The job is stored, but the queue failed. The same call may be made again.
        OutsideServiceError
            The store failed. The same call may be made again.
        """
        self._check(request)
        if quotas.beyond_quota(self._records, self.owner, self.settings, [request]):
            raise quotas.refusal(self.owner, self.settings)
        stored = self._records.submit(request)
        if stored.status.status != "queued":
            return _response(stored, f"Layout is {stored.status.status} already")
        if self._queue is not None:
            self._sender.send(stored.status)
            return _response(stored, QUEUED)
        if background:
            local.start_background([(self.owner, request.layout_id)])
            return _response(stored, "Layout generation job runs in the background on this machine")
        return self._run_here([request.layout_id])[0]

    def submit_many(self, requests: Sequence[JobRequest], *, background: bool = False) -> Bodies:
        """Submit many jobs, in batches of ten messages.

        One that fails stops none of the others.

        Returns
        -------
        list of dict
            A response for each request, in order. `status` is 'rejected' for a refused request, and 'unsent' where store
            or queue failed: submit it again with its layout_id.
        """
        beyond = quotas.beyond_quota(self._records, self.owner, self.settings, requests)
        with ThreadPoolExecutor(_READERS) as pool:
            responses = list(pool.map(lambda r: self._store_one(r, beyond=r.layout_id in beyond), requests))
        queued = list(dict.fromkeys(r["layout_id"] for r in responses if r["status"] == "queued"))
        if self._queue is not None:
            self._sender.send_all(responses)
        elif background and queued:
            local.start_background([(self.owner, layout_id) for layout_id in queued])
        elif queued:
            done = {r["layout_id"]: r for r in self._run_here(queued)}
            responses = [done.get(r["layout_id"], r) for r in responses]
        return responses

    def status(self, layout_id: str) -> dict[str, Any]:
        """Read a job's status.

        `stalled` is true where nothing will happen by itself soon: the lease of a running job has ended, or the message
        of a queued one was not sent, has expired or was deleted.

        Raises
        ------
        NotFoundError
            The owner has no such layout.
        """
        stored = self._read(layout_id)
        return {**stored.status.to_json(), "stalled": self._sender.stalled(stored)}

    def wait(
        self,
        layout_ids: Sequence[str],
        *,
        timeout_s: float | None = None,
        on_status: Callable[[dict[str, Any]], None] | None = None,
        poll_s: float = 0.5,
    ) -> dict[str, dict[str, Any]]:
        """Wait until all jobs have ended and return their statuses.

        Parameters
        ----------
        layout_ids : sequence of str
            The jobs.
        timeout_s : float, optional
            Longest wait [s].
        on_status : callable, optional
            Called with every status read.
        poll_s : float
            Pause between two reads [s].

        Raises
        ------
        WaitTimeoutError
            They had not all ended in that time.
        """
        ids = [keys.canonical_id(layout_id) for layout_id in layout_ids]
        return wait_for_all(self.status, ids, timeout_s=timeout_s, on_status=on_status, poll_s=poll_s)

    def list(self, *, status: str | None = None, since: datetime | None = None, limit: int | None = 100) -> Bodies:
        """List this owner's layouts, newest first.

        The list comes from hints, a thousand with one request. Only running layouts are read, for their progress.
        `site_names` names the sites of some.

        Raises
        ------
        InputError
            There is no such status.
        """
        if status is not None and status not in STATES:
            raise InputError(f"status {status!r} is unknown; give one of {', '.join(STATES)}")
        rows = rows_since(self._store, self.owner, since)
        read = (self._with_progress(row) if row["status"] == "processing" else row for row in rows)
        found = (row for row in read if status is None or row["status"] == status)
        return [{**row, "created_at": iso(row["created_at"] / 1000)} for row in islice(found, limit)]

    def site_names(self, layout_ids: Sequence[str]) -> dict[str, str]:
        """Name of each layout's boundary file; empty where it can't be read."""
        return site_names(self._records, self.owner, layout_ids)

    def shortfall(self, layout_id: str) -> str:
        """Why a completed layout is less than requested; else empty.

        Raises
        ------
        NotFoundError
            The owner has no such layout.
        """
        return shortfall_of(self._store, self._read(layout_id).status)

    def cancel(self, layout_id: str) -> dict[str, Any]:
        """Cancel a job that has not ended.

        One that has is returned as it is.
        """
        self._read(layout_id)
        stored = self._records.cancel(self.owner, keys.canonical_id(layout_id))
        return {**stored.status.to_json(), "stalled": False}

    def redrive(self, layout_id: str, *, force: bool = False) -> dict[str, Any]:
        """Put a failed or stranded job into the queue again.

        Without a queue the job runs here.

        Parameters
        ----------
        layout_id : str
            The job.
        force : bool
            Also a job that failed by its own request, for instance after a limit was raised.

        Raises
        ------
        NotRedrivableError
            The job runs or has ended well, or failed by its own request.
        NotSentError
            The job is queued, but the queue failed. The same call may be made again.
        """
        self._read(layout_id)
        layout_id = keys.canonical_id(layout_id)
        stored = self._records.redrive(self.owner, layout_id, force=force)
        if self._queue is None:
            return self._run_here([layout_id])[0]
        self._sender.send(stored.status)
        return _response(stored, "Layout generation job queued again")

    def fetch(self, layout_id: str, out: str | Path) -> Path:
        """Download a report folder and check every file against its hash.

        Raises
        ------
        InputError
            There is no report yet, or `out` is not empty or can't be written.
        OutsideServiceError
            A file in the store does not match the status.
        """
        out = Path(out)
        require_room(out)
        status = self._read(layout_id).status
        if not status.artifacts:
            raise InputError(f"layout {layout_id} is {status.status} and has no report to fetch; see its status")
        fetch_report(self._store, status, out)
        return out

    def collect_garbage(self, *, older_than_days: float = 7.0, delete: bool = False) -> Sequence[Leftover]:
        """Find what no job of this owner needs, and delete it with `delete`."""
        found = find_leftovers(self._records, self.owner, older_than_days=older_than_days)
        if delete:
            delete_leftovers(self._store, found)
        return found

    def _read(self, layout_id: str) -> StoredStatus:
        """Read a status.

        What the store does not let this owner read is not found.
        """
        layout_id = keys.canonical_id(layout_id)
        try:
            stored = self._records.read(self.owner, layout_id)
        except PermissionDeniedError as error:
            raise NotFoundError(
                f"layout {layout_id} not found among those of {self.owner!r}, as far as this user may read the store; "
                "check the id, PACIFICO_OWNER and your rights"
            ) from error
        return local.fail_if_ended(self._records, stored)

    def _check(self, request: JobRequest) -> None:
        if request.owner != self.owner:
            raise InputError(
                f"the request's owner is {request.owner!r}, this client's {self.owner!r}; use a client of that owner"
            )
        check_request(request, self._store, self.settings)

    def _store_one(self, request: JobRequest, *, beyond: bool) -> dict[str, Any]:
        try:
            self._check(request)
            if beyond:
                raise quotas.refusal(self.owner, self.settings)
            stored = self._records.submit(request)
        except InputError as error:
            return {"layout_id": request.layout_id, "status": "rejected", "message": str(error)}
        except OutsideServiceError as error:
            message = f"not stored: {error}; submit it again"
            return {"layout_id": request.layout_id, "status": "unsent", "message": message}
        queued = stored.status.status == "queued"
        return _response(stored, QUEUED if queued else f"Layout is {stored.status.status} already")

    def _run_here(self, layout_ids: Sequence[str]) -> Bodies:
        ended = local.run_all(self._records, self.owner, layout_ids, settings=self.settings, spawner=self._spawner)
        messages = [stored.status.error_message or shortfall_of(self._store, stored.status) for stored in ended]
        return [_response(stored, message or DONE) for stored, message in zip(ended, messages, strict=True)]

    def _with_progress(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            stored = self._read(row["layout_id"])
        except (InputError, UnknownVersionError):  # gone, planted, or of a newer pacifico: the hint is all there is
            return row
        status = stored.status
        more = {"stage": status.stage, "progress_pct": status.progress_pct, "stalled": self._sender.stalled(stored)}
        return {**row, "status": status.status, "updated_at": iso(status.updated_at.timestamp()), **more}


def _response(stored: StoredStatus, message: str) -> dict[str, Any]:
    return {"layout_id": stored.status.layout_id, "status": stored.status.status, "message": message}
