"""Windows of the public elevation sources, kept in the store for every job to come.

A notebook has no credentials and a job knows no geometry, so the two meet in a folder: the notebook keeps there what it
reads (`PACIFICO_DEM_CACHE`), under names that stand for source, ETag, window and grid, each file ending with the SHA-256
of what precedes it. The job brings the folder's files from the store before the run and takes new ones to it afterwards:

    terrain/windows/{name}.npz     one file, whole or not at all
    terrain/asked/{hash}.json      names of the files that this source gave for this boundary and resolution before

Which of them still hold is for the notebook to say, which asks the source for its ETag. Jobs that bring a DEM of their
own have no part in this: what is kept comes from the public sources alone.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.jobs.request import NAMED_DEMS, file_sha256
from pacifico.jobs.store.base import NotFoundError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.store.base import Store

log = logging.getLogger(__name__)

FOLDER = "terrain"
#: Sources that are read over the network: `sample` ships.
_PUBLIC = frozenset(NAMED_DEMS) - {"sample"}
_NAME = re.compile(r"[0-9a-f]{64}")
_LARGEST = 256 << 20
_MOST = 64
_SHA256_BYTES = 32


class TerrainCache:
    """The folder of one job, and the store behind it. The store's faults are logged: a cache may be of no use, never a fault."""

    def __init__(self, store: Store, request: JobRequest, boundary: Path, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._had: dict[str, bytes] = {}
        asked = [request.dem, file_sha256(boundary), request.parameters.get("layer"), request.dem_resolution_m]
        self._asked = f"terrain/asked/{hashlib.sha256(json.dumps(asked).encode()).hexdigest()}.json"
        self._public = request.dem in _PUBLIC

    def fetch(self) -> None:
        """Bring what the same request read before; damaged files are left out."""
        if not self._public:
            return
        try:
            names = _names(self._store.read(self._asked).data)
        except NotFoundError:
            return
        except StoreError as error:
            log.warning("terrain of earlier jobs not fetched: %s", error)
            return
        self._folder.mkdir(exist_ok=True)
        for name in names:
            try:
                self._fetch(name)
            except (StoreError, InputError) as error:  # expired, too large, or the store failed
                log.info("terrain %s not fetched: %s", name[:12], error)

    def keep(self) -> None:
        """Take to the store what the run read anew: complete files alone."""
        if not self._public or not self._folder.is_dir():
            return
        names = []
        for path in sorted(self._folder.glob("*.npz"))[:_MOST]:
            data = _whole(path)
            if data is None or not _NAME.fullmatch(path.stem):
                continue
            names.append(path.stem)
            if self._had.get(path.stem) == data[-_SHA256_BYTES:]:
                continue
            try:
                self._store.put(_window(path.stem), data, kind="terrain")
            except StoreError as error:
                log.warning("terrain %s not kept: %s", path.stem[:12], error)
                return
        if names and names != sorted(self._had):
            try:
                self._store.put(self._asked, json.dumps({"windows": names}).encode(), kind="terrain")
            except StoreError as error:
                log.warning("terrain not kept: %s", error)

    def _fetch(self, name: str) -> None:
        path = self._folder / f"{name}.npz"
        self._store.get_file(_window(name), path, limit=_LARGEST)
        data = _whole(path)
        if data is None:
            log.warning("terrain %s in the store is damaged: it is read anew", name[:12])
            path.unlink()
        else:
            self._had[name] = data[-_SHA256_BYTES:]


def _window(name: str) -> str:
    return f"terrain/windows/{name}.npz"


def _names(text: bytes) -> list[str]:
    """Names in a list of windows; none where it is no such list."""
    try:
        windows = json.loads(text)["windows"]
        return [name for name in windows if _NAME.fullmatch(name)][:_MOST]
    except (ValueError, KeyError, TypeError):
        return []


def _whole(path: Path) -> bytes | None:
    """Content of a file that ends with the hash of what precedes it; None for anything else, a link included."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        if os.fstat(file.fileno()).st_size > _LARGEST:
            return None
        data = file.read()
    ends_well = hashlib.sha256(data[:-_SHA256_BYTES]).digest() == data[-_SHA256_BYTES:]
    return data if ends_well else None
