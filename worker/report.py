"""Log lines of a worker.

One JSON line at each start and end, with metrics for CloudWatch.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from pacifico.jobs.status import REQUEST_FAULTS
from pacifico.run.redact import redact, redacted

if TYPE_CHECKING:
    from typing import TextIO

    from pacifico.jobs.delivery import Delivery
    from pacifico.jobs.queue import Message
    from pacifico.jobs.status import Status

#: Metric -> CloudWatch unit.
UNITS = {
    "JobSeconds": "Seconds",
    "QueueSeconds": "Seconds",
    "Completed": "Count",
    "Failures": "Count",
    "ServiceFailures": "Count",
    "AssetCount": "Count",
    "CapacityKilowatts": "None",
}


class Reporter:
    """Writes the log lines and counts for the Prometheus text.

    Parameters
    ----------
    worker : str
        Name of the worker in every line.
    namespace : str
        CloudWatch namespace of the metrics.
    out : TextIO, optional
        Where to write; by default stdout.
    """

    def __init__(self, *, worker: str, namespace: str, out: TextIO | None = None) -> None:
        self._worker = worker
        self._namespace = namespace
        self._out = out or sys.stdout
        self._lock = threading.Lock()
        self._endings: Counter[tuple[str, str]] = Counter()
        self._job_seconds = 0.0
        self._queue_seconds = 0.0
        self._jobs = 0

    def start(self, status: Status, message: Message | None) -> None:
        """Log the start of a job."""
        queued = _queue_seconds(status)
        with self._lock:
            self._queue_seconds += queued
        self._write(
            {
                "event": "start",
                **_about(status),
                "receives": message.receives if message else 0,
                "queue_seconds": round(queued, 3),
            }
        )

    def end(self, delivery: Delivery, message: Message | None, *, seconds: float) -> None:
        """Log how a delivery ended, with metrics."""
        kind = delivery.kind or ""
        with self._lock:
            self._endings[delivery.ending.value, kind] += 1
            self._job_seconds += seconds
            self._jobs += 1
        body: dict[str, Any] = {
            "event": "end",
            "ending": delivery.ending.value,
            **(_about(delivery.status) if delivery.status else {}),
            "message_id": message.message_id if message else None,
            "receives": message.receives if message else 0,
            "seconds": round(seconds, 3),
        }
        if delivery.kind or delivery.message:
            body.update(error_kind=delivery.kind, error_message=redact(delivery.message)[:1000])
        if delivery.status is None and message is not None:
            body["body"] = message.body[:300]
        if delivery.ending in ("completed", "failed"):
            body.update(self._embedded(delivery, seconds))
        self._write(body)

    def prometheus(self) -> str:
        """Counters as Prometheus text."""
        with self._lock:
            lines = ["# TYPE pacifico_deliveries_total counter"]
            lines += [
                f'pacifico_deliveries_total{{worker="{self._worker}",ending="{ending}",error_kind="{kind}"}} {count}'
                for (ending, kind), count in sorted(self._endings.items())
            ]
            for name, value in (
                ("pacifico_job_seconds_total", self._job_seconds),
                ("pacifico_queue_seconds_total", self._queue_seconds),
            ):
                lines += [f"# TYPE {name} counter", f'{name}{{worker="{self._worker}"}} {value:.3f}']
        return "\n".join(lines) + "\n"

    def _embedded(self, delivery: Delivery, seconds: float) -> dict[str, Any]:
        """Members by which CloudWatch makes metrics of the line (embedded metric format)."""
        status = delivery.status
        completed = delivery.ending == "completed"
        values: dict[str, Any] = {
            "JobSeconds": round(seconds, 3),
            "Completed": int(completed),
            "Failures": int(not completed),
            # Alarms count these: a bad request is no fault of the installation.
            "ServiceFailures": int(
                not completed and delivery.kind not in REQUEST_FAULTS and delivery.kind != "cancelled"
            ),
        }
        if status is not None:
            values["QueueSeconds"] = round(_queue_seconds(status), 3)
            if status.asset_count is not None:
                values["AssetCount"] = status.asset_count
            if status.total_capacity_kw is not None:
                values["CapacityKilowatts"] = status.total_capacity_kw
        dimensions: list[list[str]] = [[]] if completed else [[], ["ErrorKind"]]
        metrics = [{"Name": name, "Unit": UNITS[name]} for name in values]
        return {
            **values,
            **({} if completed else {"ErrorKind": delivery.kind or "request"}),
            "_aws": {
                "Timestamp": round(time.time() * 1000),
                "CloudWatchMetrics": [
                    {"Namespace": self._namespace, "Dimensions": dimensions, "Metrics": metrics},
                ],
            },
        }

    def _write(self, body: dict[str, Any]) -> None:
        # ASCII alone: stdout may take nothing else, as in a container without a locale
        text = json.dumps(redacted({**body, "worker": self._worker}), ensure_ascii=True, default=str)
        with self._lock:
            self._out.write(text + "\n")
            self._out.flush()


def _about(status: Status) -> dict[str, Any]:
    return {
        "layout_id": status.layout_id,
        "owner": status.owner,
        "status": status.status,
        "attempt": status.attempt,
    }


def _queue_seconds(status: Status) -> float:
    if status.started_at is None:
        return 0.0
    return max(0.0, (status.started_at - status.queued_at).total_seconds())
