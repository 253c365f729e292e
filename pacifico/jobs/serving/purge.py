"""Delete a layout, a site or an upload, with everything that belongs to it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.store.base import NotFoundError
from pacifico.jobs.uploads import read_site_record

if TYPE_CHECKING:
    from pacifico.jobs.records import Records
    from pacifico.jobs.store.base import Store

log = logging.getLogger(__name__)


def purge_layout(records: Records, owner: str, layout_id: str) -> int:
    """Cancel a layout if it runs, delete all its objects and return their number.

    The request goes first, so a message that arrives late starts nothing. The status goes last, so a deletion that was
    interrupted can be repeated. An attempt that still runs can't commit any more.

    Raises
    ------
    NotFoundError
        The owner has no such layout.
    StoreError
        The store failed. The same call may be made again.
    """
    layout_id = keys.canonical_id(layout_id)
    created_ms: int | None = None
    try:
        created_ms = records.read(owner, layout_id).status.created_ms
        records.cancel(owner, layout_id)
    except NotFoundError:
        raise
    except (InputError, UnknownVersionError) as error:
        log.warning("layout %s is deleted unread: %s", layout_id, error)
    store = records.store
    store.delete(keys.request(owner, layout_id))
    count = 1 + _delete_below(store, f"{keys.layout(owner, layout_id)}/", keep=keys.status(owner, layout_id))
    count += _delete_hints(store, owner, layout_id, created_ms)
    store.delete(keys.status(owner, layout_id))
    # files that a running attempt uploaded meanwhile; what it uploads later it deletes itself
    return count + 1 + _delete_below(store, f"{keys.layout(owner, layout_id)}/")


def purge_site(store: Store, owner: str, site_id: str) -> int:
    """Delete a site's files and return their number.

    Layouts keep their own copy of the boundary.

    Raises
    ------
    NotFoundError
        The owner has no such site.
    """
    try:
        read_site_record(store, owner, site_id)
    except NotFoundError:
        raise
    except InputError as error:
        log.warning("site %s is deleted unread: %s", site_id, error)
    prefix, record = f"{keys.site(owner, site_id)}/", f"{keys.site(owner, site_id)}/site.json"
    count = _delete_below(store, prefix, keep=record)
    store.delete(record)
    return count + 1


def purge_upload(store: Store, owner: str, sha256: str) -> int:
    """Delete an uploaded file and return the number of objects.

    Raises
    ------
    NotFoundError
        The owner has no such upload.
    """
    count = _delete_below(store, f"{keys.upload(owner, sha256)}/")
    if not count:
        raise NotFoundError(f"upload:{sha256[:64]} is not among the uploads of {owner!r}; check the hash")
    return count


def _delete_below(store: Store, prefix: str, *, keep: str = "") -> int:
    """Delete the objects under a prefix, but for one."""
    found = [entry.key for entry in store.list(prefix) if entry.key != keep]
    for key in found:
        store.delete(key)
    return len(found)


def _delete_hints(store: Store, owner: str, layout_id: str, created_ms: int | None) -> int:
    """Delete the listing hints of a layout.

    Parameters
    ----------
    store : Store
        Where they are.
    owner, layout_id : str
        The layout.
    created_ms : int or None
        Its time of creation [ms], where the status could be read; else all hints are searched.
    """
    prefix = keys.index(owner) if created_ms is None else keys.hints(owner, layout_id, created_ms=created_ms)
    found = [entry.key for entry in store.list(prefix) if f"-{layout_id}/" in entry.key]
    for key in found:
        store.delete(key)
    return len(found)
