"""Download reports from the store, checked and complete or not at all."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs import keys
from pacifico.jobs.request import file_sha256, load_object
from pacifico.jobs.store.base import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pacifico.jobs.status import Status
    from pacifico.jobs.store.base import Store

_READERS = 16  # files at once
_METRICS_FILE = "metrics.json"
_MAX_METRICS_BYTES = 4 << 20


def require_room(out: Path) -> None:
    """Refuse an output folder that can't be filled, before reading the store.

    Raises
    ------
    InputError
        It is a file, is not empty, or can't be written.
    """
    place = out.absolute()
    try:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise InputError(f"{out} is not an empty folder; name another")
        there = next(p for p in place.parents if p.exists())
        if not there.is_dir():
            raise InputError(f"{there} is a file; give a folder for --out")
        # by trying: permission bits say nothing about read-only disks, quotas and root
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(
            f"nothing can be written at {out} ({error.strerror}); check its permissions, or give another --out"
        ) from None


def fetch_report(store: Store, status: Status, out: Path) -> None:
    """Download a report's files and check each against its hash.

    The folder appears complete or not at all.

    Raises
    ------
    InputError
        The folder can't be written.
    OutsideServiceError
        A file in the store does not match the status.
    """
    with _beside(out) as partial:
        with ThreadPoolExecutor(_READERS) as pool:
            list(pool.map(lambda name: _fetch_one(store, status, name, partial), status.artifacts))
        if out.exists():
            out.rmdir()
        partial.chmod(0o755)
        partial.rename(out)


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=out.absolute().parent, prefix=".fetch-"))
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fetch_one(store: Store, status: Status, name: str, folder: Path) -> None:
    """Fetch_one.

    Parameters
    ----------
    store : Store
        Store to read.
    status : Status
        Status that names the file.
    name : str
        Name of the file.
    folder : Path
        Folder to write to.
    """
    path = folder / keys.safe_path(name)
    artifact = status.artifacts[name]
    try:
        store.get_file(keys.artifact(status.owner, status.layout_id, status.attempt, name), path, limit=artifact.bytes)
    except TooLargeError:
        raise OutsideServiceError(
            f"{name} of layout {status.layout_id} is larger than the file that the job made; submit the job again"
        ) from None
    if file_sha256(path) != status.artifacts[name].sha256:
        raise OutsideServiceError(
            f"{name} of layout {status.layout_id} is not the file that the job made; redrive or submit the job again"
        )


def shortfall_of(store: Store, status: Status) -> str:
    """Why a completed layout is less than requested; else empty."""
    if status.status != "completed" or _METRICS_FILE not in status.artifacts:
        return ""
    key = keys.artifact(status.owner, status.layout_id, status.attempt, _METRICS_FILE)
    text = load_object(store.read(key, limit=_MAX_METRICS_BYTES).data, what=_METRICS_FILE).get("shortfall", "")
    return text if isinstance(text, str) else ""
