"""A real Jupyter Server with the extension, in a process of its own, over loopback."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from fixtures.raw_http import TOKEN

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "pacifico" / "data" / "sample-site.kml"


class Rest:
    """A running server: `rest.get("/layouts")` asks it with the token."""

    def __init__(self, process, base, folder):
        self.process = process
        self.base = base
        self.api = f"{base}/pacifico/api"
        self.folder = folder
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"token {TOKEN}"

    def ask(self, method, path, **given):
        given.setdefault("timeout", 120)
        address = path if path.startswith("http") else self.api + path
        return self.session.request(method, address, **given)

    def get(self, path, **given):
        return self.ask("GET", path, **given)

    def post(self, path, **given):
        return self.ask("POST", path, **given)

    def upload(self, path=SAMPLE):
        with path.open("rb") as file:
            reply = self.post("/sites/upload", files={"file": file})
        assert reply.status_code == 201, reply.text
        return reply.json()["site_id"]

    def wait(self, layout_id, *, limit_s=120):
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            body = self.get(f"/layouts/{layout_id}/status").json()
            if body["status"] in ("completed", "failed", "cancelled"):
                return body
            time.sleep(0.1)  # this is what a client does
        raise AssertionError(f"{layout_id} had not ended: {body}")

    @property
    def log(self):
        return (self.folder / "server.log").read_text()


@contextlib.contextmanager
def serve(folder, **environment):
    """Run a server with these variables."""
    config, runtime = folder / "config", folder / "runtime"
    place = config / "jupyter_server_config.d"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "pacifico" / "server" / "jupyter" / "pacifico.json", place)  # as the wheel places it
    (folder / "root").mkdir(exist_ok=True)
    for old in runtime.glob("jpserver-*.json"):
        old.unlink()
    own = {
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONPATH": str(ROOT),
        "PACIFICO_STORE": str(folder / "store"),
        "PACIFICO_OWNER": "ann",
        "PACIFICO_DEFAULT_DEM": "sample",
        "PACIFICO_SERVER_RATE": "100000",
        **environment,
    }
    left = {name: value for name, value in os.environ.items() if not name.startswith(("PACIFICO_", "JUPYTER"))}
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
        f"--ServerApp.root_dir={folder / 'root'}", f"--IdentityProvider.token={TOKEN}",
    ]  # fmt: skip
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command, env={**left, **own}, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield Rest(process, address_of(process, runtime, folder / "server.log"), folder)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def address_of(process, runtime, log):
    """Address from the file that a server writes when it listens."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for info in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError, OSError):  # being written, or not listening yet
                port = json.loads(info.read_text())["port"]
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return f"http://127.0.0.1:{port}"
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)  # there is no event for a new file
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def rest(tmp_path_factory):
    """Server of the session, with a local store."""
    with serve(tmp_path_factory.mktemp("rest")) as found:
        yield found


@pytest.fixture(scope="session")
def site(rest):
    """Site of the session: the sample."""
    return rest.upload()


@pytest.fixture(scope="session")
def layout(rest, site):
    """Layout of the session, generated while the request waits."""
    reply = rest.post("/layouts/generate", json={"site_id": site, "target_capacity_kw": 2000})
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.fixture
def new_server(tmp_path):
    """Function that starts a server of this test's own."""
    with contextlib.ExitStack() as running:
        yield lambda **environment: running.enter_context(serve(tmp_path, **environment))
