"""Sites and other uploads."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.serving.pages import site_page
from pacifico.jobs.store.base import NotFoundError
from pacifico.jobs.upload_records import BOUNDARIES, DATA_SUFFIXES
from pacifico.jobs.uploads import read_site_record
from pacifico.server.http.bodies import FileBody, safe_name
from pacifico.server.http.handler import ApiHandler
from pacifico.server.http.operations import operation
from pacifico.server.http.problems import HttpError
from pacifico.server.models.queries import NoQuery, PageQuery, UploadQuery
from pacifico.server.models.replies import Deleted, SiteAdded, SiteDetail, SitePage, SiteRow, Tree, UploadAdded

if TYPE_CHECKING:
    from pacifico.jobs.serving.owned import OwnedJobs
    from pacifico.jobs.upload_records import SiteRecord

#: Boundary files that a request may send: a shapefile comes as a zip with its sidecars.
SENT = tuple(suffix for suffix in BOUNDARIES if suffix != ".shp")
#: Largest boundary as it was read [bytes].
_MOST_READ = 200 << 20


class UploadReply(ApiHandler):
    """What handlers of uploads share."""

    def sent_file(self, asked: UploadQuery, suffixes: tuple[str, ...]) -> tuple[IO[bytes], str]:
        """File of the request, and its safe name.

        Raises
        ------
        HttpError
            There is no file, or it has no name or another kind.
        """
        body = self.body
        assert isinstance(body, FileBody)  # noqa: S101 (the operation is an upload)
        body.finish()
        name = safe_name(asked.filename or "") or body.name
        suffix = Path(name).suffix.lower()
        if suffix not in suffixes:
            raise HttpError(
                415, f"{name or 'the file'} is not of a kind that is taken; name it with one of {', '.join(suffixes)}"
            )
        if not body.size:
            raise InputError(f"{name} is empty; send the file")
        return body.file, name


class SiteUploadHandler(UploadReply):
    """Add a site."""

    @operation(
        summary="Store a boundary: KML, KMZ, GeoJSON, GeoPackage or zipped shapefile.",
        tag="sites",
        upload=True,
        query=UploadQuery,
        reply=SiteAdded,
        status=201,
        errors=(400, 408, 413, 415, 422, 503, 504),
        cost=5.0,
    )
    async def post(self) -> None:
        """Read the boundary, and store it as it came and as it was read."""
        file, name = self.sent_file(self.query(UploadQuery), SENT)
        jobs = await self.jobs()
        with tempfile.TemporaryDirectory(prefix="pacifico-upload-") as folder:
            path, out = Path(folder) / name, Path(folder) / "as-read"
            await self.services.read(_save, file, path)
            arguments = {"boundary": str(path), "out": str(out)}
            facts: dict[str, Any] = await self.services.quick.run(self.owner, "read_site", arguments)
            site_id = await self.services.read(_store_site, jobs, path, out)
        place = f"{self.base_url}pacifico/api/sites/{site_id}"
        added = SiteAdded(site_id=site_id, name=facts["name"], area_ha=facts["area_ha"], warnings=facts["warnings"])
        self.reply(added, status=201, headers={"Location": place})


class UploadHandler(UploadReply):
    """Add a DEM, exclusions or weather file."""

    def upload_limit(self) -> int:
        """Largest DEM."""
        return self.services.settings.dem_max_bytes

    @operation(
        summary="Store a DEM (GeoTIFF), exclusions or a weather file for use in requests.",
        tag="sites",
        upload=True,
        query=UploadQuery,
        reply=UploadAdded,
        status=201,
        errors=(400, 408, 413, 415, 422, 503),
        cost=5.0,
    )
    async def post(self) -> None:
        """Store the file under its hash."""
        file, name = self.sent_file(self.query(UploadQuery), tuple(sorted(DATA_SUFFIXES - {".shp"})))
        jobs = await self.jobs()
        with tempfile.TemporaryDirectory(prefix="pacifico-upload-") as folder:
            path = Path(folder) / name
            await self.services.read(_save, file, path)
            size = path.stat().st_size
            address = await self.services.read(jobs.upload_file, path)
        self.reply(UploadAdded(upload=address, bytes=size), status=201)


class UploadedHandler(ApiHandler):
    """One uploaded file."""

    @operation(
        summary="Delete an uploaded file. Completed layouts keep their copy; refused while others need it.",
        tag="sites",
        query=NoQuery,
        reply=Deleted,
        errors=(404, 409, 503),
    )
    async def delete(self, sha256: str) -> None:
        """Delete the file."""
        self.query(NoQuery)
        count = await self.services.read((await self.jobs()).delete_upload, sha256)
        self.reply(Deleted(deleted=f"upload:{sha256}", objects=count))


class SitesHandler(ApiHandler):
    """All sites of the owner."""

    @operation(
        summary="Sites, in the order of their ids.",
        tag="sites",
        query=PageQuery,
        reply=SitePage,
        also=(304,),
        errors=(422, 503),
        cost=3.0,
    )
    async def get(self) -> None:
        """List one page."""
        asked = self.query(PageQuery)
        jobs = await self.jobs()
        records, following = await self.services.read(site_page, jobs, cursor=asked.cursor, limit=asked.limit)
        self.reply(SitePage(sites=[_row(record) for record in records], next=following))


class SiteReply(ApiHandler):
    """What handlers of one site share."""

    async def site(self, site_id: str) -> tuple[SiteRecord, dict[str, Any] | None]:
        """Record of a site, and its boundary as it was read; None where that was not kept.

        Raises
        ------
        NotFoundError
            The owner has no such site.
        """
        self.query(NoQuery)
        jobs = await self.jobs()
        record = await self.services.read(site_record, jobs, site_id)
        return record, await self.services.read(_as_read, jobs, record)


class SiteHandler(SiteReply):
    """One site."""

    @operation(
        summary="One site with its boundary.",
        tag="sites",
        query=NoQuery,
        reply=SiteDetail,
        also=(304,),
        errors=(404, 503),
    )
    async def get(self, site_id: str) -> None:
        """Answer with the record and the boundary."""
        record, boundary = await self.site(site_id)
        self.reply({**_row(record).model_dump(), "boundary": boundary})

    @operation(
        summary="Delete a site. Completed layouts keep their copy of the boundary; refused while others need it.",
        tag="sites",
        query=NoQuery,
        reply=Deleted,
        errors=(404, 409, 503),
    )
    async def delete(self, site_id: str) -> None:
        """Delete the site's files."""
        self.query(NoQuery)
        jobs = await self.jobs()
        _checked_id(site_id)
        count = await self.services.read(jobs.delete_site, site_id)
        self.reply(Deleted(deleted=site_id, objects=count))


