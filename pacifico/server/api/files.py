"""Files of layouts: those of the report, and exports."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.jobs.serving.edits import EditList, Edits
from pacifico.jobs.store.base import NotFoundError, content_type
from pacifico.server.http.handler import ApiHandler
from pacifico.server.http.operations import operation
from pacifico.server.http.problems import HttpError
from pacifico.server.models.queries import NoQuery, PackQuery
from pacifico.server.models.replies import Tree

if TYPE_CHECKING:
    from pacifico.jobs.serving.owned import OwnedJobs
    from pacifico.jobs.status import Status

LAYOUT = "layout.geojson"
FORMATS = ("kmz", "csv", "dxf", "landxml", "gpkg", "parquet", "pdf")
_CHUNK = 256 << 10

#: A stored report may hold what another user wrote: it runs without an origin, and loads nothing.
SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
)


class FilesHandler(ApiHandler):
    """What handlers of files share."""

    async def send_file(self, path: Path, *, media: str, name: str, tag: str = "") -> None:
        """Stream a file, or answer 304 where the client has it.

        Parameters
        ----------
        path : Path
            The file.
        media : str
            Its media type.
        name : str
            Name under which it is saved; empty for an answer that is no file.
        tag : str
            Its change tag; empty for none.
        """
        self.media = media
        self.set_header("Content-Type", media)
        self.set_header("Cache-Control", "no-cache, private")
        if name:
            self.set_header("Content-Security-Policy", SANDBOX)
            if media.partition(";")[0] != "text/html":
                self.set_attachment_header(name)
        if tag:
            self.set_header("ETag", f'"{tag}"')
            if self.check_etag_header():
                self.set_status(304)
                self.finish()
                return
        self.set_header("Content-Length", str(path.stat().st_size))  # noqa: ASYNC240 (a local scratch file)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                self.write(chunk)
                await self.flush()
        self.finish()

    async def completed(self, layout_id: str) -> tuple[OwnedJobs, Status]:
        """Client and status of a layout that has a layout file.

        Raises
        ------
        NotFoundError
            The owner has no such layout.
        HttpError
            It is not completed.
        """
        jobs = await self.jobs()
        status = (await self.services.read(jobs.read, layout_id)).status
        if status.status != "completed" or LAYOUT not in status.artifacts:
            raise HttpError(
                409, f"layout {layout_id} is {status.status}; this needs a completed one", code="not_completed"
            )
        return jobs, status

    async def current_layout(self, jobs: OwnedJobs, status: Status, path: Path) -> EditList:
        """Copy the layout as it is now, with all edits, and return these."""
        edits = Edits(jobs.store, status)
        found, _ = await self.services.read(edits.read)
        if found.sha256 is None:
            await self.services.read(jobs.file, status.layout_id, LAYOUT, path)
        else:
            await self.services.read(edits.fetch, found, path)
        return found


class FileHandler(FilesHandler):
    """One file of a report."""

    @operation(
        summary="One file of the report; the names are in the status.",
        tag="files",
        query=NoQuery,
        media="application/octet-stream",
        also=(304,),
        headers=("If-None-Match",),
        errors=(404,),
    )
    async def get(self, layout_id: str, name: str) -> None:
        """Stream the file."""
        self.query(NoQuery)
        jobs = await self.jobs()
        with tempfile.TemporaryDirectory(prefix="pacifico-file-") as folder:
            path = Path(folder) / "file"
            stored = await self.services.read(jobs.file, layout_id, name, path)
            tag = stored.status.artifacts[name].sha256
            await self.send_file(path, media=content_type(name), name=name.rpartition("/")[2], tag=tag)


class ExportHandler(FilesHandler):
    """The layout in another format."""

    @operation(
        summary="The layout for another program: kmz, csv (a zip of tables), dxf, landxml, gpkg, parquet or pdf.",
        tag="files",
        query=NoQuery,
        media="application/octet-stream",
        errors=(404, 409, 422, 503, 504),
        cost=5.0,
    )
    async def get(self, layout_id: str, fmt: str) -> None:
        """Export and stream the file."""
        self.query(NoQuery)
        if fmt not in FORMATS:
            raise NotFoundError(f"there is no format {fmt[:40]!r}; use one of {', '.join(FORMATS)}")
        jobs, status = await self.completed(layout_id)
        with tempfile.TemporaryDirectory(prefix="pacifico-export-") as folder:
            path, out = Path(folder) / LAYOUT, Path(folder) / "out"
            await self.current_layout(jobs, status, path)
            arguments = {"layout": str(path), "format": fmt, "out": str(out)}
            made = await self.services.quick.run(self.owner, "export", arguments)
            name = str(made["file"])
            saved = f"layout-{layout_id[:8]}{Path(name).suffix}"
            await self.send_file(out / name, media=content_type(name), name=saved)


class ComplianceHandler(FilesHandler):
    """Rules that the layout meets or breaks."""

    @operation(
        summary="Findings of a shipped rule pack.",
        tag="files",
        query=PackQuery,
        reply=Tree,
        also=(304,),
        headers=("If-None-Match",),
        errors=(404, 409, 422, 503, 504),
        cost=5.0,
    )
    async def get(self, layout_id: str) -> None:
        """Evaluate the rules."""
        asked = self.query(PackQuery)
        jobs, status = await self.completed(layout_id)
        with tempfile.TemporaryDirectory(prefix="pacifico-rules-") as folder:
            path = Path(folder) / LAYOUT
            await self.current_layout(jobs, status, path)
            arguments = {"layout": str(path), "pack": asked.pack}
            found: dict[str, Any] = await self.services.quick.run(self.owner, "compliance", arguments)
        self.reply(found)


def tag_of(*parts: object) -> str:
    """Change tag of some facts."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
