"""Find and delete what no job needs any more.

That is files of replaced attempts, and sites and uploads that no request names. A bucket's lifecycle rules know an object's age and tag, but not what points to it. This does.
"""

from __future__ import annotations

import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.request import UnknownVersionError
from pacifico.jobs.runner.parameters import FILE_PARAMETERS
from pacifico.jobs.runner.staging import upload_hash
from pacifico.jobs.store.base import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pacifico.jobs.records import Records
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.status import Status
    from pacifico.jobs.store.base import Entry, Store

log = logging.getLogger(__name__)

_READERS = 16  # requests and statuses read at once
_DAY_S = 86_400.0

Kind = Literal["attempt", "site", "upload"]


@dataclass(frozen=True, slots=True)
class Leftover:
    """Objects that belong together and that nothing points to."""

    kind: Kind
    name: str
    """The attempt's layout and number, or the site or upload."""
    reason: str
    keys: tuple[str, ...]
    bytes: int


@dataclass
class _Owned:
    """One owner's objects, by what they belong to."""

    layouts: set[str] = field(default_factory=set)
    attempts: dict[tuple[str, int], list[Entry]] = field(default_factory=dict)
    sites: dict[str, list[Entry]] = field(default_factory=dict)
    uploads: dict[str, list[Entry]] = field(default_factory=dict)


@dataclass
class _Needed:
    """What the owner's jobs point to."""

    statuses: dict[str, Status | None] = field(default_factory=dict)
    """By layout; None where there is none."""
    sites: set[str] = field(default_factory=set)
    uploads: set[str] = field(default_factory=set)
    unread: int = 0
    """Jobs whose request or status can't be read: what they point to is not known."""


def find_leftovers(records: Records, owner: str, *, older_than_days: float) -> list[Leftover]:
    """Find what an owner's jobs do not need.

    Parameters
    ----------
    records : Records
        The store's jobs.
    owner : str
        Whose objects.
    older_than_days : float
        Least age: younger objects may belong to a job that is just being submitted [d].

    Returns
    -------
    list of Leftover
        Attempts first, then sites and uploads. Nothing that a job points to, and nothing while a request can't be read
        that might point to it.
    """
    owned = _owned(records.store, owner)
    needed = _needed(records, owner, owned.layouts)
    newest = records.now() - older_than_days * _DAY_S
    found = []
    for (layout_id, number), entries in owned.attempts.items():
        if reason := _why_orphaned(layout_id, number, owned, needed):
            found.append(_leftover("attempt", f"{layout_id} attempt {number}", reason, entries))
    if needed.unread:
        log.warning(
            "%d jobs can't be read; all sites and uploads are kept, since these jobs may need them", needed.unread
        )
    else:
        found += [
            _leftover("site", name, "no request names it", entries)
            for name, entries in owned.sites.items()
            if name not in needed.sites
        ]
        found += [
            _leftover("upload", name, "no request names it", entries)
            for name, entries in owned.uploads.items()
            if name not in needed.uploads
        ]
    ages = {e.key: e.modified for group in (owned.attempts, owned.sites, owned.uploads) for es in group.values() for e in es}  # fmt: skip
    return [leftover for leftover in found if all(ages[key] < newest for key in leftover.keys)]


def delete_leftovers(store: Store, leftovers: Iterable[Leftover]) -> None:
    """Delete the objects of leftovers.

    Raises
    ------
    StoreError
        The store failed, or refuses; the rest is still there, and the same call may be made again.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        list(pool.map(store.delete, [key for leftover in leftovers for key in leftover.keys]))


def _owned(store: Store, owner: str) -> _Owned:
    """List an owner's objects by what they belong to."""
    prefix = f"owners/{keys.encode(owner)}/"
    owned = _Owned()
    for entry in store.list(prefix):
        parts = entry.key.removeprefix(prefix).split("/")
        if parts[0] == "layouts" and len(parts) == 3 and _is_layout_id(parts[1]):
            owned.layouts.add(parts[1])
        elif parts[0] == "layouts" and len(parts) > 4 and parts[2] == "attempts" and parts[3].isdecimal():
            owned.attempts.setdefault((parts[1], int(parts[3])), []).append(entry)
        elif parts[0] == "sites" and len(parts) > 2:
            owned.sites.setdefault(parts[1], []).append(entry)
        elif parts[0] == "uploads" and len(parts) > 2:
            owned.uploads.setdefault(parts[1], []).append(entry)
    return owned


def _is_layout_id(segment: str) -> bool:
    """Whether a folder may be a job's: owners can write others beside them."""
    with contextlib.suppress(InputError):
        return keys.canonical_id(segment) == segment
    return False


def _needed(records: Records, owner: str, layouts: set[str]) -> _Needed:
    """Read what the owner's jobs point to."""
    needed = _Needed()

    def read(layout_id: str) -> tuple[str, Status | None, JobRequest | None, bool]:
        status = request = None
        try:
            with contextlib.suppress(NotFoundError):
                status = records.read(owner, layout_id).status
            with contextlib.suppress(NotFoundError):
                request = records.request(owner, layout_id)[0]
        except (InputError, UnknownVersionError):
            return layout_id, status, request, False
        return layout_id, status, request, True

    with ThreadPoolExecutor(_READERS) as pool:
        for layout_id, status, request, is_whole in pool.map(read, sorted(layouts)):
            if not is_whole:
                needed.unread += 1
                continue
            needed.statuses[layout_id] = status
            if request is not None:
                needed.sites.add(keys.encode(request.site_id))
                for address in (request.dem, *(request.parameters.get(name) for name in FILE_PARAMETERS)):
                    with contextlib.suppress(InputError):  # no address of an upload
                        needed.uploads.add(upload_hash("file", address))
    return needed


def _why_orphaned(layout_id: str, number: int, owned: _Owned, needed: _Needed) -> str:
    """Why nothing points to an attempt; empty where something may."""
    if layout_id not in owned.layouts:
        return "its job is gone"
    status = needed.statuses.get(layout_id)
    if status is None or number > status.attempt:
        return ""  # unread, just submitted, or an attempt that has begun meanwhile
    if number < status.attempt:
        return f"attempt {status.attempt} followed"
    if status.status == "queued":
        return "it ended without a result"
    return "its job keeps no report" if status.terminal and not status.artifacts else ""


def _leftover(kind: Kind, name: str, reason: str, entries: list[Entry]) -> Leftover:
    """Make a leftover of its objects.

    Parameters
    ----------
    kind : str
        What it is.
    name, reason : str
        For messages.
    entries : list of Entry
        Its objects.
    """
    return Leftover(kind, name, reason, tuple(e.key for e in entries), sum(e.size for e in entries))