class ExclusionsHandler(SiteReply):
    """Exclusions of one site."""

    @operation(
        summary="Exclusions that the site's file holds, as GeoJSON.",
        tag="sites",
        query=NoQuery,
        reply=Tree,
        also=(304,),
        errors=(404, 503),
    )
    async def get(self, site_id: str) -> None:
        """Answer with the exclusions as they were read."""
        _, boundary = await self.site(site_id)
        kept = [
            f
            for f in (boundary or {"features": []})["features"]
            if (f.get("properties") or {}).get("kind") == "exclusion"
        ]
        self.reply({"type": "FeatureCollection", "features": kept})


def site_record(jobs: OwnedJobs, site_id: str) -> SiteRecord:
    """Record of a site of the owner's.

    Raises
    ------
    NotFoundError
        The owner has no such site.
    """
    _checked_id(site_id)
    return read_site_record(jobs.store, jobs.owner, site_id)


def _checked_id(site_id: str) -> None:
    """Refuse an id that can't be any site's as one that is not found."""
    try:
        keys.encode(site_id, what="site_id")
    except InputError:
        raise NotFoundError(f"site {site_id[:60]!r} is not among your sites; upload it first") from None


def _row(record: SiteRecord) -> SiteRow:
    return SiteRow(site_id=record.site_id, name=record.name, bytes=record.bytes, sha256=record.sha256)


def _as_read(jobs: OwnedJobs, record: SiteRecord) -> dict[str, Any] | None:
    """Boundary as it was read when it came; None where it was not kept."""
    key = f"{keys.site(jobs.owner, record.site_id)}/boundary-{record.sha256[:16]}.read.geojson"
    try:
        content = json.loads(jobs.store.read(key, limit=_MOST_READ).data)
    except (NotFoundError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and isinstance(content.get("features"), list) else None


def _save(file: IO[bytes], path: Path) -> None:
    with path.open("wb") as out:
        shutil.copyfileobj(file, out, 1 << 20)


def _store_site(jobs: OwnedJobs, path: Path, as_read: Path) -> str:
    return jobs.upload_site(path, as_read=as_read.read_bytes())
