"""The store and the queue of a simulation: the contracts of S3 and SQS in memory, over a network with faults."""

from __future__ import annotations

import contextlib
import hashlib
from collections import deque

from pacifico.jobs.queue import Message, QueueDeniedError, QueueError
from pacifico.jobs.store.base import (
    MAX_OBJECT_BYTES,
    Blob,
    Entry,
    ExistsError,
    NotFoundError,
    PermissionDeniedError,
    Stat,
    StoreError,
    SwapRefusedError,
    check_size,
)

from .faults import HOUR_S, LONGEST_S

_STORE_ERRORS = (StoreError, PermissionDeniedError)
_QUEUE_ERRORS = (QueueError, QueueDeniedError)
_EPOCH = 1_700_000_000.0


class Network:
    """Carries requests to the services, and lets them fail as the plan says."""

    def __init__(self, scheduler, rng, plan):
        self.scheduler = scheduler
        self.rng = rng
        self.plan = plan
        self.offset = _EPOCH  # of the services' clock
        self.under_way = 0  # requests whose senders no longer wait
        self.trace = None  # a list takes a line for every request
        self.aim = None  # process, request, how often it came before, fault: that one fails

    def clock(self):
        """The services' clock [s since 1970]."""
        return self.scheduler.now + self.offset

    def faulty(self):
        """Whether faults happen still."""
        return self.scheduler.now < self.plan.end

    def away(self, service):
        """Whether a service is away now."""
        outage, period, now = self.plan.outages.get(service), self.plan.period, self.scheduler.now
        if outage is None or not outage[0] <= now < min(outage[1], self.plan.end):
            return False
        return period is None or (now - outage[0]) % period < period / 2

    def call(self, service, name, effect, errors, *, writes=False):
        """Send one request.

        Parameters
        ----------
        service : str
            "store" or "queue".
        name : str
            What is asked, beginning with the kind of request.
        effect : callable
            What the service does.
        errors : tuple
            Exceptions of an outage and of missing rights.
        writes : bool
            Whether a full disk refuses it.
        """
        scheduler, rng, plan = self.scheduler, self.rng, self.plan
        fault = None
        if scheduler.now < plan.end:
            if plan.rate and rng.random() < plan.rate and (plan.focus is None or name.startswith(plan.focus)):
                fault = rng.choice(plan.kinds)
            scheduler.sleep(rng.random() * plan.latency)
            if plan.outages and (self.away(service) or (writes and plan.folder and self.away("disk"))):
                fault = "error"
        else:
            scheduler.sleep(rng.random() * plan.latency)
        if self.aim is not None:
            fault = self._aimed(name) or fault
        if self.trace is not None:
            self.trace.append((round(scheduler.now, 3), scheduler.current.process.name, service, name, fault))
        if fault is None:
            return effect()
        return self._fail(fault, effect, errors)

    def _aimed(self, name):
        process, request, left, fault = self.aim
        if (process, request) != (self.scheduler.current.process.name, name):
            return None
        self.aim = (process, request, left - 1, fault) if left else None
        return None if left else fault

    def _fail(self, fault, effect, errors):
        scheduler, rng = self.scheduler, self.rng
        process = scheduler.current.process
        if fault == "slow":
            scheduler.sleep(LONGEST_S * rng.random())
            return effect()
        if fault == "repeated":
            _quietly(effect)
            scheduler.sleep(10 * rng.random())
            return effect()
        if fault == "slow reply":
            try:
                return effect()
            finally:
                scheduler.sleep(LONGEST_S * rng.random())
        if fault in ("pause", "suspend"):
            if rng.random() < 0.5:
                _quietly(effect) if rng.random() < 0.3 else None  # the library sends it again after the pause
            scheduler.pause(process, HOUR_S * rng.random() ** 2, clock_stops=fault == "suspend")
            scheduler.sleep(0.01)
            return effect()
        if fault == "crash before":
            scheduler.kill(process)
        if fault == "crash after":
            _quietly(effect)
            scheduler.kill(process)
        if fault in ("late", "crash, late"):
            self._later(effect, process)
            if fault == "crash, late":
                scheduler.kill(process)
        if fault == "lost reply":
            _quietly(effect)
        if fault == "denied":
            raise errors[1]("access denied")
        scheduler.sleep(30.0 * rng.random() ** 2)
        raise errors[0]("no answer")

    def _later(self, effect, process):
        self.under_way += 1

        def arrive():
            self.under_way -= 1
            _quietly(effect)

        self.scheduler.at(2 * LONGEST_S * self.rng.random(), arrive)


