"""Build the image's tree without Docker and run the worker from it: not as root, on a read-only root.

infra/build_tree.py says what this doesn't prove: this machine's root replaces the base image.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "infra" / "build_tree.py"
DOCKERFILE = (ROOT / "worker" / "Dockerfile").read_text()
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _script():
    spec = importlib.util.spec_from_file_location("infra_build_tree", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_dockerfile_meets_its_requirements():
    steps = _script().instructions(DOCKERFILE)
    last = max(n for n, (word, _) in enumerate(steps) if word == "FROM")
    assert sum(word == "FROM" for word, _ in steps) == 2
    final = {word: rest for word, rest in steps[last:] if word not in ("RUN", "ENV", "COPY")}
    assert all("slim" in rest for word, rest in steps if word == "FROM")
    assert final["USER"] == "10001:10001"
    assert json.loads(final["VOLUME"]) == ["/tmp"]
    assert json.loads(final["ENTRYPOINT"])[:2] == ["setpriv", "--no-new-privs"]
    assert "exec python -m worker" in final["ENTRYPOINT"]
    assert 'org.opencontainers.image.revision="$GIT_COMMIT"' in final["LABEL"]
    assert "python" in final["HEALTHCHECK"]
    assert "PYTHONPATH=/opt/pacifico/app" in next(rest for word, rest in steps[last:] if word == "ENV")
    assert ("COPY", "worker /opt/pacifico/app/worker") in steps[:last]
    assert final["WORKDIR"] == "/tmp"
    assert "PYTHONSAFEPATH=1" in next(rest for word, rest in steps[last:] if word == "ENV")
    installs = [rest for word, rest in steps if word == "RUN" and "pip install" in rest]
    assert installs
    assert all("--constraint constraints.txt" in rest for rest in installs)


def test_the_build_stage_gets_every_file_of_the_package_build():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = package["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["path"]
    licenses = (name for name in package["project"]["license-files"] if not name.startswith("pacifico/"))
    needed = {"pyproject.toml", hook, package["project"]["readme"], *licenses}
    copied = {name for word, rest in _script().instructions(DOCKERFILE) if word == "COPY" for name in rest.split()[:-1]}
    context = (ROOT / "worker/Dockerfile.dockerignore").read_text().split()
    assert needed <= copied
    assert {f"!{name}" for name in needed} <= set(context)


def test_task_definition_and_dockerfile_agree():
    task = (ROOT / "infra/terraform/ecs.tf").read_text()
    health = re.search(r'command\s+= \["CMD", (.*)\]', task)[1]
    assert f"CMD [{health}]" in DOCKERFILE
    assert 'user        = "10001:10001"' in task
    assert 'containerPath = "/tmp"' in task


def test_instructions_join_lines_and_drop_comments():
    read = _script().instructions("# no\nRUN a \\\n  b\n\nENV x=1\n")
    assert read == [("RUN", "a b"), ("ENV", "x=1")]


def test_worker_runs_from_the_layout_of_the_image(tmp_path):
    """With only `app/worker` on PYTHONPATH, the worker asks for its queue."""
    shutil.copytree(ROOT / "worker", tmp_path / "app" / "worker", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "pacifico", tmp_path / "lib" / "pacifico", ignore=shutil.ignore_patterns("__pycache__"))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PACIFICO_"))}
    env["PYTHONPATH"] = os.pathsep.join([str(tmp_path / "app"), str(tmp_path / "lib")])
    (tmp_path / "home").mkdir()

    def python(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], env=env, cwd=tmp_path / "home",
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    found = python("-c", "import pacifico, worker; print(pacifico.__file__); print(worker.__file__)")
    assert all(line.startswith(str(tmp_path)) for line in found.stdout.splitlines()), found.stdout
    assert len(found.stdout.splitlines()) == 2, found.stderr
    worker = python("-m", "worker")
    assert worker.returncode == 2
    assert "PACIFICO_QUEUE_URL is not set" in worker.stderr
    planted = tmp_path / "home" / "worker"
    planted.mkdir()
    (planted / "__init__.py").write_text("print('planted')")
    env["PYTHONSAFEPATH"] = "1"  # as the image sets it: its working folder is where jobs write
    assert python("-m", "worker", "health").stdout == "no worker runs here\n"


def _run_python(tree, code):
    done = subprocess.run(
        [sys.executable, SCRIPT, "exec", tree, "python", "-c", code],
        capture_output=True, text=True, timeout=120, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Tree of the image, built from the Dockerfile; takes some minutes."""
    if os.geteuid() != 0 or "overlay" not in Path("/proc/filesystems").read_text():
        pytest.skip("needs root and overlay mounts")
    if not Path("/usr/bin/python3.11").exists() or "bookworm" not in Path("/etc/os-release").read_text():
        pytest.skip("this machine can't replace python:3.11-slim-bookworm")
    tree = tmp_path_factory.mktemp("image") / "tree"
    done = subprocess.run(
        [sys.executable, SCRIPT, "build", tree, "--build-arg", f"GIT_COMMIT={COMMIT}"],
        capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    yield tree
    subprocess.run(["rm", "-rf", tree], check=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
class TestTree:
    def test_image_names_its_commit(self, tree):
        image = json.loads((tree / "image.json").read_text())
        assert image["labels"]["org.opencontainers.image.revision"] == COMMIT
        assert image["env"]["PACIFICO_GIT_COMMIT"] == COMMIT
        assert 'test -n "$GIT_COMMIT"' in DOCKERFILE

    def test_process_is_not_root_and_writes_only_to_tmp(self, tree):
        found = _run_python(tree, """
import json, os
def written(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return error.strerror
    return "written"
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(json.dumps({
    "pid": os.getpid(), "uid": os.getuid(), "groups": os.getgroups(),
    "capabilities": [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "written": {path: written(path) for path in ("/opt/pacifico/x", "/etc/x", "/var/x", "/tmp/x")},
    "home": os.listdir("/tmp"),
}))
""")  # fmt: skip
        assert (found["pid"], found["uid"], found["groups"]) == (1, 10001, [])
        assert set(found["capabilities"]) == {"0" * 16}
        read_only = "Read-only file system"
        assert found["written"] == {
            "/opt/pacifico/x": read_only,
            "/etc/x": read_only,
            "/var/x": read_only,
            "/tmp/x": "written",
        }

    def test_package_is_installed_and_worker_runs_from_source(self, tree):
        code = "import json, pacifico, worker; print(json.dumps([pacifico.__file__, worker.__file__]))"
        package, worker = _run_python(tree, code)
        assert package.startswith("/opt/pacifico/lib/")
        assert worker == "/opt/pacifico/app/worker/__init__.py"

    def test_no_program_has_a_setuid_or_setgid_bit(self, tree):
        code = """
import json, os, stat
found = [os.path.join(d, f) for top in ("/bin", "/sbin", "/usr") for d, _, files in os.walk(top) for f in files]
print(json.dumps([p for p in found if os.path.isfile(p) and os.lstat(p).st_mode & (stat.S_ISUID | stat.S_ISGID)]))
"""
        assert _run_python(tree, code) == []

    def test_worker_without_a_queue_is_refused(self, tree):
        done = subprocess.run(
            [sys.executable, SCRIPT, "run", tree], capture_output=True, text=True, check=False, timeout=120, cwd="/"
        )
        assert done.returncode == 2
        assert "PACIFICO_QUEUE_URL is not set" in done.stderr

    @pytest.mark.terraform
    def test_job_runs_and_sigterm_reaches_python(self, tree, applied):
        """Run a job, check the health command, stop by SIGTERM."""
        task = applied.client("ecs").describe_task_definition(
            taskDefinition=applied.outputs["ecs_worker_task_definition_arn"]
        )["taskDefinition"]["containerDefinitions"][0]
        environment = {entry["name"]: entry["value"] for entry in task["environment"]} | {"PACIFICO_WAIT_S": "1"}
        user = applied.env | {"PACIFICO_OWNER": "tree", **environment}
        main = [sys.executable, "-c", "from pacifico.cli.main import main; raise SystemExit(main())", "jobs"]
        site = ROOT / "pacifico" / "data" / "sample-site.kml"
        submit = [*main, "submit", str(site), "--dem", "sample", "--capacity-kw", "5000", "--json"]
        layout = json.loads(subprocess.run(submit, env=user, capture_output=True, text=True, check=True).stdout)
        worker = subprocess.Popen(
            [sys.executable, SCRIPT, "run", tree],
            env=applied.env | environment,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
        )
        try:
            wait = [*main, "wait", layout["layout_id"], "--timeout", "300"]
            subprocess.run(wait, env=user, capture_output=True, text=True, check=True)
            children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
            inside = Path(f"/proc/{children[0]}/status").read_text()
            assert re.search(r"^NoNewPrivs:\t1$", inside, re.MULTILINE)
            assert re.search(r"^Uid:\t10001\t", inside, re.MULTILINE)
            health = subprocess.run(
                ["nsenter", "-t", children[0], "-m", "-p", "-r", "setpriv", "--reuid", "10001", "--regid", "10001",
                 "--clear-groups", "env", "PATH=/opt/pacifico/bin:/usr/bin:/bin", "PYTHONPATH=/opt/pacifico/app", "python", "-m", "worker", "health"],
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert health.returncode == 0, health.stderr
        finally:
            began = time.monotonic()
            worker.send_signal(signal.SIGTERM)
            output, _ = worker.communicate(timeout=130)
        assert worker.returncode == 0
        assert time.monotonic() - began < 30
        assert '"ending": "completed"' in output
        key = f"owners/tree/layouts/{layout['layout_id']}/attempts/1/manifest.json"
        manifest = applied.client("s3").get_object(Bucket=applied.bucket, Key=key)["Body"].read().decode()
        assert COMMIT in manifest, "the manifest doesn't name the image's commit"
