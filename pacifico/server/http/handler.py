"""The base of all handlers of the API."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from tornado import web
from tornado.iostream import StreamClosedError

from pacifico.errors import InputError, PacificoError
from pacifico.jobs.request import explain, load_object
from pacifico.server.http import problems
from pacifico.server.http.bodies import MOST_JSON, MULTIPART_ROOM, OUT_OF_ROOM, Body, FileBody, no_room, too_large
from pacifico.server.http.methods import MethodsHandler
from pacifico.server.http.operations import JSON, operation_of
from pacifico.server.http.owner import owner_of
from pacifico.server.http.problems import HttpError
from pacifico.server.http.refusals import detail_of, refusal_of, unauthorized

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pacifico.jobs.serving.owned import OwnedJobs
    from pacifico.server.http.operations import Operation
    from pacifico.server.services import Services

M = TypeVar("M", bound=BaseModel)

#: Key of the services in the settings of Jupyter's web application.
SETTING = "pacifico_services"
#: Time for a refused client to read its answer before the connection closes [s].
_LINGER_S = 3.0
#: Query arguments that are Jupyter's own.
_JUPYTERS = {"token", "_xsrf", "no_track_activity"}


@web.stream_request_body
class ApiHandler(MethodsHandler):
    """Authenticates as Jupyter does, bounds the body, names the owner and turns errors into problems."""

    auth_resource = "pacifico"

    owner = ""
    media = JSON
    body = Body(0)
    _refused = False
    _received = False
    _work: asyncio.Future[None] | None = None
    _timer: asyncio.TimerHandle | None = None

    @property
    def services(self) -> Services:
        """What the handlers of this server share."""
        found: Services = self.settings[SETTING]
        return found

    @property
    def operation(self) -> Operation | None:
        """What this request asks for; None for a method that the route lacks."""
        method = (self.request.method or "").lower()
        return operation_of(getattr(self, "get" if method == "head" else method, None))

    async def prepare(self) -> None:  # type: ignore[override]  # as Jupyter's own APIHandler does
        """Authenticate, find the owner, apply the limits; a body is read only after that."""
        self.body = Body(MOST_JSON)
        connection: Any = self.request.connection
        connection.set_max_body_size(1 << 62)  # ours are below, and answer with a problem
        try:
            await super().prepare()
            if self._finished:
                return
            await self._admit()
        except PacificoError as error:
            await self._refuse(error)
        except web.HTTPError as error:
            # while a body is on its way an answer must outlast it
            await self._refuse(refusal_of(self, error))

    async def _admit(self) -> None:
        """Find the owner and apply the limits of the operation.

        Raises
        ------
        HttpError
            Nobody is logged in, the authorizer refuses, or a limit is reached.
        """
        if self.request.method == "OPTIONS":
            return
        if not self.current_user:
            raise unauthorized()
        asked = self.operation
        if asked is None:
            return
        if not self.authorizer.is_authorized(self, self.current_user, self._action(), self.auth_resource):
            raise HttpError(403, "Jupyter's authorizer allows this user no such request")
        self.owner = owner_of(self.current_user, self.services.settings.owner)
        if wait := self.services.rate_limit.take(self.owner, asked.cost):
            rate = self.services.server.rate
            raise HttpError(429, f"over {rate:g} requests per second; try again in {wait} s", Retry_After=str(wait))
        if asked.upload:
            self.body = FileBody(
                self.upload_limit(),
                self.request.headers.get("Content-Type", ""),
                self.request.headers.get("Content-Disposition", ""),
            )
        if (coding := self.request.headers.get("Content-Encoding", "identity")).lower() != "identity":
            raise HttpError(
                415,
                f"the body is encoded as {coding[:40]!r}; send it without Content-Encoding",
                Accept_Encoding="identity",
            )
        limit = self.body.limit + (MULTIPART_ROOM if asked.upload else 0)
        length = self.request.headers.get("Content-Length", "0")
        if length.isdecimal() and int(length) > limit:
            raise too_large(self.body.limit)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.services.server.body_s, self._time_out)

    def upload_limit(self) -> int:
        """Largest file that this route takes [bytes]."""
        return self.services.settings.boundary_max_bytes

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Take the next bytes of the body."""
        if self._refused or self._finished:
            return None  # read and dropped until the client has seen the answer
        try:
            self.body.feed(chunk)
        except HttpError as error:
            return self._refuse(error)
        except OSError as error:
            return self._refuse(no_room(error))
        return None

    async def answer(self, method: Callable[..., Awaitable[None]], arguments: tuple[str, ...]) -> None:
        """Run a method once its body has arrived; its work ends when the client leaves."""
        self._body_ended()
        if self._refused:
            self._end()
            return
        self._work = asyncio.ensure_future(method(self, *arguments))
        await asyncio.wait({self._work})
        if self._work.cancelled():
            return  # the client is gone
        error = self._work.exception()
        if isinstance(error, PacificoError):
            self._write_problem(error)
        elif isinstance(error, StreamClosedError):
            return
        elif isinstance(error, OSError) and error.errno in OUT_OF_ROOM:
            self._write_problem(no_room(error))
        elif error is not None:
            raise error

    def on_connection_close(self) -> None:
        """Stop the work of a client that has left."""
        self._body_ended()
        if self._work is not None:
            self._work.cancel()
        self.body.close()

    def on_finish(self) -> None:
        """Free the body."""
        self._body_ended()
        self.body.close()

    def query(self, model: type[M]) -> M:
        """Arguments of the address, checked.

        Raises
        ------
        InputError
            One is unknown, given twice or out of range.
        """
        given: dict[str, str] = {}
        for name, values in self.request.query_arguments.items():
            if name in _JUPYTERS:
                continue
            if len(values) != 1:
                raise InputError(f"query: {name[:60]!r} is given {len(values)} times; give it once")
            given[name] = values[0].decode("utf-8", "replace")
        return _validate(model, given, "query")

    def json_body(self, model: type[M]) -> M:
        """Body of the request, checked.

        Raises
        ------
        InputError, HttpError
            It is no JSON object of that model, or has another media type.
        """
        kind = self.request.headers.get("Content-Type", JSON).partition(";")[0].strip().lower()
        if kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
            raise HttpError(415, f"the body is {kind[:60]!r}; send application/json")
        data = bytes(self.body.data)
        return _validate(model, load_object(data, what="body") if data.strip() else {}, "body")

    def reply(self, content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer with JSON.

        Tornado adds an ETag to what is read, and answers 304 where the client has it.
        """
        self.set_status(status)
        self.set_header("Cache-Control", "no-cache, private")
        for name, value in (headers or {}).items():
            self.set_header(name, value)
        if isinstance(content, BaseModel):
            content = content.model_dump(mode="json")
        self.finish(json.dumps(content, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode())

    async def jobs(self) -> OwnedJobs:
        """Client of this request's owner."""
        return await self.services.jobs(self.owner)

    def finish(self, *arguments: Any, **options: Any) -> Any:
        """Finish with the media type of this answer."""
        options.setdefault("set_content_type", self.media)
        return super().finish(*arguments, **options)

    def send_error(self, status_code: int = 500, **about: Any) -> None:
        """Answer with an error, unless the request was refused already."""
        if self._refused:
            self._end()
            return
        super().send_error(status_code, **about)

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """Log an error without the arguments of the address, which may hold a token."""
        if not isinstance(error, web.HTTPError):
            self.log.error("%s failed", self._request_summary(), exc_info=(kind, error, trace))

    def _request_summary(self) -> str:
        return f"{self.request.method} {self.request.path} ({self.request.remote_ip})"

    def write_error(self, status_code: int, **about: Any) -> None:
        """Write any error as a problem."""
        error = (about.get("exc_info") or (None, None))[1]
        detail = detail_of(error) if isinstance(error, web.HTTPError) else ""
        if status_code == 405:
            if self.request.method not in self.SUPPORTED_METHODS:
                self.set_header("Connection", "close")  # tornado closes what it refused unread
            detail = f"{self.request.method} is not allowed here; use {', '.join(self.allowed_methods)}"
        self._write_problem(HttpError(status_code, detail or problems.problem(status_code, "").title))

    def _action(self) -> str:
        return {"GET": "read", "HEAD": "read"}.get(self.request.method or "", "write")

    def _write_problem(self, error: PacificoError) -> None:
        """Finish with the problem of an error."""
        if self._headers_written:
            self.log.warning("%s after the answer had begun", error)
            self._end()
            return
        found = self.problem_of(error)
        self.clear_header("ETag")
        self.set_status(found.status)
        self.set_header("Cache-Control", "no-store")
        if isinstance(error, HttpError):
            for name, value in error.headers.items():
                self.set_header(name, value)
        if found.status == 405:
            self.set_header("Allow", ", ".join(self.allowed_methods))
        if found.code in ("busy", "store_unavailable", "queue_unavailable"):
            self.set_header("Retry-After", "5")
        self.media = problems.MEDIA_TYPE
        self.finish(problems.dump(found))

    def problem_of(self, error: PacificoError) -> problems.Problem:
        """Problem of an error; what it leaves out goes to the log."""
        if hidden := problems.hidden_details(error):
            self.log.warning("%s: %s", self._request_summary(), hidden.replace("\n", " "))
        return problems.problem_of(error)

    async def _refuse(self, error: PacificoError) -> None:
        """Answer before the body has ended, and keep the connection until the client has read that."""
        if self._refused or self._finished:
            return
        self._refused = True
        self.set_header("Connection", "close")  # tornado closes what is answered before its body was read
        if self._body_is_over():
            self._write_problem(error)
            return
        found = self.problem_of(error)
        body = problems.dump(found)
        self.set_status(found.status)
        headers = {"Content-Type": problems.MEDIA_TYPE, "Content-Length": str(len(body))}
        for name, value in {**headers, **(error.headers if isinstance(error, HttpError) else {})}.items():
            self.set_header(name, value)
        self.write(body)
        asyncio.get_running_loop().call_later(_LINGER_S, self._end)
        with contextlib.suppress(StreamClosedError):
            await self.flush()

    def _body_is_over(self) -> bool:
        """Whether no more of the body is to come."""
        headers = self.request.headers
        return self._received or not (headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers)

    def _body_ended(self) -> None:
        self._received = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_out(self) -> None:
        """Refuse a body that takes too long."""
        seconds = self.services.server.body_s
        error = HttpError(408, f"the body took over {seconds:g} s; send it faster, or raise PACIFICO_SERVER_BODY_S")
        self._late = asyncio.ensure_future(self._refuse(error))

    def _end(self) -> None:
        """Finish unless that has happened."""
        if not self._finished:
            with contextlib.suppress(StreamClosedError):
                super().finish()


class NotFoundHandler(ApiHandler):
    """Every address below the API that is no route."""

    async def prepare(self) -> None:  # type: ignore[override]  # as Jupyter's own APIHandler does
        """Answer 404 to those who may know, and as Jupyter does to others."""
        self.body = Body(MOST_JSON)
        connection: Any = self.request.connection
        connection.set_max_body_size(1 << 62)
        try:
            await MethodsHandler.prepare(self)
        except web.HTTPError as error:
            await self._refuse(refusal_of(self, error))
            return
        await self._refuse(self._no_route() if self.current_user else unauthorized())

    def write_error(self, status_code: int, **about: Any) -> None:
        """Answer 404 also to methods that no route takes."""
        if status_code == 405:
            self.set_header("Connection", "close")
            self._write_problem(self._no_route())
        else:
            super().write_error(status_code, **about)

    def _no_route(self) -> HttpError:
        end = "leave out the slash at its end" if self.request.path.endswith("/") else "openapi.json lists all routes"
        return HttpError(404, f"no route has this address; {end}")


def _validate(model: type[M], given: Mapping[str, Any], what: str) -> M:
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise InputError(f"{what}: {explain(error)}") from None
