"""Terrain of a site: figures, contours, slope classes, buildable ground."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.jobs.runner.staging import Stager
from pacifico.server.api.files import FilesHandler, tag_of
from pacifico.server.api.sites import site_record
from pacifico.server.http.operations import operation
from pacifico.server.models.queries import BuildableQuery, GroundQuery, TerrainQuery
from pacifico.server.models.replies import Tree
from pacifico.vocabulary import NAMED_DEMS

if TYPE_CHECKING:
    from pacifico.jobs.serving.owned import OwnedJobs

_GEOJSON = "application/geo+json"
_ERRORS = (404, 422, 503, 504)


class GroundHandler(FilesHandler):
    """What handlers of a site's ground share."""

    async def compute(self, site_id: str, task: str, asked: GroundQuery, folder: Path) -> Any:
        """Run a task on a site's ground; its files go to `folder/out`.

        Parameters
        ----------
        site_id : str
            The site.
        task : str
            Name of the task.
        asked : GroundQuery
            Elevation and options.
        folder : Path
            Scratch folder.
        """
        jobs = await self.jobs()
        await self.services.read(site_record, jobs, site_id)
        dem = asked.dem or self.services.server.default_dem
        boundary, ground = await self.services.read(_stage, jobs, site_id, dem, folder)
        options = asked.model_dump(exclude={"dem"}, exclude_none=True)
        arguments = {
            "boundary": boundary,
            "dem": ground,
            "terrain": ground is not None,
            "out": str(folder / "out"),
            **options,
        }
        return await self.services.pool.run(self.owner, task, arguments)

    async def send_product(self, site_id: str, name: str) -> None:
        """Answer with one file of the terrain folder."""
        asked = self.query(TerrainQuery)
        with tempfile.TemporaryDirectory(prefix="pacifico-terrain-") as folder:
            await self.compute(site_id, "terrain", asked, Path(folder))
            await self.send_file(Path(folder) / "out" / name, media=_GEOJSON, name=name)


class TerrainHandler(GroundHandler):
    """Figures of a site's terrain."""

    @operation(
        summary="Heights, slopes and buildable areas.",
        tag="terrain",
        query=TerrainQuery,
        reply=Tree,
        also=(304,),
        errors=_ERRORS,
        cost=10.0,
    )
    async def get(self, site_id: str) -> None:
        """Answer with the summary."""
        asked = self.query(TerrainQuery)
        with tempfile.TemporaryDirectory(prefix="pacifico-terrain-") as folder:
            summary: dict[str, Any] = await self.compute(site_id, "terrain", asked, Path(folder))
        summary.pop("files", None)
        self.reply(summary)


class ContoursHandler(GroundHandler):
    """Contours of a site."""

    @operation(summary="Contour lines.", tag="terrain", query=TerrainQuery, media=_GEOJSON, errors=_ERRORS, cost=10.0)
    async def get(self, site_id: str) -> None:
        """Answer with the lines."""
        await self.send_product(site_id, "contours.geojson")


class SlopeClassesHandler(GroundHandler):
    """Slope classes of a site."""

    @operation(
        summary="Ground by slope, with the limits of the asset types.",
        tag="terrain",
        query=TerrainQuery,
        media=_GEOJSON,
        errors=_ERRORS,
        cost=10.0,
    )
    async def get(self, site_id: str) -> None:
        """Answer with the classes."""
        await self.send_product(site_id, "slope_classes.geojson")


class BuildableHandler(GroundHandler):
    """Buildable ground of a site."""

    @operation(
        summary="Ground that a profile's main asset may stand on.",
        tag="terrain",
        query=BuildableQuery,
        media=_GEOJSON,
        errors=_ERRORS,
        cost=10.0,
    )
    async def get(self, site_id: str) -> None:
        """Answer with the outline and its area."""
        asked = self.query(BuildableQuery)
        with tempfile.TemporaryDirectory(prefix="pacifico-buildable-") as folder:
            facts = await self.compute(site_id, "buildable", asked, Path(folder))
            path = Path(folder) / "out"
            await self.send_file(path, media=_GEOJSON, name="buildable.geojson", tag=tag_of(site_id, facts))


def _stage(jobs: OwnedJobs, site_id: str, dem: str, folder: Path) -> tuple[str, str | None]:
    """Copy a site's boundary and DEM; return boundary and DEM as tasks take them.

    Parameters
    ----------
    jobs : OwnedJobs
        Whose site.
    site_id : str
        The site.
    dem : str
        Name of a source, an upload, or `level`.
    folder : Path
        Where to copy to.
    """
    stager = Stager(jobs.store, jobs.settings, jobs.owner, folder)
    boundary = str(stager.boundary(site_id))
    if dem == "level":
        return boundary, None
    if dem in NAMED_DEMS:
        return boundary, dem
    return boundary, str(stager.dem(dem))
