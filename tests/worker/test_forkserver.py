"""The fork server's trick with numba's cache; whole runs through it are in test_scenarios and test_isolation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVER = """
import os, sys
from pathlib import Path
from worker.forkserver import use_cache

server, job = Path(sys.argv[1]), Path(sys.argv[2])
use_cache(server)
os.environ["NUMBA_CACHE_DIR"] = "/proc/self/fd/900"
import kernels  # before the fork, as a server preloads

pid = os.fork()
if pid == 0:
    use_cache(job)
    kernels.f(1.0)
    os._exit(0)
os.waitpid(pid, 0)
kernels.f(1)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/self/fd")
def test_a_fork_writes_to_its_own_cache_what_a_module_compiles_that_its_server_imported(tmp_path):
    (tmp_path / "kernels.py").write_text("import numba\n@numba.njit(cache=True)\ndef f(x):\n    return x + 1\n")
    server, job = tmp_path / "server", tmp_path / "job"
    for folder in (server, job):
        folder.mkdir()
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), root])}
    subprocess.run([sys.executable, "-c", SERVER, str(server), str(job)], env=env, check=True)
    found = {name: [p.read_bytes() for p in (tmp_path / name).rglob("*.nbi")] for name in ("server", "job")}
    assert [len(files) for files in found.values()] == [1, 1]
    assert found["server"] != found["job"]


FAULTS = """
import resource, sys
import numpy as np
from worker.forkserver import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(5_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(os.confstr_names.get("CS_GNU_LIBC_VERSION") is None, reason="needs glibc")
def test_freed_memory_is_used_again():
    def faults(how):
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run([sys.executable, "-c", FAULTS, how], env=env, capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert faults("kept") < 0.3 * faults("returned")
