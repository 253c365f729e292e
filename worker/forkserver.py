"""Runner processes by fork.

Imports are done once, and every job still gets processes that have run nothing.

`python -m worker.forkserver FD` imports what notebooks need, in a scrubbed environment and with a single thread. On order
it forks a runner, and the runner forks its kernel before either starts a thread. Nothing that a job does reaches the server.

numba fixes the path of its cache when a module is imported, which is before the fork. So the server imports with the path
`/proc/self/fd/N`, and every job opens its own folder as N: the same path then leads each process to its own cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from pacifico.errors import OutsideServiceError
from pacifico.jobs.runner.child import PRELOAD, JsonLines, die_with_parent, rehearse, serve
from pacifico.jobs.runner.environment import environment, prepare_caches
from pacifico.jobs.runner.processes import Child
from pacifico.run import manifest
from pacifico.run.process_tree import adopt_orphans
from worker.rehearsal import rehearse_all

_SOCKET_PATH = 90  # a socket's path holds 107 bytes
#: Descriptor of the numba cache in every process of a fork server; high, so that nothing else takes it.
_CACHE_DESCRIPTOR = 900
#: Modules that a kernel imports while it starts and runs its first cells.
KERNEL_MODULES = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "matplotlib_inline.config",
    "pacifico.run.client",
    "tornado.platform.asyncio",
    "tornado.queues",
    "traitlets.config.argcomplete_config",
    "zmq.utils.garbage",
)
#: Options of mallopt: memory kept at the end of the heap, and size of what is mapped apart [bytes].
_MALLOC_LIMITS = {-1: 128 << 20, -3: 64 << 20}
_PREPARED = "import matplotlib as _m; _m.use('module://matplotlib_inline.backend_inline'); del _m"


class ForkSpawner:
    """Starts runner processes through a fork server, which it starts when needed.

    Parameters
    ----------
    command : tuple of str
        Command of the fork server.
    """

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "worker.forkserver")) -> None:
        self._command = command
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._home: Path | None = None

    def spawn(self, folder: Path) -> Child:
        """Fork a runner process, without waiting for it.

        Raises
        ------
        OutsideServiceError
            The server can't be reached, also after a second start.
        """
        for _ in range(2):
            if self._server is None or self._server.poll() is not None:
                self._start()
            ours, theirs = socket.socketpair()
            try:
                with theirs:
                    prepare_caches(folder)
                    order = json.dumps({"folder": str(folder), "env": environment(folder, isolated=True)}).encode()
                    socket.send_fds(self._live(), [len(order).to_bytes(4, "big")], [theirs.fileno()])
                    self._live().sendall(order)
                    reply = self._live().recv(16)  # the first time this waits for its imports
                if reply:
                    return Child(folder, ours, int(reply), None)
            except OSError:
                pass
            ours.close()
            self.close()
        raise OutsideServiceError(
            "the process that starts notebooks ended before it could fork; see the worker's stderr"
        )

    def close(self) -> None:
        """End the server; running children go on."""
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
        self._server = self._control = self._home = None

    def _live(self) -> socket.socket:
        if self._control is None:
            raise OutsideServiceError("the process that starts notebooks has ended; see the worker's stderr")
        return self._control

    def _start(self) -> None:
        self.close()
        self._home = Path(tempfile.mkdtemp(prefix="pacifico-fork-"))
        prepare_caches(self._home)
        self._control, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(
                [*self._command, str(theirs.fileno())],
                cwd=self._home,
                env=environment(self._home, isolated=True),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )


def main() -> None:
    """Import, then fork on every order; end with the worker."""
    control = socket.socket(fileno=int(sys.argv[1]))
    die_with_parent()
    if os.environ.get("NUMBA_CACHE_DIR"):
        use_cache(Path(os.environ["NUMBA_CACHE_DIR"]))
        os.environ["NUMBA_CACHE_DIR"] = f"/proc/self/fd/{_CACHE_DESCRIPTOR}"
    _preload()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children here
    while True:
        head, descriptors, _, _ = socket.recv_fds(control, 4, 1)
        if len(head) < 4:
            return
        size, text = int.from_bytes(head, "big"), b""
        while len(text) < size and (more := control.recv(size - len(text))):
            text += more
        pid = os.fork()
        if pid == 0:
            control.close()
            _child(descriptors[0], json.loads(text))
        os.close(descriptors[0])
        control.sendall(str(pid).encode())


def use_cache(folder: Path) -> None:
    """Make a folder the numba cache of this process."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.dup2(opened, _CACHE_DESCRIPTOR, inheritable=False)
    os.close(opened)


def _preload() -> None:
    import matplotlib as mpl  # noqa: PLC0415 (the server's task)

    mpl.use("agg")
    for name in (*PRELOAD, *KERNEL_MODULES):
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)
    manifest.keep_code()  # a job would start git twice
    rehearse()
    rehearse_all()
    keep_freed_memory()
    if threading.active_count() > 1:
        # A fork copies only the forking thread: locks held by others would stay locked.
        raise SystemExit(f"forkserver: imports started threads: {threading.enumerate()}")


