"""Run the tests of some modules on mutants of them: `python tests/mutants/run.py --sample 200 --seed 1`.

Each mutant runs in a fork of one process that has imported the libraries, but nothing of pacifico: a start costs tenths of
a second, not the ten seconds of an interpreter with all libraries. Only the module's own tests run, those first that are
fast; the first failure kills the mutant. Compiled loops run as plain Python. Tests that fail or are slow that way on the
unchanged module are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

    from mutants.mutations import Mutant

ROOT = Path(__file__).resolve().parents[2]
TESTS: dict[str, tuple[str, ...]] = {
    "terrain/_kernels.py": ("terrain/test_kernels.py",),
    "layout/earthwork/_earthwork_kernels.py": ("layout/earthwork/test_kernels.py",),
    "layout/earthwork/_plane_kernels.py": ("layout/earthwork/test_kernels.py",),
    "layout/earthwork/_tile_kernels.py": ("layout/earthwork/test_kernels.py",),
    "layout/earthwork/_batter_kernels.py": ("layout/earthwork/test_kernels.py",),
    "layout/earthwork/pads.py": ("layout/earthwork/test_pads.py",),
    "layout/earthwork/corridors.py": ("layout/earthwork/test_corridors.py",),
    "layout/earthwork/criteria.py": ("layout/earthwork/test_criteria.py",),
    "layout/earthwork/uncertainty.py": ("layout/earthwork/test_uncertainty.py",),
    "layout/earthwork/cut_fill_raster.py": ("layout/earthwork/test_cut_fill_raster.py",),
    "terrain/uncertainty.py": ("terrain/test_uncertainty.py",),
    "analysis/costs.py": ("analysis/test_costs.py",),
    "run/manifest.py": ("run/test_manifest.py",),
    "jobs/lifecycle.py": ("jobs/test_lifecycle.py", "jobs/test_attempt.py"),
    "jobs/status.py": ("jobs/test_status.py",),
    "export/tables.py": ("export/test_tables.py",),
    "export/stations.py": ("export/test_stations.py",),
    "export/kmz.py": ("export/test_kmz.py",),
    "export/dxf.py": ("export/test_dxf.py",),
    "export/gpkg.py": ("export/test_gpkg.py",),
    "export/text.py": ("export/test_text.py",),
}  # fmt: skip
"""Modules with the tests that mirror them; modules of kernels share the exact cases of `test_kernels.py`."""
LIBRARIES = (
    "pytest", "hypothesis", "hypothesis.stateful", "hypothesis.extra.numpy", "numpy", "numpy.testing", "numba", "scipy.ndimage", "scipy.optimize", "scipy.sparse",
    "scipy.spatial", "scipy.interpolate", "shapely", "pyproj", "pandas", "geopandas", "pyogrio", "xarray", "rioxarray", "rasterio", "pydantic", "ezdxf",
    "PIL", "boto3", "jsonschema", "contourpy", "requests",
)  # fmt: skip
SLOWEST_TEST_S = 8.0
"""Tests of the unchanged module that take longer, in plain Python, are left out."""


@dataclass(frozen=True)
class Baseline:
    """Tests of an unchanged module."""

    passed: tuple[str, ...]
    """Those that pass soon, the fastest first."""
    seconds: float
    left_out: int


class Recorder:
    """Plugin of pytest that notes each test with its time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.outcome != "passed":
            self.failed.add(report.nodeid)


class ChangedModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Importer of one module from a changed syntax tree."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.tree = name, path, tree

    def find_spec(self, fullname, path=None, target=None):
        return (
            importlib.util.spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None
        )

    def create_module(self, spec):
        return None

    def exec_module(self, module) -> None:
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)  # noqa: S102 (the project's own code)


