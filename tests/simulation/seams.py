"""Where the simulation takes hold of the product: time, threads, random names, and the services that a client opens.

Everything else of the product runs as it is.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections import deque
from types import SimpleNamespace
from unittest import mock

from pacifico.jobs import attempt, client, keys, lifecycle, records, status, uploads
from pacifico.jobs.submission import checks
from worker import loop

_PURE = (
    (records, "parse_status"),
    (records, "parse_request"),
    (checks, "check_dem"),
    (uploads, "parse_record"),
    (loop, "parse_pointer"),
    (loop, "redact"),
    (lifecycle, "redact"),
    (status, "redact"),
    *((keys, name) for name in ("encode", "canonical_id", "safe_path", "request", "status", "hint", "layout")),
)


class _Active:
    """The running schedule: its scheduler, generator and services."""

    scheduler = None
    rng = None
    store = None
    queue = None


ACTIVE = _Active()


class SimEvent:
    """threading.Event in simulated time."""

    __slots__ = ("_set", "_waiters")

    def __init__(self):
        self._set = False
        self._waiters = deque()

    def is_set(self):
        return self._set

    def set(self):
        self._set = True
        ACTIVE.scheduler.wake_all(self._waiters)

    def clear(self):
        self._set = False

    def wait(self, timeout=None):
        if not self._set:
            ACTIVE.scheduler.wait(self._waiters, timeout)
        return self._set


class SimLock:
    """threading.Lock in simulated time."""

    __slots__ = ("_held", "_waiters")

    def __init__(self):
        self._held = False
        self._waiters = deque()

    def __enter__(self):
        while self._held:
            ACTIVE.scheduler.wait(self._waiters, None)
        self._held = True

    def __exit__(self, *_):
        self._held = False
        if self._waiters:
            ACTIVE.scheduler.wake(self._waiters.popleft())


class SimThread:
    """threading.Thread as a task of the current process."""

    def __init__(self, *, target, name="", daemon=True):
        self._target = target
        self._task = None

    def start(self):
        scheduler = ACTIVE.scheduler
        self._task = scheduler.spawn(scheduler.current.process, self._target, on_end=_raise)

    def join(self, timeout=None):
        end = None if timeout is None else ACTIVE.scheduler.monotonic() + timeout
        while not self._task.finished:
            left = None if end is None else end - ACTIVE.scheduler.monotonic()
            if left is not None and left <= 0:
                return
            ACTIVE.scheduler.wait(self._task.joining, left)

    def is_alive(self):
        return not self._task.finished


class SerialPool:
    """ThreadPoolExecutor that does one thing at a time."""

    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def map(self, function, items):
        return [function(item) for item in items]


def _raise(error):
    if error is not None:
        raise error


def monotonic():
    """Monotonic clock of the running process [s]."""
    return ACTIVE.scheduler.monotonic()


def _sleep(seconds):
    ACTIVE.scheduler.sleep(seconds)


def _nonce():
    return f"{ACTIVE.rng.getrandbits(64):016x}"


@contextlib.contextmanager
def simulated():
    """Run the product in simulated time, for any number of schedules."""
    time = SimpleNamespace(monotonic=monotonic, sleep=_sleep)
    threading = SimpleNamespace(Event=SimEvent, Lock=SimLock, Thread=SimThread)
    patches = [
        (attempt, "time", time),
        (attempt, "threading", threading),
        (attempt, "ThreadPoolExecutor", SerialPool),
        (attempt.Attempt, "clock", staticmethod(monotonic)),
        # looks between renewals write nothing and only bring one forward: left out, they would double the requests
        (attempt, "LOOK_S", float("inf")),
        (client, "ThreadPoolExecutor", SerialPool),
        (client, "open_store", lambda _, session=None: ACTIVE.store),
        (client, "Queue", lambda _, session=None: ACTIVE.queue),
        (lifecycle, "new_nonce", _nonce),
        (loop, "time", time),
        # Pure functions, called with the same arguments again and again.
        *((owner, name, functools.lru_cache(4096)(getattr(owner, name))) for owner, name in _PURE),
    ]
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        for owner, name, value in patches:
            stack.enter_context(mock.patch.object(owner, name, value))
        try:
            yield
        finally:
            logging.disable(before)
