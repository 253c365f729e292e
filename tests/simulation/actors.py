"""Workers, runs and clients of a simulation."""

from __future__ import annotations

import contextlib
from collections import deque

from pacifico.errors import InputError, OutsideServiceError
from pacifico.jobs.client import JobClient
from pacifico.jobs.delivery import RunOutcome
from pacifico.jobs.records import ConflictError, NotRedrivableError, Records
from pacifico.jobs.sending import NotSentError
from pacifico.jobs.stop_signals import StoppedError
from pacifico.jobs.store.base import NotFoundError
from worker.loop import Services, Worker

from .scheduler import Process

#: Files of every report.
FILES = ("layout.geojson", "report.html")


class SimStop:
    """A stop that `request` requests, as SIGTERM does."""

    def __init__(self, scheduler, grace_s):
        self._scheduler = scheduler
        self._grace_s = grace_s
        self._waiters = deque()
        self._signals = None
        self.requested = False

    def request(self):
        if not self.requested:
            self.requested = True
            self._scheduler.wake_all(self._waiters)
            self._scheduler.at(self._grace_s, self._interrupt)

    def wait(self, seconds):
        if not self.requested:
            self._scheduler.wait(self._waiters, seconds)
        return self.requested

    @contextlib.contextmanager
    def watch(self, signals):
        self._signals = signals
        try:
            yield
        finally:
            self._signals = None

    def _interrupt(self):
        if self._signals is not None:
            self._signals.interrupt.set()


class Quiet:
    """Pulse, protection and reporter of a worker: they tell the checker."""

    def __init__(self, process, checker):
        self._process = process
        self._checker = checker

    def beat(self, doing):
        pass

    def fail(self, reason, *, lasting):
        pass

    def recover(self):
        pass

    @contextlib.contextmanager
    def held(self):
        self._process.busy += 1
        try:
            yield
        finally:
            self._process.busy -= 1

    def start(self, status, message):
        pass

    def end(self, delivery, message, *, seconds):
        self._checker.on_end(self._process, delivery)


class SimRunner:
    """Runs that take their time, write files, and fail as the plan says."""

    def __init__(self, world, folder):
        self._world = world
        self._folder = folder
        self._runs = 0

    @contextlib.contextmanager
    def workspace(self):
        world = self._world
        self._fault = None
        if world.network.faulty() and world.rng.random() < world.plan.run_rate:
            self._fault = world.rng.choice(world.plan.run_kinds)
        if self._fault == "no process":
            raise OutsideServiceError("the process that starts notebooks ended")
        yield self._folder

    def run(self, task, folder, on_stage, signals):
        world, fault = self._world, self._fault
        length = world.rng.random() ** 2 * (1000.0 if fault == "long" else world.plan.run_s)
        on_stage("fetching_dem", "")
        for part in range(3):
            if fault == "killed" and part == 1:
                world.scheduler.kill(world.scheduler.current.process)
            outcome = self._sleep(length / 3, signals)
            if outcome is not None:
                return outcome
            if part == 1:
                on_stage("placing_assets", "half of it")
        if fault == "disk full":
            raise OSError(28, "No space left on device")
        if fault == "bug":
            raise KeyError("a bug")
        report = folder / "report"
        if fault in ("service", "lost"):
            return RunOutcome(report=report, kind=fault, message=f"{fault} away")
        job = world.checker.jobs[task.request.layout_id]
        if not job.good:
            if world.rng.random() < 0.5:
                raise InputError("no buildable ground")
            return RunOutcome(
                report=report, kind=world.rng.choice(("request", "timeout", "memory")), message="too much"
            )
        world.runs += 1
        for name in FILES:
            (report / name).write_text(
                f"{task.request.owner} {task.request.layout_id} {task.attempt} {world.runs} {name}"
            )
        return RunOutcome(report=report, metrics={"total_capacity_kw": 1000.0, "asset_count": 3})

    def _sleep(self, seconds, signals):
        """Sleep, but look at the signals as the real runner does, only more seldom."""
        scheduler = self._world.scheduler
        report = self._folder / "report"
        while seconds > 0:
            scheduler.sleep(min(seconds, 20.0))
            seconds -= 20.0
            if signals.abandon.is_set():
                return RunOutcome(report=report, kind="lost", message="abandoned")
            if signals.interrupt.is_set():
                if self._world.rng.random() < 0.2:
                    raise StoppedError("the job was told to stop")
                return RunOutcome(report=report, kind="cancelled", message="stopped")
        return None


def start_worker(world, slot, number=1, delay=0.0):
    """Start a worker process; when it ends, another takes its place."""
    process = Process(f"worker {slot}.{number}")
    stop = SimStop(world.scheduler, world.settings.stop_grace_s)
    quiet = Quiet(process, world.checker)
    services = Services(
        records=Records(world.store),
        queue=world.queue,
        dead_letters=world.dead_letters,
        runner=SimRunner(world, world.folders[slot]),
        reporter=quiet,
        pulse=quiet,
        protection=quiet,
    )

    def ended(error):
        process.busy = 0
        if error is not None:
            world.checker.report("stuck", f"{process.name} ended by {error!r}")
        if not world.closed:
            start_worker(world, slot, number + 1, delay=1.0 + 30.0 * world.rng.random())

    worker = Worker(process.name, services, world.settings, stop)
    world.scheduler.spawn(process, worker.run, delay=delay, on_end=ended)
    world.workers[slot] = (process, stop)


