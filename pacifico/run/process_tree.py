"""All processes of a run, detached ones included.

A kernel may start processes, and these may detach: new group, new session, double fork, empty environment. A process counts
as the run's where one of these holds:

- it is the kernel, or descends from a process of the run;
- its session or group was opened by a process of the run;
- its environment carries the run's mark;
- it was seen as one of the run before, and still has the same start;
- it lies in the run's control group (cgroup v2, where one could be made);
- it was orphaned and adopted by this process, where this process only serves this run (see `adopt_orphans`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pacifico.run.cgroup import Cgroup

_PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36
#: Scans until the processes of a run stop forking, and until all of them have ended.
_ROUNDS = 100
_PAUSE_S = 0.02

#: Process that adopts orphans: set by `adopt_orphans`, and not inherited by a fork.
_adopters: set[int] = set()


@dataclass(frozen=True, slots=True)
class Process:
    """One process, as the system lists it."""

    pid: int
    parent: int
    group: int
    session: int
    started: int
    """Start [ticks since boot]; a process id is used again, this pair is not."""
    resident_bytes: int
    zombie: bool


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants (Linux only).

    Call it only in a process that serves one run: all descendants then count as the run's.
    """
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0:
        _adopters.add(os.getpid())


def list_processes() -> dict[int, Process]:
    """List all processes by their id; empty without /proc."""
    page = os.sysconf("SC_PAGE_SIZE")
    found = {}
    # plain names and descriptors: this runs many times in a job, and paths and streams take four times as long
    root = str(_PROC)
    for name in os.listdir(root) if _PROC.is_dir() else ():  # noqa: PTH208 (as said)
        if not name.isdecimal():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):  # ended meanwhile
            # bytes: a process chooses its own name, which may be no text
            fields = _read(f"{root}/{name}/stat").rpartition(b")")[2].split()
            zombie = fields[0] in (b"Z", b"X")
            pid, parent, group, session = int(name), int(fields[1]), int(fields[2]), int(fields[3])
            found[pid] = Process(pid, parent, group, session, int(fields[19]), int(fields[21]) * page, zombie)
    return found


def _read(path: str) -> bytes:
    """Read 4096 bytes: a whole `stat` of /proc."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


class RunProcesses:
    """The processes of one run: found, measured and killed.

    Parameters
    ----------
    roots : iterable of int
        Processes that the run began with, such as its kernel.
    mark : str
        Entry of the environment, `NAME=value`, that no other run has; empty for none.
    cgroup : Cgroup, optional
        Control group that the roots are in.
    """

    def __init__(self, roots: Iterable[int], *, mark: str = "", cgroup: Cgroup | None = None) -> None:
        table = list_processes()
        self._roots = tuple(roots)
        self._known = {pid: table[pid].started for pid in self._roots if pid in table}
        self._oldest = min(self._known.values(), default=0)
        self._mark = mark.encode()
        self._unmarked: set[tuple[int, int]] = set()
        self._cgroup = cgroup

    def find(self) -> list[Process]:
        """Find the run's living processes, and remember them."""
        table = list_processes()
        spared = _with_ancestors(os.getpid(), table)
        members = {pid for pid, started in self._known.items() if pid in table and table[pid].started == started}
        members |= {process.pid for process in table.values() if self._is_marked(process)}
        if self._cgroup is not None:
            members |= self._cgroup.pids() & table.keys()
        members -= spared
        new = set(members)
        while new:
            new = {pid for pid in table.keys() - members - spared if self._joins(table[pid], members, table)}
            members |= new
        self._known.update((pid, table[pid].started) for pid in members)
        return [table[pid] for pid in sorted(members) if not table[pid].zombie]

    def memory_bytes(self) -> int:
        """Resident memory of all processes [bytes]; 0 without /proc."""
        return sum(process.resident_bytes for process in self.find())

    def kill(self) -> None:
        """Kill the processes, and what they start meanwhile.

        They are stopped before the first one is killed, so that none of them can fork out of sight.
        """
        if self._cgroup is not None:
            self._cgroup.kill()
        if not _PROC.joinpath(str(os.getpid())).exists():  # no /proc, as on macOS: their groups at least
            _kill_groups(self._roots)
        stopped: set[int] = set()
        living = {process.pid for process in self.find()}
        for _ in range(_ROUNDS):
            new = living - stopped
            if not new:
                break
            _send(new, signal.SIGSTOP)
            stopped |= new
            living = {process.pid for process in self.find()}
        for _ in range(_ROUNDS):
            if not living:
                break
            _send(living, signal.SIGKILL)
            time.sleep(_PAUSE_S)  # their end sends this process no event
            living = {process.pid for process in self.find()}
        if self._cgroup is not None:
            self._cgroup.remove()

    def limit_memory(self, limit_bytes: int) -> None:
        """Limit the memory of the control group, if any."""
        if self._cgroup is not None:
            self._cgroup.limit_memory(limit_bytes)

    @property
    def out_of_memory(self) -> bool:
        """Whether the system killed one at the limit."""
        return self._cgroup is not None and self._cgroup.out_of_memory

    def _joins(self, process: Process, members: set[int], table: dict[int, Process]) -> bool:
        """Whether a process belongs to one of the run."""

        def opened(leader: int) -> bool:
            # the id of a leader that has ended is not used again while its session or group lives
            return leader in self._known and (leader not in table or table[leader].started == self._known[leader])

        adopted = process.parent == os.getpid() and os.getpid() in _adopters
        return process.parent in members or opened(process.session) or opened(process.group) or adopted

    def _is_marked(self, process: Process) -> bool:
        """Whether the run's mark is in a process's environment."""
        identity = (process.pid, process.started)
        if not self._mark or process.started < self._oldest or identity in self._unmarked:
            return False
        with contextlib.suppress(OSError):  # ended, or another user's
            if self._mark in (_PROC / str(process.pid) / "environ").read_bytes().split(b"\0"):
                return True
        self._unmarked.add(identity)
        return False


def _with_ancestors(pid: int, table: dict[int, Process]) -> set[int]:
    """A process and all that it descends from."""

    def line() -> Iterator[int]:
        here = pid
        while here in table and here > 0:
            yield here
            here = table[here].parent

    return {1, *line()}


def _kill_groups(leaders: Iterable[int]) -> None:
    for pid in leaders:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
