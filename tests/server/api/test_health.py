"""Health routes."""

from __future__ import annotations


def test_live_and_ready(rest):
    assert rest.get("/health").json()["status"] == "live" == rest.get("/health/live").json()["status"]
    assert rest.get("/health/ready").json()["status"] == "ready"


def test_not_ready_without_its_queue(new_server, aws):
    rest = new_server(PACIFICO_QUEUE_URL=f"{aws}/123456789012/none", AWS_ENDPOINT_URL=aws)
    reply = rest.get("/health/ready")
    assert (reply.status_code, reply.json()["code"]) == (503, "queue_unavailable")
    assert rest.get("/health/live").status_code == 200
