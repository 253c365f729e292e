"""One attempt at a job: its lease, its one writer, its files."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pacifico.errors import InputError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.records import SwapLostError
from pacifico.jobs.request import UnknownVersionError, file_sha256
from pacifico.jobs.status import MAX_FILES, Artifact
from pacifico.jobs.store.base import MAX_OBJECT_BYTES, NotFoundError, StoreError
from pacifico.run.manifest import is_litter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pacifico.jobs.records import Records, StoredStatus
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.status import Status

log = logging.getLogger(__name__)

#: Date and Last-Modified have whole seconds: others may see the lease end this much early [s].
_ROUNDING_S = 1.2
#: Shortest pause between two writes of progress [s].
_PROGRESS_S = 1.0
_UPLOADS = 8  # files at once

#: Pause between two looks at the status, so that a cancelled job stops soon. Leases are renewed more seldom [s].
LOOK_S = 1.0
_TRIES = 4  # of each file
_LISTED_BYTES = 120  # of a file in a status, beside its name: its hash, its size, and the names of both
_OTHER_BYTES = 65_536  # of a status, beside its list of files


class LostError(Exception):
    """The job is no longer this attempt's.

    It must stop and commit nothing.

    `current` is the status that took its place, None where the store gave no answer. `deleted` tells that the job is gone.
    """

    def __init__(self, message: str, current: StoredStatus | None = None, *, deleted: bool = False) -> None:
        super().__init__(message)
        self.current = current
        self.deleted = deleted


class Attempt:
    """A claimed job.

    All its writes of the status go through one lock.

    Parameters
    ----------
    records : Records
        The store's jobs.
    stored : StoredStatus
        The status as claimed.
    before : Status
        The status before the claim, whose listing hint is replaced.
    request : JobRequest
        What to run.
    settings : Settings
        Pauses.
    started : float
        When the claim was sent, by `clock` [s].
    """

    clock = staticmethod(time.monotonic)

    def __init__(
        self,
        records: Records,
        stored: StoredStatus,
        *,
        before: Status,
        request: JobRequest,
        settings: Settings,
        started: float,
    ) -> None:
        self.request = request
        self._records = records
        self._stored = stored
        self._nonce = stored.status.nonce
        self._before = before
        self._settings = settings
        self._deadline = self._lease_end(started)
        self._lock = threading.Lock()
        self._lost: LostError | None = None
        self._ended = False
        self._stage: tuple[str, str] | None = None
        self._wake = threading.Event()
        self._given_up = threading.Event()

    @property
    def status(self) -> Status:
        """The status as last written."""
        return self._stored.status

    def check(self) -> None:
        """Raise LostError if the job is no longer this attempt's."""
        if self._lost is not None:
            raise self._lost

    def progress(self, stage: str, message: str) -> None:
        """Set the progress that the next renewal writes, and bring it forward."""
        self._stage = (stage, message)
        self._wake.set()

    def swap(self, change: Callable[[Status, float], Status]) -> Status:
        """Write the attempt's next status, trying until its lease ends.

        Raises
        ------
        LostError
            Nonce or state are another's, or the lease ended before the store answered.
        """
        with self._lock:
            self.check()
            before = self._stored.status
            if self._ended:  # a renewal that waited for the lock during the last write
                return before
            while True:
                new = change(self._stored.status, self._now())
                try:
                    self._stored = self._write(new)
                    break
                except SwapLostError as swap_lost:
                    current = swap_lost.current
                    if current.status.nonce == self._nonce and current.status.status == "processing":
                        self._stored = current  # an own write whose reply was lost
                        continue
                    raise self._lose(f"the job is {current.status.status} by now", current) from swap_lost
            if new.status != "processing":
                self._ended = True
                self._records.index(new, before=before)
            return new

    @contextlib.contextmanager
    def renewing(self, abandon: threading.Event, keep_hidden: Callable[[], None] | None) -> Iterator[None]:
        """Renew the lease in a thread.

        Set `abandon` when the job is lost.
        """
        done = threading.Event()

        def renew() -> None:
            self._records.index(self.status, before=self._before)
            last = self.clock()
            while not done.is_set():
                self._wait_for_renewal(last)
                if self._wake.is_set() and not done.wait(max(0.0, last + _PROGRESS_S - self.clock())):
                    self._wake.clear()
                if done.is_set() or self._ended:
                    return
                last = self.clock()
                try:
                    self.swap(self._renewed)
                except LostError as lost:
                    log.warning("%s: attempt %d is lost: %s", self.status.layout_id, self.status.attempt, lost)
                    abandon.set()
                    return
                except Exception as error:
                    # Even a bug must not let the job run on without a lease.
                    log.exception("%s: renewal failed", self.status.layout_id)
                    self._lose(f"renewal failed: {error!r}")
                    abandon.set()
                    return
                if keep_hidden is not None:
                    try:
                        keep_hidden()
                    except Exception as error:  # noqa: BLE001 (costs a second delivery at worst)
                        log.warning("%s: message not kept hidden: %s", self.status.layout_id, error)

        thread = threading.Thread(target=renew, name="renew", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            self._wake.set()
            thread.join()

    def upload(self, folder: Path) -> dict[str, Artifact]:
        """Upload every file of a report folder and return their hashes.

        Raises
        ------
        InputError
            A file's name can't be stored, or there are more files than a status can list.
        StoreError
            The store fails at every try.
        """
        files = [(path, keys.safe_path(path.relative_to(folder).as_posix())) for path in _files(folder)]
        _check_listing([name for _, name in files])
        with ThreadPoolExecutor(_UPLOADS, thread_name_prefix="upload") as pool:
            return dict(pool.map(lambda item: (item[1], self._upload(*item)), files))

    def keep(self, folder: Path, within_s: float) -> None:
        """Upload what ran of an interrupted attempt, as far as time allows.

        Nothing points to these files: the job runs again.
        """

        def upload() -> None:
            try:
                self.upload(folder)
            except (InputError, StoreError, LostError) as error:
                log.warning("%s: interrupted attempt not kept: %s", self.status.layout_id, error)

        thread = threading.Thread(target=upload, name="keep", daemon=True)
        thread.start()
        thread.join(within_s)
        self._given_up.set()

    def discard(self) -> None:
        """Delete the files and the hint that this attempt wrote after its job was deleted."""
        owner, layout_id = self.request.owner, self.request.layout_id
        store = self._records.store
        try:
            if self._records.exists(owner, layout_id):
                return  # submitted again meanwhile: the files may be those of the new job
            for entry in store.list(f"{keys.attempt(owner, layout_id, self.status.attempt)}/"):
                store.delete(entry.key)
            self._records.remove_hint(self.status)
        except StoreError as error:
            log.warning("%s: files of the deleted job are left for a clean-up: %s", layout_id, error)

    def _wait_for_renewal(self, last: float) -> None:
        """Wait for progress, a due renewal, or the job's loss."""
        pause = self._settings.renew_s
        if pause <= 2 * LOOK_S:
            self._wake.wait(pause)
            return
        while not self._wake.wait(min(LOOK_S, max(0.0, last + pause - self.clock()))):
            if self._ended or self.clock() - last >= pause or not self._is_own():
                return

    def _is_own(self) -> bool:
        """Whether the status is still this attempt's; True without an answer."""
        try:
            found = self._records.read(self.request.owner, self.request.layout_id).status
        except StoreError:
            return True
        except (InputError, UnknownVersionError):
            return False
        return found.nonce == self._nonce and found.status == "processing"

    def _upload(self, path: Path, name: str) -> Artifact:
        key = keys.artifact(self.request.owner, self.request.layout_id, self.status.attempt, name)
        for tried in range(1, _TRIES + 1):
            self.check()
            if self._given_up.is_set():
                raise StoreError(f"{name} not uploaded in time")
            try:
                self._records.store.put_file(key, path, kind="reports")
                break
            except StoreError:
                if tried == _TRIES:
                    raise
                time.sleep(0.5 * 2**tried)
        return Artifact(sha256=file_sha256(path), bytes=path.stat().st_size)

    def _renewed(self, status: Status, now: float) -> Status:
        stage, message = self._stage or (None, None)
        return states.renewed(status, now=now, stage=stage, message=message)

    def _write(self, new: Status) -> StoredStatus:
        """Swap the same bytes until the store answers or the lease ends."""
        while True:
            started = self.clock()
            if started > self._deadline:
                raise self._lose("the lease ended before it could be renewed")
            try:
                stored = self._records.swap(self._stored, new)
            except StoreError as error:
                log.warning("%s: status not written: %s", new.layout_id, error)
                time.sleep(min(0.5, self._settings.renew_s))
                continue
            except (InputError, UnknownVersionError) as error:  # deleted, or overwritten with something else
                gone = isinstance(error, NotFoundError)
                raise self._lose(f"its status can't be read back: {error}", deleted=gone) from error
            # An earlier try may have been made and its reply lost: the lease runs since then.
            self._deadline = self._lease_end(started - stored.age_s)
            return stored

    def _now(self) -> float:
        while True:
            try:
                return self._records.now()
            except StoreError as error:
                if self.clock() > self._deadline:
                    raise self._lose("the lease ended while the store was away") from error
                time.sleep(0.5)

    def _lease_end(self, started: float) -> float:
        return started + (self._stored.status.lease_seconds or 0.0) - _ROUNDING_S

    def _lose(self, reason: str, current: StoredStatus | None = None, *, deleted: bool = False) -> LostError:
        message = f"{self.status.layout_id} attempt {self.status.attempt}: {reason}"
        self._lost = LostError(message, current, deleted=deleted)
        return self._lost


def _check_listing(names: list[str]) -> None:
    """Refuse more files than a status can list and its readers take."""
    size = sum(len(name) + _LISTED_BYTES for name in names)
    if len(names) > MAX_FILES or size > MAX_OBJECT_BYTES - _OTHER_BYTES:
        raise InputError(
            f"the report has {len(names)} files, whose list takes {size / 1e6:.1f} MB; at most {MAX_FILES} files and "
            f"{(MAX_OBJECT_BYTES - _OTHER_BYTES) / 1e6:.1f} MB are taken: write fewer files"
        )


def _files(folder: Path) -> list[Path]:
    """Files of a report.

    Symbolic links are refused: they may point outside it.
    """
    if not folder.is_dir():
        return []
    found = [path for path in sorted(folder.rglob("*")) if not is_litter(path.relative_to(folder))]
    for path in found:
        if path.is_symlink():
            raise InputError(f"report holds the link {path.name!r}; write a file instead")
    return [path for path in found if path.is_file()]
