"""Tickets for uploads without credentials.

Each takes one file of one size, for a short time.
"""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.jobs import keys, uploads
from pacifico.jobs.store.base import PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pacifico.jobs.store.base import SignedUpload, Store

#: Longest time that an address for an upload may hold [s]. Nobody needs longer to begin to send 50 MB.
MAX_EXPIRES_S = 3600


class Tickets:
    """Issues and redeems the upload tickets of one owner.

    Parameters
    ----------
    store : Store
        Where the files arrive.
    owner : str
        Whose files.
    limit : int
        Largest file [bytes].
    """

    def __init__(self, store: Store, owner: str, limit: int) -> None:
        self._store = store
        self._owner = owner
        self._limit = limit

    def issue(self, name: str, *, size_bytes: int, expires_s: int) -> tuple[str, SignedUpload]:
        """Return a ticket and an address for one file.

        Raises
        ------
        InputError
            Kind, size or time are not accepted.
        """
        suffix = Path(name).suffix.lower()
        if suffix not in uploads.BOUNDARIES:
            raise InputError(f"{name[:80]!r} is no boundary file; give one of {', '.join(uploads.BOUNDARIES)}")
        if not 0 < size_bytes <= self._limit:
            raise InputError(
                f"{name[:80]} has {size_bytes} bytes; an upload has 1 to {self._limit}: simplify the boundary, or raise "
                "PACIFICO_BOUNDARY_MAX_MB"
            )
        if not 0 < expires_s <= MAX_EXPIRES_S:
            raise InputError(f"expires_s is {expires_s}; an upload's address holds 1 to {MAX_EXPIRES_S} s")
        ticket = f"{uuid.uuid4()}{suffix}"
        key = self._key(ticket)
        return ticket, self._store.presign_put(key, expires_s=expires_s, kind="uploads", size_bytes=size_bytes)

    @contextmanager
    def redeem(self, ticket: str) -> Iterator[Path]:
        """Yield the file that arrived, then delete it from the store.

        Raises
        ------
        InputError
            The ticket is unknown, nothing arrived, or the file is too large.
        """
        key = self._key(ticket)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"boundary{Path(ticket).suffix}"
            self._store.get_file(key, path, limit=self._limit)
            yield path
        with contextlib.suppress(PermissionDeniedError):  # then it expires
            self._store.delete(key)

    def _key(self, ticket: str) -> str:
        name = Path(ticket)
        if name.name != ticket:
            raise InputError(f"ticket {ticket[:60]!r} is unknown; give one that presign_upload returned")
        return f"{keys.upload(self._owner, keys.canonical_id(name.stem))}/{keys.safe_path('boundary' + name.suffix)}"
