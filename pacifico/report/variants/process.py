"""Run each strategy in a process of its own.

A crash of one leaves the others intact.

Each is a new interpreter, `python -m pacifico.report.variants.child FOLDER STRATEGY`. It does not fork threads or run the
caller's main module again, so it works from scripts, notebooks and workers.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import xarray as xr

    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site

POLL_S = 0.02
"""Interval at which the processes are looked at [s]."""
LONGEST_MESSAGE = 400
"""Largest number of characters kept of what a lost process wrote."""


@dataclass(frozen=True)
class Failure:
    """Why a strategy has no plan."""

    strategy: str
    error: str
    """Name of the error; 'Lost' if the process ended without a result."""
    message: str
    """One line."""
    exit_code: int
    """Exit status of a command that has no other result."""

    @property
    def lost(self) -> bool:
        """Whether the process died, rather than found that no layout is possible."""
        return self.error == "Lost"


def run_all(
    site: Site,
    dem: xr.DataArray,
    strategies: Sequence[str],
    design: Mapping[str, Any],
    *,
    processes: int | None = None,
    on_done: Callable[[str], None] | None = None,
) -> dict[str, Plan | Failure]:
    """Plan or failure of each strategy, in the order given.

    Parameters
    ----------
    site : Site
        Site to lay out.
    dem : DataArray
        Its ground.
    strategies : sequence of str
        Strategies to run.
    design : mapping
        Other keywords of `generate_layout`.
    processes : int, optional
        Largest number at a time; by default the number of cores.
    on_done : callable, optional
        Called with each strategy that is done.
    """
    at_once = max(min(processes or _cores(), len(strategies)), 1)
    found: dict[str, Plan | Failure] = {}
    with tempfile.TemporaryDirectory(prefix="pacifico-variants-") as scratch:
        folder = Path(scratch)
        (folder / "job.pickle").write_bytes(pickle.dumps((site, dem, dict(design))))
        waiting, running = list(strategies), dict[str, subprocess.Popen[bytes]]()
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    strategy = waiting.pop(0)
                    running[strategy] = start(folder, strategy)
                time.sleep(POLL_S)
                for strategy in [s for s, p in running.items() if p.poll() is not None]:
                    found[strategy] = _result(folder, strategy, _closed(running.pop(strategy)))
                    if on_done is not None:
                        on_done(strategy)
        finally:
            for process in running.values():
                process.kill()
            for process in running.values():
                _closed(process)
    return {s: found[s] for s in strategies}


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start(folder: Path, strategy: str) -> subprocess.Popen[bytes]:
    """Start the process of a strategy."""
    path = os.pathsep.join(p for p in sys.path if p)
    with (folder / f"{strategy}.err").open("wb") as err:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", f"{__package__}.child", str(folder), strategy],
            stdin=subprocess.PIPE,  # closes when this process ends, however it ends; the child then ends too
            stdout=subprocess.DEVNULL,
            stderr=err,
            env={**os.environ, "PYTHONPATH": path},
        )


def _closed(process: subprocess.Popen[bytes]) -> int:
    """Exit status of an ended process, its pipe closed."""
    if process.stdin is not None:
        process.stdin.close()
    return process.wait()


def _result(folder: Path, strategy: str, status: int) -> Plan | Failure:
    """Result of a process, or its last message before it died."""
    path = folder / f"{strategy}.pickle"
    if status == 0 and path.is_file():
        result: Plan | Failure = pickle.loads(path.read_bytes())  # noqa: S301 (written by our child process)
        return result
    lines = (folder / f"{strategy}.err").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    words = next((line for line in lines if line.startswith("Fatal Python error")), lines[-1] if lines else "")
    last = f": {' '.join(words.split())[:LONGEST_MESSAGE]}" if words else ""
    return Failure(strategy, "Lost", f"its process ended with {how}{last}; the other variants stand", 3)
