"""One attempt at a job: its lease, its one writer, its files."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs import keys
from pacifico.jobs import status as states
from pacifico.jobs.records import RefusedError
from pacifico.jobs.request import UnknownVersionError, file_sha256
from pacifico.jobs.status import Artifact
from pacifico.jobs.store.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pacifico.jobs.records import Held, Records
    from pacifico.jobs.request import JobRequest
    from pacifico.jobs.settings import Settings
    from pacifico.jobs.status import Status

log = logging.getLogger(__name__)

#: Date and Last-Modified are told to the second: another may see the lease dead this much before its time [s].
_ROUNDING_S = 1.2
#: Least pause between two writes of progress [s].
_PROGRESS_S = 1.0
_UPLOADS = 8
_TRIES = 4


class LostError(Exception):
    """The job is no longer this attempt's: it must stop, and commit nothing."""

    def __init__(self, message: str, current: Held | None = None) -> None:
        super().__init__(message)
        self.current = current


class Attempt:
    """A claimed job. All its writes of the status go through one lock, in order."""

    clock = staticmethod(time.monotonic)

    def __init__(
        self, records: Records, held: Held, *, before: Status, request: JobRequest, settings: Settings, started: float
    ) -> None:
        self.request = request
        self._records = records
        self._held = held
        self._nonce = held.status.nonce
        self._before = before
        self._settings = settings
        self._deadline = self._lease_end(started)
        self._lock = threading.Lock()
        self._lost: LostError | None = None
        self._ended = False
        self._stage: tuple[str, str] | None = None
        self._wake = threading.Event()

    @property
    def status(self) -> Status:
        """The status as last written."""
        return self._held.status

    def check(self) -> None:
        """Raise LostError where the job is no longer this attempt's."""
        if self._lost is not None:
            raise self._lost

    def progress(self, stage: str, message: str) -> None:
        """Note how far the run is; the next renewal carries it, soon."""
        self._stage = (stage, message)
        self._wake.set()

    def swap(self, change: Callable[[Status, float], Status]) -> Status:
        """Write the attempt's next status, whatever it takes within its lease.

        Raises
        ------
        LostError
            Nonce or state are no longer its own, or the lease ended before the store answered.
        """
        with self._lock:
            self.check()
            before = self._held.status
            if self._ended:  # a renewal that waited for the lock while the last write was made
                return before
            while True:
                new = change(self._held.status, self._now())
                try:
                    self._held = self._write(new)
                    break
                except RefusedError as refused:
                    current = refused.current
                    if current.status.nonce == self._nonce and current.status.status == "processing":
                        self._held = current  # a write of ours whose reply was lost came late
                        continue
                    raise self._lose(f"the job is {current.status.status} by now", current) from refused
            if new.status != "processing":
                self._ended = True
                self._records.index(new, before=before)
            return new

    @contextlib.contextmanager
    def renewing(self, abandon: threading.Event, keep_hidden: Callable[[], None] | None) -> Iterator[None]:
        """Renew the lease from a thread of its own; `abandon` is set when the job is lost."""
        done = threading.Event()

        def renew() -> None:
            self._records.index(self.status, before=self._before)
            last = self.clock()
            while not done.is_set():
                self._wake.wait(self._settings.renew_s)
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
                    # A bug must not leave the job running without a lease.
                    log.exception("%s: renewal broke", self.status.layout_id)
                    self._lose(f"renewal broke: {error!r}")
                    abandon.set()
                    return
                if keep_hidden is not None:
                    try:
                        keep_hidden()
                    except OutsideServiceError as error:
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
        """Write every file of a report folder under this attempt, and return their hashes.

        Raises
        ------
        InputError
            A file's name can't be stored.
        StoreError
            The store fails, also after several tries.
        """
        files = [(path, keys.safe_path(path.relative_to(folder).as_posix())) for path in _files(folder)]
        with ThreadPoolExecutor(_UPLOADS, thread_name_prefix="upload") as pool:
            return dict(pool.map(lambda item: (item[1], self._upload(*item)), files))

    def _upload(self, path: Path, name: str) -> Artifact:
        key = keys.artifact(self.request.owner, self.request.layout_id, self.status.attempt, name)
        for tried in range(1, _TRIES + 1):
            self.check()
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

    def _write(self, new: Status) -> Held:
        """Swap the same bytes until the store answers, or the lease has ended."""
        while True:
            started = self.clock()
            if started > self._deadline:
                raise self._lose("the lease ended before it could be renewed")
            try:
                held = self._records.swap(self._held, new)
            except StoreError as error:
                log.warning("%s: status not written: %s", new.layout_id, error)
                time.sleep(min(0.5, self._settings.renew_s))
                continue
            except (InputError, UnknownVersionError) as error:  # deleted, or overwritten by what is no status
                raise self._lose(f"its status can't be read back: {error}") from error
            self._deadline = self._lease_end(started)
            return held

    def _now(self) -> float:
        while True:
            try:
                return self._records.now()
            except StoreError as error:
                if self.clock() > self._deadline:
                    raise self._lose("the lease ended while the store was away") from error
                time.sleep(0.5)

    def _lease_end(self, started: float) -> float:
        return started + (self._held.status.lease_seconds or 0.0) - _ROUNDING_S

    def _lose(self, reason: str, current: Held | None = None) -> LostError:
        self._lost = LostError(f"{self.status.layout_id} attempt {self.status.attempt}: {reason}", current)
        return self._lost


def _files(folder: Path) -> list[Path]:
    """Files of a report, symbolic links refused: what they point to isn't the report's."""
    if not folder.is_dir():
        return []
    found = sorted(folder.rglob("*"))
    for path in found:
        if path.is_symlink():
            raise InputError(f"report holds the link {path.name!r}; only files of its own are kept")
    return [path for path in found if path.is_file()]
