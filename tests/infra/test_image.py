"""The image's steps run outside Docker, and the worker from the tree that they make: not root, on a read-only root.

What this doesn't prove is said in infra/build_tree.py: this machine's root stands in for the base image.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
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


def test_the_dockerfile_says_what_is_asked_of_it():
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
    installs = [rest for word, rest in steps if word == "RUN" and "pip install" in rest]
    assert installs
    assert all("--constraint constraints.txt" in rest for rest in installs)


def test_task_definition_and_image_agree():
    task = (ROOT / "infra/terraform/ecs.tf").read_text()
    health = re.search(r'command\s+= \["CMD", (.*)\]', task)[1]
    assert f"CMD [{health}]" in DOCKERFILE
    assert 'user        = "10001:10001"' in task
    assert 'containerPath = "/tmp"' in task


def test_continued_lines_and_comments_are_read():
    read = _script().instructions("# no\nRUN a \\\n  b\n\nENV x=1\n")
    assert read == [("RUN", "a b"), ("ENV", "x=1")]


def _proves(tree, code):
    done = subprocess.run(
        [sys.executable, SCRIPT, "exec", tree, "python", "-c", code],
        capture_output=True, text=True, timeout=120, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The image's tree, built anew: some minutes."""
    if os.geteuid() != 0 or "overlay" not in Path("/proc/filesystems").read_text():
        pytest.skip("needs root and overlay mounts")
    if not Path("/usr/bin/python3.11").exists() or "bookworm" not in Path("/etc/os-release").read_text():
        pytest.skip("this machine can't stand in for python:3.11-slim-bookworm")
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
    def test_a_build_without_a_commit_is_refused(self, tree):
        image = json.loads((tree / "image.json").read_text())
        assert image["labels"]["org.opencontainers.image.revision"] == COMMIT
        assert image["env"]["PACIFICO_GIT_COMMIT"] == COMMIT
        assert 'test -n "$GIT_COMMIT"' in DOCKERFILE

    def test_it_is_neither_root_nor_can_it_write(self, tree):
        said = _proves(tree, """
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
        assert (said["pid"], said["uid"], said["groups"]) == (1, 10001, [])
        assert set(said["capabilities"]) == {"0" * 16}
        read_only = "Read-only file system"
        assert said["written"] == {
            "/opt/pacifico/x": read_only,
            "/etc/x": read_only,
            "/var/x": read_only,
            "/tmp/x": "written",
        }

    def test_it_runs_the_packaged_code(self, tree):
        code = "import json, pacifico, worker; print(json.dumps([pacifico.__file__, worker.__file__]))"
        assert all(path.startswith("/opt/pacifico/lib/") for path in _proves(tree, code))

    def test_no_program_can_raise_its_rights(self, tree):
        code = """
import json, os, stat
found = [os.path.join(d, f) for top in ("/bin", "/sbin", "/usr") for d, _, files in os.walk(top) for f in files]
print(json.dumps([p for p in found if os.path.isfile(p) and os.lstat(p).st_mode & (stat.S_ISUID | stat.S_ISGID)]))
"""
        assert _proves(tree, code) == []

    def test_without_a_queue_it_says_so(self, tree):
        done = subprocess.run(
            [sys.executable, SCRIPT, "run", tree], capture_output=True, text=True, check=False, timeout=120, cwd="/"
        )
        assert done.returncode == 2
        assert "PACIFICO_QUEUE_URL is not set" in done.stderr

    @pytest.mark.terraform
    def test_a_job_runs_in_it_and_sigterm_reaches_python(self, tree, applied):
        """From submission to report; then health says well, and SIGTERM ends the worker by its own will."""
        task = applied.client("ecs").describe_task_definition(
            taskDefinition=applied.outputs["ecs_worker_task_definition_arn"]
        )["taskDefinition"]["containerDefinitions"][0]
        told = {entry["name"]: entry["value"] for entry in task["environment"]} | {"PACIFICO_WAIT_S": "1"}
        user = applied.env | {"PACIFICO_OWNER": "tree", **told}
        main = [sys.executable, "-c", "from pacifico.cli.main import main; raise SystemExit(main())", "jobs"]
        site = ROOT / "pacifico" / "data" / "sample-site.kml"
        submit = [*main, "submit", str(site), "--dem", "sample", "--capacity-kw", "5000", "--json"]
        layout = json.loads(subprocess.run(submit, env=user, capture_output=True, text=True, check=True).stdout)
        worker = subprocess.Popen(
            [sys.executable, SCRIPT, "run", tree], env=applied.env | told, stdout=subprocess.PIPE, text=True, cwd="/"
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
                 "--clear-groups", "env", "PATH=/opt/pacifico/bin:/usr/bin:/bin", "python", "-m", "worker", "health"],
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert health.returncode == 0, health.stderr
        finally:
            began = time.monotonic()
            worker.send_signal(signal.SIGTERM)
            said, _ = worker.communicate(timeout=130)
        assert worker.returncode == 0
        assert time.monotonic() - began < 30
        assert '"ending": "completed"' in said
        key = f"owners/tree/layouts/{layout['layout_id']}/attempts/1/manifest.json"
        manifest = applied.client("s3").get_object(Bucket=applied.bucket, Key=key)["Body"].read().decode()
        assert COMMIT in manifest, "the manifest names the image's commit"
