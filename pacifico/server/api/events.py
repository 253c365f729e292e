"""Changes of a status as server-sent events."""

from __future__ import annotations

import asyncio
import json

from pacifico.jobs.status import TERMINAL
from pacifico.server.events import StreamsFullError
from pacifico.server.http.handler import ApiHandler
from pacifico.server.http.operations import operation
from pacifico.server.http.problems import HttpError
from pacifico.server.models.queries import NoQuery

#: Pause after which a comment keeps the connection open [s].
_BEAT_S = 15.0


class EventsHandler(ApiHandler):
    """Status of one layout, as it changes."""

    @operation(
        summary="Server-sent events: 'status' for the present status and each change, 'end' after the last one. "
        "With Last-Event-ID only what is newer; 204 where nothing can follow.",
        tag="layouts",
        query=NoQuery,
        media="text/event-stream",
        also=(204,),
        headers=("Last-Event-ID",),
        errors=(404, 503),
    )
    async def get(self, layout_id: str) -> None:
        """Stream statuses until the layout has ended or the client leaves."""
        self.query(NoQuery)
        jobs = await self.jobs()
        now = await self.services.status(jobs, layout_id)  # 404 before the stream begins
        seen = self.request.headers.get("Last-Event-ID")
        if seen == str(now["revision"]) and now["status"] in TERMINAL:
            self.set_status(204)  # a browser connects again after the end, unless it is told not to
            self.finish()
            return
        if self.request.method == "HEAD":
            self._begin()
            self.finish()
            return
        try:
            async with self.services.events.follow(self.owner, layout_id) as changes:
                self._begin()
                await self.flush()
                following = aiter(changes)
                step = asyncio.ensure_future(anext(following, None))
                try:
                    while True:
                        done, _ = await asyncio.wait({step}, timeout=_BEAT_S)
                        if not done:
                            self.write(": \n\n")
                            await self.flush()
                            continue
                        body = step.result()
                        if body is None:
                            break
                        if str(body["revision"]) != seen:
                            text = json.dumps(body, separators=(",", ":"))
                            self.write(f"event: status\nid: {body['revision']}\ndata: {text}\n\n")
                            await self.flush()
                        seen = None  # a status may change without a new revision: `stalled` is the reader's
                        step = asyncio.ensure_future(anext(following, None))
                finally:
                    step.cancel()
        except StreamsFullError as error:
            raise HttpError(503, str(error), code="busy", Retry_After="30") from None
        self.write("event: end\ndata: {}\n\n")
        self.finish()

    def _begin(self) -> None:
        """Set the headers of a stream."""
        self.media = "text/event-stream"
        self.set_header("Content-Type", self.media)
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")  # a proxy must pass events on at once
