"""Control group (cgroup v2) of one run's processes.

No process leaves it by detaching, so it measures and kills all of them. Containers and desktops often grant none: then the
run's processes are found through /proc (see `pacifico.run.process_tree`).
"""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_PREFIX = "pacifico-"


class Cgroup:
    """A control group below this process's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def create(cls, pid: int, *, root: Path = _ROOT, own: Path = _OWN) -> Cgroup | None:
        """Make a group and move a process into it.

        None where the system grants none.

        Parameters
        ----------
        pid : int
            Process to move, before it starts others.
        root : Path
            Where control groups are mounted.
        own : Path
            Record of this process's own group.
        """
        parent = _own_folder(root, own)
        if parent is None:
            return None
        _remove_leftovers(parent)
        folder = parent / f"{_PREFIX}{os.getpid()}-{uuid.uuid4().hex[:12]}"
        try:
            folder.mkdir()
        except OSError:
            return None
        group = cls(folder)
        if not group._write("cgroup.procs", str(pid)):
            group.remove()
            return None
        return group

    def pids(self) -> set[int]:
        """Processes in the group."""
        with contextlib.suppress(OSError, ValueError):
            return {int(line) for line in (self._folder / "cgroup.procs").read_text(encoding="ascii").split()}
        return set()

    def limit_memory(self, limit_bytes: int) -> None:
        """Limit the memory of all processes together, where granted."""
        if self._write("memory.max", str(limit_bytes)):
            self._write("memory.swap.max", "0")
            self._write("memory.oom.group", "1")

    @property
    def out_of_memory(self) -> bool:
        """Whether the system killed a process at the limit."""
        with contextlib.suppress(OSError, ValueError):
            for line in (self._folder / "memory.events").read_text(encoding="ascii").splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1]) > 0
        return False

    def kill(self) -> None:
        """Kill all its processes at once (Linux 5.14)."""
        self._write("cgroup.kill", "1")

    def remove(self) -> None:
        """Remove the empty group."""
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def _write(self, name: str, text: str) -> bool:
        """Write a control file; return whether that worked."""
        try:
            # without O_CREAT: a controller that is not granted has no file
            handle = os.open(self._folder / name, os.O_WRONLY)
        except OSError:
            return False
        try:
            os.write(handle, text.encode("ascii"))
        except OSError:
            return False
        finally:
            os.close(handle)
        return True


def _own_folder(root: Path, own: Path) -> Path | None:
    """Group of this process itself; None without cgroup v2."""
    with contextlib.suppress(OSError):
        if (root / "cgroup.controllers").is_file():
            for line in own.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("0::/"):
                    return root / line.removeprefix("0::/")
    return None


def _remove_leftovers(parent: Path) -> None:
    """Remove empty groups of processes that were killed."""
    for folder in parent.glob(f"{_PREFIX}*"):
        maker = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", maker).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()
