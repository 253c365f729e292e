"""A worker process over a real S3 and SQS server, with short runs and a network that fails.

`python emulated_worker.py NAME RATE`: every request fails with that rate, by a 503, a 403, no connection or a lost reply.
"""

from __future__ import annotations

import contextlib
import random
import sys
import tempfile
import time
import uuid
from pathlib import Path

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from botocore.httpsession import URLLib3Session

from pacifico.errors import InputError
from pacifico.jobs.delivery import RunOutcome

#: Files of every report.
FILES = ("layout.geojson", "report.html")
#: Target of jobs whose run refuses its input.
BAD_KW = 113


class _Body:
    """Body of an answer that no server gave."""

    def __init__(self, data):
        self._data = data

    def stream(self, **_):
        yield self._data

    def read(self, *_):
        data, self._data = self._data, b""
        return data


def fail_requests(rate, rng):
    """Make requests of this process fail; return a function that ends that."""
    send = URLLib3Session.send

    def answer(request, status, code):
        data = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        return AWSResponse(request.url, status, {"content-length": str(len(data))}, _Body(data))

    def failing(self, request):
        if rng.random() >= rate:
            return send(self, request)
        fault = rng.choice(("503", "503", "403", "refused", "lost reply", "lost reply"))
        if fault == "503":
            return answer(request, 503, "SlowDown")
        if fault == "403":
            return answer(request, 403, "AccessDenied")
        if fault == "refused":
            raise EndpointConnectionError(endpoint_url=request.url)
        send(self, request).content  # noqa: B018 (done, and nobody hears)
        raise ConnectionClosedError(endpoint_url=request.url)

    URLLib3Session.send = failing

    def end():
        URLLib3Session.send = send

    return end


class ShortRunner:
    """Runs of some milliseconds that write two files."""

    def __init__(self, rng):
        self._rng = rng

    @contextlib.contextmanager
    def workspace(self):
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)

    def run(self, task, folder, on_stage, signals):
        on_stage("placing_assets", "half of it")
        time.sleep(0.1 * self._rng.random())
        if self._rng.random() < 0.02:
            raise OSError(28, "No space left on device")
        if task.request.target_capacity_kw == BAD_KW:
            raise InputError("no buildable ground")
        report = folder / "report"
        report.mkdir()
        run = uuid.uuid4().hex
        for name in FILES:
            text = f"{task.request.owner} {task.request.layout_id} {task.attempt} {run} {name}"
            (report / name).write_text(text, encoding="utf-8")
        return RunOutcome(report=report, metrics={"asset_count": 3})


def main():
    """Work until killed."""
    from pacifico.jobs.queue import Queue
    from pacifico.jobs.records import Records
    from pacifico.jobs.settings import from_environment
    from pacifico.jobs.store.open import open_store
    from worker.health import Pulse, patience
    from worker.loop import Services, Worker
    from worker.protection import Protection
    from worker.report import Reporter
    from worker.stop import Stop

    name, rate = sys.argv[1], float(sys.argv[2])
    rng = random.Random(name)
    settings = from_environment()
    fail_requests(rate, rng)
    stop = Stop(1.0)
    stop.on_signals()
    services = Services(
        records=Records(open_store(settings)),
        queue=Queue(settings.queue_url),
        dead_letters=Queue(settings.dlq_url),
        runner=ShortRunner(rng),
        reporter=Reporter(worker=name, namespace="N"),
        pulse=Pulse(patience(settings)),
        protection=Protection(longest_s=60, agent=""),
    )
    Worker(name, services, settings, stop).run()


if __name__ == "__main__":
    main()
