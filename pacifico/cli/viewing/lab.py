"""JupyterLab on a notebook whose cells have run: the map is there when the browser opens.

The notebook's session is started through the server's REST interface, as JupyterLab would do it, and its cells run in that kernel.
JupyterLab joins the session of a notebook that it opens and takes the state of widgets from the kernel.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import subprocess
import time
import webbrowser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import urllib3

from pacifico.cli.printing import one_line, say
from pacifico.errors import OutsideServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from jupyter_client.blocking.client import BlockingKernelClient
    from nbformat import NotebookNode

START_S = 120.0
"""Longest wait for a server or a kernel to answer [s]: a first start on a busy machine compiles its modules."""
_LOOK_S = 2.0
"""Time between looks at a kernel that says nothing [s]."""
_END_S = 10.0
"""Time that a server has to end its kernels [s]."""


def show_in_lab(command: Sequence[str], notebook: Path, *, browser: bool) -> int:
    """Start JupyterLab, run the notebook's cells, open it, and wait until the server ends.

    Parameters
    ----------
    command : sequence of str
        Command of a server whose root is the notebook's folder, and which opens no browser.
    notebook : Path
        The notebook.
    browser : bool
        Whether a browser is opened; its address is printed anyway.

    Returns
    -------
    int
        Exit status of the server.
    """
    # with a token of our own the server can be asked, whatever its configuration says of passwords
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24)
    server = subprocess.Popen(command, env={**os.environ, "JUPYTER_TOKEN": token})
    try:
        url = _address_of(server, token)
        if url is None:
            return server.wait()
        try:
            _run_cells(server, _Api(url, token), notebook)
        except OutsideServiceError as error:
            say(f"the cell was not run: {one_line(error)}; press Shift+Enter in it")
        page = f"{url}doc/tree/{quote(notebook.name)}?token={token}"
        say(f"the map is at {page}")
        if browser and not webbrowser.open(page):
            say("no browser could be opened: open that address")
        return server.wait()
    finally:
        _end(server)


class _Api:
    """REST interface of a server on this machine."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(headers={"Authorization": f"token {token}"}, timeout=START_S, retries=False)

    def answers(self) -> bool:
        """Whether the server listens."""
        try:
            self._pool.request("GET", f"{self._url}api/status")
        except urllib3.exceptions.NewConnectionError:
            return False
        return True

    def ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        """Answer of the server.

        Raises
        ------
        OutsideServiceError
            The server refuses, or can't be reached.
        """
        try:
            answer = self._pool.request(method, f"{self._url}api/{path}", json=content)
        except urllib3.exceptions.HTTPError as error:
            raise OutsideServiceError(f"JupyterLab does not answer: {error}") from error
        if answer.status >= 400:
            raise OutsideServiceError(f"JupyterLab answers {method} {path} with status {answer.status}")
        return answer.json()


def _address_of(server: subprocess.Popen[bytes], token: str) -> str | None:
    """Address of the server that knows the token; None if none listens.

    The process is not found by its number: on Windows, Python in an environment starts another process.
    """
    from jupyter_server.serverapp import list_running_servers

    limit = time.monotonic() + START_S
    while server.poll() is None:
        for record in list_running_servers():
            # the file is written before the server listens
            if record.get("token") == token and _Api(record["url"], token).answers():
                return str(record["url"])
        if time.monotonic() > limit:
            say(f"JupyterLab did not say its address within {START_S:.0f} s; open the one that it prints")
            return None
        time.sleep(0.1)  # there is no event for a new file
    return None


def _run_cells(server: subprocess.Popen[bytes], api: _Api, notebook: Path) -> None:
    """Run the cells of a notebook in its session and save their outputs as trusted.

    Raises
    ------
    OutsideServiceError
        No kernel starts, or it ends.
    """
    import nbformat

    content = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    name = content.metadata.kernelspec.name
    path = quote(notebook.name)
    session = api.ask(
        "POST",
        "sessions",
        {"path": notebook.name, "name": notebook.name, "type": "notebook", "kernel": {"name": name}},
    )
    kernel = session["kernel"]["id"]
    client = _client_of(kernel)
    try:
        for number, cell in enumerate((c for c in content.cells if c.cell_type == "code"), start=1):
            cell.outputs = _outputs(server, api, kernel, client, cell.source)
            cell.execution_count = number
            cell.metadata["trusted"] = True  # the server signs a notebook whose cells all are
    finally:
        client.stop_channels()
    api.ask(
        "PUT", f"contents/{path}", {"type": "notebook", "format": "json", "content": json.loads(json.dumps(content))}
    )


def _client_of(kernel: str) -> BlockingKernelClient:
    """Client of a kernel that has answered.

    Raises
    ------
    OutsideServiceError
        The kernel doesn't answer.
    """
    from jupyter_client.blocking.client import BlockingKernelClient
    from jupyter_client.connect import find_connection_file

    try:
        client = BlockingKernelClient(connection_file=find_connection_file(f"kernel-{kernel}.json"))
        client.load_connection_file()
        client.start_channels()
    except OSError as error:
        raise OutsideServiceError(f"the kernel can't be reached: {error}") from error
    # a busy machine misses heartbeats, so the wait is for what the kernel publishes
    limit = time.monotonic() + START_S
    while time.monotonic() < limit:
        client.kernel_info()
        try:
            client.get_iopub_msg(timeout=_LOOK_S)
        except queue.Empty:
            continue
        return client
    client.stop_channels()
    raise OutsideServiceError(f"the kernel did not answer within {START_S:.0f} s")


def _outputs(
    server: subprocess.Popen[bytes], api: _Api, kernel: str, client: BlockingKernelClient, code: str
) -> list[NotebookNode]:
    """Outputs of a cell, as its notebook stores them.

    An error is one of them, and is printed in a line.

    Parameters
    ----------
    server : Popen
        The server.
    api : _Api
        Its interface.
    kernel : str
        Number of the kernel.
    client : BlockingKernelClient
        Client of the kernel.
    code : str
        Source of the cell.

    Raises
    ------
    OutsideServiceError
        The kernel or the server ends meanwhile.
    """
    from nbformat.v4 import output_from_msg

    process = _process_of(client)
    request = client.execute(code)
    outputs: list[NotebookNode] = []
    while True:
        try:
            message = client.get_iopub_msg(timeout=_LOOK_S)
        except queue.Empty:
            ended = server.poll() is not None or api.ask("GET", f"kernels/{kernel}")["execution_state"] == "dead"
            # the server starts an ended kernel again: the new process knows nothing of the cell
            if ended or _process_of(client) not in {process, None}:
                raise OutsideServiceError("the kernel ended while the cell ran") from None
            continue
        if message["parent_header"].get("msg_id") != request:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            return outputs
        if kind == "error":
            say(f"the cell failed: {one_line(content['ename'])}: {one_line(content['evalue'])}")
        if kind in {"stream", "display_data", "execute_result", "error"}:
            outputs.append(output_from_msg(message))  # type: ignore[no-untyped-call]


def _process_of(client: BlockingKernelClient) -> str | None:
    """Session that a kernel's process gave itself; None if it is busy."""
    client.control_channel.send(client.session.msg("kernel_info_request"))
    try:
        return str(client.control_channel.get_msg(timeout=_LOOK_S)["header"]["session"])
    except queue.Empty:
        return None


def _end(server: subprocess.Popen[bytes]) -> None:
    """End a server that still runs, with its kernels."""
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(_END_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
