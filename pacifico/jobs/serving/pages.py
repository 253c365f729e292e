"""Pages of an owner's layouts and sites, with cursors and filters."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.reading.listing import hint_rows, iso
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.store.base import NotFoundError
from pacifico.jobs.uploads import read_site_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pacifico.jobs.serving.owned import OwnedJobs
    from pacifico.jobs.upload_records import SiteRecord

#: Layouts that one page looks at, at most: a filter that matches few of them gives short pages, never slow ones.
_MOST_SCANNED = 500
_READERS = 16  # statuses read at once
_AFTER = "~"  # sorts after every character of a hint

Row = dict[str, Any]


@dataclass(frozen=True)
class LayoutFilter:
    """Which layouts a page shows; None for all."""

    status: str | None = None
    site_id: str | None = None
    error_kind: str | None = None
    since: datetime | None = None

    def takes(self, row: Row) -> bool:
        """Whether a row passes."""
        asked = {"status": self.status, "site_id": self.site_id, "error_kind": self.error_kind}
        return all(value is None or row.get(name) == value for name, value in asked.items())


def layout_page(
    jobs: OwnedJobs, which: LayoutFilter, *, cursor: str | None = None, limit: int = 50
) -> tuple[list[Row], str | None]:
    """One page of layouts, newest first, and the cursor of the next.

    Parameters
    ----------
    jobs : OwnedJobs
        Whose layouts.
    which : LayoutFilter
        Which of them.
    cursor : str, optional
        Where to go on, as the last page returned it.
    limit : int
        Rows of a page, at most.

    Raises
    ------
    NotFoundError
        The cursor is none.
    """
    after = ""
    if cursor is not None:
        created_ms, layout_id = _layout_cursor(cursor)
        after = keys.hints(jobs.owner, layout_id, created_ms=created_ms) + _AFTER
    hints = hint_rows(jobs.store, jobs.owner, after=after)
    rows: list[Row] = []
    scanned = 0
    with ThreadPoolExecutor(_READERS) as pool:
        while scanned < _MOST_SCANNED:
            batch = list(islice(_until(hints, which.since), limit))
            if not batch:
                return rows, None
            scanned += len(batch)
            for hint, row in zip(batch, pool.map(lambda h: _row(jobs, h), batch), strict=True):
                if row is not None and which.takes(row):
                    rows.append(row)
                if len(rows) == limit:
                    return rows, _encode([hint["created_at"], hint["layout_id"]])
    return rows, _encode([batch[-1]["created_at"], batch[-1]["layout_id"]])


def site_page(jobs: OwnedJobs, *, cursor: str | None = None, limit: int = 50) -> tuple[list[SiteRecord], str | None]:
    """One page of sites in the order of their ids, and the cursor of the next.

    Parameters
    ----------
    jobs : OwnedJobs
        Whose sites.
    cursor : str, optional
        Where to go on.
    limit : int
        Rows of a page, at most.

    Raises
    ------
    NotFoundError
        The cursor is none.
    """
    after = "" if cursor is None else f"{keys.site(jobs.owner, _site_cursor(cursor))}/{_AFTER}"
    found: list[SiteRecord] = []
    for entry in jobs.store.list(f"owners/{keys.encode(jobs.owner)}/sites/", after=after):
        folder, _, name = entry.key.rpartition("/")
        if name != "site.json":
            continue
        try:
            record = read_site_record(jobs.store, jobs.owner, keys.decode(folder.rpartition("/")[2]))
        except (InputError, UnknownVersionError, UnicodeError):
            continue  # planted, deleted meanwhile, or of a newer pacifico
        found.append(record)
        if len(found) == limit:
            return found, _encode([record.site_id])
    return found, None


def _until(hints: Iterator[Row], since: datetime | None) -> Iterator[Row]:
    """Hints of layouts that are not older than a time."""
    for hint in hints:
        if since is not None and hint["created_at"] < since.timestamp() * 1000:
            return
        yield hint


def _row(jobs: OwnedJobs, hint: Row) -> Row | None:
    """Row of one layout; None where it is gone or can't be read."""
    try:
        body = jobs.status(hint["layout_id"])
    except (InputError, UnknownVersionError):
        return None
    body.pop("artifacts")
    return {**body, "created_at": iso(hint["created_at"] / 1000)}


def _encode(parts: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _decode(cursor: str, count: int) -> list[Any]:
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(parts, list) and len(parts) == count:
            return parts
    except (ValueError, RecursionError):
        pass
    raise NotFoundError(f"cursor {cursor[:40]!r} is unknown; give the `next` of the page before, or leave it out")


def _layout_cursor(cursor: str) -> tuple[int, str]:
    created_ms, layout_id = _decode(cursor, 2)
    if type(created_ms) is not int or not 0 <= created_ms < 10**13:
        raise NotFoundError(f"cursor {cursor[:40]!r} is unknown; give the `next` of the page before, or leave it out")
    try:
        return created_ms, keys.canonical_id(layout_id)
    except InputError:
        raise NotFoundError(f"cursor {cursor[:40]!r} is unknown; give the `next` of the page before") from None


def _site_cursor(cursor: str) -> str:
    (site_id,) = _decode(cursor, 1)
    if not isinstance(site_id, str):
        raise NotFoundError(f"cursor {cursor[:40]!r} is unknown; give the `next` of the page before, or leave it out")
    return site_id
