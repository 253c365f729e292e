"""Log lines and metrics."""

from __future__ import annotations

import json
import urllib.request

import pytest

from pacifico.jobs.delivery import Delivery, Ending
from worker.health import serve_metrics
from worker.report import Reporter


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


def test_lines_hold_no_secret(capsys):
    message = "https://h/x.tif?X-Amz-Signature=abc123 answers 403"
    delivery = Delivery(ending=Ending.FAILED, kind="request", message=message, do="delete")
    Reporter(worker="w", namespace="N").end(delivery, None, seconds=1.0)
    out = capsys.readouterr().out
    assert "abc123" not in out
    assert "answers 403" in out


@pytest.mark.parametrize(
    ("kind", "ours"), [("request", 0), ("timeout", 0), ("memory", 0), ("cancelled", 0), ("service", 1), ("lost", 1)]
)
def test_failures_of_ours_have_a_metric_of_their_own(capsys, kind, ours):
    delivery = Delivery(ending=Ending.FAILED, kind=kind, message="m", do="delete")
    Reporter(worker="w", namespace="N").end(delivery, None, seconds=1.0)
    line = json.loads(capsys.readouterr().out)
    assert (line["Failures"], line["ServiceFailures"]) == (1, ours)
