"""Simulated processes and time.

Each task is a greenlet: it runs until it sleeps or waits, then the task with the earliest time runs. So one thread runs
all processes, one seed fixes their order, and an hour takes no time.
"""

from __future__ import annotations

import heapq
from collections import deque

from greenlet import getcurrent, greenlet


class Killed(BaseException):
    """The process was killed. No `except Exception` of the product catches it."""


class Process:
    """Tasks that die and pause together, with a monotonic clock of their own."""

    __slots__ = ("busy", "dead", "name", "paused_until", "reads", "suspended_s", "tasks")

    def __init__(self, name):
        self.name = name
        self.dead = False
        self.paused_until = 0.0
        self.suspended_s = 0.0  # time that its monotonic clock missed
        self.busy = 0
        self.tasks = []
        self.reads = {}  # version of a status -> its age when this process read it [s]


class Task:
    """One thread of a process."""

    __slots__ = ("finished", "greenlet", "joining", "process", "token")

    def __init__(self, process):
        self.process = process
        self.token = 0  # only the newest entry of a task in the heap counts
        self.finished = False
        self.joining = deque()


class Scheduler:
    """Runs tasks in the order of their times."""

    def __init__(self):
        self.now = 0.0
        self.current = None
        self._heap = []
        self._entries = 0
        self._hub = getcurrent()
        self._tasks = []

    def monotonic(self):
        """Monotonic clock of the current process [s]."""
        return self.now - self.current.process.suspended_s

    def spawn(self, process, target, delay=0.0, on_end=None):
        """Start a task of a process; `on_end(error)` is called when it ends."""
        task = Task(process)

        def run():
            error = None
            try:
                if not process.dead:
                    target()
            except Killed:
                pass
            except BaseException as raised:  # noqa: BLE001 (the checker reports it)
                error = raised
            task.finished = True
            for waiting in task.joining:
                self.wake(waiting)
            if on_end is not None:
                on_end(error)

        task.greenlet = greenlet(run, self._hub)
        process.tasks.append(task)
        self._tasks.append(task)
        self._push(self.now + delay, task)
        return task

    def at(self, delay, callback):
        """Call a function after a delay, outside all processes."""
        self._entries += 1
        heapq.heappush(self._heap, (self.now + delay, self._entries, None, callback))

    def sleep(self, seconds):
        """Let the other tasks run for some time."""
        task = self.current
        if task.process.dead:
            raise Killed
        self._push(self.now + seconds, task)
        self._hub.switch()
        if task.process.dead:
            raise Killed

    def wait(self, waiters, seconds):
        """Wait until woken from `waiters`, for some time at most; None is for ever."""
        task = self.current
        if task.process.dead:
            raise Killed
        waiters.append(task)
        if seconds is not None:
            self._push(self.now + max(0.0, seconds), task)
        self._hub.switch()
        if task in waiters:
            waiters.remove(task)
        if task.process.dead:
            raise Killed

    def wake(self, task):
        """Let a waiting task go on now."""
        self._push(self.now, task)

    def wake_all(self, waiters):
        """Let all waiting tasks go on now."""
        while waiters:
            self._push(self.now, waiters.popleft())

    def kill(self, process):
        """End all tasks of a process; the current one by raising Killed."""
        process.dead = True
        process.paused_until = 0.0
        for task in process.tasks:
            if not task.finished and task is not self.current:
                self._push(self.now, task)
        if self.current is not None and self.current.process is process:
            raise Killed

    def pause(self, process, seconds, *, clock_stops):
        """Stop a process for some time, and its monotonic clock too where the whole machine stops."""
        process.paused_until = self.now + seconds
        if clock_stops:
            process.suspended_s += seconds

    def run(self, until, done):
        """Run tasks until that time, or until `done()`."""
        heap = self._heap
        while heap and not done():
            when, _, task, value = heap[0]
            if when > until:
                break
            heapq.heappop(heap)
            if task is None:
                self.now = when
                value()
                continue
            if task.token != value or task.finished:
                continue
            if task.process.paused_until > when:
                self._push(task.process.paused_until, task)
                continue
            self.now = when
            self.current = task
            task.greenlet.switch()
            self.current = None

    def close(self):
        """End every task that is left."""
        for task in self._tasks:
            task.process.dead = True
        for task in self._tasks:
            if task.greenlet:  # begun, and not at its end
                self.current = task
                task.greenlet.throw(Killed)
        self.current = None

    def _push(self, when, task):
        task.token += 1
        self._entries += 1
        heapq.heappush(self._heap, (when, self._entries, task, task.token))
