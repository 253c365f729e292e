"""Layouts in processes of their own: a crash of one is its own, and told.

Each strategy runs as `python -m pacifico.report.variants.child FOLDER STRATEGY`: a plain new interpreter, that neither
forks threads nor runs the caller's main module again, so it works from a script, a notebook and a worker alike.
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

_TICK_S = 0.02
_SAID = 400


@dataclass(frozen=True)
class Failure:
    """Why a strategy came to no plan."""

    strategy: str
    error: str
    """Name of the error; 'Lost' where the process ended without a word of ours."""
    message: str
    """One line."""
    exit_code: int
    """Of a command that has nothing else to show."""

    @property
    def lost(self) -> bool:
        """Whether the process died, in place of finding that there is no such layout."""
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
    """Plan or failure of each strategy, in the order given; at most `processes` at a time (as many as there are cores)."""
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
                    running[strategy] = _start(folder, strategy)
                time.sleep(_TICK_S)
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
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(folder: Path, strategy: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(p for p in sys.path if p)
    with (folder / f"{strategy}.err").open("wb") as err:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", f"{__package__}.child", str(folder), strategy],
            stdin=subprocess.PIPE,  # closed by our end, whatever that is: then the process ends too
            stdout=subprocess.DEVNULL,
            stderr=err,
            env={**os.environ, "PYTHONPATH": path},
        )


def _closed(process: subprocess.Popen[bytes]) -> int:
    """Exit status of a process that has ended or was killed, its pipe closed."""
    if process.stdin is not None:
        process.stdin.close()
    return process.wait()


def _result(folder: Path, strategy: str, status: int) -> Plan | Failure:
    path = folder / f"{strategy}.pickle"
    if status == 0 and path.is_file():
        result: Plan | Failure = pickle.loads(path.read_bytes())  # noqa: S301 (written by us, in a folder of ours)
        return result
    said = (folder / f"{strategy}.err").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    words = next((line for line in said if line.startswith("Fatal Python error")), said[-1] if said else "")
    last = f": {' '.join(words.split())[:_SAID]}" if words else ""
    return Failure(strategy, "Lost", f"its process ended with {how}{last}; the other variants stand", 3)
