"""Stage a notebook's inputs.

Boundary and DEM from the store, parameters from the request.

No path is taken from what lies in the store: names of staged files come from fixed lists.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pacifico.errors import InputError, OutsideServiceError, PacificoError
from pacifico.jobs import keys
from pacifico.jobs.request import file_sha256
from pacifico.jobs.runner.download import allowed_host, download
from pacifico.jobs.status import METRICS
from pacifico.jobs.store.base import NotFoundError
from pacifico.jobs.upload_records import MAX_RECORD_BYTES, UploadRecord, parse_record
from pacifico.jobs.uploads import read_site_record
from pacifico.run import notebooks
from pacifico.vocabulary import NAMED_DEMS

if TYPE_CHECKING:
    from pathlib import Path

    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.stop_signals import StopSignals
    from pacifico.jobs.store.base import Store

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: First bytes of the rasters a job may bring: TIFF and BigTIFF in both byte orders.
_RASTERS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")

#: Parameters of the notebook that take a file; a request gives `upload:<sha256>` for them.
_FILE_PARAMETERS = ("exclusions", "weather")

#: Largest metrics.json that is read [bytes]; we write some thousands.
_MAX_METRICS_BYTES = 4 << 20


class MetricsError(PacificoError):
    """The report's metrics can't be used.

    A fault of the notebook, which is ours.
    """


def check_dem(dem: str | None, settings: Settings) -> None:
    """Raise InputError unless the settings allow a job to read this DEM.

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


def check_request(request: JobRequest, store: Store, settings: Settings) -> None:
    """Raise InputError unless a job can be staged from the request.

    Raises
    ------
    InputError
        The DEM's place is not allowed, the notebook is unknown or does not take a parameter, or an upload is missing.
    """
    check_dem(request.dem, settings)
    template = notebooks.find(request.notebook)
    # `boundary` is set by the job itself
    own = {"boundary": ""} if "boundary" in template.parameters else {}
    notebooks.check(template, {**request.parameters, **own})
    uploads = {name: request.parameters[name] for name in _FILE_PARAMETERS if request.parameters.get(name) is not None}
    if request.dem is not None and request.dem.startswith("upload:"):
        uploads["dem"] = request.dem
    for name, address in uploads.items():
        _require_upload(store, request.owner, name, address)


class Stager:
    """Copies the inputs of one owner's job into a folder.

    Parameters
    ----------
    store : Store
        Where sites and uploads are.
    settings : Settings
        Which places a DEM may come from, and the largest files.
    owner : str
        Whose sites and uploads the job may read.
    folder : Path
        Where to copy to.
    signals : StopSignals or None
        Stop the transfers.
    """

    def __init__(
        self, store: Store, settings: Settings, owner: str, folder: Path, signals: StopSignals | None = None
    ) -> None:
        self._store = store
        self._settings = settings
        self._owner = owner
        self._folder = folder
        self._signals = signals

    def boundary(self, site_id: str) -> Path:
        """Copy the boundary of a site."""
        record = read_site_record(self._store, self._owner, site_id)
        path = self._folder / f"boundary{record.suffix}"
        key = f"{keys.site(self._owner, site_id)}/{record.stored_name}"
        self._store.get_file(key, path, limit=self._settings.boundary_max_bytes, signals=self._signals)
        _require_hash(path, record.sha256)
        return path

    def dem(self, address: str) -> Path:
        """Copy a DEM from an upload, bucket or host."""
        check_dem(address, self._settings)
        limit = self._settings.dem_max_bytes
        path = self._folder / "dem.tif"
        if address.startswith("upload:"):
            path = self.upload("dem", address)
        elif address.startswith("s3://"):
            from pacifico.jobs.store.s3 import S3Store  # noqa: PLC0415 (boto3 takes 0.4 s)

            parts = urlsplit(address)
            bucket = S3Store(f"s3://{parts.netloc}")
            bucket.get_file(parts.path.lstrip("/"), path, limit=limit, signals=self._signals)
        else:
            download(address, path, limit=limit, hosts=self._settings.dem_hosts, signals=self._signals)
        with path.open("rb") as file:
            if not file.read(4).startswith(_RASTERS):
                # A VRT or another text file could name files of this machine, or addresses within its network.
                raise InputError(
                    f"dem {address.partition('?')[0][:200]!r} is no GeoTIFF; convert it with gdal_translate -of COG"
                )
        return path

    def upload(self, parameter: str, address: Any) -> Path:
        """Copy an upload of the owner's."""
        sha256, record = _require_upload(self._store, self._owner, parameter, address)
        suffix = record.data_suffix if parameter != "dem" or record.suffix in (".tif", ".tiff") else ".tif"
        path = self._folder / f"{parameter}{suffix}"
        key = f"{keys.upload(self._owner, sha256)}/file"
        try:
            self._store.get_file(key, path, limit=self._settings.dem_max_bytes, signals=self._signals)
        except NotFoundError:
            raise _no_upload(parameter, address, self._owner) from None
        _require_hash(path, sha256)
        return path