def _quietly(effect):
    """Do it, with an answer that nobody hears."""
    with contextlib.suppress(ExistsError, NotFoundError, SwapRefusedError, StoreError, QueueError):
        effect()


class SimStore:
    """The objects of all owners. Versions are hashes of the content, dates whole seconds, as S3's are."""

    url = "simulation"

    def __init__(self, network, checker):
        self._network = network
        self._checker = checker
        self.objects = {}  # key -> data, version, modified

    def now(self):
        """The store's clock: of a folder a request, of S3 the date of the last reply."""
        if self._network.plan.folder:
            return self._call("now", self._network.clock, writes=True)
        return self._network.clock() - 0.5

    def probe(self):
        self._call("probe", lambda: None)

    def read(self, key, *, limit=MAX_OBJECT_BYTES):
        process = self._process()
        return self._call(f"read {key}", lambda: self._read(key, limit, process))

    def create(self, key, data, *, kind):
        process, sent = self._sender()

        def effect():
            if key in self.objects:
                raise ExistsError(key)
            return self._write(key, data, process, sent)

        return self._call(f"create {key}", effect, writes=True)

    def swap(self, key, data, version, *, kind):
        process, sent = self._sender()
        age_s = None if process is None else process.reads.get(version)

        def effect():
            found = self.objects.get(key)
            if found is None or found[1] != version:
                raise SwapRefusedError(key)
            return self._write(key, data, process, sent, age_s)

        return self._call(f"swap {key}", effect, writes=True)

    def overwrite(self, key, data, *, kind):
        """Write a status whatever is there: what a store without conditional writes would do."""
        process, sent = self._sender()
        return self._call(f"overwrite {key}", lambda: self._write(key, data, process, sent), writes=True)

    def put(self, key, data, *, kind):
        process, sent = self._sender()
        self._call(f"put {key}", lambda: self._write(key, data, process, sent), writes=True)

    def put_file(self, key, path, *, kind, sha256=""):
        self.put(key, path.read_bytes(), kind=kind)

    def stat(self, key):
        process = self._process()
        found = self._call(f"stat {key}", lambda: self._read(key, MAX_OBJECT_BYTES, process))
        return Stat(len(found.data), found.age_s, hashlib.sha256(found.data).hexdigest())

    def get_file(self, key, path, *, limit=None, signals=None):
        path.write_bytes(self.read(key).data)

    def list(self, prefix, *, after=""):
        def effect():
            return sorted(key for key in self.objects if key.startswith(prefix) and key > after)

        found = self._call(f"list {prefix}", effect)
        for key in found:
            yield Entry(key, len(self.objects[key][0]), self.objects[key][2])

    def delete(self, key):
        def effect():
            self._checker.on_delete(key)
            self.objects.pop(key, None)

        self._call(f"delete {key}", effect, writes=True)

    def _read(self, key, limit, process):
        found = self.objects.get(key)
        if found is None:
            raise NotFoundError(key)
        data, version, modified = found
        check_size(key, len(data), limit)
        age_s = float(max(0, int(self._network.clock()) - int(modified)))
        if process is not None and key.endswith("status.json"):
            # what was dead once stays so, also where the clock is set back
            process.reads[version] = max(age_s, process.reads.get(version, 0.0))
        return Blob(data, version, age_s)

    def _write(self, key, data, process, sent, age_s=None):
        if key.endswith("/status.json"):
            # a process that is suspended now has a clock that stands still
            landed = None if process is None else max(sent, self._network.scheduler.now - process.suspended_s)
            self._checker.on_status(process, key, data, age_s, sent, landed=landed)
        new_version = hashlib.md5(data).hexdigest()  # noqa: S324 (as an ETag is)
        if process is not None:
            process.reads[new_version] = 0.0
        self.objects[key] = (data, new_version, self._network.clock())
        return new_version

    def _process(self):
        return self._network.scheduler.current.process

    def _sender(self):
        """The process that writes now, and the time by its clock."""
        return self._process(), self._network.scheduler.monotonic()

    def _call(self, name, effect, *, writes=False):
        return self._network.call("store", name, effect, _STORE_ERRORS, writes=writes)


