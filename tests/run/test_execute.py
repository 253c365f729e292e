import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

from pacifico.errors import InputError
from pacifico.run import kernel as kernels
from pacifico.run import manifest

pytestmark = pytest.mark.usefixtures("no_leftovers")


def opened(folder):
    return nbformat.read(folder / "report.ipynb", as_version=4)


def statuses(folder):
    return [c.metadata.papermill.status for c in opened(folder).cells if c.cell_type == "code"]


def told(folder):
    return json.loads((folder / "manifest.json").read_text())


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_run_that_completes(template, execute, tmp_path):
    data = tmp_path / "my site {1}.kml"
    data.write_text("<kml/>")
    seen = []
    made = template(
        ("fetching_dem", "from pathlib import Path\ntext = Path(boundary).read_text()"),
        (
            "computing_slope",
            "import os\nassert not Path('report.ipynb').exists()\nPath('metrics.json').write_text(text + str(size)); print(os.getcwd())",
        ),
        parameters='boundary: str = ""  # required: the site\nsize: int = 3',
    )
    here = Path.cwd()
    outcome = execute(
        made,
        inputs={"boundary": data},
        parameters={"size": 7},
        on_stage=lambda *stage: seen.append((*stage[:2], threading.current_thread() is threading.main_thread())),
        attempt=2,
        worker="w1",
        notes={"dem": "asked as 3dep"},
    )
    report = tmp_path / "report"

    assert outcome.completed
    assert (outcome.error_kind, outcome.failing_cell, outcome.stage) == (None, None, "completed")
    assert (report / "metrics.json").read_text() == "<kml/>7"
    assert (report / "inputs" / data.name).read_text() == "<kml/>"
    assert seen == [("fetching_dem", 10, True), ("computing_slope", 25, True)]
    assert set(statuses(report)) == {"completed"}
    assert set(outcome.outputs) == {"metrics.json", "report.html", "report.ipynb"}
    assert outcome.outputs["metrics.json"] == {"sha256": hashlib.sha256(b"<kml/>7").hexdigest(), "bytes": 7}

    content = told(report)
    assert content["inputs"]["boundary"]["path"] == f"inputs/{data.name}"
    assert content["inputs"]["boundary"]["sha256"] == hashlib.sha256(b"<kml/>").hexdigest()
    assert content["request"]["parameters"] == {"size": 7, "boundary": f"inputs/{data.name}"}
    assert content["notebook"] == {"name": "tiny", "sha256": made.sha256}
    assert content["environment"]["packages"]["numpy"]
    assert (content["attempt"], content["worker"], content["notes"]) == (2, "w1", {"dem": "asked as 3dep"})
    assert content["outcome"]["status"] == "completed"
    assert content["outputs"] == outcome.outputs

    # The kernel stood in the report's folder; this process stayed where it was, and nothing else is left about.
    assert Path.cwd() == here
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([data.name, "report", "tiny.ipynb"])


def test_an_error_in_a_cell_is_told_in_notebook_and_manifest(template, execute, tmp_path):
    made = template(
        ("fetching_dem", "print('before')"), ("computing_slope", "1 / 0"), "print('never')", "print('nor this')"
    )
    outcome = execute(made)
    report = tmp_path / "report"

    assert (outcome.status, outcome.error_kind) == ("failed", "request")
    assert (outcome.error_name, outcome.error_message) == ("ZeroDivisionError", "division by zero")
    assert outcome.stage == "computing_slope"
    assert statuses(report) == ["completed", "completed", "failed", "pending", "pending"]
    nb = opened(report)
    assert "failed" in nb.cells[0].source
    assert "ZeroDivisionError: division by zero" in nb.cells[0].source
    assert "did not run: 2" in nb.cells[0].source
    assert nb.cells[outcome.failing_cell].source == "1 / 0"
    assert nb.metadata.papermill.exception is True
    assert "before" in nb.cells[outcome.failing_cell - 1].outputs[0].text
    assert told(report)["outcome"]["failing_cell"] == outcome.failing_cell
    assert "ZeroDivisionError" in (report / "report.html").read_text()


