"""Jupyter kernels.

Started in a scrubbed environment, and always ended with all processes that they started.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import uuid
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pacifico.errors import OutsideServiceError
from pacifico.run.cgroup import Cgroup
from pacifico.run.home import provide_folders
from pacifico.run.process_tree import RunProcesses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

_SECRET = re.compile(
    r"AWS_|BOTO|ECS_|AZURE|GOOGLE_|GCP_|GCLOUD|GH_|GITHUB_|GITLAB_|CI_JOB|SSH_|GPG_|KUBE|VAULT_|DOCKER_"
    r"|.*(SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|AUTH|COOKIE|SESSION|DSN)"
    r"|.*_(KEY|KEYS|PWD|PASS)$|KEY$"
    r"|PACIFICO_(STORE|QUEUE_URL|DLQ_URL|OWNER)$",
    re.IGNORECASE,
)
# A user's start-up files and plotting backend would change what the notebook does.
_UNWANTED = {"PYTHONSTARTUP", "PYTHONINSPECT", "MPLBACKEND", "IPYTHONDIR", "PYTHONHASHSEED"}
_USERINFO = re.compile(r"://[^/\s@]*:[^/\s@]+@")
_IPC_PATH_MAX = 90  # a socket's path holds 107 bytes, and jupyter_client adds to ours
_FOLDER = "pacifico-kernel-"
_TICK_S = 0.5
#: Class of the client that runs cells: for every manager of a kernel, also one of a forked process.
CLIENT = "pacifico.run.client.PromptClient"
#: Environment variable that marks the processes of one kernel.
RUN_ID = "PACIFICO_RUN_ID"

_processes: weakref.WeakKeyDictionary[Any, RunProcesses] = weakref.WeakKeyDictionary()


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """Environment without what looks like a credential."""
    return {
        name: value
        for name, value in environment.items()
        if not _SECRET.match(name) and name not in _UNWANTED and not _USERINFO.search(value)
    }


def start(cwd: Path, *, env: Mapping[str, str] | None = None) -> Any:
    """Start a Python kernel with this interpreter.

    Parameters
    ----------
    cwd : Path
        Its working folder.
    env : mapping, optional
        Its whole environment; None for a copy of this process's without secrets.

    Returns
    -------
    jupyter_client.KernelManager
        Started, perhaps not ready yet. The caller ends it with `stop`.
    """
    provide_folders()
    return in_thread(lambda: _start(cwd, env))


def warm(kernel: Any, code: str, *, timeout_s: float = 120.0) -> None:
    """Run code such as imports silently in a started kernel.

    Raises
    ------
    OutsideServiceError
        The code failed there, or the kernel died.
    """
    in_thread(lambda: _warm(kernel, code, timeout_s))


def exit_status(kernel: Any) -> str:
    """How the kernel's process ended, as text."""
    process = getattr(getattr(kernel, "provisioner", None), "process", None)
    code = process.poll() if process is not None else None
    if code is None:
        return "its process is gone"
    if code >= 0:
        return f"exit status {code}"
    return f"signal {signal.Signals(-code).name}"


def contain(kernel: Any, pid: int, *, run_id: str = "") -> None:
    """Begin to follow the processes of a new kernel.

    Parameters
    ----------
    kernel : jupyter_client.KernelManager
        The kernel.
    pid : int
        Its process.
    run_id : str
        Value of `RUN_ID` in its environment; empty where it has none of its own.
    """
    mark = f"{RUN_ID}={run_id}" if run_id else ""
    _processes[kernel] = RunProcesses([pid], mark=mark, cgroup=Cgroup.create(pid))


def processes(kernel: Any) -> RunProcesses:
    """All processes of a kernel, detached ones included."""
    return _processes[kernel]


def kill(kernel: Any) -> None:
    """Kill all processes of a kernel.

    `stop` still has to end its manager.
    """
    processes(kernel).kill()


def stop(kernel: Any) -> None:
    """End a kernel and all its children, and remove its files."""
    connection = Path(kernel.connection_file)
    kill(kernel)
    in_thread(lambda: kernel.shutdown_kernel(now=True))
    if connection.parent.name.startswith(_FOLDER):
        shutil.rmtree(connection.parent, ignore_errors=True)


