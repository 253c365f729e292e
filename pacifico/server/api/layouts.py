"""Layouts: list, read, follow, cancel, redrive, delete."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.jobs.serving.pages import LayoutFilter, layout_page
from pacifico.server.api.files import LAYOUT, FilesHandler, tag_of
from pacifico.server.http.handler import ApiHandler
from pacifico.server.http.operations import JSON, operation
from pacifico.server.models.bodies import Nothing, RedriveBody
from pacifico.server.models.queries import LayoutsQuery, NoQuery
from pacifico.server.models.replies import Accepted, Deleted, Layout, LayoutPage, LayoutStatus

if TYPE_CHECKING:
    from pacifico.jobs.serving.owned import OwnedJobs


class LayoutsHandler(ApiHandler):
    """All layouts of the owner."""

    @operation(
        summary="Layouts, newest first.",
        tag="layouts",
        query=LayoutsQuery,
        reply=LayoutPage,
        also=(304,),
        errors=(422,),
        cost=3.0,
    )
    async def get(self) -> None:
        """List one page."""
        asked = self.query(LayoutsQuery)
        which = LayoutFilter(asked.status, asked.site_id, asked.error_kind, asked.since)
        jobs = await self.jobs()
        rows, following = await self.services.read(layout_page, jobs, which, cursor=asked.cursor, limit=asked.limit)
        self.reply({"layouts": [self.services.shown(self.owner, row) for row in rows], "next": following})


class LayoutReply(FilesHandler):
    """Answers with a whole layout."""

    async def send_layout(self, jobs: OwnedJobs, layout_id: str, headers: dict[str, str] | None = None) -> None:
        """Answer with the layout as it is now; before it is completed, with its facts alone."""
        stored = await self.services.read(jobs.read, layout_id)
        body = self.services.shown(self.owner, await self.services.read(jobs.body_of, stored))
        head = {name: body[name] for name in ("layout_id", "site_id", "status", "shortfall", "target_capacity_kw")}
        status = stored.status
        for name, value in (headers or {}).items():
            self.set_header(name, value)
        if status.status != "completed" or LAYOUT not in status.artifacts:
            empty: dict[str, Any] = {"metrics": None, "assets": [], "roads": [], "geojson": None, "edits": 0}
            self.reply({**head, **empty, "error_kind": status.error_kind, "error_message": status.error_message})
            return
        with tempfile.TemporaryDirectory(prefix="pacifico-layout-") as folder:
            path, out = Path(folder) / LAYOUT, Path(folder) / "response.json"
            edits = await self.current_layout(jobs, status, path)
            tag = tag_of(edits.sha256 or status.artifacts[LAYOUT].sha256, len(edits.edits))
            arguments = {"layout": str(path), "out": str(out), "head": {**head, "edits": len(edits.edits)}}
            await self.services.quick.run(self.owner, "assemble", arguments)
            await self.send_file(out, media=JSON, name="", tag=tag)


class LayoutHandler(LayoutReply):
    """One layout."""

    @operation(
        summary="One layout: assets, roads, GeoJSON and metrics, with all edits.",
        tag="layouts",
        query=NoQuery,
        reply=Layout,
        also=(304,),
        headers=("If-None-Match",),
        errors=(404, 503, 504),
        cost=2.0,
    )
    async def get(self, layout_id: str) -> None:
        """Answer with the layout."""
        self.query(NoQuery)
        await self.send_layout(await self.jobs(), layout_id)

    @operation(
        summary="Delete a layout with all its files; a running one is cancelled.",
        tag="layouts",
        query=NoQuery,
        reply=Deleted,
        errors=(404, 503),
        cost=2.0,
    )
    async def delete(self, layout_id: str) -> None:
        """Purge the layout."""
        self.query(NoQuery)
        jobs = await self.jobs()
        count = await self.services.read(jobs.delete, layout_id)
        self.services.stopped(self.owner, layout_id)
        self.reply(Deleted(deleted=layout_id, objects=count))


class StatusHandler(ApiHandler):
    """Status of one layout."""

    @operation(
        summary="Status; send the ETag back as If-None-Match, and an unchanged one costs a 304.",
        tag="layouts",
        query=NoQuery,
        reply=LayoutStatus,
        also=(304,),
        headers=("If-None-Match",),
        errors=(404, 503),
    )
    async def get(self, layout_id: str) -> None:
        """Answer with the status."""
        self.query(NoQuery)
        self.reply(await self.services.status(await self.jobs(), layout_id))


class CancelHandler(ApiHandler):
    """End a layout that has not ended."""

    @operation(
        summary="Cancel; one that has ended stays as it is.",
        tag="layouts",
        query=NoQuery,
        body=Nothing,
        reply=LayoutStatus,
        errors=(404, 503),
    )
    async def post(self, layout_id: str) -> None:
        """Cancel the layout."""
        self.query(NoQuery)
        self.json_body(Nothing)
        jobs = await self.jobs()
        await self.services.read(jobs.cancel, layout_id)
        self.services.stopped(self.owner, layout_id)
        self.reply(await self.services.status(jobs, layout_id))


class RedriveHandler(ApiHandler):
    """Run a failed layout again."""

    @operation(
        summary="Queue a failed or stalled layout again.",
        tag="layouts",
        query=NoQuery,
        body=RedriveBody,
        reply=Accepted,
        status=202,
        errors=(404, 409, 503),
        cost=5.0,
    )
    async def post(self, layout_id: str) -> None:
        """Redrive the layout."""
        self.query(NoQuery)
        asked = self.json_body(RedriveBody)
        jobs = await self.jobs()
        body: dict[str, Any] = await self.services.read(jobs.redrive, layout_id, force=asked.force)
        if not jobs.queued_elsewhere:
            self.services.background.add(self.owner, body["layout_id"])
        self.services.changed(self.owner, body["layout_id"])
        self.reply(body, status=202)
