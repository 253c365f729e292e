"""Health of worker processes.

Whether their loops move, and whether store and queue answer.

Each process writes a small file; the container's health check and the metrics port read them all.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.jobs.settings import Settings

log = logging.getLogger(__name__)

#: Margin for one call to store or queue with its retries, on a busy machine [s].
_MARGIN_S = 90.0

#: Outage of store or queue after which a worker counts as unhealthy [s]. Shorter ones pass by themselves.
OUTAGE_S = 300.0


def patience(settings: Settings) -> dict[str, float]:
    """Longest silence of a healthy loop [s], by what it is doing.

    All limits follow from the settings: a job is heard of at every renewal of its lease, a receive ends with its long
    poll, and claim, upload and commit are retried within one lease.
    """
    return {
        "receive": settings.wait_s + _MARGIN_S,
        "job": settings.lease_s + settings.renew_s + _MARGIN_S,
        "sweep": _MARGIN_S,
    }


class Pulse:
    """The health file of one worker process.

    Parameters
    ----------
    patience_s : dict
        Longest silence [s], by what the loop is doing.
    folder : Path, optional
        Where the files of this user's workers are.
    """

    def __init__(self, patience_s: dict[str, float], folder: Path | None = None) -> None:
        self._path = (folder or pulse_folder()) / f"{os.getpid()}.json"
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._patience_s = patience_s
        self._doing = "receive"
        self._failure: dict[str, Any] | None = None
        self._lock = threading.Lock()

    def beat(self, doing: str) -> None:
        """Write that the loop moves, and what it is doing."""
        with self._lock:
            self._doing = doing
            self._write()

    def fail(self, reason: str, *, lasting: bool) -> None:
        """Write that store or queue failed; `lasting` faults won't pass by themselves."""
        with self._lock:
            since = self._failure["since"] if self._failure else time.monotonic()
            self._failure = {"reason": reason[:500], "since": since, "grace_s": 0.0 if lasting else OUTAGE_S}
            self._write()

    def recover(self) -> None:
        """Write that store and queue answer again."""
        with self._lock:
            if self._failure is not None:
                self._failure = None
                self._write()

    def others_busy(self) -> bool:
        """Whether another worker process here has a job."""
        return any(
            body["doing"] == "job" and _is_running(body["pid"])
            for path in self._path.parent.glob("*.json")
            if path != self._path and (body := _read(path)) is not None
        )

    def end(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        body = {
            "pid": os.getpid(),
            "doing": self._doing,
            "at": time.monotonic(),
            "patience_s": self._patience_s[self._doing],
            "failure": self._failure,
        }
        partial = self._path.with_suffix(".partial")
        try:
            partial.write_text(json.dumps(body), encoding="ascii")
            partial.replace(self._path)
        except OSError as error:  # a full disk: the file grows old, and the health check sees that
            log.warning("health file not written: %s", error)


def pulse_folder() -> Path:
    """Folder of the health files of this user's workers on this machine."""
    return Path(os.environ.get("PACIFICO_SCRATCH") or tempfile.gettempdir()) / f"pacifico-pulse-{os.getuid()}"


def check(folder: Path | None = None) -> tuple[bool, str]:
    """Whether all worker processes here are healthy, and why.

    An empty queue is healthy. A silent loop, wrong settings or rights, and a long outage are not.
    """
    now, faults, alive = time.monotonic(), [], 0
    for path in sorted((folder or pulse_folder()).glob("*.json")):
        body = _read(path)
        if body is None or not _is_running(body["pid"]):
            path.unlink(missing_ok=True)  # killed: its supervisor starts another
            continue
        alive += 1
        silent_s = now - body["at"]
        failure = body.get("failure")
        if silent_s > body["patience_s"]:
            faults.append(f"process {body['pid']} has been silent for {silent_s:.0f} s in '{body['doing']}'")
        elif failure and now - failure["since"] >= failure["grace_s"]:
            faults.append(
                f"process {body['pid']} takes no jobs for {now - failure['since']:.0f} s: {failure['reason']}"
            )
    if faults:
        return False, "; ".join(faults)
    if not alive:
        return False, "no worker runs here"
    return True, f"{alive} worker{'s' if alive > 1 else ''} in motion"


def _read(path: Path) -> dict[str, Any] | None:
    """Content of a health file; None where it can't be read."""
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return body if {"pid", "doing", "at", "patience_s"} <= body.keys() else None


def _is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def serve_metrics(port: int, text: Callable[[], str], *, host: str = "0.0.0.0") -> ThreadingHTTPServer:  # noqa: S104 (scrapers are on other machines)
    """Serve metrics and health on a port, in a thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path in ("/metrics", "/health")
            healthy, sentence = check() if self.path == "/health" else (True, text())
            body = (sentence if known else "not found").encode()
            self.send_response(404 if not known else 200 if healthy else 503)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Log no scrapes."""

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
