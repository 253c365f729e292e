"""Reports brought from the store into a folder: whole, checked, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs import keys
from pacifico.jobs.request import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pacifico.jobs.status import Status
    from pacifico.jobs.store.base import Store

_READERS = 16


def require_room(out: Path) -> None:
    """Refuse a folder that can't be filled before the store is asked for anything.

    Raises
    ------
    InputError
        It is a file or holds something, or nothing can be written where it is to be.
    """
    place = out.absolute()
    try:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise InputError(f"{out} is not an empty folder; name another")
        there = next(p for p in place.parents if p.exists())
        if not there.is_dir():
            raise InputError(f"{there} is a file; give a folder for --out")
        # tried, not asked for: permission bits say nothing of read-only disks, quotas and root's exemptions
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(
            f"nothing can be written at {out} ({error.strerror}); check its permissions, or give another --out"
        ) from None


def fetch_report(store: Store, status: Status, out: Path) -> None:
    """Download the files of a report, every one checked against its hash; the folder appears whole or not at all.

    Raises
    ------
    InputError
        The folder can't be written.
    OutsideServiceError
        A file in the store is not what the status says.
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
    path = folder / keys.safe_path(name)
    store.get_file(keys.artifact(status.owner, status.layout_id, status.attempt, name), path)
    if file_sha256(path) != status.artifacts[name].sha256:
        raise OutsideServiceError(f"{name} of layout {status.layout_id} is not the file that the job made")