def stage(
    request: JobRequest, store: Store, settings: Settings, folder: Path, signals: StopSignals | None = None
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Copy a job's inputs into a new folder.

    Parameters
    ----------
    request : JobRequest
        The job.
    store : Store
        Where its site and uploads are.
    settings : Settings
        Which places a DEM may come from, and the largest files.
    folder : Path
        Where to copy to.
    signals : StopSignals, optional
        Stop the transfers.

    Returns
    -------
    tuple
        Files by the name of the parameter that takes their path, and the values of the other parameters.

    Raises
    ------
    InputError
        Site or upload are not the owner's, are too large or have another hash, or the DEM's place is not allowed.
    OutsideServiceError
        Store or host failed.
    StoppedError
        The job was told to stop.
    """
    folder.mkdir(parents=True)
    stager = Stager(store, settings, request.owner, folder, signals)
    inputs = {"boundary": stager.boundary(request.site_id)}
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
            inputs[name] = stager.upload(name, parameters.pop(name))
    dem = request.dem
    if dem in NAMED_DEMS:
        parameters["dem"] = dem
    elif dem is not None:
        inputs["dem"] = stager.dem(dem)
    return inputs, parameters


def metrics_of(report: Path) -> dict[str, float]:
    """Read the metrics that a status shows from a report's metrics.json.

    Raises
    ------
    OutsideServiceError
        The file can't be read from the disk.
    MetricsError
        It is no JSON object, or a metric in it is not a finite number.
    """
    path = report / "metrics.json"
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_METRICS_BYTES + 1)
    except OSError as error:
        raise OutsideServiceError(f"{path.name} can't be read: {error.strerror}; try again") from error
    if len(data) > _MAX_METRICS_BYTES:
        raise MetricsError(f"{path.name} has over {_MAX_METRICS_BYTES / 1e6:.0f} MB; correct the notebook")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MetricsError(f"{path.name} is no JSON ({error}); correct the notebook") from None
    if not isinstance(content, dict):
        raise MetricsError(f"{path.name} is no JSON object; correct the notebook")
    metrics = {name: content[name] for name in METRICS if content.get(name) is not None}
    for name, value in metrics.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise MetricsError(f"{path.name}: {name} is {value!r}, not a finite number; correct the notebook")
    return metrics


def _require_upload(store: Store, owner: str, parameter: str, address: Any) -> tuple[str, UploadRecord]:
    """Hash and record of an upload of the owner's.

    Parameters
    ----------
    store : Store
        Where uploads are.
    owner : str
        Whose it must be.
    parameter : str
        What takes it, for messages.
    address : Any
        `upload:<sha256>`, else refused.
    """
    sha256 = address.removeprefix("upload:") if isinstance(address, str) else ""
    if not _SHA256.fullmatch(sha256) or address == sha256:
        raise InputError(f"{parameter} is {str(address)[:60]!r}; a job takes an upload of its owner's: upload:<sha256>")
    try:
        data = store.read(f"{keys.upload(owner, sha256)}/upload.json", limit=MAX_RECORD_BYTES).data
    except NotFoundError:
        raise _no_upload(parameter, address, owner) from None
    return sha256, parse_record(UploadRecord, data, what=f"upload.json of {parameter}")


def _no_upload(parameter: str, address: str, owner: str) -> NotFoundError:
    return NotFoundError(f"{parameter} {address!r} is not among the uploads of {owner!r}; upload it first")


def _require_hash(path: Path, sha256: str) -> None:
    found = file_sha256(path)
    if found != sha256:
        raise InputError(f"{path.name} in the store has the hash {found[:12]}, not {sha256[:12]}; upload it again")
