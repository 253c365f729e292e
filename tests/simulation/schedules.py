"""One schedule from its seed: build the world, let faults happen, let it come to rest, and judge."""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
import uuid
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

from pacifico.jobs import keys, uploads
from pacifico.jobs.request import JobRequest
from pacifico.jobs.settings import Settings

from .actors import FILES, Caller, Helper, start_worker
from .checker import Checker, Job
from .faults import calm_plan, draw_plan
from .scheduler import Process, Scheduler
from .seams import ACTIVE
from .services import Network, SimQueue, SimStore

#: As in use, but idle workers ask for messages and dead letters more seldom: that is most of what they would do.
SETTINGS = Settings(
    store="simulation",
    queue_url="simulation",
    dlq_url="simulation-dead",
    owner="ann",
    lease_s=60,
    visibility_s=120,
    wait_s=240,
    sweep_s=200,
    stop_grace_s=30,
)
OWNERS = ("ann", "bob@example.com")

#: Time after the last fault in which all jobs must end [s]: backoffs of 900 s, leases, and a clock set back by an hour.
CALM_S = 4 * 3600.0 + 6 * 900.0

#: Time after which a user looks after a job of which he heard nothing [s]: longer than a clock set back by an hour.
PATIENCE_S = 2 * 3600.0


@dataclass(slots=True)
class Result:
    """What came of a schedule."""

    seed: int
    violations: list[str]
    requests: int
    simulated_s: float
    endings: list[str]
    trace: list = field(default_factory=list)


class World:
    """Everything in one schedule."""

    def __init__(self, seed, *, trace=False, plan=None, shape=None):
        self.rng = random.Random(seed)
        self.plan = replace(plan or draw_plan(self.rng), **(shape or {}))
        self.settings = SETTINGS
        self.scheduler = Scheduler()
        self.network = Network(self.scheduler, self.rng, self.plan)
        self.network.trace = [] if trace else None
        self.checker = Checker(only_outages=not (self.plan.rate or self.plan.run_rate or plan))
        self.checker.on_change = self._changed
        self.store = SimStore(self.network, self.checker)
        self.dead_letters = SimQueue(self.network)
        self.queue = SimQueue(self.network, dead_letters=self.dead_letters, max_receives=SETTINGS.max_receives)
        self.checker.letters = self._letters
        self.folders = scratch_folders()
        self.workers = {}
        self.runs = 0
        self.closed = False
        self._waiting = {}
        self.callers = []
        ACTIVE.scheduler, ACTIVE.rng, ACTIVE.store, ACTIVE.queue = self.scheduler, self.rng, self.store, self.queue

    def begin(self):
        """Put workers, clients and planned faults in place."""
        rng, plan = self.rng, self.plan
        self.store.objects.update(_SITES)
        jobs = []
        for _ in range(plan.jobs):
            request = JobRequest.model_construct(
                **_REQUEST_FIELDS, layout_id=str(uuid.UUID(int=rng.getrandbits(128))), owner=rng.choice(OWNERS)
            )
            job = Job(request, good=rng.random() < 0.85)
            self.checker.add(job)
            jobs.append(job)
        for owner in OWNERS:
            mine = [job for job in jobs if job.owner == owner]
            if mine:
                self.callers.append(Caller(self, mine))
                self.callers[-1].start(delay=30.0 * rng.random())
        for slot in range(plan.workers):
            start_worker(self, slot, delay=30.0 * rng.random())
        for when, step in plan.steps:
            self.scheduler.at(when, lambda step=step: self._step(step))
        for when, slot in plan.stops:
            self.scheduler.at(when, lambda slot=slot: self._stop(slot))
        if plan.purge is not None:
            self.scheduler.at(plan.purge, self._purge)

    def wait_for_change(self, job, seconds):
        """Wait until a job's status changes, for some time at most."""
        self.scheduler.wait(self._waiting.setdefault(job.layout_id, deque()), seconds)

    def at_rest(self):
        """Whether all jobs have ended, and nothing is under way."""
        if self.checker.violations:
            return True
        if self.queue.letters or self.network.under_way:
            return False
        for caller in self.callers:
            if not caller.over:
                return False
        for process, _ in self.workers.values():
            if process.busy:
                return False
        patient = self.scheduler.now < self.plan.end + PATIENCE_S
        return all(
            job.terminal or not job.stored or (job.in_doubt and not patient) for job in self.checker.jobs.values()
        )

    def close(self):
        self.closed = True
        self.scheduler.close()

    def _letters(self, layout_id):
        """When a job's messages were sent: those in the queue, and the dead ones."""
        queues = (self.queue, self.dead_letters)
        return tuple([letter.sent for letter in queue.letters if layout_id in letter.body] for queue in queues)

    def _changed(self, job):
        if waiting := self._waiting.get(job.layout_id):
            self.scheduler.wake_all(waiting)

    def _step(self, step):
        self.network.offset += step

    def _purge(self):
        """Lose every message; it is the user who must notice."""
        if not self.network.faulty():
            return
        self.queue.letters.clear()
        for job in self.checker.jobs.values():
            job.in_doubt = True
            job.purges += 1

    def _stop(self, slot):
        process, stop = self.workers[slot]
        if process.dead:
            return
        stop.request()
        # ECS kills some time after the grace.
        self.scheduler.at(SETTINGS.stop_grace_s + 40, lambda: process.dead or self.scheduler.kill(process))


