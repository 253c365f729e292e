"""Kernels compiled ahead: written for one kind of machine, and taken by machines of that kind alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import pytest

from pacifico import compiling, shipped
from pacifico.compiling import compile_kernels, is_compiled, kernels, source_hash
from pacifico.shipped import take_shipped, target, write_shipped

ROOT = Path(__file__).resolve().parents[1]
NAME = "some_kernels:area"
FILES = ("some_kernels.area-7.py311.nbi", "some_kernels.area-7.py311.1.nbc")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """numba's folder of a module `some_kernels`."""
    folder = tmp_path / "cache"
    folder.mkdir()
    module = types.ModuleType("some_kernels")
    module.area = types.SimpleNamespace(stats=types.SimpleNamespace(cache_path=str(folder)))
    monkeypatch.setitem(sys.modules, "some_kernels", module)
    return folder


@pytest.fixture
def folder(cache, tmp_path):
    """Shipped kernels of `some_kernels`; the cache they come from is empty again."""
    for name in (*FILES, "other_kernels.f-1.py311.nbi", "some_kernels.cpython-311.pyc"):
        (cache / name).write_text(name)
    write_shipped([NAME], "abc", tmp_path / "ship")
    for path in cache.iterdir():
        path.unlink()
    return tmp_path / "ship"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_only_files_of_the_kernels_are_shipped(folder):
    assert names(folder) == ["some_kernels", "target.json"]
    assert names(folder / "some_kernels") == sorted(FILES)


def test_shipped_kernels_are_copied_to_the_cache(cache, folder):
    assert take_shipped([NAME], "abc", folder)
    assert names(cache) == sorted(FILES)
    assert [(cache / name).read_text() for name in FILES] == list(FILES)


def test_a_kernel_that_was_compiled_here_stays(cache, folder):
    (cache / FILES[0]).write_text("compiled here")
    assert take_shipped([NAME], "abc", folder)
    assert names(cache) == [FILES[0]]
    assert (cache / FILES[0]).read_text() == "compiled here"


def test_data_without_an_index_is_replaced(cache, folder):
    (cache / FILES[1]).write_text("left by an older version")
    assert take_shipped([NAME], "abc", folder)
    assert (cache / FILES[1]).read_text() == FILES[1]


def test_the_index_comes_last(cache, folder, monkeypatch):
    copied = []
    monkeypatch.setattr(shipped, "_copy", lambda _, destination: copied.append(destination.name))
    assert take_shipped([NAME], "abc", folder)
    assert copied == [FILES[1], FILES[0]]


@pytest.mark.parametrize("key", sorted(target("")))
def test_kernels_for_another_machine_are_left(cache, folder, key):
    path = folder / "target.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: "another"}))
    assert not take_shipped([NAME], "abc", folder)
    assert names(cache) == []


def test_kernels_of_other_sources_are_left(cache, folder):
    assert not take_shipped([NAME], "abd", folder)
    assert names(cache) == []


def test_a_source_tree_ships_nothing(cache, tmp_path):
    assert not take_shipped([NAME], "abc", tmp_path / "absent")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="folder modes bind neither Windows nor root")
def test_a_cache_that_can_not_be_written_is_an_error(cache, folder):
    cache.chmod(0o500)
    with pytest.raises(OSError, match="denied"):
        take_shipped([NAME], "abc", folder)


def test_an_interrupted_copy_leaves_no_part(cache, folder, monkeypatch):
    def fail(source, destination):
        Path(destination).write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shipped.shutil, "copyfile", fail)
    with pytest.raises(OSError, match="No space left"):
        take_shipped([NAME], "abc", folder)
    assert names(cache) == []


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_wheel_with_kernels_lays_out_without_compiling(tmp_path, monkeypatch):
    env = os.environ | {"PACIFICO_SHIP_KERNELS": "1"}
    run = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(run, cwd=ROOT, env=env, check=True, capture_output=True, timeout=1200)
    (wheel,) = (tmp_path / "dist").iterdir()
    assert f"-cp{sys.version_info.major}{sys.version_info.minor}-" in wheel.name
    assert not wheel.name.endswith("-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    code = (
        "import pacifico, sys; from pacifico.compiling import compile_kernels, is_compiled; from pacifico.data import sample_site_path;"
        "assert not compile_kernels(on_progress=print) and is_compiled();"
        "site = pacifico.read_site(sample_site_path()); dem = pacifico.open_dem(site, 'sample');"
        "pacifico.generate_layout(site, dem, target_capacity_kw=20_000);"
        "from numba.core.dispatcher import Dispatcher;"
        "found = [d for m in list(sys.modules.values()) if m.__name__.startswith('pacifico.') for d in vars(m).values()"
        " if isinstance(d, Dispatcher)];"
        "print(len(found), sum(sum(d.stats.cache_misses.values()) for d in found))"
    )
    env = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    kernel_count, missed = map(int, done.stdout.split()[-2:])
    assert kernel_count > 100
    assert missed == 0


def test_shipped_kernels_are_taken_instead_of_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    asked = []
    monkeypatch.setattr(compiling, "take_shipped", lambda *given: asked.append(given) or True)
    monkeypatch.setattr(compiling, "_process", pytest.fail)
    assert not compile_kernels()
    assert is_compiled(everything=True)
    assert asked == [([kernel.name for kernel in kernels(everything=True)], source_hash())]
