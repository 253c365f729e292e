"""What a person or a notebook does with jobs: submit, follow, list, cancel, fetch, redrive."""

from __future__ import annotations

import json
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs import keys, local, uploads
from pacifico.jobs.fetching import fetch_report, require_room
from pacifico.jobs.queue import Pointer, Queue
from pacifico.jobs.records import Records
from pacifico.jobs.request import JobRequest, load_object
from pacifico.jobs.runner.staging import check_dem
from pacifico.jobs.settings import Settings, from_environment
from pacifico.jobs.status import STATES, TERMINAL
from pacifico.jobs.store.base import NotFoundError, SignedUpload
from pacifico.jobs.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pacifico.jobs.records import Held
    from pacifico.jobs.runner.runner import Spawner
    from pacifico.jobs.status import Status

_READERS = 16
METRICS_FILE = "metrics.json"

Body = dict[str, Any]
Bodies = list[Body]  # within the class, `list` is a method


class JobClient:
    """The jobs of one owner.

    With a queue in the settings jobs are queued; without one they run on this machine.

    Examples
    --------
    >>> client = JobClient()  # doctest: +SKIP
    >>> site = client.upload_site("site.kml")  # doctest: +SKIP
    >>> client.submit(client.request(site, dem="3dep", target_capacity_kw=50_000))  # doctest: +SKIP
    {'layout_id': '...', 'status': 'queued', 'message': 'Layout generation job queued successfully'}
    """

    def __init__(
        self, settings: Settings | None = None, *, owner: str | None = None, spawner: Spawner | None = None
    ) -> None:
        self.settings = settings or from_environment()
        self.owner = owner or self.settings.owner
        keys.encode(self.owner)
        self._records = Records(open_store(self.settings))
        self._store = self._records.store
        self._queue = Queue(self.settings.queue_url) if self.settings.queue_url else None
        self._spawner = spawner

    # --- what a job is about

    def upload_site(self, path: str | Path, *, site_id: str | None = None, as_read: bytes | None = None) -> str:
        """Store a boundary file; returns its site_id, by default from the hash of its bytes.

        Raises
        ------
        InputError
            No such file, of no kind that is read, over the limit, or the site_id stands for another file.
        """
        limit = self.settings.boundary_max_bytes
        return uploads.upload_site(
            self._store, Path(path), owner=self.owner, site_id=site_id, limit=limit, as_read=as_read
        )

    def upload_file(self, path: str | Path) -> str:
        """Store a DEM, exclusions or a spec; returns `upload:<sha256>`, which a request may name."""
        return uploads.upload_file(self._store, Path(path), owner=self.owner, limit=self.settings.dem_max_bytes)

    def presign_upload(self, name: str, *, expires_s: int = 3600) -> tuple[str, SignedUpload]:
        """Give an address that someone without credentials may PUT a boundary file to, and its ticket.

        `register_site(ticket)` makes a site of what arrived.
        """
        suffix = Path(name).suffix.lower()
        if suffix not in uploads.BOUNDARIES:
            raise InputError(f"{name!r} is no boundary file; {', '.join(uploads.BOUNDARIES)} are taken")
        ticket = f"{uuid.uuid4()}{suffix}"
        return ticket, self._store.presign_put(self._ticket_key(ticket), expires_s=expires_s, kind="uploads")

    def register_site(self, ticket: str, *, site_id: str | None = None) -> str:
        """Make a site of a file that came through a presigned address; returns its site_id."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"boundary{Path(ticket).suffix}"
            self._store.get_file(self._ticket_key(ticket), path, limit=self.settings.boundary_max_bytes)
            return self.upload_site(path, site_id=site_id)

    def presign_download(self, layout_id: str, name: str = "report.html", *, expires_s: int = 3600) -> str:
        """Give an address that someone without credentials may read one file of a report from."""
        held = self._read(layout_id)
        if name not in held.status.artifacts:
            raise NotFoundError(f"layout {layout_id} has no file {name!r}; it has: {', '.join(held.status.artifacts)}")
        key = keys.artifact(self.owner, layout_id, held.status.attempt, name)
        return self._store.presign_get(key, expires_s=expires_s)

    # --- submitting

    def request(self, site_id: str, **fields: Any) -> JobRequest:
        """Make a request of this owner's, checked.

        Raises
        ------
        InputError
            A field is unknown, missing or out of range.
        """
        from pacifico.jobs.request import parse_request  # noqa: PLC0415 (beside its one use)

        body = {"schema_version": 1, "layout_id": str(uuid.uuid4()), "site_id": site_id, "owner": self.owner, **fields}
        return parse_request(body)

    def submit(self, request: JobRequest, *, background: bool = False) -> dict[str, Any]:
        """Submit one job. The same request twice is one job.

        Without a queue it runs here: to its end before this returns, or behind it with `background`.

        Raises
        ------
        InputError
            Site or DEM are not the owner's or not allowed, or the layout_id stands for another request.
        OutsideServiceError
            Store or queue failed; the same call may be made again.
        """
        self._check(request)
        held = self._records.submit(request)
        if held.status.status != "queued":
            return _response(held, f"Layout is {held.status.status} already")
        if self._queue is not None:
            self._queue.send(Pointer(self.owner, request.layout_id))
            return _response(held, "Layout generation job queued successfully")
        if background:
            local.start_background([(self.owner, request.layout_id)])
            return _response(held, "Layout generation job runs in the background on this machine")
        return self._run_here([request.layout_id])[0]

    def submit_many(self, requests: Sequence[JobRequest], *, background: bool = False) -> Bodies:
        """Submit many jobs, in batches of ten messages; one that fails stops none of the others.

        Returns
        -------
        list of dict
            A response for each request, in order; `status` is 'rejected' where one was refused and 'unsent' where it is
            stored but its message could not be sent: submit it again.
        """
        with ThreadPoolExecutor(_READERS) as pool:
            responses = list(pool.map(self._store_one, requests))
        queued = [r["layout_id"] for r in responses if r["status"] == "queued"]
        if self._queue is not None:
            unsent = self._queue.send_many([Pointer(self.owner, layout_id) for layout_id in queued])
            for pointer, reason in unsent.items():
                for response in responses:
                    if response["layout_id"] == pointer.layout_id and response["status"] == "queued":
                        response.update(status="unsent", message=f"stored, but not sent: {reason}; submit it again")
        elif background and queued:
            local.start_background([(self.owner, layout_id) for layout_id in queued])
        elif queued:
            done = {r["layout_id"]: r for r in self._run_here(queued)}
            responses = [done.get(r["layout_id"], r) for r in responses]
        return responses

    # --- following

    def status(self, layout_id: str) -> dict[str, Any]:
        """Read where a job stands; `stalled` tells that its worker has not been heard of for a whole lease.

        Raises
        ------
        NotFoundError
            There is none, or it is another owner's.
        """
        held = self._read(layout_id)
        return {**held.status.to_json(), "stalled": held.stalled}

    def wait(
        self,
        layout_ids: Sequence[str],
        *,
        timeout_s: float | None = None,
        on_status: Callable[[dict[str, Any]], None] | None = None,
        poll_s: float = 0.5,
    ) -> dict[str, dict[str, Any]]:
        """Wait until all these jobs have ended, and return their statuses.

        Raises
        ------
        TimeoutError
            They had not all ended in that time.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        found: dict[str, dict[str, Any]] = {}
        with ThreadPoolExecutor(_READERS) as pool:
            while True:
                open_ids = [i for i in layout_ids if found.get(i, {}).get("status") not in TERMINAL]
                for body in pool.map(self.status, open_ids):
                    found[body["layout_id"]] = body
                    if on_status is not None:
                        on_status(body)
                left = [i for i in open_ids if found[keys.canonical_id(i)]["status"] not in TERMINAL]
                if not left:
                    return found
                if end is not None and time.monotonic() >= end:
                    raise TimeoutError(f"{len(left)} of {len(layout_ids)} jobs had not ended after {timeout_s:g} s")
                time.sleep(poll_s if end is None else max(0.0, min(poll_s, end - time.monotonic())))

    def list(self, *, status: str | None = None, since: datetime | None = None, limit: int | None = 100) -> Bodies:
        """List this owner's layouts, newest first, from the listing hints: one request for a thousand of them.

        Running ones are read, for their progress; all others are told by their hint alone.

        Raises
        ------
        InputError
            There is no such status.
        """
        if status is not None and status not in STATES:
            raise InputError(f"status {status!r} is none of {', '.join(STATES)}")
        rows: list[dict[str, Any]] = []
        for row in self._hints():
            if since is not None and row["created_at"] < since.timestamp() * 1000:
                break
            if row["status"] == "processing":
                row = self._look(row)  # noqa: PLW2901 (the same row, better known)
            if status is None or row["status"] == status:
                rows.append({**row, "created_at": _iso(row["created_at"] / 1000)})
            if limit is not None and len(rows) >= limit:
                break
        return rows

    def shortfall(self, layout_id: str) -> str:
        """Say why a completed layout is less than was asked for; empty where it is all of it, or not completed.

        Raises
        ------
        NotFoundError
            There is no such layout, or it is another owner's.
        """
        return self._shortfall(self._read(layout_id).status)

    # --- changing

    def cancel(self, layout_id: str) -> dict[str, Any]:
        """Cancel a job that has not ended; one that has is returned as it is."""
        held = self._records.cancel(self.owner, keys.canonical_id(layout_id))
        return {**held.status.to_json(), "stalled": False}

    def redrive(self, layout_id: str) -> dict[str, Any]:
        """Put a failed job into the queue again, or run it here where there is none.

        Raises
        ------
        InputError
            It is neither failed nor queued.
        """
        layout_id = keys.canonical_id(layout_id)
        held = self._records.redrive(self.owner, layout_id)
        if self._queue is None:
            return self._run_here([layout_id])[0]
        self._queue.send(Pointer(self.owner, layout_id))
        return _response(held, "Layout generation job queued again")

    def fetch(self, layout_id: str, out: str | Path) -> Path:
        """Download a report folder, every file checked against its hash.

        Raises
        ------
        InputError
            There is no report yet, or `out` is not empty or can't be written: that is said before anything is asked for.
        OutsideServiceError
            A file in the store is not what the status says.
        """
        out = Path(out)
        require_room(out)
        status = self._read(layout_id).status
        if not status.artifacts:
            raise InputError(f"layout {layout_id} is {status.status} and has no report to fetch")
        fetch_report(self._store, status, out)
        return out

    # --- within

    def _shortfall(self, status: Status) -> str:
        if status.status != "completed" or METRICS_FILE not in status.artifacts:
            return ""
        key = keys.artifact(self.owner, status.layout_id, status.attempt, METRICS_FILE)
        said = load_object(self._store.read(key).data, what=METRICS_FILE).get("shortfall", "")
        return said if isinstance(said, str) else ""

    def _read(self, layout_id: str) -> Held:
        held = self._records.read(self.owner, keys.canonical_id(layout_id))
        return local.give_up_if_gone(self._records, held)

    def _check(self, request: JobRequest) -> None:
        if request.owner != self.owner:
            raise InputError(f"the request is of {request.owner!r}, but this client's owner is {self.owner!r}")
        check_dem(request.dem, self.settings)
        try:
            json.loads(self._store.read(f"{keys.site(self.owner, request.site_id)}/site.json").data)
        except NotFoundError:
            raise NotFoundError(
                f"site {request.site_id!r} is not among those of {self.owner!r}; upload it first"
            ) from None

    def _store_one(self, request: JobRequest) -> dict[str, Any]:
        try:
            self._check(request)
            held = self._records.submit(request)
        except (InputError, OutsideServiceError) as error:
            return {"layout_id": request.layout_id, "status": "rejected", "message": str(error)}
        queued = held.status.status == "queued"
        return _response(
            held,
            "Layout generation job queued successfully" if queued else f"Layout is {held.status.status} already",
        )

    def _run_here(self, layout_ids: Iterable[str]) -> Bodies:
        from pacifico.jobs.runner.runner import NotebookRunner, ProcessSpawner  # noqa: PLC0415 (only where jobs run here)

        layout_ids = list(layout_ids)
        spawner = self._spawner or ProcessSpawner()
        runner = NotebookRunner(self._store, self.settings, spawner, standby=len(layout_ids) > 1)
        try:
            ended = [
                local.run(self._records, self.owner, layout_id, settings=self.settings, runner=runner)
                for layout_id in layout_ids
            ]
        finally:
            runner.close()
        return [
            _response(
                held,
                held.status.error_message or self._shortfall(held.status) or "Layout generated on this machine",
            )
            for held in ended
        ]

    def _hints(self) -> Iterator[dict[str, Any]]:
        """One row for each layout: of several hints, a crash's remainder, the last."""
        row: dict[str, Any] | None = None
        for entry in self._store.list(keys.index(self.owner)):
            created, layout_id, revision, state = keys.read_hint(entry.key)
            if row is not None and row["layout_id"] != layout_id:
                yield row
            row = {
                "layout_id": layout_id,
                "status": state,
                "created_at": created,
                "updated_at": _iso(entry.modified),
                "revision": revision,
            }
        if row is not None:
            yield row

    def _look(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            held = self._read(row["layout_id"])
        except NotFoundError:
            return row
        status = held.status
        more = {"stage": status.stage, "progress_pct": status.progress_pct, "stalled": held.stalled}
        return {**row, "status": status.status, "updated_at": _iso(status.updated_at.timestamp()), **more}

    def _ticket_key(self, ticket: str) -> str:
        name = Path(ticket)
        if name.name != ticket:
            raise InputError(f"ticket {ticket[:60]!r} is not one that presign_upload gave")
        return f"{keys.upload(self.owner, keys.canonical_id(name.stem))}/{keys.safe_path('boundary' + name.suffix)}"


def _response(held: Held, message: str) -> dict[str, Any]:
    return {"layout_id": held.status.layout_id, "status": held.status.status, "message": message}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