def in_thread(call: Callable[[], T]) -> T:
    """Call a function in a new thread and return its result.

    jupyter_client keeps an event loop for each calling thread and never closes it, and it can't wait in a thread whose
    loop is running, such as a notebook's. A new thread avoids both.
    """
    from jupyter_core.utils import ensure_event_loop  # noqa: PLC0415 (late: 0.3 s)

    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        loop = ensure_event_loop()
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 (raised again below, in the caller's thread)
            errors.append(error)
        finally:
            loop.close()

    thread = threading.Thread(target=work, name="pacifico-kernel")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def specs() -> Any:
    """Manager of kernel specs that knows this interpreter only.

    A user's kernel named python3 may be another one, and a search for it reads the metadata of all packages.
    """
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager  # noqa: PLC0415

    class ThisInterpreter(KernelSpecManager):
        """Always this interpreter."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(
                argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                display_name=kernel_name,
                language="python",
            )

    return ThisInterpreter()


def _start(cwd: Path, env: Mapping[str, str] | None) -> Any:
    from jupyter_client.manager import KernelManager  # noqa: PLC0415

    home = Path(tempfile.mkdtemp(prefix=_FOLDER))
    manager = KernelManager(
        kernel_spec_manager=specs(),
        kernel_name="python3",
        connection_file=str(home / "k.json"),
        transport="ipc" if os.name == "posix" and len(str(home)) < _IPC_PATH_MAX else "tcp",
        # nbclient checks whether the kernel lives only with an asynchronous client.
        client_class=CLIENT,
    )
    environment = scrubbed(os.environ) if env is None else dict(env)
    environment.setdefault("IPYTHONDIR", str(home))
    environment.setdefault("PYTHONHASHSEED", "0")
    if not os.access(environment.get("HOME", ""), os.W_OK):  # a user without a home, as in a container
        environment["HOME"] = str(home)
    run_id = environment[RUN_ID] = uuid.uuid4().hex
    arguments = [
        "--HistoryManager.hist_file=:memory:",
        "--InteractiveShellApp.ignore_cwd=True",  # a file beside the report must not pass for a module
    ]
    try:
        manager.start_kernel(cwd=str(cwd), env=environment, extra_arguments=arguments)
    except OSError as error:
        shutil.rmtree(home, ignore_errors=True)
        raise OutsideServiceError(f"no kernel could be started with {sys.executable}: {error}") from error
    pid: int = manager.provisioner.pid  # type: ignore[union-attr]  # ours is a local process
    contain(manager, pid, run_id=run_id)
    # When memory runs out, the kernel is killed before its recorder.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("800", encoding="ascii")
    return manager


def _warm(kernel: Any, code: str, timeout_s: float) -> None:
    from jupyter_client.blocking.client import BlockingKernelClient  # noqa: PLC0415

    # with its manager a client asks whether the process lives; without, one second of silence counts as its end
    client = BlockingKernelClient(parent=kernel)
    client.load_connection_info(kernel.get_connection_info())
    client.start_channels(iopub=False, stdin=False, hb=False)
    try:
        asked = client.execute(code, silent=True, store_history=False, allow_stdin=False)
        reply = _reply(kernel, client, asked, timeout_s)
    finally:
        client.stop_channels()
    content = reply["content"]
    if content["status"] != "ok":
        raise OutsideServiceError(f"the kernel could not be prepared: {content.get('ename')}: {content.get('evalue')}")


def _reply(kernel: Any, client: Any, request_id: str, timeout_s: float) -> Any:
    """Wait for the reply to a request.

    Parameters
    ----------
    kernel : Any
        Kernel.
    client : Any
        Connection to it.
    request_id : str
        Id of the request.
    timeout_s : float
        Longest wait [s].
    """
    end = time.monotonic() + timeout_s
    while True:
        try:
            reply = client.get_shell_msg(timeout=_TICK_S)
        except queue.Empty:
            process = getattr(getattr(kernel, "provisioner", None), "process", None)
            if process is None or process.poll() is not None:
                raise OutsideServiceError(f"the kernel could not be prepared: {exit_status(kernel)}") from None
            if time.monotonic() > end:
                raise OutsideServiceError(f"the kernel could not be prepared in {timeout_s:g} s") from None
        else:
            if reply["parent_header"].get("msg_id") == request_id:
                return reply
