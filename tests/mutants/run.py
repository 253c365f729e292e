"""Run the tests of some modules on mutants of them: `python tests/mutants/run.py --sample 200 --seed 1`.

Only the module's own tests run, the fastest first; the first failure kills the mutant. Compiled loops run as plain Python.
Tests that fail or are slow that way on the unchanged module are left out.

Why a tool of our own: mutmut wraps each function, and numba can't compile that; cosmic-ray starts an interpreter for each
mutant, which needs seconds to import the libraries. Here a mutant costs a fork and its tests.

Survivors that `argued.toml` gives a reason for are printed with it. They count as survivors.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from multiprocessing import Pipe
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

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
    "jobs/status.py": ("jobs/test_status.py", "jobs/test_records.py"),
    "export/tables.py": ("export/test_tables.py",),
    "export/stations.py": ("export/test_stations.py",),
    "export/kmz.py": ("export/test_kmz.py",),
    "export/dxf.py": ("export/test_dxf.py",),
    "export/gpkg.py": ("export/test_gpkg.py",),
    "escaping.py": ("test_escaping.py",),
}  # fmt: skip
"""Modules with the tests that mirror them; modules of kernels share the exact cases of `test_kernels.py`."""
LIBRARIES = (
    "pytest", "hypothesis", "hypothesis.stateful", "hypothesis.extra.numpy", "numpy", "numpy.testing", "numba", "scipy.ndimage", "scipy.optimize", "scipy.sparse",
    "scipy.spatial", "scipy.interpolate", "shapely", "pyproj", "pandas", "geopandas", "pyogrio", "xarray", "rioxarray", "rasterio", "pydantic", "ezdxf",
    "PIL", "boto3", "jsonschema", "contourpy", "requests",
)  # fmt: skip
SLOWEST_TEST_S = 8.0
"""Tests of the unchanged module that take longer, in plain Python, are left out."""


class Group:
    """Process that has collected and run the tests of one module, and runs them again on each mutant.

    Each mutant gets a fork of it: imports, collection and the fixtures of the session are made once.
    """

    def __init__(self, name: str) -> None:
        self.connection, end = Pipe()
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")  # noqa: SIM115 (open as long as the group)
        self.pid = fork(lambda: serve(name, end), Path(self.log.name))
        end.close()

    def receive(self) -> Any:
        """Next answer of the process.

        Raises
        ------
        SystemExit
            It has ended: its tests can't run.
        """
        try:
            return self.connection.recv()
        except EOFError:
            text = Path(self.log.name).read_text(errors="replace")
            raise SystemExit(f"the tests can't run:\n{text[-3000:]}") from None

    def is_killed(self, mutant: Mutant) -> bool:
        """Whether a test fails on the mutant, or takes too long."""
        self.connection.send(mutant.number)
        return bool(self.receive())

    def close(self) -> None:
        """End the process."""
        self.connection.send(None)
        os.waitpid(self.pid, 0)
        self.log.close()


class Loop:
    """Plugin of pytest that replaces its loop over the tests."""

    def __init__(self, name: str, module: str, connection: Connection) -> None:
        self.source = (ROOT / "pacifico" / name).read_text(encoding="utf-8")
        self.module, self.connection = module, connection
        self.has_failed = False

    def pytest_runtest_logreport(self, report) -> None:
        """Note failures; a skipped test can't kill, so it is left out too."""
        self.has_failed |= report.outcome != "passed"

    def passes(self, item, items) -> bool:
        """Run one test; fixtures that it shares with the first other one of `items` are kept."""
        self.has_failed = False
        item.session._setupstate.teardown_exact(item)  # the one before may be of another module
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=next((i for i in items if i is not item), None))
        return not self.has_failed

    def pytest_runtestloop(self, session) -> bool:
        """Run the tests on the module as it is, then on each mutant that is asked for."""
        from mutants.mutations import mutants

        seconds = {}
        for item in session.items:
            start = time.process_time()
            if self.passes(item, session.items):
                seconds[item] = time.process_time() - start
        kept = sorted((i for i in seconds if seconds[i] <= SLOWEST_TEST_S), key=seconds.get)
        total = sum(seconds[i] for i in kept)
        self.connection.send((len(kept), total, len(session.items) - len(kept)))
        known = mutants(self.source)

        def run(number: int) -> int:
            apply_mutant(sys.modules[self.module], known[number])
            return int(not all(self.passes(item, session.items) for item in kept))

        while (number := self.connection.recv()) is not None:
            # of the wall's clock: the machine may be busy
            status = wait(fork(lambda n=number: run(n)), 60.0 + 30 * total)
            self.connection.send(status != 0)
        return True


def serve(name: str, connection: Connection) -> int:
    """Collect the tests of a module and serve mutants, in a process of its own."""
    import pytest
    from numba.core import config

    # To compile each mutant takes minutes: where kernels are changed, all loops run as plain Python.
    config.DISABLE_JIT = int(name.endswith("kernels.py"))
    module = ".".join(("pacifico", *Path(name).with_suffix("").parts))
    importlib.import_module(module)
    return int(pytest.main([*(f"tests/{t}" for t in TESTS[name]), *PYTEST], plugins=[Loop(name, module, connection)]))


