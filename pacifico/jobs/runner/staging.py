"""What a notebook is given: its boundary and DEM from the store, its parameters from the request."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs import keys
from pacifico.jobs.request import NAMED_DEMS, file_sha256
from pacifico.jobs.runner.download import allowed_host, download
from pacifico.jobs.status import METRICS
from pacifico.jobs.store.base import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.store.base import Store

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Openings of the raster files a job may bring: TIFF and BigTIFF, both byte orders.
_RASTERS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")

#: Parameters of the notebook that take a file: a request gives `upload:<sha256>` for them.
_FILE_PARAMETERS = ("exclusions", "weather")


def check_dem(dem: str | None, settings: Settings) -> None:
    """Let pass what the settings allow a job to read.

    Raises
    ------
    InputError
        Host or bucket are not allowed.
    """
    if dem is None or dem in NAMED_DEMS or dem.startswith("upload:"):
        return
    if not dem.startswith("s3://"):
        allowed_host(dem, settings.dem_hosts)
        return
    bucket = urlsplit(dem).netloc
    if bucket not in settings.dem_buckets:
        raise InputError(
            f"dem {dem[:200]!r}: {bucket!r} is not among the places allowed; upload the file, or set PACIFICO_DEM_BUCKETS"
        )


def stage(
    request: JobRequest, store: Store, settings: Settings, folder: Path
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Fetch a job's inputs into a folder.

    Returns
    -------
    tuple
        Files by the name of the parameter that takes their path, and the values of the other parameters.

    Raises
    ------
    InputError
        Site or upload are not the owner's, are too large or not what they are said to be, or the DEM's place is not
        allowed.
    OutsideServiceError
        Store or host failed.
    """
    folder.mkdir(parents=True)
    inputs = {"boundary": _boundary(request, store, settings, folder)}
    parameters: dict[str, Any] = {
        **request.parameters,
        "target_capacity_kw": request.target_capacity_kw,
        "profile": request.generation_profile,
        "strategy": request.strategy,
        "terrain": request.use_terrain,
    }
    if request.dem_resolution_m is not None:
        parameters["resolution_m"] = request.dem_resolution_m
    for name in _FILE_PARAMETERS:
        if name in parameters:
            inputs[name] = _upload(parameters.pop(name), name, request.owner, store, settings, folder)
    dem = request.dem
    if dem in NAMED_DEMS:
        parameters["dem"] = dem
    elif dem is not None:
        inputs["dem"] = _dem(dem, request.owner, store, settings, folder)
    return inputs, parameters


def metrics_of(report: Path) -> dict[str, float]:
    """Read the figures that a status shows from a report's metrics.json.

    Raises
    ------
    OutsideServiceError
        There is none, or it can't be read: the run said 'completed' and the disk says otherwise.
    """
    path = report / "metrics.json"
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise OutsideServiceError(f"{path.name} can't be read: {error}") from None
    return {name: content[name] for name in METRICS if isinstance(content.get(name), int | float)}


def _boundary(request: JobRequest, store: Store, settings: Settings, folder: Path) -> Path:
    prefix = keys.site(request.owner, request.site_id)
    try:
        site = json.loads(store.read(f"{prefix}/site.json").data)
    except NotFoundError:
        raise NotFoundError(
            f"site {request.site_id!r} is not among those of {request.owner!r}; upload it first"
        ) from None
    path = folder / f"boundary{site['suffix']}"
    store.get_file(f"{prefix}/{site['file']}", path, limit=settings.boundary_max_bytes)
    _same(path, site["sha256"])
    return path


def _dem(dem: str, owner: str, store: Store, settings: Settings, folder: Path) -> Path:
    check_dem(dem, settings)
    path = folder / "dem.tif"
    limit = settings.dem_max_bytes
    if dem.startswith("upload:"):
        path = _upload(dem, "dem", owner, store, settings, folder)
    elif dem.startswith("s3://"):
        from pacifico.jobs.store.s3 import S3Store  # noqa: PLC0415 (boto3 takes 0.4 s)

        parts = urlsplit(dem)
        S3Store(f"s3://{parts.netloc}").get_file(parts.path.lstrip("/"), path, limit=limit)
    else:
        download(dem, path, limit=limit, hosts=settings.dem_hosts)
    with path.open("rb") as file:
        if not file.read(4).startswith(_RASTERS):
            # A VRT or another text file could name files of this machine, or addresses within its network.
            raise InputError(
                f"dem {dem.partition('?')[0][:200]!r} is no GeoTIFF; convert it with gdal_translate -of COG"
            )
    return path


def _upload(address: Any, name: str, owner: str, store: Store, settings: Settings, folder: Path) -> Path:
    """Fetch an upload of the owner's, under the parameter's name and the file's own suffix."""
    sha256 = address.removeprefix("upload:") if isinstance(address, str) else ""
    if not _SHA256.fullmatch(sha256) or address == sha256:
        raise InputError(f"{name} is {str(address)[:60]!r}; a job takes an upload of its owner's: upload:<sha256>")
    prefix = keys.upload(owner, sha256)
    try:
        about = json.loads(store.read(f"{prefix}/upload.json").data)
        path = folder / keys.safe_path(f"{name}{about['suffix']}")
        store.get_file(f"{prefix}/file", path, limit=settings.dem_max_bytes)
    except NotFoundError:
        raise NotFoundError(f"{name} {address!r} is not among the uploads of {owner!r}; upload it first") from None
    _same(path, sha256)
    return path


def _same(path: Path, sha256: str) -> None:
    found = file_sha256(path)
    if found != sha256:
        raise InputError(f"{path.name} in the store has the hash {found[:12]}, not {sha256[:12]}; upload it again")