def keep_freed_memory() -> None:
    """Keep freed memory for reuse, in this process and its forks (glibc only).

    By default large arrays go back to the system when they are freed, and the next ones are cleared page by page.
    """
    with contextlib.suppress(AttributeError):
        for option, limit in _MALLOC_LIMITS.items():
            ctypes.CDLL(None).mallopt(option, limit)


def _child(descriptor: int, order: dict[str, Any]) -> None:
    """Become a runner with a kernel of its own; never returns."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["env"])
        adopt_orphans()
        tempfile.tempdir = None  # so that it is looked up again, in this job's folder
        if "NUMBA_CACHE_DIR" in order["env"]:
            use_cache(Path(order["env"]["NUMBA_CACHE_DIR"]))
        kernel = _fork_kernel(descriptor, Path(order["folder"]))
        serve(JsonLines(socket.socket(fileno=descriptor)), kernel, lambda: _warm(kernel))
    except BaseException as error:  # noqa: BLE001 (nothing may return to the server's loop)
        print(f"forkserver: child failed: {error!r}", file=sys.stderr)  # noqa: T201
    finally:
        os._exit(1)


def _fork_kernel(descriptor: int, folder: Path) -> Any:
    from jupyter_client.connect import write_connection_file  # noqa: PLC0415

    home = Path(tempfile.mkdtemp(prefix="pacifico-kernel-", dir=folder))
    if len(str(home)) < _SOCKET_PATH:
        path, _ = write_connection_file(
            str(home / "k.json"), transport="ipc", ip=str(home / "s"), kernel_name="python3"
        )
    else:
        path, _ = write_connection_file(str(home / "k.json"), kernel_name="python3")
    pid = os.fork()
    if pid == 0:
        try:
            os.close(descriptor)
            _run_kernel(path, home)
        finally:
            os._exit(0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(pid, pid)  # the kernel does the same: whichever is first
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("800", encoding="ascii")
    return _manager(path, pid)


def _run_kernel(path: str, home: Path) -> None:
    import numpy as np  # noqa: PLC0415 (imported by the server)
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415

    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    die_with_parent()
    os.environ["IPYTHONDIR"] = str(home)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    np.random.seed()  # noqa: NPY002 (the global state that every fork would share)
    asyncio.set_event_loop(asyncio.new_event_loop())
    sys.argv = ["ipykernel_launcher", "-f", path]
    IPKernelApp.launch_instance(
        argv=["-f", path, "--HistoryManager.hist_file=:memory:", "--InteractiveShellApp.ignore_cwd=True"]
    )


def _warm(kernel: Any) -> None:
    from pacifico.run import kernel as kernels  # noqa: PLC0415

    kernels.warm(kernel, _PREPARED)


def _manager(path: str, pid: int) -> Any:
    """Return a manager of a kernel that is already running."""
    from jupyter_client.manager import KernelManager  # noqa: PLC0415
    from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase  # noqa: PLC0415

    from pacifico.run.kernel import CLIENT, contain, specs  # noqa: PLC0415

    class Forked(KernelProvisionerBase):
        """The forked process, as jupyter_client expects a process."""

        process: Any = None
        pid: int = 0
        pgid: int = 0

        @property
        def has_process(self) -> bool:
            return self.process is not None

        async def poll(self) -> int | None:
            return 0 if self.process is None else self.process.poll()

        async def wait(self) -> int | None:
            if self.process is None:
                return 0
            while self.process.poll() is None:  # noqa: ASYNC110 (a process sets no event)
                await asyncio.sleep(0.02)
            code: int | None = self.process.poll()
            self.process = None
            return code

        async def send_signal(self, signum: int) -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pgid, signum)

        async def kill(self, restart: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 (the base class's)
            await self.send_signal(signal.SIGKILL)

        async def terminate(self, restart: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
            await self.send_signal(signal.SIGTERM)

        async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
            raise NotImplementedError("a forked kernel is not started again")

        async def cleanup(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002
            """Do nothing: the folder is removed with the job."""

    manager = KernelManager(
        connection_file=path, kernel_name="python3", kernel_spec_manager=specs(), client_class=CLIENT
    )
    manager.load_connection_file()
    provisioner = Forked(parent=manager)
    provisioner.process, provisioner.pid, provisioner.pgid = _Process(pid), pid, pid
    manager.provisioner = provisioner
    contain(manager, pid)
    return manager


class _Process:
    """A child process that was forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Exit status; None while the process runs."""
        if self._code is None:
            with contextlib.suppress(ChildProcessError):
                found, status = os.waitpid(self.pid, os.WNOHANG)
                if found:
                    self._code = os.waitstatus_to_exitcode(status)
        return self._code


if __name__ == "__main__":
    main()