class Caller:
    """A client of some jobs: submits them, and does what users do."""

    def __init__(self, world, jobs):
        self._world = world
        self._jobs = jobs
        self.process = Process(f"client {jobs[0].owner}")
        self.over = False

    def start(self, delay=0.0):
        self.over = False
        self._world.scheduler.spawn(self.process, self._act, delay=delay, on_end=self._ended)

    def _ended(self, error):
        world = self._world
        if error is not None:
            world.checker.report("client", f"{self.process.name} ended by {error!r}")
        if self.process.dead and not world.closed and world.rng.random() < 0.7:
            self.process = Process(f"{self.process.name}'")
            self.start(delay=100.0 * world.rng.random())
        else:
            self.over = True

    def _act(self):
        world = self._world
        random = world.rng.random
        self._client = JobClient(world.settings, owner=self._jobs[0].owner)
        if len(self._jobs) > 1 and random() < 0.3:
            self._submit_many()
        else:
            for job in self._jobs:
                self._submit(job)
        for job in self._jobs:
            if not job.stored:
                continue
            if random() < 0.2:
                world.scheduler.sleep(300.0 * random() ** 2)
                self._cancel(job)
            if random() < 0.1:
                world.scheduler.sleep(100.0 * random())
                self._submit(job)
            if random() < 0.05:
                self._conflict(job)
            if random() < 0.1:
                self._redrive(job)
            if random() < 0.5:
                self._follow(job)

    def _submit(self, job):
        job.in_doubt = True
        purges = job.purges
        for _ in range(6):
            try:
                response = self._client.submit(job.request)
            except OutsideServiceError:
                if self._world.rng.random() < 0.1:
                    return
                self._world.scheduler.sleep(60.0 * self._world.rng.random())
                continue
            sent = response["status"] == "queued" and job.purges == purges
            job.in_doubt = not sent and (job.purges > 0 or job.redrive_in_doubt)
            if response["status"] not in ("queued", "processing", "completed", "failed", "cancelled"):
                self._world.checker.report("mislabelled", f"submit says {response}")
            return

    def _submit_many(self):
        for job in self._jobs:
            job.in_doubt = True
        purges = self._jobs[0].purges
        for _ in range(6):
            responses = self._client.submit_many([job.request for job in self._jobs])
            for job, response in zip(self._jobs, responses, strict=True):
                if response["status"] != "unsent":
                    sent = response["status"] == "queued" and job.purges == purges
                    job.in_doubt = not sent and (job.purges > 0 or job.redrive_in_doubt)
            if all(response["status"] != "unsent" for response in responses):
                return
            self._world.scheduler.sleep(60.0 * self._world.rng.random())

    def _conflict(self, job):
        other = job.request.model_copy(update={"target_capacity_kw": 4321.0})
        try:
            self._client.submit(other)
        except (ConflictError, OutsideServiceError):
            return
        self._world.checker.report("mislabelled", f"{job.layout_id[-4:]}: another request was taken under its id")

    def _cancel(self, job):
        job.cancels += 1
        for _ in range(5):
            with contextlib.suppress(OutsideServiceError, NotFoundError):
                status = self._client.cancel(job.layout_id)["status"]
                if status not in ("completed", "failed", "cancelled"):
                    self._world.checker.report("mislabelled", f"{job.layout_id[-4:]} is {status} after its cancel")
                return
            self._world.scheduler.sleep(30.0 * self._world.rng.random())

    def _redrive(self, job, *, force=False):
        job.redrives += 1
        job.forced += force
        before, purges, cut_off = job.in_doubt, job.purges, job.redrive_in_doubt
        job.in_doubt = job.redrive_in_doubt = True
        try:
            self._client.redrive(job.layout_id, force=force)
        except NotRedrivableError:
            job.in_doubt, job.redrive_in_doubt = before or job.purges != purges, cut_off
        except (NotSentError, OutsideServiceError, NotFoundError):
            pass
        else:
            job.in_doubt, job.redrive_in_doubt = job.purges != purges, False

    def _follow(self, job):
        """Wait for the end; a failed job may be redriven."""
        world = self._world
        for _ in range(40):
            with contextlib.suppress(OutsideServiceError, NotFoundError):
                status = self._client.status(job.layout_id)["status"]
                if status == "failed" and world.rng.random() < 0.5:
                    self._redrive(job, force=world.rng.random() < 0.1)
                    return
                if status in ("completed", "failed", "cancelled"):
                    return
            world.wait_for_change(job, 30.0 + 120.0 * world.rng.random())


class Helper(Caller):
    """The user who comes back when all is calm, and looks after the jobs that were in doubt."""

    def _act(self):
        self._client = JobClient(self._world.settings, owner=self._jobs[0].owner)
        for job in self._jobs:
            if job.terminal:
                continue
            if not job.stored:
                self._submit(job)
                continue
            if self._stalled(job):
                self._redrive(job)

    def _stalled(self, job):
        """Whether the job's status says so within some hours; other jobs may fill the queue meanwhile."""
        for _ in range(60):
            if job.terminal:
                return False
            if self._client.status(job.layout_id)["stalled"]:
                return True
            self._world.wait_for_change(job, 200.0)
        self._world.checker.report("stuck", f"{job.layout_id[-4:]} is {job.status['status']}, not told as stalled")
        return False