@pytest.mark.parametrize(
    ("source", "kind", "name"),
    [
        (
            "from pacifico.errors import *\nraise OutsideServiceError('3DEP answers 503')",
            "service",
            "OutsideServiceError",
        ),
        ("from pacifico.errors import *\nraise NoBuildableGroundError('no')", "request", "NoBuildableGroundError"),
        ("raise MemoryError", "memory", "MemoryError"),
        ("raise OSError(28, 'No space left on device')", "service", "OSError"),
    ],
)
def test_whose_fault_an_error_is(template, execute, source, kind, name):
    outcome = execute(template(source))
    assert (outcome.status, outcome.error_kind, outcome.error_name) == ("failed", kind, name)


def test_the_time_limit_stops_the_kernel_and_its_children(template, execute, tmp_path):
    made = template(
        "import subprocess\nprint(subprocess.Popen(['sleep', '600']).pid)",
        ("placing_assets", "import time; time.sleep(600)"),
        "print('never')",
    )
    begun = time.monotonic()
    outcome = execute(made, timeout_s=8)
    report = tmp_path / "report"

    assert time.monotonic() - begun < 20
    assert (outcome.status, outcome.error_kind, outcome.stage) == ("failed", "timeout", "placing_assets")
    assert "8 s" in outcome.error_message
    assert statuses(report)[-2:] == ["failed", "pending"]
    assert opened(report).metadata.papermill.exception is True
    assert "8 s" in opened(report).cells[0].source
    child = int(opened(report).cells[outcome.failing_cell - 1].outputs[0].text)
    assert not alive(child)


def test_a_kernel_that_is_killed_is_lost_not_completed(template, execute, tmp_path):
    made = template("import os, signal", "os.kill(os.getpid(), signal.SIGKILL)", "print('never')")
    outcome = execute(made)
    assert (outcome.status, outcome.error_kind, outcome.error_name) == ("failed", "lost", "KernelDied")
    assert "SIGKILL" in outcome.error_message
    assert statuses(tmp_path / "report")[-2:] == ["failed", "pending"]


def test_cancelling_stops_the_run(template, execute):
    cancel = threading.Event()
    outcome = execute(
        template(("placing_assets", "import time; time.sleep(600)")), cancel=cancel, on_stage=lambda *_: cancel.set()
    )
    assert (outcome.status, outcome.error_kind) == ("failed", "cancelled")


def test_the_memory_limit_stops_the_run(template, execute):
    made = template(
        "block = bytearray(400_000_000)\nblock[::4096] = b'x' * len(block[::4096])\nimport time; time.sleep(600)"
    )
    outcome = execute(made, memory_limit_bytes=300_000_000, timeout_s=60)
    assert (outcome.status, outcome.error_kind) == ("failed", "memory")
    assert "300 MB" in outcome.error_message


#: Starts a process that detaches in every way but one: its environment still names its run.
DETACHED = """
import pathlib, subprocess, time
subprocess.run(["setsid", "-f", "python3", "-c", '''
import os, pathlib, time
block = bytearray(SIZE)
block[::4096] = b"x" * len(block[::4096])
pathlib.Path("/dev/shm/NAME.part").write_text(str(os.getpid()))
os.rename("/dev/shm/NAME.part", "/dev/shm/NAME")
time.sleep(600)'''])
while not pathlib.Path("/dev/shm/NAME").exists(): time.sleep(0.01)
"""


@pytest.fixture
def detached(tmp_path):
    """Source of a cell that starts a detached process of some bytes, and the file that names it."""
    told = Path("/dev/shm", f"pacifico-test-{os.getpid()}-{time.monotonic_ns()}")
    yield lambda size: DETACHED.replace("SIZE", str(size)).replace("NAME", told.name), told
    told.unlink(missing_ok=True)


def test_a_detached_process_ends_with_its_run(template, execute, detached):
    source, told = detached
    assert execute(template(source(1))).completed
    assert not alive(int(told.read_text()))


def test_the_memory_limit_counts_detached_processes(template, execute, detached):
    source, told = detached
    outcome = execute(template(source(400_000_000) + "time.sleep(600)"), memory_limit_bytes=400_000_000, timeout_s=60)
    assert (outcome.status, outcome.error_kind) == ("failed", "memory")
    assert not alive(int(told.read_text()))


def test_what_on_stage_raises_ends_the_run_and_leaves_nothing(template, execute, tmp_path):
    def lost(*_):
        raise RuntimeError("lease lost")

    with pytest.raises(RuntimeError, match="lease lost"):
        execute(template(("placing_assets", "import time; time.sleep(600)")), on_stage=lost)
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.ipynb"]


