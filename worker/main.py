"""Command line of the worker."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.errors import InputError, PacificoError
from pacifico.escaping import for_terminal
from pacifico.jobs.stop_signals import AFTER_GRACE_S
from pacifico.run.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.jobs.runner.processes import Spawner
    from pacifico.jobs.settings import Settings

log = logging.getLogger("worker")

_RESTART_S = 1.0
_EPILOG = (
    "Isolation: each notebook has processes, a folder and an environment of its own, without credentials, but no user and no "
    "network of its own. Run only notebooks that you trust; infra/RUNBOOK.md says what is promised and what is not."
)


def main(
    argv: Sequence[str] | None = None,
    *,
    spawner: Spawner | None = None,
    command: Sequence[str] = (sys.executable, "-m", "worker"),
) -> int:
    """Run a worker until SIGTERM or, with `--burst`, an empty queue.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; by default the command line's.
    spawner : Spawner, optional
        Starts the processes that run notebooks; by default as `--standby` says.
    command : sequence of str
        Command of one worker process, for `--concurrency` above 1.
    """
    parser = argparse.ArgumentParser(
        prog="python -m worker", description="Run queued layout jobs as notebooks.", epilog=_EPILOG
    )
    parser.add_argument("command", nargs="?", choices=["run", "health"], default="run")
    parser.add_argument("--burst", action="store_true", help="stop when the queue is empty")
    parser.add_argument("--concurrency", type=int, default=1, metavar="N", help="worker processes (default 1)")
    parser.add_argument(
        "--standby",
        choices=["fork", "process", "off"],
        default="fork",
        help="how the next notebook's process is made ahead: forked from a process with all imports done (default), "
        "started as a new process, or not ahead",
    )
    from pacifico.jobs.runner.child import hide_memory  # noqa: PLC0415

    hide_memory()  # also for the health check, which has the worker's environment
    pin_aws_files()
    given = parser.parse_args(argv)
    log_to_stderr()
    try:
        if given.command == "health":
            return _health()
        if given.concurrency < 1:
            raise InputError(f"--concurrency is {given.concurrency}; at least 1 process is needed")
        from pacifico.jobs.settings import from_environment  # noqa: PLC0415

        settings = from_environment()
        if settings.queue_url is None:
            raise InputError("PACIFICO_QUEUE_URL is not set; a worker needs the queue of its jobs")
        if given.concurrency > 1:
            options = ["--standby", given.standby, *(["--burst"] if given.burst else [])]
            return _supervise([*command, *options], given.concurrency, grace_s=settings.stop_grace_s)
        return _work(settings, burst=given.burst, standby=given.standby, spawner=spawner)
    except PacificoError as error:
        print(f"worker: {for_terminal(redact(str(error)))}", file=sys.stderr)  # noqa: T201 (a command's last line)
        return error.exit_code


def _work(settings: Settings, *, burst: bool, standby: str, spawner: Spawner | None) -> int:
    """Run one worker process.

    Parameters
    ----------
    settings : Settings
        The worker's settings.
    burst : bool
        Whether to end when the queue is empty.
    standby : str
        How the next notebook's process is made: 'fork', 'process' or 'off'.
    spawner : Spawner or None
        Starts the processes; by default as `standby` says.
    """
    from pacifico.jobs.queue import Queue  # noqa: PLC0415
    from pacifico.jobs.records import Records  # noqa: PLC0415
    from pacifico.jobs.runner.processes import ProcessSpawner  # noqa: PLC0415
    from pacifico.jobs.runner.runner import NotebookRunner  # noqa: PLC0415
    from pacifico.jobs.store.open import open_store  # noqa: PLC0415
    from worker.forkserver import ForkSpawner  # noqa: PLC0415
    from worker.health import Pulse, patience, serve_metrics  # noqa: PLC0415
    from worker.loop import Services, Worker  # noqa: PLC0415
    from worker.protection import Protection  # noqa: PLC0415
    from worker.report import Reporter  # noqa: PLC0415
    from worker.stop import Stop  # noqa: PLC0415

    name = f"{socket.gethostname()}-{os.getpid()}"
    stop = Stop(settings.stop_grace_s)
    stop.on_signals()
    reporter = Reporter(worker=name, namespace=settings.metrics_namespace)
    store = open_store(settings)
    queue = Queue(settings.queue_url or "")
    dead_letters = Queue(settings.dlq_url) if settings.dlq_url else None
    if spawner is None:
        spawner = ForkSpawner() if standby == "fork" else ProcessSpawner(isolated=True)
    runner = NotebookRunner(store, settings, spawner, standby=standby != "off")
    pulse = Pulse(patience(settings))
    server = serve_metrics(settings.metrics_port, reporter.prometheus) if settings.metrics_port else None
    try:
        pulse.beat("receive")
        runner.prepare()
        services = Services(
            records=Records(store),
            queue=queue,
            dead_letters=dead_letters,
            runner=runner,
            reporter=reporter,
            pulse=pulse,
            protection=Protection(longest_s=settings.job_timeout_s, others_busy=pulse.others_busy),
        )
        Worker(name, services, settings, stop).run(burst=burst)
    finally:
        runner.close()
        pulse.end()
        if server is not None:
            server.shutdown()
    return 0


def _supervise(command: Sequence[str], count: int, *, grace_s: float) -> int:
    """Keep some worker processes running."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for process in processes:
            process.send_signal(signal.SIGTERM)

    processes: list[subprocess.Popen[bytes]] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    port = int(os.environ.get("PACIFICO_METRICS_PORT") or 0)
    # Each process has its own port: the named one and those after it.
    environments = [{**os.environ, "PACIFICO_METRICS_PORT": str(port + place if port else 0)} for place in range(count)]
    processes += [subprocess.Popen(command, env=environment) for environment in environments]
    ended_at = None
    while any(process.poll() is None for process in processes):
        time.sleep(0.2)
        for place, process in enumerate(processes):
            code = process.poll()
            if code not in (None, 0) and not stopping:
                log.warning("worker process %d ended with %s; another takes its place", process.pid, code)
                time.sleep(_RESTART_S)
                if not stopping:
                    processes[place] = subprocess.Popen(command, env=environments[place])
        if stopping:
            ended_at = ended_at or time.monotonic()
            if time.monotonic() - ended_at > grace_s + AFTER_GRACE_S:
                for process in processes:
                    process.kill()
    return 0 if all(process.returncode == 0 for process in processes) else 1


class _OneLine(logging.Formatter):
    """Log lines without control characters."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's name)
        return for_terminal(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the base class's name)
        return for_terminal(super().formatException(ei), lines=True)


def log_to_stderr() -> None:
    """Write warnings to stderr; outside text forges no line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def pin_aws_files() -> None:
    """Keep the AWS client from reading profiles in a scratch folder.

    A profile may name a program to run, and a scratch folder is where a job could plant one.
    """
    home = Path(os.environ.get("HOME") or "/").resolve()
    scratch = {
        Path(os.environ.get("PACIFICO_SCRATCH") or tempfile.gettempdir()).resolve(),
        Path(tempfile.gettempdir()).resolve(),
    }
    if any(home.is_relative_to(folder) for folder in scratch):
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            os.environ.setdefault(name, os.devnull)


def _health() -> int:
    from worker.health import check  # noqa: PLC0415

    healthy, sentence = check()
    print(sentence)  # noqa: T201 (the health check's output)
    return 0 if healthy else 1
