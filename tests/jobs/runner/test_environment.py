"""What a job's processes may know, and where they may leave something."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pacifico.jobs.runner.environment import environment, link_files, prepare_caches

WORKER = {
    "PATH": "/bin",
    "HOME": "/home/worker",
    "XDG_CACHE_HOME": "/home/worker/.cache",
    "NUMBA_CACHE_DIR": "/opt/numba",
    "NUMBA_CPU_NAME": "x86-64-v3",
    "AWS_ACCESS_KEY_ID": "k",
    "AWS_CONFIG_FILE": "/tmp/planted",
    "AWS_PROFILE": "planted",
    "PACIFICO_STORE": "s3://b",
}


def test_a_job_has_a_fresh_home_and_no_aws_files(tmp_path):
    found = environment(tmp_path, WORKER)
    assert found["HOME"] == found["TMPDIR"] == str(tmp_path)
    assert found["AWS_CONFIG_FILE"] == found["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert not {"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "PACIFICO_STORE"} & set(found)


def test_a_planted_profile_runs_no_program(tmp_path):
    """An AWS profile may name a program that prints credentials."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(f"[default]\ncredential_process = touch {tmp_path / 'ran'}\n")
    code = "import boto3; print(boto3.Session().get_credentials())"
    env = {**environment(tmp_path, {"PATH": os.environ["PATH"]}), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("isolated", [True, False])
def test_nothing_is_imported_from_the_folder_that_jobs_write(tmp_path, isolated):
    """Python puts the working folder before all others: a file there would pass for any module."""
    (tmp_path / "json.py").write_text("print('planted')")
    env = environment(tmp_path, {"PATH": os.environ["PATH"]}, isolated=isolated)
    for command in (["-c", "import json"], ["-m", "json", "--help"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert "planted" not in done.stdout


def test_an_isolated_job_has_caches_of_its_own(tmp_path):
    assert environment(tmp_path, WORKER)["NUMBA_CACHE_DIR"] == "/opt/numba"  # this user's own jobs share
    found = environment(tmp_path, WORKER, isolated=True)
    assert found["NUMBA_CACHE_DIR"].startswith(str(tmp_path))
    assert found["XDG_CACHE_HOME"].startswith(str(tmp_path))
    assert found["NUMBA_CPU_NAME"] == "x86-64-v3"


def test_what_a_job_writes_to_its_cache_reaches_no_other(tmp_path):
    shared = tmp_path / "shared"
    (shared / "package").mkdir(parents=True)
    (shared / "package" / "kernel.nbi").write_bytes(b"index")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        prepare_caches(tmp_path / name, {"NUMBA_CACHE_DIR": str(shared), "XDG_CACHE_HOME": str(tmp_path)})
    own = tmp_path / "one" / "numba-cache" / "package"
    new = own / "kernel.tmp"
    new.write_bytes(b"planted")
    new.replace(own / "kernel.nbi")  # as numba writes
    (own / "new.nbc").write_bytes(b"planted")
    assert (shared / "package" / "kernel.nbi").read_bytes() == b"index"
    assert [p.name for p in (shared / "package").iterdir()] == ["kernel.nbi"]
    other = tmp_path / "two" / "numba-cache" / "package"
    assert [(p.name, p.read_bytes()) for p in other.iterdir()] == [("kernel.nbi", b"index")]


def test_numba_reads_and_writes_a_cache_of_links(tmp_path):
    """Compiled once, read by a second process through links, and what that one compiles stays its own."""
    module = tmp_path / "kernels.py"
    module.write_text("import numba\n@numba.njit(cache=True)\ndef f(x):\n    return x + 1\n")
    code = "import sys, kernels; kernels.f(1); kernels.f(1.0) if sys.argv[1] == 'more' else None; print(sum(kernels.f.stats.cache_hits.values()))"
    shared = tmp_path / "shared"

    def run(cache, argument):
        env = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
        command = [sys.executable, "-c", code, argument]
        return int(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)

    assert run(shared, "one") == 0
    before = {p: p.read_bytes() for p in shared.rglob("*") if p.is_file()}
    link_files(shared, tmp_path / "job")
    assert run(tmp_path / "job", "more") == 1
    assert {p: p.read_bytes() for p in shared.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("name", ["MY_SECRET", "GITHUB_TOKEN", "DB_PASSWORD", "SOMETHING"])
def test_only_named_variables_pass(tmp_path, name):
    assert name not in environment(tmp_path, {name: "x"})
