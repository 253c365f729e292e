"""Sites and other files of an owner: written once, under the hash of their bytes."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.request import file_sha256
from pacifico.jobs.store.base import ExistsError

if TYPE_CHECKING:
    from pacifico.jobs.store.base import Store

#: Boundary files that are taken, by suffix.
BOUNDARIES = (".kml", ".kmz", ".geojson", ".json", ".zip", ".shp", ".gpkg")

_SIDECARS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def upload_site(
    store: Store, path: Path, *, owner: str, site_id: str | None, limit: int, as_read: bytes | None = None
) -> str:
    """Write a boundary file; the same file again changes nothing.

    Parameters
    ----------
    store, path, owner
        What, from whom and where to. A shapefile is taken with its sidecars, as one zip.
    site_id
        Name to keep it under; by default the hash of its bytes.
    limit
        Largest size taken [bytes].
    as_read
        The boundary as GeoJSON, as a reader understood it.

    Returns
    -------
    str
        The site_id.

    Raises
    ------
    InputError
        No such file, of no kind that is read, too large; or the site_id stands for another file.
    """
    suffix = path.suffix.lower()
    if suffix not in BOUNDARIES:
        raise InputError(f"{path.name} is no boundary file; {', '.join(BOUNDARIES)} are taken")
    data = read_file(path, limit=limit)
    if suffix == ".shp":
        data, suffix = _bundle(path, limit=limit), ".zip"
    sha256 = hashlib.sha256(data).hexdigest()
    name = site_id or sha256[:32]
    prefix = keys.site(owner, name)
    about = {
        "schema_version": 1,
        "site_id": name,
        "name": path.name,
        "suffix": suffix,
        "file": f"boundary-{sha256[:16]}{suffix}",
        "sha256": sha256,
        "bytes": len(data),
    }
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "boundary"
        copy.write_bytes(data)
        store.put_file(f"{prefix}/{about['file']}", copy, kind="uploads")
    if as_read is not None:
        store.put(f"{prefix}/boundary-{sha256[:16]}.read.geojson", as_read, kind="uploads")
    try:
        store.create(f"{prefix}/site.json", _json(about), kind="uploads")
    except ExistsError:
        if json.loads(store.read(f"{prefix}/site.json").data)["sha256"] != sha256:
            raise InputError(f"site_id {name!r} stands for another file already; choose another name") from None
    return name


def upload_file(store: Store, path: Path, *, owner: str, limit: int) -> str:
    """Write a file such as a DEM or exclusions, and return its address: `upload:<sha256>`."""
    check_size(path, limit=limit)
    sha256 = file_sha256(path)
    prefix = keys.upload(owner, sha256)
    store.put_file(f"{prefix}/file", path, kind="uploads")
    store.put(f"{prefix}/upload.json", _json({"name": path.name, "suffix": path.suffix.lower()}), kind="uploads")
    return f"upload:{sha256}"


def check_size(path: Path, *, limit: int) -> None:
    """Raise InputError where a file is absent or over `limit` bytes."""
    if not path.is_file():
        raise InputError(f"{path} is not there, or is no file")
    if (size := path.stat().st_size) > limit:
        raise InputError(f"{path.name} has {size / 1e6:.1f} MB; at most {limit / 1e6:.1f} MB are taken")


def read_file(path: Path, *, limit: int) -> bytes:
    """Read a file of at most `limit` bytes."""
    check_size(path, limit=limit)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None


def _bundle(path: Path, *, limit: int) -> bytes:
    """Zip a shapefile with its sidecars: the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in _SIDECARS:
            for candidate in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
                if candidate.is_file():
                    archive.writestr(zipfile.ZipInfo(candidate.name), read_file(candidate, limit=limit))
                    break
    return buffer.getvalue()


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