def test_the_kernel_gets_no_credentials(template, execute, tmp_path, monkeypatch):
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "a1", "AWS_PROFILE": "a2", "GITHUB_TOKEN": "a3", "DB_PASSWORD": "a4", "MY_API_KEY": "a5",
        "DATABASE_URL": "postgres://me:a6@host/db", "PACIFICO_QUEUE_URL": "a7", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "a8",
    }  # fmt: skip
    for name, value in {**secrets, "HARMLESS": "yes"}.items():
        monkeypatch.setenv(name, value)
    execute(template("import os, json\nopen('env.json', 'w').write(json.dumps(dict(os.environ)))"))
    seen = json.loads((tmp_path / "report" / "env.json").read_text())
    assert not set(secrets) & set(seen)
    assert not set(secrets.values()) & set(seen.values())
    assert seen["HARMLESS"] == "yes"


def test_an_environment_that_is_given_is_the_whole_one(template, execute, tmp_path, monkeypatch):
    monkeypatch.setenv("HARMLESS", "yes")
    execute(
        template("import os, json\nopen('env.json', 'w').write(json.dumps(dict(os.environ)))"),
        env={"PATH": os.environ["PATH"], "ONLY": "this"},
    )
    seen = json.loads((tmp_path / "report" / "env.json").read_text())
    assert seen["ONLY"] == "this"
    assert "HARMLESS" not in seen
    assert seen["HOME"] != os.environ.get("HOME"), "a kernel without a home gets one of its own"


def test_a_kernel_started_ahead_is_used_and_ended(template, execute, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    kernel = kernels.start(scratch)
    kernels.warm(kernel, "import json as warmed_by_the_test")
    pid = kernel.provisioner.pid
    outcome = execute(
        template("import os\nopen('here.txt', 'w').write(f'{os.getpid()} {warmed_by_the_test.__name__}')"),
        kernel=kernel,
    )
    assert outcome.completed
    assert (tmp_path / "report" / "here.txt").read_text() == f"{pid} json"
    assert not alive(pid)
    assert not list(scratch.iterdir())


def test_a_run_works_inside_a_running_event_loop(template, execute):
    async def notebook():
        return execute(template("1 + 1"))

    assert asyncio.run(notebook()).completed


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sise": 1, "site": "a"}, "'sise' is not a parameter"),
        ({}, "'site' is missing"),
        ({"site": 4}, "site = 4 is not str"),
        ({"site": "a", "size": "big"}, "size = 'big' is not float | None"),
        ({"site": "a", "size": True}, "size = True is not float | None"),
        ({"site": "a", "size": float("nan")}, "size = nan is not plain JSON"),
    ],
)
def test_misfit_parameters_are_refused_before_anything_starts(template, execute, tmp_path, parameters, message):
    made = template("1", parameters='site: str = "x"  # required\nsize: float | None = None')
    with pytest.raises(InputError) as refused:
        execute(made, parameters=parameters)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.ipynb"]


