"""Pages to review layouts: gallery, report, comparison, job table."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pacifico.jobs.serving.edits import Edits
from pacifico.jobs.serving.pages import LayoutFilter, layout_page
from pacifico.jobs.status import REQUEST_FAULTS, STATES, TERMINAL
from pacifico.jobs.store.base import NotFoundError
from pacifico.server.api.files import FORMATS, LAYOUT, FilesHandler, tag_of
from pacifico.server.api.openapi import document
from pacifico.server.api.routes import PARAMETERS
from pacifico.server.http.operations import operation
from pacifico.server.http.problems import HttpError
from pacifico.server.models.queries import CompareQuery, GalleryQuery, NoQuery
from pacifico.server.pages.handler import HTML, STATIC, FormHandler, PageHandler, static_file

if TYPE_CHECKING:
    from pacifico.server.http.handler import ApiHandler

#: Larger layouts get no picture [bytes].
_LARGEST_DRAWN = 30_000_000
_ID = PARAMETERS["layout_id"]
#: An image runs no script, and loads nothing.
_PICTURE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


class GalleryPage(PageHandler):
    """Cards of layouts, to filter, open and compare."""

    @operation(summary="Gallery of layouts.", tag="pages", query=GalleryQuery, media=HTML, cost=3.0)
    async def get(self) -> None:
        """Show one page of cards."""
        rows, more = await self.rows()
        self.page("gallery.html", rows=rows, more=more, states=STATES, asked=self.asked)

    async def rows(self) -> tuple[list[dict[str, Any]], str]:
        """Rows of the page, and the address of the next one; empty on the last."""
        for name in ("status", "error_kind", "site_id", "since"):  # a form sends what was not chosen too
            if self.request.query_arguments.get(name) == [b""]:
                del self.request.query_arguments[name]
        self.asked = self.query(GalleryQuery)
        which = LayoutFilter(self.asked.status, self.asked.site_id, self.asked.error_kind, self.asked.since)
        limit = min(self.asked.limit, 24)
        jobs = await self.jobs()
        rows, cursor = await self.services.read(layout_page, jobs, which, cursor=self.asked.cursor, limit=limit)
        rows = [_with_actions(self.services.shown(self.owner, row)) for row in rows]
        if cursor is None:
            return rows, ""
        kept = self.asked.model_dump(mode="json", exclude={"cursor", "view"}, exclude_none=True)
        return rows, "?" + urlencode({**kept, "cursor": cursor})


def _with_actions(row: dict[str, Any]) -> dict[str, Any]:
    """Row with what its buttons depend on."""
    failed = row["status"] == "failed" and row["error_kind"] not in REQUEST_FAULTS
    return {**row, "ended": row["status"] in TERMINAL, "redrivable": failed or row["stalled"]}


class JobsPage(GalleryPage):
    """Table of jobs with their progress."""

    @operation(summary="Table of jobs.", tag="pages", query=GalleryQuery, media=HTML, cost=3.0)
    async def get(self) -> None:
        """Show one page of rows."""
        rows, more = await self.rows()
        live = any(not row["ended"] for row in rows)
        self.page("jobs.html", rows=rows, more=more, states=STATES, asked=self.asked, live=live)


class ReportPage(PageHandler):
    """One layout: its stored report in a frame without rights, or its figures."""

    @operation(summary="Report of a layout.", tag="pages", query=NoQuery, media=HTML, cost=2.0)
    async def get(self, layout_id: str) -> None:
        """Show the report."""
        self.query(NoQuery)
        jobs = await self.jobs()
        body = await self.services.status(jobs, layout_id)
        self.page(
            "report.html",
            row=body,
            formats=FORMATS if LAYOUT in body["artifacts"] and body["status"] == "completed" else (),
            has_report="report.html" in body["artifacts"],
            ended=body["status"] in TERMINAL,
        )


class PicturePage(FilesHandler):
    """Picture of a layout."""

    @operation(summary="Small map of a layout.", tag="pages", query=NoQuery, media="image/svg+xml")
    async def get(self, layout_id: str) -> None:
        """Draw the layout as it is now."""
        self.query(NoQuery)
        jobs, status = await self.completed(layout_id)
        found, _ = await self.services.read(Edits(jobs.store, status).read)
        if max(found.bytes, status.artifacts[LAYOUT].bytes) > _LARGEST_DRAWN:
            raise HttpError(404, "the layout is too large for a picture; open its report")
        tag = tag_of("picture", found.sha256 or status.artifacts[LAYOUT].sha256)
        self.set_header("ETag", f'"{tag}"')
        self.set_header("Cache-Control", "no-cache, private")
        self.set_header("Content-Security-Policy", _PICTURE_POLICY)
        self.media = "image/svg+xml"
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
            return
        with tempfile.TemporaryDirectory(prefix="pacifico-picture-") as folder:
            path = Path(folder) / LAYOUT
            await self.current_layout(jobs, status, path)
            drawn = await self.services.quick.run(self.owner, "picture", {"layout": str(path)})
        self.finish(drawn["svg"].encode())


class ComparePage(PageHandler, FilesHandler):
    """Two layouts side by side."""

    @operation(summary="Comparison of two layouts.", tag="pages", query=CompareQuery, media=HTML, cost=10.0)
    async def get(self) -> None:
        """Compare request, figures and geometry."""
        asked = self.query(CompareQuery)
        sides = []
        with tempfile.TemporaryDirectory(prefix="pacifico-compare-") as folder:
            paths = {}
            for name, layout_id in (("a", asked.a), ("b", asked.b)):
                jobs, status = await self.completed(layout_id)
                paths[name] = str(Path(folder) / f"{name}.geojson")
                await self.current_layout(jobs, status, Path(paths[name]))
                sides.append(await self.services.status(jobs, layout_id))
            found = await self.services.quick.run(self.owner, "compare", paths)
        self.page("compare.html", sides=sides, found=found)


class ActionPage(FormHandler):
    """Cancel, redrive or delete a layout by a button."""

    @operation(summary="Act on a layout.", tag="pages", query=NoQuery, media=HTML, cost=5.0)
    async def post(self, layout_id: str, action: str) -> None:
        """Act, and go back to the table."""
        self.read_form()
        jobs = await self.jobs()
        if action == "redrive":
            await self.services.read(jobs.redrive, layout_id)
            if not jobs.queued_elsewhere:
                self.services.background.add(self.owner, layout_id)
        else:
            await self.services.read(jobs.cancel if action == "cancel" else jobs.delete, layout_id)
            self.services.stopped(self.owner, layout_id)
        self.services.changed(self.owner, layout_id)
        self.redirect(f"{self.base_url}pacifico/reports/jobs", status=303)


class StaticPage(PageHandler):
    """Style sheet and script of the pages."""

    @operation(summary="A file that pages load.", tag="pages", query=NoQuery, media="text/css")
    async def get(self, name: str) -> None:
        """Answer with one of the few files."""
        if name not in STATIC:
            raise NotFoundError("there is no such file")
        self.media = STATIC[name]
        self.set_header("Cache-Control", "no-cache, private")
        self.finish(static_file(name))


class ApiPage(PageHandler):
    """All operations of the API, to read."""

    @operation(summary="The API as a page.", tag="pages", query=NoQuery, media=HTML)
    async def get(self) -> None:
        """Show the document."""
        self.query(NoQuery)
        self.page("api.html", document=document())


class EntrancePage(PageHandler):
    """Leads on from the short addresses."""

    @operation(summary="The gallery, or the page of the API.", tag="pages", media=HTML)
    async def get(self) -> None:
        """Redirect to the page."""
        page = "api/docs" if self.request.path.rstrip("/").endswith("/api") else "reports"
        self.redirect(f"{self.base_url}pacifico/{page}")


class UnknownPage(PageHandler):
    """Every address below the pages that is none of them."""

    @operation(summary="No page.", tag="pages", media=HTML)
    async def get(self) -> None:
        """Answer 404."""
        raise HttpError(404, "there is no such page; open the gallery or the jobs")


PAGES: tuple[tuple[str, type[ApiHandler]], ...] = (
    (r"pacifico/?", EntrancePage),
    (r"pacifico/api/?", EntrancePage),
    (r"pacifico/api/docs", ApiPage),
    (r"pacifico/reports/?", GalleryPage),
    (r"pacifico/reports/jobs", JobsPage),
    (r"pacifico/reports/compare", ComparePage),
    (r"pacifico/reports/static/([a-z.]{1,40})", StaticPage),
    (rf"pacifico/reports/({_ID})", ReportPage),
    (rf"pacifico/reports/({_ID})/picture\.svg", PicturePage),
    (rf"pacifico/reports/({_ID})/(cancel|redrive|delete)", ActionPage),
    (r"pacifico/reports/.*", UnknownPage),
)
"""Addresses of the pages below the server's base, and their handlers."""
