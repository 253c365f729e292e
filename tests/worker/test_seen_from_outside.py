"""Health, metrics and scale-in protection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pacifico.jobs.lifecycle import Delivery, Ending
from worker.health import Pulse, check, serve_metrics
from worker.protection import Protection
from worker.report import Reporter


def test_health_fails_when_the_loop_is_stuck_and_not_when_the_queue_is_empty(tmp_path):
    assert check(tmp_path) == (False, "no worker runs here")
    pulse = Pulse(tmp_path)
    pulse.beat("receive")
    assert check(tmp_path) == (True, "1 worker in motion")
    path = tmp_path / f"{os.getpid()}.json"
    body = json.loads(path.read_text())
    path.write_text(json.dumps({**body, "at": body["at"] - 1000}))
    well, words = check(tmp_path)
    assert not well
    assert "silent for 1000 s in 'receive'" in words
    pulse.end()
    (tmp_path / "1.json").write_text(json.dumps({**body, "pid": 2**22 + 1}))
    assert check(tmp_path)[0] is False  # killed: no sign of a process that is no more


def test_health_is_a_command(tmp_path):
    env = {**os.environ, "PACIFICO_SCRATCH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "worker", "health"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "no worker runs here\n")


def test_a_worker_without_a_queue_says_so_in_one_line():
    env = {name: value for name, value in os.environ.items() if not name.startswith("PACIFICO_")}
    done = subprocess.run([sys.executable, "-m", "worker"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "worker: PACIFICO_QUEUE_URL is not set; a worker needs the queue it works off\n"


def test_metrics_over_a_port(capsys):
    reporter = Reporter(worker="w", namespace="N")
    reporter.end(Delivery(ending=Ending.FAILED, kind="timeout", message="m", do="delete"), None, seconds=2.5)
    line = json.loads(capsys.readouterr().out)
    assert line["Failures"] == 1
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[], ["ErrorKind"]]
    server = serve_metrics(0, reporter.prometheus, host="127.0.0.1")
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as reply:
        text = reply.read().decode()
    assert 'pacifico_deliveries_total{worker="w",ending="failed",error_kind="timeout"} 1' in text
    assert 'pacifico_job_seconds_total{worker="w"} 2.500' in text
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("busy", [False, True])
def test_scale_in_protection_is_asked_for_and_given_back(busy):
    asked = []

    class Agent(BaseHTTPRequestHandler):
        def do_PUT(self):
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Agent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    agent = f"http://127.0.0.1:{server.server_port}"
    with Protection(longest_s=1800, agent=agent, others_busy=lambda: busy).held():
        assert asked == [("/task-protection/v1/state", {"ProtectionEnabled": True, "ExpiresInMinutes": 40})]
    assert len(asked) == (1 if busy else 2)
    server.shutdown()
    server.server_close()
    with Protection(longest_s=1800, agent=agent).held():
        pass  # an agent that is gone stops no job