def test_an_absent_input_is_refused(template, execute, tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        execute(template("1", parameters='site: str = ""'), inputs={"site": tmp_path / "gone.kml"})


def test_inputs_of_one_name_do_not_overwrite_each_other(template, execute, tmp_path):
    files = {}
    for name in ("site", "exclusions"):
        (tmp_path / name).mkdir()
        files[name] = tmp_path / name / "a.kml"
        files[name].write_text(name)
    made = template("print(open(site).read(), open(exclusions).read())", parameters='site = ""\nexclusions = ""')
    execute(made, inputs=files)
    nb = opened(tmp_path / "report")
    assert nb.cells[-1].outputs[0].text == "site exclusions\n"


class TestOutputFolder:
    def test_a_report_is_replaced(self, template, execute, tmp_path):
        execute(template("open('first.txt', 'w')"))
        execute(template("open('second.txt', 'w')"))
        assert not (tmp_path / "report" / "first.txt").exists()
        assert (tmp_path / "report" / "second.txt").exists()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["report", "tiny.ipynb"]

    def test_a_failed_run_replaces_a_report_too(self, template, execute, tmp_path):
        execute(template("1"))
        execute(template("1 / 0"))
        assert told(tmp_path / "report")["outcome"]["status"] == "failed"

    @pytest.mark.parametrize("has_report", [True, False])
    def test_foreign_files_are_never_lost(self, template, execute, tmp_path, has_report):
        out = tmp_path / "report"
        out.mkdir()
        (out / "thesis.docx").write_text("mine")
        if has_report:
            manifest.write(out, {"outputs": {}, "inputs": {}})
        with pytest.raises(InputError, match=r"thesis\.docx" if has_report else "holds no pacifico report"):
            execute(template("1"))
        assert (out / "thesis.docx").read_text() == "mine"

    def test_an_empty_folder_is_used(self, template, execute, tmp_path):
        (tmp_path / "report").mkdir()
        assert execute(template("1")).completed


def test_a_dead_parent_takes_its_kernel_along(template, tmp_path):
    """A worker killed outright must not leave a kernel behind."""
    made = template("import os\nopen(os.environ['MARK'], 'w').write(str(os.getpid()))\nimport time; time.sleep(600)")
    mark = tmp_path / "mark"
    script = (
        "import sys\nfrom pathlib import Path\nfrom pacifico.run import execute as run, notebooks\n"
        "made = notebooks.read(Path(sys.argv[1]))\n"
        "run.execute_template(run.RunRequest('tiny', {}, {}, Path(sys.argv[2])), made)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(made.path), str(tmp_path / "report")],
        env={**os.environ, "MARK": str(mark), "TMPDIR": str(tmp_path)},
    )
    deadline = time.monotonic() + 30
    while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
        assert parent.poll() is None
        threading.Event().wait(0.1)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    kernel = int(mark.read_text())
    while alive(kernel) and time.monotonic() < deadline:
        threading.Event().wait(0.1)
    assert not alive(kernel)
    assert not (tmp_path / "report").exists()


def test_what_a_notebook_keeps_stands_for_the_parameter(template, execute, tmp_path):
    big = tmp_path / "big.tif"
    big.write_text("much")
    made = template(
        "from pathlib import Path\nPath(dem).unlink()\nPath('inputs/dem.tif').write_text('less')\n"
        "Path('inputs/other.tif').write_text('fetched')\nPath('inputs/log.txt').write_text('x')",
        parameters='dem: str = ""\nother: str = "3dep"\nboundary: str = ""',
    )
    site = tmp_path / "a.kml"
    site.write_text("site")
    execute(made, inputs={"dem": big, "boundary": site}, parameters={"other": "glo30"})
    kept = told(tmp_path / "report")["inputs"]
    assert {n: e["path"] for n, e in kept.items()} == {
        "boundary": "inputs/a.kml", "dem": "inputs/dem.tif", "log.txt": "inputs/log.txt", "other": "inputs/other.tif",
    }  # fmt: skip
    assert kept["dem"]["given"]["path"] == "inputs/big.tif"
    assert kept["dem"]["given"]["sha256"] == hashlib.sha256(b"much").hexdigest()
    assert kept["dem"]["sha256"] == hashlib.sha256(b"less").hexdigest()
    assert kept["other"]["given"] == "glo30"
    assert "given" not in kept["boundary"]


def test_a_fault_of_the_runner_itself_is_raised_and_leaves_nothing(template, execute, tmp_path, monkeypatch):
    """Never a report that says 'completed' for a notebook that did not run."""

    def broken(*_args, **_kwargs):
        raise ZeroDivisionError("inside the runner")

    monkeypatch.setattr("pacifico.run.engine.execute_notebook", broken)
    with pytest.raises(ZeroDivisionError, match="inside the runner"):
        execute(template("1"))
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.ipynb"]


def test_a_signed_address_stays_out_of_every_file_of_a_report(template, execute, tmp_path):
    made = template("print('reading', dem)", "raise ValueError(f'{dem} can not be read')", parameters='dem: str = ""')
    address = "https://h.example/x.tif?X-Amz-Signature=abc123&v=1"
    outcome = execute(made, parameters={"dem": address}, notes={"dem": address})
    assert outcome.error_message == "https://h.example/x.tif?X-Amz-Signature=REDACTED&v=1 can not be read"
    texts = {p.name: p.read_text() for p in (tmp_path / "report").rglob("*") if p.is_file()}
    assert set(texts) >= {"report.ipynb", "report.html", "manifest.json"}
    for name, text in texts.items():
        assert "abc123" not in text, name
    assert "h.example" in texts["report.ipynb"]
    for name, about in outcome.outputs.items():
        assert about["bytes"] == (tmp_path / "report" / name).stat().st_size
