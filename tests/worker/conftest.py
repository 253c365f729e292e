"""Real worker processes, a real server, and between them a proxy that a test can make fail."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

HERE = Path(__file__).resolve().parent
_spec = importlib.util.spec_from_file_location("aws_fixtures", HERE.parent / "fixtures" / "aws.py")
_jobs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_jobs)
server, aws, bucket, queues = _jobs.server, _jobs.aws, _jobs.bucket, _jobs.queues


class Call:
    """One request that passes the proxy, such as `s3:PUT status.json` or `sqs:DeleteMessage`.

    `step` is finer: it says what a status becomes, and leaves out the revisions in the names of hints.
    """

    def __init__(self, number, name, body):
        self.number = number
        self.name = name
        self.step = re.sub(r"[0-9]{8}-(?=[a-z]+$)", "hint ", name)
        if name == "s3:PUT status.json":
            status = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])  # without the frame of its checksum
            renewed = status["status"] == "processing" and status["revision"] != status["state_revision"]
            self.step += " renewed" if renewed else f" {status['status']}"


class Proxy:
    """Forwards to the server; `rule(call)` may return 'drop', 'swallow', 'drop reply', a status or a callable.

    'drop' closes the line before the server heard, 'drop reply' after it, 'swallow' says 200 without telling the server;
    a callable is called before ('before', f) or after ('after', f) the server heard, and the line is closed.
    """

    def __init__(self, target):
        self.target = urlsplit(target)
        self.calls = []
        self.rule = lambda call: None
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                proxy.handle(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 (the base class's names)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # who was killed in mid-request closes its line

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handle(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        body = self._body(handler, length)
        if action := handler.headers.get("X-Amz-Target", ""):
            name = "sqs:" + action.split(".")[-1]
        else:
            path = urlsplit(handler.path).path
            name = f"s3:{handler.command} {path.rsplit('/', 1)[-1] or path}"
        with self._lock:
            call = Call(len(self.calls), name, body)
            self.calls.append(name)
        verdict = self.rule(call)
        when, act = verdict if isinstance(verdict, tuple) else (verdict, None)
        if when in ("drop", "before"):
            if act:
                act()
            handler.close_connection = True
            return
        if when == "swallow":
            self._reply(handler, 200, {"Content-Type": "application/x-amz-json-1.0"}, b"{}")
            return
        if isinstance(when, int):
            self._reply(handler, when, {"Content-Type": "text/xml"}, b"<Error><Code>InternalError</Code></Error>")
            return
        if callable(when):
            when()
        status, headers, data = self._forward(handler, body)
        if when in ("drop reply", "after"):
            if act:
                act()
            handler.close_connection = True
            return
        self._reply(handler, status, headers, data)

    def _body(self, handler, length):
        if handler.headers.get("Expect", "").lower() == "100-continue" and handler.request_version >= "HTTP/1.1":
            pass  # the base class has answered it
        if handler.headers.get("Transfer-Encoding", "").lower() == "chunked":
            data = b""
            while size := int(handler.rfile.readline().split(b";")[0], 16):
                data += handler.rfile.read(size)
                handler.rfile.readline()
            handler.rfile.readline()
            return data
        return handler.rfile.read(length) if length else b""

    def _forward(self, handler, body):
        connection = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=60)
        headers = {
            k: v for k, v in handler.headers.items() if k.lower() not in ("transfer-encoding", "expect", "connection")
        }
        headers["Content-Length"] = str(len(body))
        connection.request(handler.command, handler.path, body=body, headers=headers)
        reply = connection.getresponse()
        data = reply.read()
        found = [(k, v) for k, v in reply.getheaders() if k.lower() not in ("transfer-encoding", "connection")]
        connection.close()
        return reply.status, found, data

    def _reply(self, handler, status, headers, data):
        pairs = headers.items() if isinstance(headers, dict) else headers
        handler.send_response_only(status)
        seen = set()
        for name, value in pairs:
            seen.add(name.lower())
            handler.send_header(name, value)
        if "content-length" not in seen:
            handler.send_header("Content-Length", str(len(data)))
        if "date" not in seen:
            handler.send_header("Date", handler.date_time_string())
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class World:
    """A store, a queue, and the workers that a test starts."""

    def __init__(self, proxy, env, tmp_path):
        self.proxy = proxy
        self.env = env
        self.tmp = tmp_path
        self.gate = tmp_path / "gate"
        self.fronts = []
        self.scratch = Path(env["PACIFICO_SCRATCH"])
        self.workers = []
        from pacifico.jobs.client import JobClient
        from pacifico.jobs.queue import Queue

        self.client = JobClient()
        self.records = self.client._records
        self.queue = Queue(env["PACIFICO_QUEUE_URL"])
        self.dead = Queue(env["PACIFICO_DLQ_URL"])
        boundary = tmp_path / "site.kml"
        boundary.write_bytes(b"<kml/>")
        self.site = self.client.upload_site(boundary)

    def submit(self, *, notebook="layout_report", gated=False, **parameters):
        """Submit a job; a gated one stays in its long cell until `open_gate`."""
        if gated:
            parameters["gate"] = str(self.gate)
        request = self.client.request(
            self.site, dem="sample", target_capacity_kw=1000, notebook=notebook, parameters=parameters
        )
        assert self.client.submit(request)["status"] == "queued"
        return request.layout_id

    def open_gate(self):
        self.gate.touch()

    def front(self, rule):
        """Another way to the same server, with a rule of its own."""
        proxy = Proxy(self.proxy.target.geturl())
        proxy.rule = rule
        self.fronts.append(proxy)
        return proxy.url

    def worker(self, *options, **env):
        log = (self.tmp / f"worker-{len(self.workers)}.log").open("w+b")
        process = subprocess.Popen(
            [sys.executable, str(HERE / "short.py"), "worker", *options],
            env={**os.environ, **self.env, "AWS_ENDPOINT_URL": self.proxy.url, **env},
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self.tmp,
        )
        process.log = log
        self.workers.append(process)
        return process

    def lines(self, process):
        process.log.seek(0)
        text = process.log.read().decode()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]

    def endings(self, *processes):
        """How deliveries ended, in the words of some workers, or of all."""
        return [line["ending"] for p in processes or self.workers for line in self.lines(p) if line["event"] == "end"]

    def says(self, ending, *processes, seconds=180):
        self.until(lambda: ending in self.endings(*processes), seconds, f"the word '{ending}'")

    def said(self):
        return "\n".join(w.log.seek(0) or w.log.read().decode() for w in self.workers)

    def until(self, condition, seconds=180, what="condition"):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(0.05)  # the store sends no events
        raise AssertionError(f"{what} did not come in {seconds} s\n{self.said()[-6000:]}")

    def status(self, layout_id):
        return self.records.read(self.client.owner, layout_id).status

    def reaches(self, layout_id, *states, seconds=180):
        return self.until(
            lambda: (s := self.status(layout_id)).status in states and s, seconds, f"{layout_id} {' or '.join(states)}"
        )

    def running(self, layout_id, seconds=180):
        """Wait until its notebook is in the midst of its long cell."""
        return self.until(
            lambda: (s := self.status(layout_id)).status == "processing" and s.progress_pct >= 55 and s,
            seconds,
            f"{layout_id} in its long cell",
        )

    def settled(self, seconds=180):
        """Wait until no message is left in the job queue."""
        self.until(lambda: not any(self.queue.depth().values()), seconds, "an empty queue")

    def check_report(self, status):
        """The report that a completed status names is there, whole."""
        assert set(status.artifacts) >= {"report.ipynb", "report.html", "manifest.json", "metrics.json"}
        out = self.client.fetch(status.layout_id, self.tmp / f"report-{status.layout_id}-{time.monotonic_ns()}")
        assert json.loads((out / "manifest.json").read_text())["attempt"] == status.attempt
        return out

    def close(self):
        for proxy in (self.proxy, *self.fronts):
            proxy.rule = lambda call: None
        self.open_gate()
        for process in self.workers:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.workers:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.log.close()
        for proxy in self.fronts:
            proxy.close()


@pytest.fixture
def world(aws, bucket, queues, tmp_path, monkeypatch):
    live, dead = queues
    scratch = tempfile.mkdtemp(prefix="pw-")  # short, as a socket's path must be
    env = {
        "PACIFICO_STORE": f"s3://{bucket}",
        "PACIFICO_QUEUE_URL": live,
        "PACIFICO_DLQ_URL": dead,
        "PACIFICO_OWNER": "ann",
        "PACIFICO_LEASE_S": "20",
        "PACIFICO_VISIBILITY_S": "25",
        "PACIFICO_WAIT_S": "1",
        "PACIFICO_RETRY_S": "0.5",
        "PACIFICO_SWEEP_S": "1",
        "PACIFICO_SCRATCH": scratch,
        "PACIFICO_TEST_COLD": "1",
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    proxy = Proxy(aws)
    found = World(proxy, env, tmp_path)
    yield found
    found.close()
    proxy.close()
    shutil.rmtree(scratch, ignore_errors=True)
