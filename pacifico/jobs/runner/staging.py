"""Stage a notebook's inputs.

Boundary and DEM from the store, parameters from the request.

No path is taken from what lies in the store: names of staged files come from fixed lists.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pacifico.errors import InputError, OutsideServiceError, PacificoError
from pacifico.jobs import keys
from pacifico.jobs.request import file_sha256
from pacifico.jobs.runner.download import allowed_host, download
from pacifico.jobs.runner.parameters import FILE_PARAMETERS, check_parameters
from pacifico.jobs.status import METRICS
from pacifico.jobs.store.base import NotFoundError
from pacifico.jobs.upload_records import MAX_RECORD_BYTES, UploadRecord, parse_record
from pacifico.jobs.uploads import read_site_record
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
    store = urlsplit(settings.store)
    own = store.netloc.lower() if store.scheme == "s3" else None
    if not dem.startswith("s3://"):
        host = allowed_host(dem, settings.dem_hosts)
        if own is not None and _is_bucket_on_web(own, host, urlsplit(dem).path):
            raise InputError(
                f"dem {dem.partition('?')[0][:200]!r} is in the store of jobs; name an upload instead: upload:<sha256>"
            )
        return
    bucket, _ = s3_place(dem)
    if bucket.lower() == own:  # whatever the settings say: it holds the files of all owners
        raise InputError(f"dem {dem[:200]!r} is in the store of jobs; name an upload instead: upload:<sha256>")
    if bucket not in settings.dem_buckets:
        raise InputError(
            f"dem {dem[:200]!r}: {bucket!r} is not among the places allowed; upload the file, or set PACIFICO_DEM_BUCKETS"
        )


def s3_place(address: str) -> tuple[str, str]:
    """Bucket and key of an s3:// address; every character of the key counts.

    Raises
    ------
    InputError
        The address asks for a version of an object, which a key can't name.
    """
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if re.search(r"\?(versionId|X-Amz-[\w-]+)=", key, re.IGNORECASE):
        raise InputError(
            f"dem {address.partition('?')[0][:200]!r} has a query; an s3:// address names one object: copy that version to a key of "
            "its own"
        )
    return bucket, key


def _is_bucket_on_web(bucket: str, host: str, path: str) -> bool:
    """Whether an https address is in a bucket, by host name or path."""
    on_path = unquote(path).lstrip("/").partition("/")[0].lower() == bucket
    return host.startswith(f"{bucket}.s3") or (on_path and re.search(r"(^|\.)s3[.-]", host) is not None)


def upload_hash(parameter: str, address: Any) -> str:
    """Hash in the address of an upload, `upload:<sha256>`.

    Raises
    ------
    InputError
        It is no such address.
    """
    sha256 = address.removeprefix("upload:") if isinstance(address, str) else ""
    if not _SHA256.fullmatch(sha256) or address == sha256:
        raise InputError(f"{parameter} is {str(address)[:60]!r}; a job takes an upload of its owner's: upload:<sha256>")
    return sha256


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

            bucket, key = s3_place(address)
            S3Store(f"s3://{bucket}").get_file(key, path, limit=limit, signals=self._signals)
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
        sha256 = upload_hash(parameter, address)
        prefix = keys.upload(self._owner, sha256)
        try:
            data = self._store.read(f"{prefix}/upload.json", limit=MAX_RECORD_BYTES).data
            record = parse_record(UploadRecord, data, what=f"upload.json of {parameter}")
            suffix = record.data_suffix if parameter != "dem" or record.suffix in (".tif", ".tiff") else ".tif"
            path = self._folder / f"{parameter}{suffix}"
            self._store.get_file(f"{prefix}/file", path, limit=self._settings.dem_max_bytes, signals=self._signals)
        except NotFoundError:
            raise NotFoundError(
                f"{parameter} {address!r} is not among the uploads of {self._owner!r}; upload it first"
            ) from None
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
        Site or upload are not the owner's, are too large or have another hash, the DEM's place is not allowed, or the
        notebook does not take the parameters.
    OutsideServiceError
        Store or host failed.
    StoppedError
        The job was told to stop.
    """
    check_parameters(request)  # again: an owner can write a request without our client
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
    for name in FILE_PARAMETERS:
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


def _require_hash(path: Path, sha256: str) -> None:
    found = file_sha256(path)
    if found != sha256:
        raise InputError(f"{path.name} in the store has the hash {found[:12]}, not {sha256[:12]}; upload it again")
