"""Cache of public elevation data, shared by jobs through the store.

A notebook has no credentials and a job knows no geometry, so they share a folder. The notebook writes what it reads there
(`PACIFICO_DEM_CACHE`), under names made from source, ETag, window and grid; each file ends with the SHA-256 of the bytes
before it. The job copies the folder's files from the store before the run, and new ones to the store after it:

    terrain/windows/{name}.npz     one file
    terrain/asked/{hash}.json      names of the files that a source gave for this boundary and resolution before

The notebook decides which of them still hold, by asking the source for its ETag. Jobs that bring their own DEM take no
part: only public sources are cached.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.jobs.request import file_sha256
from pacifico.jobs.store.base import NotFoundError, StoreError, TooLargeError
from pacifico.vocabulary import NAMED_DEMS

if TYPE_CHECKING:
    from pathlib import Path

    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.stop_signals import StopSignals
    from pacifico.jobs.store.base import Store

log = logging.getLogger(__name__)

FOLDER = "terrain"
#: Sources that are read over the network: `sample` ships.
_PUBLIC = frozenset(NAMED_DEMS) - {"sample"}
_NAME = re.compile(r"[0-9a-f]{64}")
_MAX_BYTES = 256 << 20  # of one window
_MAX_WINDOWS = 64  # of one job
_SHA256_BYTES = 32


class TerrainCache:
    """The cache folder of one job, and the store behind it.

    Faults of the store are only logged.

    Parameters
    ----------
    store : Store
        Store that holds the cache.
    request : JobRequest
        Request whose DEM is read.
    boundary : Path
        Boundary of the site.
    folder : Path
        Local copy of the cache.
    """

    def __init__(self, store: Store, request: JobRequest, boundary: Path, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._fetched: dict[str, bytes] = {}
        source = [request.dem, file_sha256(boundary), request.parameters.get("layer"), request.dem_resolution_m]
        self._list_key = f"terrain/asked/{hashlib.sha256(json.dumps(source).encode()).hexdigest()}.json"
        self._public = request.dem in _PUBLIC

    def fetch(self) -> None:
        """Copy the files that an equal request read before, except damaged ones."""
        if not self._public:
            return
        try:
            names = _names(self._store.read(self._list_key).data)
        except (NotFoundError, TooLargeError):
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

    def keep(self, signals: StopSignals | None = None) -> None:
        """Copy the run's complete files to the store, until a stop."""
        if not self._public or not self._folder.is_dir():
            return
        names = []
        for path in sorted(self._folder.glob("*.npz"))[:_MAX_WINDOWS]:
            if signals is not None and signals.stopped:
                return
            data = _checked(path)
            if data is None or not _NAME.fullmatch(path.stem):
                continue
            names.append(path.stem)
            if self._fetched.get(path.stem) == data[-_SHA256_BYTES:]:
                continue
            try:
                self._store.put(_window(path.stem), data, kind="terrain")
            except StoreError as error:
                log.warning("terrain %s not kept: %s", path.stem[:12], error)
                return
        if names and names != sorted(self._fetched):
            try:
                self._store.put(self._list_key, json.dumps({"windows": names}).encode(), kind="terrain")
            except StoreError as error:
                log.warning("terrain not kept: %s", error)

    def _fetch(self, name: str) -> None:
        path = self._folder / f"{name}.npz"
        self._store.get_file(_window(name), path, limit=_MAX_BYTES)
        data = _checked(path)
        if data is None:
            log.warning("terrain %s in the store is damaged and will be read again", name[:12])
            path.unlink()
        else:
            self._fetched[name] = data[-_SHA256_BYTES:]


def _window(name: str) -> str:
    return f"terrain/windows/{name}.npz"


def _names(text: bytes) -> list[str]:
    """Names in a list of windows."""
    try:
        windows = json.loads(text)["windows"]
        return [name for name in windows if _NAME.fullmatch(name)][:_MAX_WINDOWS]
    except (ValueError, KeyError, TypeError):
        return []


def _checked(path: Path) -> bytes | None:
    """Content of a file with its hash at the end; else None."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        if os.fstat(file.fileno()).st_size > _MAX_BYTES:
            return None
        data = file.read()
    intact = hashlib.sha256(data[:-_SHA256_BYTES]).digest() == data[-_SHA256_BYTES:]
    return data if intact else None
