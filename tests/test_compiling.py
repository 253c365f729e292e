"""Kernels are compiled ahead, in processes, and only once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types as python_types
from pathlib import Path
from pkgutil import resolve_name

import pytest

from pacifico import compiling
from pacifico.compiling import Kernel, compile_kernels, is_compiled, kernels, numba_type, serve

ROOT = Path(__file__).resolve().parents[1]
COVERED = """
import json, sys
sys.path.insert(0, "tests/fixtures")
import kernel_table
kernel_table.lay_out((20_000.0,))
called = {(n, json.dumps([kernel_table.text_of(t) for t in s])) for n, d in kernel_table.dispatchers().items() for s in d.signatures}
listed = {(k["name"], json.dumps(k["types"])) for k in json.load(open("pacifico/data/kernels.json"))}
missing = sorted(name for name, types in called - listed if "null" not in types)
sys.exit(f"run tests/fixtures/kernel_table.py, the table lacks {missing}" if missing else 0)
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of numba."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    return tmp_path


def test_the_table_names_kernels_with_callees_before_callers():
    listed = kernels()
    names = [kernel.name for kernel in listed]
    for place, kernel in enumerate(listed):
        assert hasattr(resolve_name(kernel.name), "py_func"), kernel.name
        assert not set(kernel.calls) & set(names[place:]), kernel.name
        assert all(numba_type(t) is not None for t in kernel.types)


def test_a_kernel_is_more_urgent_than_those_that_wait_for_it():
    listed = kernels()
    largest = {}
    for kernel in listed:
        largest[kernel.name] = max(largest.get(kernel.name, 0), kernel.urgency)
    for kernel in listed:
        assert all(largest[name] > kernel.urgency for name in kernel.calls if name in largest)


def test_argument_types_are_those_of_numba():
    from numba import types

    from pacifico.layout.alignment._curve_kernels import Pose

    assert numba_type("float64") == types.float64
    assert numba_type("bool") == types.boolean
    assert numba_type({"array": ["int32", 2, "C"]}) == types.Array(types.int32, 2, "C")
    readonly = {"array": ["float64", 2, "C"], "readonly": True}
    assert numba_type(readonly) == types.Array(types.float64, 2, "C", readonly=True)
    pose = {"tuple": f"{Pose.__module__}:Pose", "of": ["float64"] * 3}
    assert numba_type(pose) == types.NamedUniTuple(types.float64, 3, Pose)


def test_a_process_answers_each_line(monkeypatch):
    compiled = []

    def compile_it(signature):
        if not signature:
            raise TypeError("no such signature\nand more")
        compiled.append(signature)

    module = python_types.ModuleType("some_kernels")
    module.area = python_types.SimpleNamespace(compile=compile_it)
    monkeypatch.setitem(sys.modules, "some_kernels", module)
    answers = []
    lines = [json.dumps(["some_kernels:area", ["float64"]]), json.dumps(["some_kernels:area", []])]
    serve(lines, answers.append)
    assert answers == ["done", "TypeError: no such signature"]
    assert [str(t) for (t,) in compiled] == ["float64"]


def test_processes_that_die_leave_no_record(cache, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert compile_kernels(processes=2)
    assert not is_compiled()


def test_without_numba_nothing_is_compiled(cache, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert not compile_kernels()
    assert list(cache.iterdir()) == []


@pytest.mark.slow
def test_kernels_are_compiled_once_and_the_share_grows_to_the_end(cache, monkeypatch):
    pose = next(k for k in kernels() if k.name.endswith("_curve_kernels:advance"))
    broken = Kernel("pacifico.layout.alignment._curve_kernels:advance", ["float64"], pose.cost, [])
    monkeypatch.setattr(compiling, "kernels", lambda **_: [pose, broken])
    seen = []
    assert compile_kernels(on_progress=seen.append, processes=2)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert [p.name.partition("-")[0] for p in cache.rglob("*.nbi")] == ["_curve_kernels.advance"]
    assert is_compiled()
    assert not compile_kernels(on_progress=seen.append)
    assert not is_compiled(everything=True)
    assert compile_kernels(everything=True, processes=2)
    assert is_compiled(everything=True)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_table_lists_all_that_a_layout_calls():
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        [sys.executable, "-c", COVERED], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr[-2000:]
