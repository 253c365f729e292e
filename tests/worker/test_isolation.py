"""What one job can see of the worker and of another job, asked from inside a kernel and from a process beside it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

#: As a plain user: a process of the same user reads another's environment, which has hidden its memory or has not.
PEEK = """
import ctypes, os, sys
from pacifico.jobs.runner.child import hide_memory
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # a change of user hides memory, too: shown again
ready, done = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    if sys.argv[1] == "hidden":
        hide_memory()
    os.write(ready[1], b"1")
    os.read(done[0], 1)
    os._exit(0)
os.read(ready[0], 1)
for name in ("environ", "mem"):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            print(name, "open")
    except PermissionError:
        print(name, "refused")
os.write(done[1], b"1")
os.waitpid(pid, 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
@pytest.mark.parametrize(("what", "found"), [("hidden", "refused"), ("shown", "open")])
def test_a_hidden_process_is_not_read_by_others_of_its_user(what, found):
    done = subprocess.run([sys.executable, "-c", PEEK, what], capture_output=True, text=True, check=True)
    assert done.stdout == f"environ {found}\nmem {found}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
@pytest.mark.parametrize("command", [["health"], ["--concurrency", "0"]])
def test_every_command_of_a_worker_hides_its_memory(command):
    """Also the health check, which a container starts with the worker's environment."""
    code = (
        "import ctypes, sys; from worker.main import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "0"


@pytest.mark.parametrize(("standby", "between"), [("fork", 2), pytest.param("process", 1, marks=pytest.mark.slow)])
def test_a_notebook_sees_no_credentials_and_nothing_of_the_job_before(world, standby, between):
    """`between` the kernel and the worker stand the runner, and the process that forks it; the worker hides itself."""
    ids = [world.submit(notebook="spy") for _ in range(2)]
    worker = world.worker("--burst", "--standby", standby)
    reports = []
    for layout_id in ids:
        out = world.check_report(world.reaches(layout_id, "completed"))
        reports.append(json.loads((out / "spy.json").read_text()))
    worker.wait(180)
    for seen in reports:
        told = json.dumps([seen["environ"], seen["self"], seen["parents"][:between]])
        for secret in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PACIFICO_QUEUE_URL", "PACIFICO_STORE"):
            assert secret not in told, secret
        assert (seen["before"], seen["files"], seen["module"]) == ([], [], None)
        assert "LEFT_BEHIND" not in seen["environ"]
        assert seen["cwd"].startswith(seen["home"])
    first, second = reports
    assert first["home"] != second["home"]
    assert first["group"] != second["group"]
    assert first["random"][0] != second["random"][0]
    assert first["random"][1] != second["random"][1]
