"""The store in a local folder.

Locks and atomic renames in place of S3's conditional writes.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.jobs.store.base import (
    MAX_OBJECT_BYTES,
    PROBE_KEY,
    Blob,
    Entry,
    ExistsError,
    NotFoundError,
    PermissionDeniedError,
    SignedUpload,
    Stat,
    StoreError,
    SwapRefusedError,
    check_size,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pacifico.jobs.stop_signals import StopSignals
    from pacifico.jobs.store.base import StorageClass

_PARTIAL = ".partial-"  # no key segment begins with a dot, so no key can clash with it
_CHUNK = 1 << 20
_LOCK_FILE = ".lock"
#: What `link` says on file systems without hard links: FAT, some network and container disks.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)
_NO_FOLDER_LOCKS = (errno.EBADF, errno.EISDIR, errno.EINVAL)
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)


class LocalStore:
    """A folder as a store.

    Locks are `flock` on the object's folder, for one machine or a network disk that supports it.
    """

    def __init__(self, root: Path) -> None:
        try:
            self._root = root.expanduser().resolve()
        except (RuntimeError, OSError) as error:  # `~` without a home, or a circle of links
            raise InputError(f"store {str(root)!r}: {error}; set PACIFICO_STORE to a folder's whole path") from None

    @property
    def url(self) -> str:
        """The folder."""
        return str(self._root)

    def now(self) -> float:
        """Seconds since 1970 by the file system's clock.

        Whoever may not write here can't claim a job either: for them this machine's clock is good enough.
        """
        try:
            with tempfile.NamedTemporaryFile(dir=self._root, prefix=_PARTIAL) as probe:
                return os.fstat(probe.fileno()).st_mtime
        except OSError as error:
            if error.errno in _READ_ONLY:
                return time.time()
            raise self._failure("clock", error) from error

    def probe(self) -> None:
        """Return when the folder can be read, or made by the first write; else raise StoreError."""
        with contextlib.suppress(NotFoundError):
            self.read(PROBE_KEY)
        with self._translated(PROBE_KEY):
            place = self._root
            while not place.exists():
                place = place.parent
            if not place.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, f"{place} is no folder")

    def read(self, key: str, *, limit: int = MAX_OBJECT_BYTES) -> Blob:
        """Read an object; NotFoundError where there is none, TooLargeError over `limit` bytes."""
        path = self._path(key)
        with self._translated(key):
            try:
                with path.open("rb") as file:
                    about = os.fstat(file.fileno())
                    check_size(key, about.st_size, limit)
                    data = file.read(limit + 1)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise NotFoundError(f"{key} is not in the store {self._root}") from None
        check_size(key, len(data), limit)
        return Blob(data, _version(data), max(0.0, self.now() - about.st_mtime))

    def create(self, key: str, data: bytes, *, kind: StorageClass) -> str:  # noqa: ARG002 (a folder has no tags)
        """Write where nothing is; else ExistsError."""
        path = self._path(key)
        with self._translated(key), self._partial_file(path, lambda partial: _fill(partial, data)) as partial:
            try:
                os.link(partial, path)  # fails where the name is taken; a rename would replace it
            except FileExistsError:
                raise ExistsError(f"{key} is written already") from None
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self._rename_unless_taken(partial, path, key)
        return _version(data)

    def swap(self, key: str, data: bytes, version: str, *, kind: StorageClass) -> str:  # noqa: ARG002
        """Replace that version alone; else SwapRefusedError."""
        path = self._path(key)
        with self._translated(key):
            if not path.is_file():
                raise SwapRefusedError(f"{key} is not in the store")
            with self._locked(path.parent), self._partial_file(path, lambda partial: _fill(partial, data)) as partial:
                if not path.is_file() or _version(path.read_bytes()) != version:
                    raise SwapRefusedError(f"{key} is no longer version {version}")
                partial.replace(path)
        return _version(data)

    def put(self, key: str, data: bytes, *, kind: StorageClass) -> None:  # noqa: ARG002
        """Write unconditionally."""
        path = self._path(key)
        with self._translated(key), self._partial_file(path, lambda partial: _fill(partial, data)) as partial:
            partial.replace(path)

    def put_file(self, key: str, path: Path, *, kind: StorageClass, sha256: str = "") -> None:  # noqa: ARG002
        """Write a file of any size.

        Parameters
        ----------
        key : str
            Object.
        path : Path
            File to copy.
        kind : StorageClass
            Storage class.
        sha256 : str
            Hash of the file; here the file itself tells it.
        """
        target = self._path(key)
        with self._translated(key), self._partial_file(target, lambda partial: _copy(path, partial)) as partial:
            partial.replace(target)

    def get_file(self, key: str, path: Path, *, limit: int | None = None, signals: StopSignals | None = None) -> None:
        """Copy an object to a file; TooLargeError over `limit` bytes."""
        source = self._path(key)
        with self._translated(key):
            if not source.is_file():
                raise NotFoundError(f"{key} is not in the store {self._root}")
            check_size(key, source.stat().st_size, limit)
            path.parent.mkdir(parents=True, exist_ok=True)
            size = 0
            with source.open("rb") as file, path.open("wb") as out:
                while chunk := file.read(_CHUNK):
                    if signals is not None:
                        signals.check()
                    size += len(chunk)
                    check_size(key, size, limit)  # it may have grown meanwhile
                    out.write(chunk)

    def stat(self, key: str) -> Stat:
        """Size and age of an object; NotFoundError where there is none."""
        path = self._path(key)
        with self._translated(key):
            if not path.is_file():
                raise NotFoundError(f"{key} is not in the store {self._root}")
            about = path.stat()
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Stat(about.st_size, max(0.0, self.now() - about.st_mtime), sha256)

    def list(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        """List the keys under a prefix that follow `after`, in order."""
        head = self._path(prefix.rstrip("/")) if prefix.endswith("/") else self._path(prefix).parent
        with self._translated(prefix):
            for path, stat in _walk(head):
                key = path.relative_to(self._root).as_posix()
                if key.startswith(prefix) and key > after:
                    yield Entry(key, stat.st_size, stat.st_mtime)

    def delete(self, key: str) -> None:
        """Delete an object; do nothing where there is none."""
        with self._translated(key):
            path = self._path(key)
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # a folder holds other objects
                for folder in path.relative_to(self._root).parents[:-1]:
                    (self._root / folder).rmdir()

    def presign_get(self, key: str, *, expires_s: int) -> str:  # noqa: ARG002
        """Return the file's address: whoever can read the folder needs no signature."""
        return self._path(key).as_uri()

    def presign_put(
        self,
        key: str,
        *,
        expires_s: int,  # noqa: ARG002
        kind: StorageClass,  # noqa: ARG002
        size_bytes: int | None = None,  # noqa: ARG002
    ) -> SignedUpload:
        """Refuse: a folder takes no uploads over HTTP.

        Parameters
        ----------
        key : str
            Object.
        expires_s, kind, size_bytes
            As for any store.
        """
        raise InputError(
            f"store {self._root} is a folder and signs no uploads of {Path(key).name}; use upload_site, or PACIFICO_STORE=s3://..."
        )

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if any(part in ("", ".", "..") or part.startswith(_PARTIAL) or "\0" in part for part in parts):
            raise InputError(f"key {key[:80]!r} would leave its place in the store; use names without '..'")
        return self._root.joinpath(*parts)

    def _rename_unless_taken(self, partial: Path, path: Path, key: str) -> None:
        """Write where nothing is, on a file system without hard links."""
        with self._locked(path.parent):
            if os.path.lexists(path):
                raise ExistsError(f"{key} is written already")
            partial.rename(path)

    @contextlib.contextmanager
    def _locked(self, folder: Path) -> Iterator[None]:
        handle = os.open(folder, os.O_RDONLY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError as error:
                if error.errno not in _NO_FOLDER_LOCKS:
                    raise
                os.close(handle)  # some network disks lock only files that are open for writing
                handle = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _partial_file(self, path: Path, fill: Callable[[Path], None]) -> Iterator[Path]:
        """Fill a temporary file beside its final place."""
        partial: Path | None = None
        while partial is None:
            with contextlib.suppress(FileNotFoundError):  # a concurrent delete removed an empty folder
                path.parent.mkdir(parents=True, exist_ok=True)
                handle, name = tempfile.mkstemp(dir=path.parent, prefix=_PARTIAL)
                os.close(handle)
                partial = Path(name)
        try:
            fill(partial)
            partial.chmod(0o644)
            yield partial
        finally:
            partial.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        """Turn errors of the file system into the store's."""
        try:
            yield
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise self._failure(key, error) from error

    def _failure(self, key: str, error: OSError) -> StoreError:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return PermissionDeniedError(
                f"store {self._root}: {key}: {error.strerror}; give this user rights to the folder"
            )
        return StoreError(f"store {self._root}: {key}: {error.strerror or error}; check its disk and rights")


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _fill(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as inp, target.open("wb") as out:
        shutil.copyfileobj(inp, out, _CHUNK)
        out.flush()
        os.fsync(out.fileno())


def _walk(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Files under a folder, in the order of their keys."""
    try:
        with os.scandir(folder) as found:
            # no key has a part that begins with a dot: such are partial files, .DS_Store, and .nfs of deleted files
            entries = [entry for entry in found if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in sorted(entries, key=lambda e: e.name + "/" if e.is_dir(follow_symlinks=False) else e.name):
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif entry.is_file(follow_symlinks=False):
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                yield Path(entry.path), entry.stat()
