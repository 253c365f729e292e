"""Submit many sites as jobs; a refused one stops no other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.explorer.layers import display_name
from pacifico.jobs.uploads import BOUNDARIES
from pacifico.report.tables import Table
from pacifico.site.boundary import read_site
from pacifico.site.written import site_geojson
from pacifico.vocabulary import NAMED_DEMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.jobs.client import JobClient
    from pacifico.jobs.request import JobRequest


@dataclass(frozen=True)
class Submitted:
    """Result of each submission."""

    labels: Mapping[str, str]
    """Site and design of each accepted job, by layout_id."""
    rows: tuple[tuple[str, str, str], ...]
    """Site and design, status and message of all submissions."""

    @property
    def table(self) -> Table:
        """Table of all submissions."""
        return Table(("Site and design", "Status", ""), self.rows, words=3, empty="Nothing was submitted.")


def boundary_files(folder: str | Path) -> list[Path]:
    """Boundary files of a folder, sorted by name.

    Raises
    ------
    InputError
        There is no such folder, or it holds no boundary.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name one that holds boundary files")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in BOUNDARIES)
    if not found:
        raise InputError(f"{folder} holds no boundary; files of {', '.join(BOUNDARIES)} are taken")
    return found


def submit_sites(
    client: JobClient, boundaries: Sequence[str | Path], *, dem: str, designs: Sequence[Mapping[str, Any]] = ({},)
) -> Submitted:
    """Submit every site in every design.

    Without a queue in the client's settings the jobs run in the background of this process, one after another.

    Parameters
    ----------
    client : JobClient
        Client of the jobs' owner.
    boundaries : sequence of path
        One file per site. A file that can't be read is refused, and the others are submitted.
    dem : str
        As in a request: name of a source, an address that the settings allow, or a raster file, which is uploaded once.
    designs : sequence of mapping
        Fields of each request: `generation_profile`, `strategy`, `target_capacity_kw`, `dem_resolution_m`, `parameters`.

    Raises
    ------
    InputError
        The DEM is none of these.
    OutsideServiceError
        The store or the queue failed.
    """
    if dem not in NAMED_DEMS and "://" not in dem and not dem.startswith("upload:"):
        dem = client.upload_file(dem)
    requests: list[tuple[str, JobRequest]] = []
    refused: list[tuple[str, str, str]] = []
    for path in map(Path, boundaries):
        try:
            site = read_site(path)
            site_id = client.upload_site(path, as_read=site_geojson(site))
        except InputError as error:
            refused.append((path.name, "rejected", str(error)))
            continue
        for design in designs:
            label = f"{site.name or path.stem}: {_describe(design)}"
            try:
                requests.append((label, client.request(site_id, dem=dem, **design)))
            except InputError as error:
                refused.append((label, "rejected", str(error)))
    responses = client.submit_many([request for _, request in requests], background=True)
    answered = [(label, response) for (label, _), response in zip(requests, responses, strict=True)]
    labels = {response["layout_id"]: label for label, response in answered if response["status"] != "rejected"}
    rows = [(label, str(response["status"]), str(response["message"])) for label, response in answered]
    return Submitted(labels, (*rows, *refused))


def _describe(design: Mapping[str, Any]) -> str:
    """Design in a few words."""
    target = design.get("target_capacity_kw")
    parts = [
        display_name(design.get("generation_profile", "solar_farm")).lower().replace("bess", "BESS"),
        display_name(design.get("strategy", "balanced")).lower(),
        "all that fits" if target is None else f"{target / 1000:,.4g} MW",
    ]
    return ", ".join(parts)