def apply_mutant(module: ModuleType, mutant: Mutant) -> None:
    """Give the functions and constants of a loaded module their changed values.

    Functions keep their identity, so that every reference to them runs the changed code.
    """
    before = dict(module.__dict__)
    changed = ModuleType(module.__name__)
    changed.__dict__.update({k: v for k, v in before.items() if k.startswith("__")})
    # classes look their module up while they are made
    sys.modules[module.__name__] = changed
    try:
        exec(compile(mutant.tree, str(module.__file__), "exec"), changed.__dict__)  # noqa: S102 (the project's own code)
    finally:
        sys.modules[module.__name__] = module
    for key, old in before.items():
        new = changed.__dict__.get(key)
        if key.startswith("__") or take_code(old, new, module.__name__) or not is_constant(old) or old == new:
            continue
        for other in list(sys.modules.values()):
            if getattr(other, "__dict__", {}).get(key) is old:
                setattr(other, key, new)
    models = {k: v for k, v in before.items() if hasattr(v, "model_rebuild") and v.__module__ == module.__name__}
    if sum(take_fields(old, changed.__dict__[key]) for key, old in models.items()):
        for old in models.values():  # in their order: the later ones hold the earlier ones
            old.model_rebuild(force=True)


def take_fields(old: Any, new: Any) -> bool:
    """Give a pydantic model the changed limits and defaults of another; whether there were any."""
    is_changed = old.model_config != new.model_config
    old.model_config = new.model_config
    for name, field in new.__pydantic_fields__.items():
        before = old.__pydantic_fields__[name]
        if repr(field) == repr(before):
            continue
        if repr(field.annotation) == repr(before.annotation):
            field.annotation = before.annotation  # models in it keep their identity
        old.__pydantic_fields__[name] = field
        is_changed = True
    return is_changed


def is_constant(value: Any) -> bool:
    """Whether a value is plain data."""
    return isinstance(value, int | float | str | tuple | list | dict | set | frozenset)


def take_code(old: Any, new: Any, module: str) -> bool:
    """Give a function, or all functions of a class, the code of another; whether it was one of the module."""
    if getattr(old, "__module__", None) != module:
        return False
    if hasattr(old, "cache_clear"):
        old.cache_clear()
    if isinstance(old, type):
        for key, value in vars(old).items():
            other = vars(new).get(key)
            if (
                not take_code(bare(value), bare(other), module)
                and is_constant(value)
                and value != other
                and not key.startswith("__")
            ):
                setattr(old, key, other)
        return True
    old, new = bare(old), bare(new)
    if isinstance(old, FunctionType) and isinstance(new, FunctionType):
        if len(old.__code__.co_freevars) == len(new.__code__.co_freevars):
            old.__code__ = new.__code__
        old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
    return True


def bare(value: Any) -> Any:
    """Function inside a property, a method or a cache."""
    for name in ("fget", "__func__", "func", "__wrapped__", "py_func"):
        value = getattr(value, name, None) or value
    return value


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
    from mutants.argued import reason

    end = time.monotonic() + 60 * minutes
    groups: dict[str, Group] = {}
    results: list[dict] = []
    for name, mutant in chosen:
        if time.monotonic() > end:
            print(f"{minutes:g} minutes are over: {len(results)} of {len(chosen)} mutants were run")
            break
        if name not in groups:
            groups[name] = Group(name)
            count, seconds, left_out = groups[name].receive()
            print(f"{name}: {count} tests of {seconds:.1f} s, {left_out} left out", flush=True)
        killed = groups[name].is_killed(mutant)
        why = "" if killed else reason(name, mutant)
        results.append({"module": name, "line": mutant.line, "change": mutant.change, "killed": killed, "argued": why})
        if not killed:
            print(f"  survived: {name}:{mutant.line}: {mutant.change}{f'  (argued: {why})' if why else ''}", flush=True)
        if out:
            out.write_text(json.dumps(results, indent=1))
    for group in groups.values():
        group.close()
    return results


def report(results: list[dict], least: float) -> int:
    """Print a table of the results; returns the exit status."""
    print(f"{'module':42} mutants killed survivors argued")
    for name in dict.fromkeys(r["module"] for r in results):
        own = [r["killed"] for r in results if r["module"] == name]
        argued = sum(bool(r["argued"]) for r in results if r["module"] == name)
        print(f"{name:42} {len(own):7} {sum(own):6} {len(own) - sum(own):9} {argued:6}")
    killed, argued = (sum(bool(r[key]) for r in results) for key in ("killed", "argued"))
    share = 100 * killed / max(len(results), 1)
    print(
        f"killed {share:.1f} % of {len(results)} (wanted {least:g} %);"
        f" {100 * killed / max(len(results) - argued, 1):.1f} % without the {argued} argued ones"
    )
    return int(share < least)


PYTEST = (
    "-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", "-p", "no:benchmark", "-p", "no:xdist", "-p", "no:nbmake",
    "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning",
    "-W", "ignore::RuntimeWarning",  # compiled loops divide by zero in silence, plain Python warns
)  # fmt: skip


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
