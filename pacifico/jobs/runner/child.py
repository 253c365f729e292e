"""The process that runs one notebook for a worker.

It exchanges JSON lines over one socket. To the worker: `ready`, `stage` [name, message], `outcome` {...},
`fault` [name, message, exit code]. From the worker: `run` {...}, `interrupt`. When the socket closes the worker has ended:
the kernel is killed and this process ends, so no notebook outlives its worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.run.process_tree import adopt_orphans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pacifico.run.execute import RunRequest

_IDLE_S = 0.5
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4

#: Modules that the shipped notebooks import, done before a job arrives. Only names, as a job knows no geometry.
PRELOAD = (
    "matplotlib.pyplot",
    "numpy",
    "pandas",
    "geopandas",
    "rasterio",
    "rioxarray",
    "xarray",
    "shapely",
    "pyproj",
    "scipy.optimize",
    "scipy.sparse",
    "skimage.graph",
    "pacifico.layout.generate",
    "pacifico.report",
    "pacifico.terrain.dem",
)

WARM = """
import importlib as _importlib, matplotlib as _matplotlib
_matplotlib.use("module://matplotlib_inline.backend_inline")
for _name in {names!r}:
    try:
        _importlib.import_module(_name)
    except ModuleNotFoundError as _error:
        if _error.name and not _name.startswith(_error.name): raise
for _name in ("_importlib", "_matplotlib", "_error", "_name"):
    globals().pop(_name, None)
"""


def main() -> None:
    """Run a job for the worker whose socket is the first argument."""
    from pacifico.run import kernel as kernels  # noqa: PLC0415 (0.5 s)

    line = JsonLines(socket.socket(fileno=int(sys.argv[1])))
    die_with_parent()
    adopt_orphans()
    kernel = kernels.start(Path.cwd())
    serve(line, kernel, lambda: kernels.warm(kernel, WARM.format(names=PRELOAD)))


def serve(line: JsonLines, kernel: Any, warm: Callable[[], None]) -> None:
    """Warm the kernel, run one job, and end the process.

    Parameters
    ----------
    line : JsonLines
        Line to the worker.
    kernel : jupyter_client.KernelManager
        A started kernel.
    warm : callable
        Does its imports.
    """
    from pacifico.run import kernel as kernels  # noqa: PLC0415
    from pacifico.run.execute import execute  # noqa: PLC0415

    cancel = threading.Event()
    orders: list[dict[str, Any]] = []
    received = threading.Event()

    def listen() -> None:
        for message in line:
            if "run" in message:
                orders.append(message["run"])
                received.set()
            if "interrupt" in message:
                cancel.set()
        kernels.kill(kernel)
        os._exit(1)

    threading.Thread(target=listen, name="listen", daemon=True).start()
    status = 0
    try:
        rehearse()
        warm()
        line.send(ready=True)
        while not received.wait(_IDLE_S):
            if _has_died(kernel):
                raise ChildProcessError("the kernel ended while it waited for a job")  # noqa: TRY301 (reported below)
        request = _run_request(orders[0])
        outcome = execute(
            request,
            on_stage=lambda stage, _percent, message: line.send(stage=[stage, message]),
            cancel=cancel,
            kernel=kernel,
        )
        line.send(outcome=outcome.as_dict())
    except Exception as error:  # noqa: BLE001 (the worker judges it)
        line.send(fault=[type(error).__name__, str(error), getattr(error, "exit_code", 0)])
        status = 1
    kernels.kill(kernel)
    os._exit(status)  # the worker removes the folder; threads of a failed run may still wait


def _run_request(run: dict[str, Any]) -> RunRequest:
    from pacifico.run.execute import RunRequest  # noqa: PLC0415

    return RunRequest(
        notebook=run["notebook"],
        parameters=run["parameters"],
        inputs={name: Path(path) for name, path in run["inputs"].items()},
        out_dir=Path(run["out_dir"]),
        timeout_s=run["timeout_s"],
        attempt=run["attempt"],
        worker=run["worker"],
        memory_limit_bytes=run["memory_limit_bytes"],
        notes=run["notes"],
    )


def rehearse() -> None:
    """Render a small notebook, so that first-use imports are done."""
    import nbformat  # noqa: PLC0415 (0.3 s)

    from pacifico.run import engine, html, manifest  # noqa: F401, PLC0415 (papermill and nbconvert: 3 s)

    v4: Any = nbformat.v4
    output = v4.new_output("stream", text="1")
    cells = [v4.new_markdown_cell("# a\n\n| a |\n|---|\n| 1 |"), v4.new_code_cell("print(1)", outputs=[output])]
    html.render(v4.new_notebook(cells=cells), None, title="rehearsal")
    manifest.environment()


def _has_died(kernel: Any) -> bool:
    process = getattr(getattr(kernel, "provisioner", None), "process", None)
    return process is None or process.poll() is not None


class JsonLines:
    """JSON lines over a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Messages as they arrive, until either end is closed."""
        with self._socket.makefile("rb") as file:
            while True:
                try:
                    text = file.readline()
                except (OSError, ValueError):
                    return
                if not text.endswith(b"\n"):
                    return
                message: dict[str, Any] = json.loads(text)
                yield message

    def send(self, **message: Any) -> None:
        """Send one message; do nothing if the other end is closed."""
        with self._lock, contextlib.suppress(OSError):
            self._socket.sendall(json.dumps(message).encode() + b"\n")


def die_with_parent() -> None:
    """Have the operating system end this process with its parent (Linux only)."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def hide_memory() -> None:
    """Hide this process's memory from other processes (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    main()