def main() -> int:
    """Run a sample of mutants; the status is 1 below the wanted share."""
    parser = argparse.ArgumentParser(description="Run tests on mutants.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="below pacifico/; by default all that are listed")
    parser.add_argument("--sample", type=int, default=200, help="mutants over all modules; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=float, default=85.0, help="share of mutants to be killed [%%]")
    parser.add_argument("--out", type=Path, help="JSON file for the result")
    parser.add_argument(
        "--minutes", type=float, default=600.0, help="time from which no more mutants are started [min]"
    )
    given = parser.parse_args()
    if unknown := set(given.modules) - set(TESTS):
        parser.error(f"no tests are listed for {', '.join(sorted(unknown))}; choose from {', '.join(TESTS)}")
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "HYPOTHESIS_STORAGE_DIRECTORY": tempfile.mkdtemp()}
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    os.chdir(ROOT)
    sys.dont_write_bytecode = True
    for library in LIBRARIES:
        importlib.import_module(library)
    from mutants.mutations import mutants

    names = given.modules or list(TESTS)
    found = [(n, m) for n in names for m in mutants((ROOT / "pacifico" / n).read_text(encoding="utf-8"))]
    chosen = random.Random(given.seed).sample(found, given.sample) if 0 < given.sample < len(found) else found
    print(f"{len(chosen)} of {len(found)} mutants of {len(names)} modules, seed {given.seed}", flush=True)
    return report(run_all(chosen, given.minutes, given.out), given.least)


def run_all(chosen: list[tuple[str, Mutant]], minutes: float, out: Path | None) -> list[dict]:
    """Results of the mutants in their random order, until the time is over.

    Parameters
    ----------
    chosen : list
        Modules and mutants.
    minutes : float
        Time from which no more mutants are started [min].
    out : Path, optional
        File for the results so far.
    """
    end = time.monotonic() + 60 * minutes
    baselines: dict[str, Baseline] = {}
    results: list[dict] = []
    for name, mutant in chosen:
        if time.monotonic() > end:
            print(f"{minutes:g} minutes are over: {len(results)} of {len(chosen)} mutants were run")
            break
        if name not in baselines:
            baselines[name] = b = measure(name)
            print(f"{name}: {len(b.passed)} tests of {b.seconds:.0f} s, {b.left_out} left out", flush=True)
        killed = is_killed(name, mutant, baselines[name])
        results.append({"module": name, "line": mutant.line, "change": mutant.change, "killed": killed})
        if not killed:
            print(f"  survived: {name}:{mutant.line}: {mutant.change}", flush=True)
        if out:
            out.write_text(json.dumps(results, indent=1))
    return results


def report(results: list[dict], least: float) -> int:
    """Print a table of the results; returns the exit status."""
    print(f"{'module':42} mutants killed survivors")
    for name in dict.fromkeys(r["module"] for r in results):
        own = [r["killed"] for r in results if r["module"] == name]
        print(f"{name:42} {len(own):7} {sum(own):6} {len(own) - sum(own):9}")
    share = 100 * sum(r["killed"] for r in results) / max(len(results), 1)
    print(f"killed {share:.1f} % of {len(results)} (wanted {least:g} %)")
    return int(share < least)


def measure(name: str) -> Baseline:
    """Tests of a module that pass unchanged, with their times."""
    files = [f"tests/{t}" for t in TESTS[name] if (ROOT / "tests" / t).is_file()]
    with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
        log = Path(file.name).with_suffix(".log")

        def run() -> int:
            import pytest

            set_python_mode(name)
            recorder = Recorder()
            status = pytest.main([*files, *PYTEST, "--timeout", "20"], plugins=[recorder])
            passed = {t: s for t, s in recorder.seconds.items() if t not in recorder.failed}
            Path(file.name).write_text(json.dumps([passed, len(recorder.failed), libraries()]))
            return int(status)

        wait(fork(run, log), 3000.0)
        text, said = file.read(), log.read_text(errors="replace")
        log.unlink()
    if not text:
        raise SystemExit(f"the tests of {name} can't run: {', '.join(files)}\n{said[-3000:]}")
    passed, failed, needed = json.loads(text)
    for library in needed:  # so that no fork has to import them again
        with contextlib.suppress(Exception):
            importlib.import_module(library)
    fast = sorted((t for t in passed if passed[t] <= SLOWEST_TEST_S), key=passed.get)
    if not fast:
        raise SystemExit(f"no fast test of {name} passes in plain Python: {', '.join(files)}")
    return Baseline(tuple(fast), sum(passed[t] for t in fast), failed + len(passed) - len(fast))


def set_python_mode(name: str) -> None:
    """Let loops run as plain Python where kernels are changed: to compile each mutant takes minutes."""
    from numba.core import config

    config.DISABLE_JIT = int(name.endswith("kernels.py"))


def libraries() -> list[str]:
    """Modules that are imported now and are not of this project."""
    own = [
        m for m, module in sys.modules.items() if str(getattr(module, "__file__", None) or ROOT).startswith(str(ROOT))
    ]
    return [m for m in sys.modules if m not in own or "site-packages" in str(getattr(sys.modules[m], "__file__", ""))]


PYTEST = (
    "-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", "-p", "no:benchmark", "-p", "no:xdist", "-p", "no:nbmake",
    "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning",
    "-W", "ignore::RuntimeWarning",  # compiled loops divide by zero in silence, plain Python warns
)  # fmt: skip


def is_killed(name: str, mutant: Mutant, baseline: Baseline) -> bool:
    """Whether a test of the module fails on the mutant, or takes too long."""
    path = ROOT / "pacifico" / name
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)

    def run() -> int:
        import pytest

        set_python_mode(name)
        sys.meta_path.insert(0, ChangedModule(module, path, mutant.tree))
        return int(pytest.main([*baseline.passed, *PYTEST, "-x"]))

    return wait(fork(run), 30.0 + 6 * baseline.seconds) != 0


def fork(run, log: Path = Path(os.devnull)) -> int:
    """Process that runs a function, with its output in a file, and ends with its status."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        os.setsid()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        status = run()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        raise
    finally:
        os._exit(status)


def wait(pid: int, seconds: float) -> int:
    """Exit status of a process; it is ended, with all that it started, after some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return -1


if __name__ == "__main__":
    sys.exit(main())
