"""Uploads of one owner, each file sent once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.jobs import uploads
from pacifico.jobs.request import file_sha256
from pacifico.jobs.submission import quotas
from pacifico.jobs.submission.tickets import Tickets

if TYPE_CHECKING:
    from pathlib import Path

    from pacifico.jobs.settings import Settings
    from pacifico.jobs.store.base import Store


class Uploader:
    """Stores the sites and files of one owner.

    Parameters
    ----------
    store : Store
        Where to write them.
    owner : str
        Whose files.
    settings : Settings
        Limits, and how long the store keeps uploads.
    """

    def __init__(self, store: Store, owner: str, settings: Settings) -> None:
        self._store = store
        self._owner = owner
        self._settings = settings
        self._hashes: dict[tuple[str, int, int, int], str] = {}
        self.tickets = Tickets(store, owner, settings.boundary_max_bytes)

    def site(self, path: Path, *, site_id: str | None, as_read: bytes | None) -> str:
        """Store a boundary file and return its site_id."""
        self._require_room(path)
        return uploads.upload_site(
            self._store,
            path,
            owner=self._owner,
            site_id=site_id,
            limit=self._settings.boundary_max_bytes,
            as_read=as_read,
            keep_days=self._settings.upload_days,
        )

    def file(self, path: Path) -> str:
        """Store any other file; return `upload:<sha256>`.

        A file that this object has stored, and that was not changed since, is not even read again.
        """
        limit = self._settings.dem_max_bytes
        uploads.check_size(path, limit=limit)
        about = path.stat()
        identity = (str(path.resolve()), about.st_ino, about.st_size, about.st_mtime_ns)
        if identity not in self._hashes:
            self._require_room(path)
            sha256 = file_sha256(path)
            uploads.upload_file(
                self._store, path, owner=self._owner, limit=limit, keep_days=self._settings.upload_days, sha256=sha256
            )
            self._hashes[identity] = sha256
        return f"upload:{self._hashes[identity]}"

    def _require_room(self, path: Path) -> None:
        size = path.stat().st_size if path.is_file() else 0
        quotas.require_bytes(self._store, self._owner, self._settings, more=size)
