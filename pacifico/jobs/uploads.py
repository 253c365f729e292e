"""Upload an owner's sites and files, each written once under its hash."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.escaping import decoded
from pacifico.jobs import keys
from pacifico.jobs.request import file_sha256
from pacifico.jobs.store.base import ExistsError, NotFoundError, PermissionDeniedError, SwapRefusedError
from pacifico.jobs.upload_records import BOUNDARIES as BOUNDARIES  # noqa: PLC0414 (callers import it from here)
from pacifico.jobs.upload_records import (
    MAX_RECORD_BYTES,
    SiteRecord,
    UploadRecord,
    parse_record,
    record_bytes,
)

if TYPE_CHECKING:
    from pacifico.jobs.store.base import Store

_DAY_S = 86_400.0
_SIDECARS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def upload_site(
    store: Store,
    path: Path,
    *,
    owner: str,
    site_id: str | None,
    limit: int,
    as_read: bytes | None = None,
    keep_days: float = 0.0,
) -> str:
    """Store a boundary file, once, and return its site_id.

    Parameters
    ----------
    store, owner
        Where to write it, and whose site it is.
    path
        The file; a shapefile is stored with its sidecars, as one zip.
    site_id
        Name of the site; by default the hash of the file.
    limit
        Largest file accepted [bytes].
    as_read
        The boundary as GeoJSON, as our reader understood it.
    keep_days
        Time after which the store deletes it; an upload past half of it is renewed [d]. 0: never.

    Returns
    -------
    str
        The site_id.

    Raises
    ------
    InputError
        There is no such file, its kind or size is not accepted, or the site_id names another file.
    """
    data, suffix = _boundary(path, limit=limit)
    sha256 = hashlib.sha256(data).hexdigest()
    name = site_id or sha256[:32]
    prefix = keys.site(owner, name)
    about: dict[str, Any] = {"suffix": suffix, "file": f"boundary-{sha256[:16]}{suffix}", "sha256": sha256}
    record = SiteRecord(site_id=name, name=decoded(path.name)[:255], bytes=len(data), **about)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "boundary"
        copy.write_bytes(data)
        _put_once(store, f"{prefix}/{record.stored_name}", copy, sha256, keep_days)
    if as_read is not None:
        store.put(f"{prefix}/boundary-{sha256[:16]}.read.geojson", as_read, kind="uploads")
    try:
        store.create(f"{prefix}/site.json", record_bytes(record), kind="uploads")
    except ExistsError:
        if read_site_record(store, owner, name).sha256 != sha256:
            raise InputError(f"site_id {name!r} names another file already; choose another name") from None
        _renew(store, f"{prefix}/site.json", keep_days)
    return name


def _boundary(path: Path, *, limit: int) -> tuple[bytes, str]:
    """Content and suffix of a boundary file."""
    suffix = path.suffix.lower()
    if suffix not in BOUNDARIES:
        raise InputError(f"{path.name} is no boundary file; give one of {', '.join(BOUNDARIES)}")
    data = read_file(path, limit=limit)
    return (_bundle(path, limit=limit), ".zip") if suffix == ".shp" else (data, suffix)


def read_site_record(store: Store, owner: str, site_id: str) -> SiteRecord:
    """Read the record of a site.

    Raises
    ------
    NotFoundError
        The owner has no such site.
    InputError
        The record can't be used.
    """
    try:
        data = store.read(f"{keys.site(owner, site_id)}/site.json", limit=MAX_RECORD_BYTES).data
    except NotFoundError:
        raise NotFoundError(f"site {site_id!r} is not among those of {owner!r}; upload it first") from None
    record = parse_record(SiteRecord, data, what=f"site.json of site {site_id!r}")
    if record.site_id != site_id:
        raise InputError(f"site.json of site {site_id!r} names the site {record.site_id[:60]!r}; upload the file again")
    return record


def upload_file(
    store: Store, path: Path, *, owner: str, limit: int, keep_days: float = 0.0, sha256: str | None = None
) -> str:
    """Store a DEM, exclusions or weather file; return `upload:<sha256>`.

    A file that the store has already is not sent again, unless it expires soon.

    Parameters
    ----------
    store : Store
        Store to write to.
    path : Path
        File to upload.
    owner : str
        Owner of the upload.
    limit : int
        Largest size [bytes].
    keep_days : float
        Time after which the store deletes it [d]; 0: never.
    sha256 : str, optional
        Hash of the file, where it is known.
    """
    check_size(path, limit=limit)
    sha256 = sha256 or file_sha256(path)
    prefix = keys.upload(owner, sha256)
    _put_once(store, f"{prefix}/file", path, sha256, keep_days)
    record = UploadRecord(name=decoded(path.name)[:255], suffix=decoded(path.suffix).lower()[:255])
    store.put(f"{prefix}/upload.json", record_bytes(record), kind="uploads")
    return f"upload:{sha256}"


def _put_once(store: Store, key: str, path: Path, sha256: str, keep_days: float) -> None:
    """Write a file, unless the store holds it whole and for long enough.

    Parameters
    ----------
    store : Store
        Store to write to.
    key : str
        Object.
    path : Path
        File to write.
    sha256 : str
        Its hash.
    keep_days : float
        Time after which the store deletes objects [d]; 0: never.
    """
    with contextlib.suppress(NotFoundError, PermissionDeniedError):  # a role without the right to list is told neither
        found = store.stat(key)
        if (found.size, found.sha256) == (path.stat().st_size, sha256) and not _expires_soon(found.age_s, keep_days):
            return
    store.put_file(key, path, kind="uploads", sha256=sha256)


def _renew(store: Store, key: str, keep_days: float) -> None:
    """Write an object again if it expires soon, so that it counts as new."""
    blob = store.read(key, limit=MAX_RECORD_BYTES)
    if _expires_soon(blob.age_s, keep_days):
        with contextlib.suppress(SwapRefusedError):  # another client has just done so
            store.swap(key, blob.data, blob.version, kind="uploads")


def _expires_soon(age_s: float, keep_days: float) -> bool:
    """Whether an object is past half of its time."""
    return bool(keep_days) and age_s > keep_days * _DAY_S / 2


def check_size(path: Path, *, limit: int) -> None:
    """Raise InputError for a file that is absent or over `limit` bytes."""
    if not path.is_file():
        raise InputError(f"{path} is not there, or is no file; check the path")
    if (size := path.stat().st_size) > limit:
        raise InputError(f"{path.name} has {size / 1e6:.1f} MB; at most {limit / 1e6:.1f} MB are taken")


def read_file(path: Path, *, limit: int) -> bytes:
    """Read a file of at most `limit` bytes."""
    check_size(path, limit=limit)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}; check its permissions") from None


def _bundle(path: Path, *, limit: int) -> bytes:
    """Zip a shapefile with its sidecars.

    The same files give the same bytes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in _SIDECARS:
            for candidate in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
                if candidate.is_file():
                    archive.writestr(zipfile.ZipInfo(candidate.name), read_file(candidate, limit=limit))
                    break
    return buffer.getvalue()
