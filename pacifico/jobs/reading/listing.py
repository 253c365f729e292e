"""Listings of an owner's layouts, from hints."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.status import STATES
from pacifico.jobs.store.base import StoreError
from pacifico.jobs.uploads import read_site_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pacifico.jobs.records import Records
    from pacifico.jobs.store.base import Store

log = logging.getLogger(__name__)

_READERS = 16  # records read at once


def hint_rows(store: Store, owner: str, *, after: str = "") -> Iterator[dict[str, Any]]:
    """One row for each layout of an owner, newest first, from the key `after` on.

    A crash may leave several hints of a layout: the last one counts. What is no hint is left out.
    """
    row: dict[str, Any] | None = None
    for entry in store.list(keys.index(owner), after=after):
        try:
            created, layout_id, revision, state = keys.read_hint(entry.key)
        except InputError as error:
            log.warning("%s", error)
            continue
        if state not in STATES:
            continue
        if row is not None and row["layout_id"] != layout_id:
            yield row
        row = {
            "layout_id": layout_id,
            "status": state,
            "created_at": created,
            "updated_at": iso(entry.modified),
            "revision": revision,
        }
    if row is not None:
        yield row


def rows_since(store: Store, owner: str, since: datetime | None) -> Iterator[dict[str, Any]]:
    """Rows of an owner's layouts created since a time."""
    for row in hint_rows(store, owner):
        if since is not None and row["created_at"] < since.timestamp() * 1000:
            return
        yield row


def site_names(records: Records, owner: str, layout_ids: Sequence[str]) -> dict[str, str]:
    """Name of each layout's boundary file as uploaded; empty where unreadable.

    Each name takes two reads of the store.

    Parameters
    ----------
    records : Records
        Records of the store.
    owner : str
        Owner of the layouts.
    layout_ids : sequence of str
        Layouts to name.
    """

    def name(layout_id: str) -> str:
        try:
            request, _ = records.request(owner, layout_id)
            return read_site_record(records.store, owner, request.site_id).name
        except (InputError, UnknownVersionError, StoreError) as error:
            log.warning("the site of layout %s is not named: %s", layout_id, error)
            return ""

    with ThreadPoolExecutor(_READERS) as pool:
        return dict(zip(layout_ids, pool.map(name, layout_ids), strict=True))


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        at = datetime.fromtimestamp(0, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
