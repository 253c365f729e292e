"""Guards of the product, each with the change that removes it.

`removed(guard)` compiles one function of the product without it. A guard whose text is no longer there is an error, so the
list follows the code.
"""

from __future__ import annotations

import contextlib
import inspect
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

from pacifico.jobs import attempt, keys, lifecycle, records, sending, status
from worker import loop

from .schedules import prepare_sites, run_schedule
from .seams import simulated

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard: `text` of a function, and what stands there without it."""

    name: str
    owner: object
    function: str
    text: str
    without: str
    shape: Mapping | None = None  # fields of the plans, for a guard that few schedules need


#: Schedules in which messages are delivered twice, while workers that hold long jobs die.
_TWICE = {
    "workers": 2, "focus": None, "rate": 0.04, "kinds": ("crash before", "crash after", "error", "pause"),
    "queue_kinds": frozenset({"duplicate", "stale receipt"}), "queue_rate": 0.5, "run_s": 400.0,
}  # fmt: skip
#: Schedules in which nothing goes wrong but that workers are told to stop, again and again.
_STOPS = {"rate": 0.0, "run_rate": 0.0, "run_s": 400.0, "stops": [(40.0 * n, n % 2) for n in range(12)], "workers": 2}
#: Schedules in which workers are told to stop, and die while they do.
_STOPS_AND_CRASHES = {
    **_STOPS, "rate": 0.3, "focus": "copy", "kinds": ("crash before", "crash after", "error"), "purge": None,
}  # fmt: skip
#: Schedules in which workers stand still for longer than their leases, and receipts of others still work.
_LOST = {
    "workers": 2, "focus": None, "rate": 0.06, "kinds": ("pause", "crash before"),
    "queue_kinds": frozenset({"stale receipt"}), "queue_rate": 0.9, "run_s": 400.0,
}  # fmt: skip
#: Schedules in which nothing goes wrong but that the store goes away, again and again or for writes alone.
_OUTAGE = {
    "rate": 0.0,
    "run_rate": 0.0,
    "end": 1500.0,
    "latency": 1.0,
    "outages": {"store": (10.0, 1400.0)},
    "period": 8.0,
}
_FULL = {"rate": 0.0, "run_rate": 0.0, "end": 1500.0, "folder": True, "outages": {"disk": (20.0, 900.0)}}
#: Schedules in which uploads fail.
_UPLOADS = {"rate": 0.4, "focus": "put", "kinds": ("error",)}
#: Schedules in which runs fail by an outside service, and jobs are redriven.
_SERVICE = {"rate": 0.0, "run_rate": 0.8, "run_kinds": ("service",), "end": 1500.0, "workers": 2}
#: Schedules in which failed jobs are redriven, and the services' clock is set back.
_SET_BACK = {
    "rate": 0.06,
    "focus": None,
    "run_rate": 0.5,
    "run_kinds": ("killed", "no process"),
    "steps": [(60.0, -3600.0)],
}


GUARDS = (
    Guard(
        "a swap compares the version",
        records.Records,
        "swap",
        'self.store.swap(key, data, stored.version, kind="jobs")',
        'self.store.overwrite(key, data, kind="jobs")',
    ),
    Guard("a refused or failed swap is read back", records.Records, "swap", "if blob.data == data:", "if False:"),
    Guard(
        "the first status is written only where none is",
        records.Records,
        "ensure_status",
        "self.store.create(keys.status",
        "self.store.overwrite(keys.status",
    ),
    Guard("a layout_id names one request", records.Records, "submit", ".data != data:", ".data is None:"),
    Guard(
        "every job that exists is listed",
        records.Records,
        "ensure_status",
        "self._write_hint(first)",
        "None",
    ),
    Guard(
        "a claim leaves a live lease alone",
        lifecycle,
        "claim",
        "stored.status.terminal or stored.alive",
        "stored.status.terminal",
    ),
    Guard(
        "a claim leaves an ended job alone",
        lifecycle,
        "claim",
        "stored.status.terminal or stored.alive",
        "stored.alive",
    ),
    Guard("every claim has its own nonce", lifecycle, "claim", "new_nonce()", '"nonce"'),
    Guard("a lease ends at its length", status.Status, "lease_alive", "age_s < (", "age_s <= ("),
    Guard("no two statuses have the same bytes", status, "_next", "before.revision + 1", "before.revision"),
    Guard(
        "no time comes before one that it follows",
        status,
        "_next",
        "max(moment(now), before.updated_at)",
        "moment(now)",
    ),
    Guard(
        "a renewal goes on only with its own nonce",
        attempt.Attempt,
        "swap",
        "current.status.nonce == self._nonce and ",
        "",
    ),
    Guard(
        "a renewal goes on only while processing: cancel wins",
        attempt.Attempt,
        "swap",
        ' and current.status.status == "processing"',
        "",
    ),
    Guard("an ended attempt renews nothing", attempt.Attempt, "swap", "if self._ended:", "if False:"),
    Guard("an attempt stops at its own deadline", attempt.Attempt, "_write", "if started > self._deadline:", "if False:"),
    Guard("each attempt has a folder of its own", keys, "attempt", "/attempts/{number}", "/attempts/all"),
    Guard("no commit before every file is stored", attempt.Attempt, "_upload", "if tried == _TRIES:", "if tried == _TRIES:\n                break\n            if False:", shape=_UPLOADS),
    Guard("a copy is sent before the deletion", loop, "settle", "queue.send_copy(message, delay_s=delivery.delay_s)\n        queue.delete(message)", "queue.delete(message)\n        queue.send_copy(message, delay_s=delivery.delay_s)", shape=_STOPS_AND_CRASHES),
    Guard("a message is deleted after its job ended", loop.Worker, "_take", "with self._services.protection.held():", "self._services.queue.delete(message)\n    with self._services.protection.held():"),
    Guard("who meets a live lease keeps a message", loop, "deliver", 'do="copy", delay_s=claimed', 'do="delete", delay_s=claimed', shape=_TWICE),
    Guard("who lost a job leaves the message to its holder", lifecycle, "_lost", "status is not None and status.terminal", "status is not None", shape=_LOST),
    Guard("a cancel leaves an ended job alone", records.Records, "cancel", "None if stored.status.terminal else ", ""),
    Guard("a redrive needs a failed or queued job", records.Records, "redrive", 'status.status not in ("failed", "queued") and not stored.lease_dead', "False"),
    Guard("a redrive leaves the request's own faults", records.Records, "redrive", "and not force", "and False"),
    Guard("a sweep leaves a live lease alone", records.Records, "fail_dead", " or stored.alive", "", shape=_TWICE),
    Guard("a sweep leaves an ended job alone", records.Records, "fail_dead", "status.terminal or ", ""),
    Guard("a sweep leaves a job that was queued after its letter", records.Records, "fail_dead", "if requeued and not", "if False and not", shape=_SERVICE),
    Guard("a sweep takes a job that lost its new message", records.Records, "fail_dead", "stored.age_s >= STRANDED_S and queue_empty()", "False", shape=_SET_BACK),
    Guard("dead letters end their jobs", loop.Worker, "_sweep", "self._fail_dead_letter(message)", "pass"),
    Guard("a stop costs no receive", lifecycle, "_end", 'kind == "cancelled" and stop.requested', "False", shape=_STOPS),
    Guard("an outage costs no receive: the message is handed back", loop.Worker, "_take", "delivery.store_failed and (", "False and (", shape=_OUTAGE),
    Guard("an outage costs no receive: a store that takes no writes is away", loop.Worker, "_store_away", "self._store_failed = True", "pass", shape=_FULL),
    Guard("an error of the queue ends no worker", loop.Worker, "_settle", "except OutsideServiceError as error:", "except ZeroDivisionError as error:"),
    Guard("a lost message is told as stalled", sending.Sender, "stalled", "return not any(self._queue.depth().values())", "return False"),
)  # fmt: skip


@contextlib.contextmanager
def removed(guard):
    """Run the product without one guard."""
    function = inspect.getattr_static(guard.owner, guard.function)
    source = textwrap.dedent(inspect.getsource(function))
    if source.count(guard.text) != 1:
        raise LookupError(f"guard {guard.name!r}: {guard.function} holds its text {source.count(guard.text)} times")
    scope = {}
    text = "from __future__ import annotations\n" + source.replace(guard.text, guard.without)
    exec(compile(text, f"<without: {guard.name}>", "exec"), function.__globals__, scope)  # noqa: S102 (our own code)
    with mock.patch.object(guard.owner, guard.function, scope[guard.function]):
        yield


def schedules_until_caught(guard, *, most):
    """Return how many schedules ran without the guard until one failed, and what it broke; None if none did."""
    with removed(guard), simulated():
        prepare_sites()
        for seed in range(most):
            if violations := run_schedule(seed, shape=guard.shape).violations:
                return seed + 1, violations[0]
    return None
