"""Whether a worker's loop moves: told to container health checks through a small file, or over a port."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

#: What a loop may be busy with, and how long without a sign before it counts as stuck [s], on top of its own waiting.
PATIENCE_S = {"receive": 60.0, "job": 120.0, "sweep": 60.0}


class Pulse:
    """The sign of life of one worker process."""

    def __init__(self, folder: Path | None = None, *, slack_s: float = 0.0) -> None:
        self._path = (folder or pulse_folder()) / f"{os.getpid()}.json"
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._slack_s = slack_s
        self._lock = threading.Lock()

    def beat(self, doing: str) -> None:
        """Say that the loop moves, and what it does now."""
        body = {
            "pid": os.getpid(),
            "doing": doing,
            "at": time.monotonic(),
            "patience_s": PATIENCE_S[doing] + self._slack_s,
        }
        partial = self._path.with_suffix(".partial")
        with self._lock:
            try:
                partial.write_text(json.dumps(body), encoding="ascii")
                partial.replace(self._path)
            except OSError as error:  # a full disk: the sign grows old, and the health check says so
                log.warning("no sign of life written: %s", error)

    def others_busy(self) -> bool:
        """Tell whether another worker process here has a job."""
        for path in self._path.parent.glob("*.json"):
            body = json.loads(path.read_text(encoding="ascii"))
            if path != self._path and body["doing"] == "job" and Path(f"/proc/{body['pid']}").exists():
                return True
        return False

    def end(self) -> None:
        """Take the sign away."""
        self._path.unlink(missing_ok=True)


def pulse_folder() -> Path:
    """Folder of the signs of this user's workers on this machine."""
    return Path(os.environ.get("PACIFICO_SCRATCH") or tempfile.gettempdir()) / f"pacifico-pulse-{os.getuid()}"


def check(folder: Path | None = None) -> tuple[bool, str]:
    """Tell whether every worker process here moves: an empty queue is no fault, a stuck loop is."""
    found = sorted((folder or pulse_folder()).glob("*.json"))
    now, stuck, alive = time.monotonic(), [], 0
    for path in found:
        body = json.loads(path.read_text(encoding="ascii"))
        if not Path(f"/proc/{body['pid']}").exists():
            path.unlink(missing_ok=True)  # killed: whoever supervises it starts another
            continue
        age = now - body["at"]
        if age > body["patience_s"]:
            stuck.append(f"process {body['pid']} has been silent for {age:.0f} s in '{body['doing']}'")
        alive += 1
    if stuck:
        return False, "; ".join(stuck)
    if not alive:
        return False, "no worker runs here"
    return True, f"{alive} worker{'s' if alive > 1 else ''} in motion"


def serve_metrics(port: int, text: Callable[[], str], *, host: str = "0.0.0.0") -> ThreadingHTTPServer:  # noqa: S104 (a scraper is elsewhere)
    """Serve the Prometheus text on a port, from a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path in ("/metrics", "/health")
            well, words = check() if self.path == "/health" else (True, text())
            body = (words if known else "not found").encode()
            self.send_response(404 if not known else 200 if well else 503)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Say nothing of scrapes."""

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
