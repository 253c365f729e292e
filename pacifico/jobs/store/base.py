"""The store: what a job is asked, where it stands and what it made, in a local folder or in S3.

Both forms keep one protocol. Writes that matter are conditional: `create` (only where nothing is) and `swap` (only over
the version that was read). Age is told by the store's own clock, so that nobody else's needs to be right.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from pacifico.errors import InputError, OutsideServiceError, PacificoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


#: Value of the object tag `class`; the bucket's lifecycle rules go by it. `jobs` (requests, statuses, hints) never expires.
StorageClass = Literal["uploads", "terrain", "exports", "reports", "jobs"]

_TYPES = {
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
    """Nothing of that name is the caller's."""


class ExistsError(PacificoError):
    """A `create` found something in its place."""


class SwapRefusedError(PacificoError):
    """A `swap` found another version than the one it was to replace."""


class StoreError(OutsideServiceError):
    """The store failed or can't be reached; whether the last write landed is unknown."""


@dataclass(frozen=True, slots=True)
class Blob:
    """An object with its version and its age [s], both as the store tells them."""

    data: bytes
    version: str
    age_s: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing; `modified` in seconds since 1970, by the store's clock."""

    key: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """An address that takes one PUT without credentials, with the headers it must carry."""

    url: str
    headers: Mapping[str, str]
    expires_s: int


class Store(Protocol):
    """What both forms of the store do. Every method raises StoreError where the store itself fails."""

    @property
    def url(self) -> str:
        """The store's address, as the settings name it."""

    def now(self) -> float:
        """Seconds since 1970 by the store's clock."""

    def read(self, key: str) -> Blob:
        """Read a small object; NotFoundError where there is none, or none of ours."""

    def create(self, key: str, data: bytes, *, kind: StorageClass) -> str:
        """Write where nothing is, and return the version; else ExistsError."""

    def swap(self, key: str, data: bytes, version: str, *, kind: StorageClass) -> str:
        """Write over that version alone, and return the new one; else SwapRefusedError."""

    def put(self, key: str, data: bytes, *, kind: StorageClass) -> None:
        """Write, whatever is there: for hints and for files that only one attempt writes."""

    def put_file(self, key: str, path: Path, *, kind: StorageClass) -> None:
        """Write a file of any size."""

    def get_file(self, key: str, path: Path, *, limit: int | None = None) -> None:
        """Read an object of any size into a file; InputError where it is over `limit` bytes."""

    def list(self, prefix: str) -> Iterator[Entry]:
        """List the keys under a prefix, in their order."""

    def delete(self, key: str) -> None:
        """Delete; where nothing is, do nothing."""

    def presign_get(self, key: str, *, expires_s: int) -> str:
        """Give an address that anyone may read the object from, for a while."""

    def presign_put(self, key: str, *, expires_s: int, kind: StorageClass) -> SignedUpload:
        """Give an address that anyone may write the object to, for a while."""


def content_type(key: str) -> str:
    """Media type by which a browser opens the file."""
    suffix = Path(key).suffix.lower()
    return _TYPES.get(suffix) or mimetypes.guess_type(key)[0] or "application/octet-stream"
