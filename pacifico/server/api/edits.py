"""Changes of a completed layout by hand."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.serving.edits import MOST_EDITS, EditEntry, Edits
from pacifico.server.api.files import LAYOUT, FilesHandler, tag_of
from pacifico.server.http.operations import operation
from pacifico.server.http.problems import HttpError
from pacifico.server.models.bodies import AssetPatch, Nothing
from pacifico.server.models.queries import NoQuery
from pacifico.server.models.replies import Earthwork, EditedLayout
from pacifico.server.work.engine_run import arguments_of

if TYPE_CHECKING:
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.serving.edits import EditList
    from pacifico.jobs.serving.owned import OwnedJobs
    from pacifico.jobs.status import Status

_ERRORS = (404, 409, 412, 415, 422, 503, 504)
_INPUTS = "inputs/"
#: Inputs of a report by the parameter that takes them.
_FILES = ("boundary", "dem", "exclusions", "roads")


class EditHandler(FilesHandler):
    """What handlers of edits share."""

    async def edit(self, layout_id: str, entry: EditEntry) -> None:
        """Apply one more edit and store the layout after it.

        Raises
        ------
        EditRefused
            The edit breaks a limit.
        ConflictError
            Another edit came first.
        HttpError
            The layout is not completed, or not the one of If-Match.
        """
        jobs, status = await self.completed(layout_id)
        edits = Edits(jobs.store, status)
        found, version = await self.services.read(edits.read)
        self._require_match(status, found)
        if len(found.edits) >= MOST_EDITS:
            raise InputError(f"the layout has {MOST_EDITS} edits, more are not kept; generate it again")
        entries = (*found.edits, entry)
        with tempfile.TemporaryDirectory(prefix="pacifico-edit-") as folder:
            out = Path(folder) / "edited.geojson"
            made = await self.replay(jobs, status, entries, Path(folder))
            stored = await self.services.read(edits.write, entries, out, version)
        tag = tag_of(stored.sha256, len(stored.edits))
        self.reply(
            EditedLayout(
                layout_id=status.layout_id,
                edits=len(entries),
                edit=made["edit"],
                metrics=made["metrics"],
                shortfall=made["shortfall"],
            ),
            headers={"ETag": f'"{tag}"'},
        )

    async def replay(self, jobs: OwnedJobs, status: Status, entries: tuple[EditEntry, ...], folder: Path) -> Any:
        """Make the plan again with edits; the layout goes to `folder/edited.geojson`.

        Parameters
        ----------
        jobs : OwnedJobs
            Whose layout.
        status : Status
            Its status.
        entries : tuple of EditEntry
            All edits.
        folder : Path
            Scratch folder.
        """
        request = await self.services.read(jobs.request_of, status.layout_id)
        inputs = await self.services.read(_fetch_inputs, jobs, status, folder)
        arguments = {
            **arguments_of(_parameters(request), inputs),
            "sha256": status.artifacts[LAYOUT].sha256,
            "edits": [entry.model_dump(mode="json") for entry in entries],
            "out": str(folder / "edited.geojson"),
        }
        return await self.services.pool.run(self.owner, "edit", arguments)

    def _require_match(self, status: Status, found: EditList) -> None:
        """Refuse an edit of another layout than the client saw."""
        wanted = self.request.headers.get("If-Match")
        if wanted is None or wanted.strip() == "*":
            return
        tag = tag_of(found.sha256 or status.artifacts[LAYOUT].sha256, len(found.edits))
        if f'"{tag}"' not in [part.strip().removeprefix("W/") for part in wanted.split(",")]:
            raise HttpError(412, "the layout has changed since it was read; read it again")


class AssetHandler(EditHandler):
    """One asset of a layout."""

    @operation(
        summary="Move or rotate an asset; roads, pads, cables and metrics follow. Refused where it breaks a limit.",
        tag="edits",
        query=NoQuery,
        body=AssetPatch,
        reply=EditedLayout,
        headers=("If-Match",),
        errors=_ERRORS,
        cost=10.0,
    )
    async def patch(self, layout_id: str, asset_id: str) -> None:
        """Edit the asset."""
        self.query(NoQuery)
        asked = self.json_body(AssetPatch)
        await self.edit(
            layout_id, EditEntry(op="asset", asset_id=asset_id, to=asked.to, rotation_deg=asked.rotation_deg)
        )


class RoadsHandler(EditHandler):
    """All roads of a layout."""

    @operation(
        summary="Make all roads and pads again for the assets as they stand.",
        tag="edits",
        query=NoQuery,
        body=Nothing,
        reply=EditedLayout,
        headers=("If-Match",),
        errors=_ERRORS,
        cost=10.0,
    )
    async def post(self, layout_id: str) -> None:
        """Edit the roads."""
        self.query(NoQuery)
        self.json_body(Nothing)
        await self.edit(layout_id, EditEntry(op="roads"))


class EarthworkHandler(EditHandler):
    """Earthwork of a layout."""

    @operation(
        summary="Measure the earthwork anew, from the inputs of the layout.",
        tag="edits",
        query=NoQuery,
        body=Nothing,
        reply=Earthwork,
        errors=_ERRORS,
        cost=10.0,
    )
    async def post(self, layout_id: str) -> None:
        """Measure, and compare with the stored figures."""
        self.query(NoQuery)
        self.json_body(Nothing)
        jobs, status = await self.completed(layout_id)
        found, _ = await self.services.read(Edits(jobs.store, status).read)
        with tempfile.TemporaryDirectory(prefix="pacifico-earthwork-") as folder:
            made = await self.replay(jobs, status, found.edits, Path(folder))
        metrics = {name: value for name, value in made["metrics"].items() if _is_earthwork(name)}
        same = found.edits or all(
            stored is None or math.isclose(stored, metrics[name], rel_tol=1e-9, abs_tol=1e-6)
            for name, stored in (("cut_volume_m3", status.cut_volume_m3), ("fill_volume_m3", status.fill_volume_m3))
        )
        self.reply(Earthwork(layout_id=status.layout_id, metrics=metrics, unchanged=bool(same)))


def _is_earthwork(name: str) -> bool:
    return any(word in name for word in ("cut", "fill", "earthwork"))


def _parameters(request: JobRequest) -> dict[str, Any]:
    """Parameters of the engine, as a job sets them from its request."""
    return {
        **{name: value for name, value in request.parameters.items() if name not in _FILES},
        "target_capacity_kw": request.target_capacity_kw,
        "profile": request.generation_profile,
        "strategy": request.strategy,
        "terrain": request.use_terrain,
        "resolution_m": request.dem_resolution_m,
    }


def _fetch_inputs(jobs: OwnedJobs, status: Status, folder: Path) -> dict[str, Path]:
    """Copy the inputs that a report keeps, by the parameter that takes them."""
    found: dict[str, Path] = {}
    for name in status.artifacts:
        if not name.startswith(_INPUTS):
            continue
        file = Path(name).name
        parameter = file.partition(".")[0]
        if parameter in _FILES:
            path = folder / keys.safe_path(file)
            jobs.file(status.layout_id, name, path)
            found[parameter] = path
    if "boundary" not in found:
        raise InputError(f"layout {status.layout_id} keeps no boundary, so it can't be edited; generate it again")
    return found