class _Letter:
    """A message in a queue."""

    __slots__ = ("body", "message_id", "receipt", "receives", "sent", "shown_at")

    def __init__(self, message_id, body, sent, shown_at):
        self.message_id = message_id
        self.body = body
        self.sent = sent
        self.shown_at = shown_at
        self.receives = 0
        self.receipt = ""


class SimQueue:
    """A queue as SQS: at least once, in any order, with a dead-letter queue."""

    def __init__(self, network, *, dead_letters=None, max_receives=3):
        self._network = network
        self._dead_letters = dead_letters
        self._max_receives = max_receives
        self._arrivals = deque()
        self._receipts = 0
        self._sent = 0
        self.letters = []

    def send(self, pointer, *, delay_s=0):
        self._call("send", self._sending(pointer.to_body(), delay_s))

    def send_copy(self, message, *, delay_s):
        self._call("copy", self._sending(message.body, delay_s))

    def send_many(self, pointers):
        unsent = {}
        for pointer in pointers:
            try:
                self.send(pointer)
            except QueueError as error:
                unsent[pointer] = str(error)
        return unsent

    def receive(self, *, wait_s, visibility_s, most=1):
        scheduler = self._network.scheduler
        deadline = scheduler.now + wait_s
        found = self._call("receive", lambda: self._take(most, visibility_s))
        while not found and scheduler.now < deadline:
            first = min((letter.shown_at for letter in self.letters), default=deadline)
            scheduler.wait(self._arrivals, min(deadline, first) - scheduler.now)
            found = self._take(most, visibility_s)
        return found

    def hide(self, message, seconds):
        self._call("hide", lambda: self._show_in(message, max(0, -int(-seconds // 1))))

    def show(self, messages):
        if messages:
            self._call("show", lambda: [self._show_in(message, 0) for message in messages])

    def delete(self, message):
        def effect():
            letter = self._find(message)
            if letter is None or self._happens("undelete"):
                return  # a stale receipt, or a replica that has not heard: it is delivered again
            if letter in self.letters:
                self.letters.remove(letter)

        self._call("delete", effect)

    def depth(self):
        def effect():
            now = self._network.scheduler.now
            fresh = 60.0 if self._happens("lagging depth") else 0.0
            counted = [letter for letter in self.letters if self._network.clock() - letter.sent >= fresh]
            waiting = sum(letter.shown_at <= now for letter in counted)
            return {"waiting": waiting, "held": len(counted) - waiting, "delayed": 0}

        return self._call("depth", effect)

    def _sending(self, body, delay_s):
        def effect():
            now = self._network.scheduler.now
            delay = max(0, min(900, -int(-delay_s // 1)))
            self._sent += 1
            self.letters.append(_Letter(str(self._sent), body, self._network.clock(), now + delay))
            if not delay:
                self._network.scheduler.wake_all(self._arrivals)

        return effect

    def _take(self, most, visibility_s):
        now = self._network.scheduler.now
        found = []
        for letter in [letter for letter in self.letters if letter.shown_at <= now]:
            if self._dead_letters is not None and letter.receives >= self._max_receives:
                self.letters.remove(letter)
                self._dead_letters.letters.append(letter)
                letter.shown_at = now
                continue
            found.append(letter)
        if len(found) > most:
            found = self._network.rng.sample(found, most)
        return [self._deliver(letter, now + visibility_s) for letter in found]

    def _deliver(self, letter, shown_at):
        self._receipts += 1
        letter.receives += 1
        letter.receipt = str(self._receipts)
        if not self._happens("duplicate"):
            letter.shown_at = shown_at
        return Message(letter.message_id, letter.receipt, letter.body, letter.receives, letter.sent)

    def _find(self, message):
        """The letter of a receipt; whether a stale receipt works is up to the queue."""
        for letter in self.letters:
            if letter.receipt == message.receipt:
                return letter
            if letter.message_id == message.message_id and self._happens("stale receipt"):
                return letter
        return None

    def _show_in(self, message, seconds):
        letter = self._find(message)
        if letter is None:
            raise QueueError("the receipt is stale")
        letter.shown_at = self._network.scheduler.now + seconds
        if not seconds:
            self._network.scheduler.wake_all(self._arrivals)

    def _happens(self, kind):
        plan = self._network.plan
        return kind in plan.queue_kinds and self._network.faulty() and self._network.rng.random() < plan.queue_rate

    def _call(self, name, effect):
        return self._network.call("queue", name, effect, _QUEUE_ERRORS)
