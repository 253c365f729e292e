"""Quotas of one owner, and a fair share of the workers.

All are off by default. Quotas are checked by the client, before it stores anything. Submissions at the same moment may pass together, so an owner can
be over a quota by as many. The share of the workers is held by the workers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs.reading.listing import hint_rows
from pacifico.jobs.request import UnknownVersionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pacifico.jobs.records import Records
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.store.base import Store


#: Statuses read to count the running jobs of one owner: hints are the owner's to write, and may be many.
_MOST_READ = 1000


class QuotaError(InputError):
    """An owner has all that the settings allow."""


def jobs_left(store: Store, owner: str, settings: Settings) -> int | None:
    """Number of jobs that may still be submitted; None without a quota."""
    if not settings.max_open_jobs:
        return None
    found = sum(row["status"] in ("queued", "processing") for row in hint_rows(store, owner))
    return max(0, settings.max_open_jobs - found)


def beyond_quota(records: Records, owner: str, settings: Settings, requests: Iterable[JobRequest]) -> set[str]:
    """Ids of new requests that the quota leaves no room for.

    Parameters
    ----------
    records : Records
        The store's jobs.
    owner : str
        Whose jobs.
    settings : Settings
        The quota.
    requests : iterable of JobRequest
        What is to be submitted; requests that are stored already count as jobs.
    """
    left = jobs_left(records.store, owner, settings)
    if left is None:
        return set()
    ids = dict.fromkeys(request.layout_id for request in requests)
    new = [layout_id for layout_id in ids if not records.exists(owner, layout_id)]
    return set(new[left:])


def refusal(owner: str, settings: Settings) -> QuotaError:
    """Error of a job beyond the quota."""
    return QuotaError(
        f"{owner!r} has {settings.max_open_jobs} queued and running jobs, as many as the quota allows; wait for some to end, or "
        "cancel them"
    )


def require_bytes(store: Store, owner: str, settings: Settings, *, more: int) -> None:
    """Refuse bytes beyond the owner's quota of stored ones.

    Parameters
    ----------
    store : Store
        Where the owner's objects are.
    owner : str
        Whose objects.
    settings : Settings
        The quota.
    more : int
        Size of what is to be stored [bytes].

    Raises
    ------
    QuotaError
        With these, too much would be stored.
    """
    limit = settings.max_stored_bytes
    if not limit:
        return
    found = sum(entry.size for entry in store.list(f"owners/{keys.encode(owner)}/"))
    if found + more > limit:
        raise QuotaError(
            f"{owner!r} stores {found / 1e6:.1f} MB, and {more / 1e6:.1f} MB more would exceed the quota of "
            f"{limit / 1e6:.1f} MB; free some with pacifico jobs gc --delete"
        )


def running_jobs(records: Records, owner: str, *, enough: int, besides: str) -> int:
    """Count an owner's running jobs, up to `enough`.

    Parameters
    ----------
    records : Records
        The store's jobs.
    owner : str
        Whose jobs.
    enough : int
        Where to stop counting.
    besides : str
        Layout that is not counted.
    """
    found = read = 0
    for row in hint_rows(records.store, owner):
        if found >= enough or read >= _MOST_READ:
            break
        if row["status"] != "processing" or row["layout_id"] == besides:
            continue
        read += 1
        try:
            found += records.read(owner, row["layout_id"]).alive
        except (InputError, UnknownVersionError):  # planted, gone, or of a newer pacifico
            continue
    return found
