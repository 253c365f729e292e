"""A real JupyterHub with two users, neither of whom sees what is the other's."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]
PROXY = os.environ.get("PACIFICO_TEST_PROXY") or shutil.which("configurable-http-proxy")

CONFIG = """
import os, sys
c = get_config()
c.JupyterHub.ip = "127.0.0.1"
c.JupyterHub.port = {port}
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = {{"ann", "bob"}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser", "--allow-root"]
c.Spawner.default_url = "/pacifico/reports"
c.Spawner.environment = {environment!r}
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.JupyterHub.db_url = "sqlite:///" + {folder!r} + "/hub.sqlite"
c.JupyterHub.cookie_secret_file = {folder!r} + "/cookie"
c.JupyterHub.services = [dict(name="tests", api_token={token!r}, admin=True)]
c.JupyterHub.load_roles = [dict(name="tests", scopes=["admin:users", "admin:servers", "tokens", "access:servers"], services=["tests"])]
"""
TOKEN = "0123456789abcdef0123456789abcdef"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Address of a hub on which ann's and bob's servers run, and their tokens."""
    if PROXY is None:
        pytest.skip("configurable-http-proxy is not installed: npm install configurable-http-proxy, or name it in PACIFICO_TEST_PROXY")  # fmt: skip
    folder = tmp_path_factory.mktemp("hub")
    config = folder / "config" / "jupyter_server_config.d"
    config.mkdir(parents=True)
    shutil.copy(ROOT / "pacifico" / "server" / "jupyter" / "pacifico.json", config)
    port, inner, api = free_port(), free_port(), free_port()
    environment = {
        "JUPYTER_CONFIG_PATH": str(folder / "config"), "PYTHONPATH": str(ROOT), "PACIFICO_STORE": str(folder / "store"),
        "PACIFICO_OWNER": "somebody", "PACIFICO_DEFAULT_DEM": "sample",
    }  # fmt: skip
    (folder / "jupyterhub_config.py").write_text(
        CONFIG.format(port=port, hub=inner, api=api, proxy=PROXY, homes=str(folder / "homes"), folder=str(folder),
                      environment=environment, token=TOKEN)
    )  # fmt: skip
    log = (folder / "hub.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterhub", "-f", str(folder / "jupyterhub_config.py")],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: requests.get(f"{base}/hub/api", timeout=5).ok, process, folder / "hub.log")
        tokens = {name: start(base, name, process, folder / "hub.log") for name in ("ann", "bob")}
        yield base, tokens
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def wait_for(ready, process, log, limit_s=200):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            if ready():
                return
        except requests.exceptions.RequestException:
            pass
        time.sleep(0.2)  # the hub tells nobody when it is ready
    raise AssertionError(log.read_text()[-4000:])


def start(base, name, process, log):
    """Start a user's server and return a token of the user's own."""
    admin = {"Authorization": f"token {TOKEN}"}
    users = f"{base}/hub/api/users/{name}"
    requests.post(users, headers=admin, timeout=30)
    assert requests.post(f"{users}/server", headers=admin, timeout=150).status_code in (201, 202)
    wait_for(
        lambda: requests.get(users, headers=admin, timeout=10).json()["servers"].get("", {}).get("ready"), process, log
    )
    return requests.post(f"{users}/tokens", headers=admin, json={}, timeout=30).json()["token"]


def ask(hub, server, token, method, path, **given):
    address = f"{hub[0]}/user/{server}/pacifico/api{path}"
    return requests.request(method, address, headers={"Authorization": f"token {token}", **given.pop("headers", {})}, timeout=120, **given)  # fmt: skip


@pytest.mark.slow
def test_neither_user_sees_what_is_the_others(hub):
    _, tokens = hub
    sample = (ROOT / "pacifico" / "data" / "sample-site.kml").read_bytes()
    made = {}
    for name in ("ann", "bob"):
        added = ask(hub, name, tokens[name], "POST", "/sites/upload", files={"file": ("site.kml", sample)})
        assert added.status_code == 201, added.text
        body = {"site_id": added.json()["site_id"], "target_capacity_kw": 1000, "use_terrain": False}
        reply = ask(hub, name, tokens[name], "POST", "/layouts/generate", json=body)
        assert reply.status_code == 200, reply.text
        made[name] = reply.json()["layout_id"]
        assert ask(hub, name, tokens[name], "GET", f"/layouts/{made[name]}/status").json()["owner"] == name
    for name, other in (("ann", "bob"), ("bob", "ann")):
        listed = ask(hub, name, tokens[name], "GET", "/layouts").json()["layouts"]
        assert [row["layout_id"] for row in listed] == [made[name]]
        for method, path in (
            ("GET", ""), ("GET", "/status"), ("GET", "/files/layout.geojson"), ("GET", "/export/kmz"), ("DELETE", ""),
            ("POST", "/cancel"), ("POST", "/roads/recompute"),
        ):  # fmt: skip
            reply = ask(hub, name, tokens[name], method, f"/layouts/{made[other]}{path}")
            assert (reply.status_code, reply.json()["code"]) == (404, "not_found"), path
        assert ask(hub, other, tokens[name], "GET", "/layouts").status_code in (401, 403)  # another's server
    assert ask(hub, "ann", tokens["ann"], "GET", f"/layouts/{made['ann']}").status_code == 200


@pytest.mark.slow
def test_a_service_owns_nothing(hub):
    reply = ask(hub, "ann", TOKEN, "GET", "/layouts")
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")
