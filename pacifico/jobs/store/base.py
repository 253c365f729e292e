"""Protocol and errors of the store, for local folders and S3.

Writes that decide something are conditional: `create` writes only where nothing is, `swap` only over the version that
was read. Ages come from the store's own clock, so no other clock has to be right.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from pacifico.errors import InputError, OutsideServiceError, PacificoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pacifico.jobs.stop_signals import StopSignals


#: Value of the object tag `class`, which the bucket's lifecycle rules use. `jobs` (requests, statuses, hints) never expires.
StorageClass = Literal["uploads", "terrain", "exports", "reports", "jobs"]

#: Largest object that is read into memory [bytes]. A status with a thousand files has 0.2 MB; owners can write larger ones.
MAX_OBJECT_BYTES = 1 << 20

#: Key that no job uses. Reading or writing it shows whether the store answers and what it lets this role do.
PROBE_KEY = "terrain/probe"

_MEDIA_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".html": "text/html; charset=utf-8",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".kmz": "application/vnd.google-earth.kmz",
    ".md": "text/markdown; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".toml": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".zip": "application/zip",
}


class NotFoundError(InputError, LookupError):
    """The store answers and holds no such object."""


class TooLargeError(InputError):
    """The object is over the limit for what is read."""


class ExistsError(PacificoError):
    """A `create` found an object in its place."""


class SwapRefusedError(PacificoError):
    """A `swap` found another version than the one it was to replace."""


class StoreError(OutsideServiceError):
    """The store failed or can't be reached.

    Whether the last write was made is unknown.
    """


class PermissionDeniedError(StoreError):
    """The store answers and refuses access: rights are missing."""


class NoStoreError(StoreError):
    """The bucket that the settings name does not exist."""


@dataclass(frozen=True, slots=True)
class Blob:
    """An object's bytes, with version and age [s]."""

    data: bytes
    version: str
    age_s: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing.

    `modified` in seconds since 1970, by the store's clock.
    """

    key: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """A temporary address for one PUT, with the headers to send."""

    url: str
    headers: Mapping[str, str]
    expires_s: int


class Store(Protocol):
    """What both forms of the store do.

    Every method raises PermissionDeniedError where rights are missing, and StoreError where the store itself fails.
    """

    @property
    def url(self) -> str:
        """The store's address, as the settings name it."""

    def now(self) -> float:
        """Seconds since 1970 by the store's clock."""

    def probe(self) -> None:
        """Return when the store answers and may be read; else raise StoreError."""

    def read(self, key: str, *, limit: int = MAX_OBJECT_BYTES) -> Blob:
        """Read an object; NotFoundError where there is none, TooLargeError over `limit` bytes."""

    def create(self, key: str, data: bytes, *, kind: StorageClass) -> str:
        """Write where nothing is, and return the version; else ExistsError."""

    def swap(self, key: str, data: bytes, version: str, *, kind: StorageClass) -> str:
        """Replace that version alone, and return the new one; else SwapRefusedError.

        Parameters
        ----------
        key : str
            Object.
        data : bytes
            New content.
        version : str
            Version that it must have.
        kind : StorageClass
            Storage class.
        """

    def put(self, key: str, data: bytes, *, kind: StorageClass) -> None:
        """Write unconditionally: for hints, and for files with a single writer."""

    def put_file(self, key: str, path: Path, *, kind: StorageClass) -> None:
        """Write a file of any size."""

    def get_file(self, key: str, path: Path, *, limit: int | None = None, signals: StopSignals | None = None) -> None:
        """Copy an object to a file, within a limit and until a stop.

        Parameters
        ----------
        key : str
            Object.
        path : Path
            File to write.
        limit : int or None
            Largest size [bytes].
        signals : StopSignals or None
            Requests to stop.
        """

    def list(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        """List the keys under a prefix that follow `after`, in order."""

    def delete(self, key: str) -> None:
        """Delete an object; do nothing where there is none."""

    def presign_get(self, key: str, *, expires_s: int) -> str:
        """Return a temporary address of the object."""

    def presign_put(self, key: str, *, expires_s: int, kind: StorageClass) -> SignedUpload:
        """Return a temporary address for one upload, and its headers."""


def check_size(key: str, size: int, limit: int | None) -> None:
    """Raise TooLargeError for an object of over `limit` bytes."""
    if limit is not None and size > limit:
        raise TooLargeError(f"{Path(key).name} has {size / 1e6:.1f} MB; at most {limit / 1e6:.1f} MB are taken")


def content_type(key: str) -> str:
    """Media type with which a browser opens the file."""
    suffix = Path(key).suffix.lower()
    return _MEDIA_TYPES.get(suffix) or mimetypes.guess_type(key)[0] or "application/octet-stream"
