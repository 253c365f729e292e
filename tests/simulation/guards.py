"""Guards of the product, each with the change that removes it.

`removed(guard)` compiles one function of the product without it. A guard whose text is no longer there is an error, so the
list follows the code.
"""

from __future__ import annotations

import contextlib
import inspect
import textwrap
from dataclasses import dataclass
from unittest import mock

from pacifico.jobs import attempt, delivery, keys, lifecycle, records, sending, status
from worker import loop


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard: `text` of a function, and what stands there without it."""

    name: str
    owner: object
    function: str
    text: str
    without: str


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
    Guard("no commit before every file is stored", attempt.Attempt, "_upload", "if tried == _TRIES:", "if tried == _TRIES:\n                break\n            if False:"),
    Guard("a copy is sent before the deletion", delivery, "settle", "queue.send_copy(message, delay_s=delivery.delay_s)\n        queue.delete(message)", "queue.delete(message)\n        queue.send_copy(message, delay_s=delivery.delay_s)"),
    Guard("a message is deleted after its job ended", loop.Worker, "_take", "with self._services.protection.held():", "self._services.queue.delete(message)\n    with self._services.protection.held():"),
    Guard("who meets a live lease keeps a message", lifecycle, "deliver", 'do="copy", delay_s=claimed', 'do="delete", delay_s=claimed'),
    Guard("who lost a job leaves the message to its holder", lifecycle, "_lost", "status is not None and status.terminal", "status is not None"),
    Guard("a cancel leaves an ended job alone", records.Records, "cancel", "None if stored.status.terminal else ", ""),
    Guard("a redrive needs a failed or queued job", records.Records, "redrive", 'status.status not in ("failed", "queued") and not stored.lease_dead', "False"),
    Guard("a redrive leaves the request's own faults", records.Records, "redrive", "and not force", "and False"),
    Guard("a sweep leaves a live lease alone", records.Records, "fail_dead", "stored.alive or ", ""),
    Guard("a sweep leaves an ended job alone", records.Records, "fail_dead", "status.terminal or ", ""),
    Guard("a sweep leaves a job that was queued after its letter", records.Records, "fail_dead", "or (requeued and not stranded)", ""),
    Guard("a sweep takes a job that lost its new message", records.Records, "fail_dead", "requeued and not stranded", "requeued"),
    Guard("dead letters end their jobs", loop.Worker, "_sweep", "self._fail_dead_letter(message, queue_empty=queue_empty)", "pass"),
    Guard("a stop costs no receive", lifecycle, "_end", 'kind == "cancelled" and stop.requested', "False"),
    Guard("an outage costs no receive: the message is handed back", loop.Worker, "_take", "delivery.store_failed and self._store_away()", "False"),
    Guard("an outage costs no receive: the store is asked first", loop.Worker, "_receive", "self._probe()", "pass"),
    Guard("an outage costs no receive: a store that takes no writes is away", loop.Worker, "_store_away", "self._store_failed = True", "pass"),
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
