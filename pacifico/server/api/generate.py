"""Generate layouts: while the client waits, or in the background."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError, OutsideServiceError, PacificoError
from pacifico.jobs import keys, local
from pacifico.jobs.client import QUEUED
from pacifico.jobs.store.base import NotFoundError
from pacifico.server.api.design_checks import check_design
from pacifico.server.api.layouts import LayoutReply
from pacifico.server.api.sites import site_record
from pacifico.server.http.operations import operation
from pacifico.server.http.problems import HttpError
from pacifico.server.models.bodies import GenerateBody, VariantsBody
from pacifico.server.models.queries import NoQuery
from pacifico.server.models.replies import Layout, Variants
from pacifico.server.work.engine_run import EngineRunner, check_engine_request
from pacifico.server.work.pool import TimeLimitError

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from pacifico.jobs.records import StoredStatus
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.serving.owned import OwnedJobs
    from pacifico.server.services import Services
    from pacifico.server.work.pool import Worker

_KEY = re.compile(r"[!-~]{1,255}")
#: One preference (RFC 7240): its name, and a value that may be quoted.
_PREFERENCE = re.compile(r"""(?:^|,)\s*([\w!#$%&'*+.^`|~-]+)\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^",;]*))?(?:;[^",]*)*""")
_STATUS_OF_KIND = {"request": 422, "memory": 422, "timeout": 504}
_POLL_S = 0.3
_HEADERS = ("Prefer", "Idempotency-Key")
_ERRORS = (404, 409, 413, 415, 422, 503, 504)


def preferences(header: str) -> set[str]:
    """Names of the preferences in a Prefer header, in lower case."""
    return {name.lower() for name in _PREFERENCE.findall(header)}


class GenerateReply(LayoutReply):
    """What both ways to generate share."""

    def wants_async(self) -> bool:
        """Whether this request is to be answered before its layout is done."""
        said = preferences(self.request.headers.get("Prefer", ""))
        return "respond-async" in said or (self.services.server.run_async and "wait" not in said)

    def applied(self) -> dict[str, str]:
        """Header that confirms the preference, where the request had it."""
        asked = "respond-async" in preferences(self.request.headers.get("Prefer", ""))
        return {"Preference-Applied": "respond-async"} if asked else {}

    def idempotency_key(self) -> str | None:
        """Idempotency-Key of the request.

        Raises
        ------
        InputError
            It is empty, too long or no visible ASCII.
        """
        key: str | None = self.request.headers.get("Idempotency-Key")
        if key is not None and not _KEY.fullmatch(key):
            raise InputError("Idempotency-Key must have 1 to 255 visible ASCII characters, such as a UUID")
        return key

    async def request_of(self, jobs: OwnedJobs, body: Mapping[str, Any], key: str | None) -> JobRequest:
        """Job request of a body.

        Raises
        ------
        InputError
            A field is out of range, or layout_id and Idempotency-Key are both given.
        HttpError
            The Idempotency-Key came with another body before.
        """
        fields = {name: value for name, value in body.items() if value is not None}
        if fields.get("use_terrain", True) and "dem" not in fields:
            fields["dem"] = self.services.server.default_dem
        if "layout_id" in fields:
            if key is not None:
                raise InputError("layout_id and Idempotency-Key both name the layout; give one of them")
            fields["layout_id"] = keys.canonical_id(fields["layout_id"])
        request = jobs.request(fields.pop("site_id"), idempotency_key=key, **fields)
        await self.services.read(check_design, request)
        if key is not None:
            await self.services.read(_require_same, jobs, request)
        return request

    async def accept(self, jobs: OwnedJobs, request: JobRequest) -> dict[str, Any]:
        """Store a job and have it run in the background."""
        stored = await self.services.read(jobs.accept, request)
        if stored.status.terminal and await self.services.read(jobs.clear_abandoned, request.layout_id):
            stored = await self.services.read(jobs.accept, request)
        status = stored.status
        if status.status == "queued" and not jobs.queued_elsewhere:
            self.services.background.add(self.owner, status.layout_id)
        self.services.changed(self.owner, status.layout_id)
        message = QUEUED if status.status == "queued" else f"Layout is {status.status} already"
        return {"layout_id": status.layout_id, "status": status.status, "message": message}


class GenerateHandler(GenerateReply):
    """Generate one layout."""

    @operation(
        summary="Generate a layout; with 'Prefer: respond-async' or PACIFICO_ASYNC in the background (202).",
        tag="layouts",
        query=NoQuery,
        body=GenerateBody,
        reply=Layout,
        also=(202,),
        headers=_HEADERS,
        errors=_ERRORS,
        cost=10.0,
    )
    async def post(self) -> None:
        """Generate, or queue."""
        self.query(NoQuery)
        body = self.json_body(GenerateBody)
        jobs = await self.jobs()
        await self.services.read(site_record, jobs, body.site_id)
        request = await self.request_of(jobs, body.model_dump(), self.idempotency_key())
        place = {"Location": f"{self.base_url}pacifico/api/layouts/{request.layout_id}"}
        if self.wants_async():
            accepted = await self.accept(jobs, request)
            self.reply(accepted, status=202, headers={**place, **self.applied()})
            return
        check_engine_request(request)
        stored = await generate_now(self.services, jobs, request)
        _require_completed(stored)
        await self.send_layout(jobs, request.layout_id, place)


class VariantsHandler(GenerateReply):
    """Generate one layout for each strategy."""

    @operation(
        summary="Generate a layout for each strategy; the background as for one layout.",
        tag="layouts",
        query=NoQuery,
        body=VariantsBody,
        reply=Variants,
        also=(202,),
        headers=_HEADERS,
        errors=_ERRORS,
        cost=25.0,
    )
    async def post(self) -> None:
        """Generate, or queue, all of them; one that fails stops no other."""
        self.query(NoQuery)
        body = self.json_body(VariantsBody)
        jobs = await self.jobs()
        await self.services.read(site_record, jobs, body.site_id)
        fields, key = body.model_dump(exclude={"strategies"}), self.idempotency_key()
        requests = {
            name: await self.request_of(jobs, {**fields, "strategy": name}, None if key is None else f"{key}/{name}")
            for name in dict.fromkeys(body.strategies)
        }
        later = self.wants_async()
        if not later:
            for request in requests.values():
                check_engine_request(request)
        made = [await self._variant(jobs, name, request, later=later) for name, request in requests.items()]
        refused = [error for _, error in made if error is not None]
        if len(refused) == len(made):
            raise refused[0]
        headers = self.applied() if later else {}
        self.reply({"variants": [row for row, _ in made]}, status=202 if later else 200, headers=headers)

    async def _variant(
        self, jobs: OwnedJobs, strategy: str, request: JobRequest, *, later: bool
    ) -> tuple[dict[str, Any], PacificoError | None]:
        """Row of one strategy, and its error if there was one."""
        row: dict[str, Any] = {"strategy": strategy, "layout_id": request.layout_id}
        try:
            if later:
                return {**row, **await self.accept(jobs, request)}, None
            stored = await generate_now(self.services, jobs, request)
        except PacificoError as error:
            found = self.problem_of(error)
            about = {"layout_id": None, "status": "rejected", "message": found.detail, "code": found.code}
            return {**row, **about}, error
        body = await self.services.read(jobs.body_of, stored)
        figures = {
            name: body.get(name)
            for name in ("total_capacity_kw", "asset_count", "road_length_m", "cut_volume_m3", "fill_volume_m3")
        }
        said = body["error_message"] or body["shortfall"]
        return {**row, "status": body["status"], "message": said, "error_kind": body["error_kind"], **figures}, None


async def generate_now(services: Services, jobs: OwnedJobs, request: JobRequest) -> StoredStatus:
    """Run a job in this server and return how it ended. Cancelling this call cancels the job.

    The same request again waits for the first one, or returns how it ended. If the client of the first one left, the job
    runs anew.

    Parameters
    ----------
    services : Services
        The server's processes.
    jobs : OwnedJobs
        Whose job.
    request : JobRequest
        The job.
    """
    stored = await _run_once(services, jobs, request)
    if await services.read(jobs.clear_abandoned, request.layout_id):
        services.changed(jobs.owner, request.layout_id)
        stored = await _run_once(services, jobs, request)
    return stored


async def _run_once(services: Services, jobs: OwnedJobs, request: JobRequest) -> StoredStatus:
    """Run a job that is new, or wait for the end of one that is not."""
    stored = await services.read(jobs.accept, request, send=False)
    if stored.status.status != "queued":
        return await _wait(services, jobs, request.layout_id)
    abandoned = _cancelling(services, jobs, request.layout_id)
    async with abandoned(), services.pool.worker(jobs.owner) as worker:
        call = _caller(worker, asyncio.get_running_loop())
        runner = EngineRunner(jobs.store, services.settings, call, timeout_s=services.server.timeout_s)
        with services.running(jobs.owner, request.layout_id, runner):
            # before the process is taken away: what the run sees then must not count as its end
            async with abandoned():
                await services.hold(
                    local.run, jobs.records, jobs.owner, request.layout_id, settings=services.settings, runner=runner
                )
    services.changed(jobs.owner, request.layout_id)
    return await _wait(services, jobs, request.layout_id)


def _cancelling(services: Services, jobs: OwnedJobs, layout_id: str) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Context that cancels a job when its request is abandoned."""

    @contextlib.asynccontextmanager
    async def context() -> AsyncIterator[None]:
        try:
            yield
        except asyncio.CancelledError:
            ended = asyncio.ensure_future(services.read(jobs.abandon, layout_id))
            with contextlib.suppress(PacificoError):
                await asyncio.shield(ended)
            services.stopped(jobs.owner, layout_id)
            raise

    return context


def _caller(worker: Worker, loop: asyncio.AbstractEventLoop) -> Any:
    """Function for threads that starts a task in a process of the pool."""

    def call(
        task: str, arguments: Mapping[str, Any], on_stage: Callable[[str, str], None]
    ) -> concurrent.futures.Future[Any]:
        future = asyncio.run_coroutine_threadsafe(worker.call(task, arguments, on_stage), loop)
        future.add_done_callback(lambda done: worker.end() if done.cancelled() else None)
        return future

    return call


async def _wait(services: Services, jobs: OwnedJobs, layout_id: str) -> StoredStatus:
    """Wait until a job has ended."""
    try:
        async with asyncio.timeout(services.server.timeout_s):
            while True:
                stored = await services.read(jobs.read, layout_id)
                if stored.status.terminal:
                    return stored
                if stored.lease_dead:
                    raise OutsideServiceError(f"layout {layout_id} is stalled; redrive it")
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise TimeLimitError(
            f"layout {layout_id} had not ended after {services.server.timeout_s:g} s; poll its status"
        ) from None


def _require_same(jobs: OwnedJobs, request: JobRequest) -> None:
    """Refuse an Idempotency-Key that came with another body."""
    try:
        before = jobs.request_of(request.layout_id)
    except NotFoundError:
        return
    if before != request:
        raise HttpError(409, "this Idempotency-Key came with another body before; send this one with a key of its own")


def _require_completed(stored: StoredStatus) -> None:
    """Raise the error of a job that did not complete.

    Raises
    ------
    HttpError
        It failed or was cancelled.
    """
    status = stored.status
    if status.status == "completed":
        return
    kind = status.error_kind or "service"
    code = {"request": "invalid_input", "timeout": "time_limit", "cancelled": "cancelled"}.get(
        kind, "service_unavailable"
    )
    http = 409 if kind == "cancelled" else _STATUS_OF_KIND.get(kind, 503)
    raise HttpError(http, f"layout {status.layout_id} {status.status}: {status.error_message}", code=code)
