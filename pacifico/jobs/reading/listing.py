"""Listings of an owner's layouts, from hints."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.status import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pacifico.jobs.store.base import Store

log = logging.getLogger(__name__)


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


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        at = datetime.fromtimestamp(0, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