def run_schedule(seed, *, trace=False, plan=None, shape=None, aim=None):
    """Run one schedule; the same seed gives the same schedule.

    Parameters
    ----------
    seed : int
        Decides everything that the plan leaves open.
    trace : bool
        Whether to keep a line for every request.
    plan : Plan, optional
        What goes wrong; by default drawn from the seed.
    shape : dict, optional
        Fields of the plan to replace.
    aim : tuple, optional
        Process, request, how often it came before, and the fault that it gets.
    """
    world = World(seed, trace=trace, plan=plan, shape=shape)
    world.network.aim = aim
    try:
        world.begin()
        world.scheduler.run(world.plan.end + CALM_S, world.at_rest)
        _help(world)
        checker = world.checker
        if not checker.violations:
            for job in checker.open_jobs():
                checker.report("stuck", f"{job.layout_id[-4:]} stays {job.status['status']}")
            checker.at_end(world.store.objects, _hinted(world.store.objects), keys.artifact)
    finally:
        world.close()
    return Result(
        seed=seed,
        violations=checker.violations,
        requests=len(world.network.trace or ()),
        simulated_s=world.scheduler.now,
        endings=[job.status["status"] if job.status else "none" for job in checker.jobs.values()],
        trace=world.network.trace or [],
    )


def _help(world):
    """Let the clients look after the jobs of which they heard no success."""
    checker = world.checker
    doubtful = [job for job in checker.jobs.values() if job.in_doubt and not job.terminal]
    if checker.violations or not doubtful:
        return
    world.plan.end = min(world.plan.end, world.scheduler.now)
    for owner in OWNERS:
        if mine := [job for job in doubtful if job.owner == owner]:
            world.callers.append(Helper(world, mine))
            world.callers[-1].start()
    world.scheduler.run(world.scheduler.now + CALM_S, world.at_rest)


def _hinted(objects):
    """Layouts that a listing shows."""
    return {key.split("/index/")[1][14:50] for key in objects if "/index/" in key}


_SITES = {}
_FOLDERS = []
_REQUEST_FIELDS = {
    name: field.default
    for name, field in JobRequest.model_fields.items()
    if name not in ("layout_id", "owner", "site_id", "dem", "parameters")
} | {"site_id": "s", "dem": "sample", "parameters": {}}


def scratch_folders():
    """Workspaces of the workers, made once; each has its report's folder."""
    if not _FOLDERS:
        shm = Path("/dev/shm")
        root = Path(tempfile.mkdtemp(prefix="simulation-", dir=shm if shm.is_dir() else None))
        atexit.register(shutil.rmtree, root, ignore_errors=True)
        for slot in range(2):
            report = root / str(slot) / "report"
            report.mkdir(parents=True)
            for name in FILES:
                (report / name).touch()
            _FOLDERS.append(report.parent)
    return _FOLDERS


def prepare_sites():
    """Upload the owners' sites once, by the product's own code."""
    if _SITES:
        return
    scheduler = Scheduler()
    rng = random.Random(0)
    store = SimStore(Network(scheduler, rng, calm_plan(workers=0, jobs=0)), Checker())
    boundary = scratch_folders()[0] / "site.kml"
    boundary.write_bytes(b"<kml/>")

    def upload():
        for owner in OWNERS:
            uploads.upload_site(store, boundary, owner=owner, site_id="s", limit=1000, as_read=None)

    errors = []
    scheduler.spawn(Process("upload"), upload, on_end=errors.append)
    scheduler.run(1000.0, lambda: bool(errors))
    if errors[0] is not None:
        raise errors[0]
    _SITES.update(store.objects)
