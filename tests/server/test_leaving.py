"""A client that leaves, cancels or deletes ends the process that computes for it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import uuid

import pytest
from fixtures.processes import children_of, wait_for_end
from fixtures.raw_http import TOKEN, open_socket
from fixtures.rest_server import serve

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """Server with one process for engines."""
    with serve(tmp_path_factory.mktemp("single"), PACIFICO_SERVER_PROCESSES="1") as found:
        found.site = found.upload()  # its process for reading runs from here on
        found.readers = children_of(found.process.pid, "pacifico.server.work.child")
        yield found


def events(rest, layout_id):
    """Statuses of a layout as the server sends them."""
    with rest.get(f"/layouts/{layout_id}/events", stream=True, timeout=90) as reply:
        for line in reply.iter_lines(chunk_size=1):
            if line.startswith(b"data: {") and len(line) > len(b"data: {}"):
                yield json.loads(line.removeprefix(b"data: "))


def begin(rest, layout_id):
    """Connection of a request for the whole site, which takes long."""
    line = open_socket(rest)
    body = json.dumps({"site_id": rest.site, "layout_id": layout_id, "strategy": "density"})
    line.sendall(
        f"POST /pacifico/api/layouts/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    while rest.get(f"/layouts/{layout_id}/status").status_code == 404:
        pass  # the request is on its way
    return line


@pytest.fixture
def computing(single):
    """Layout that is being computed: its id, connection, stream of events, and a descriptor of the engine's process."""
    layout_id = str(uuid.uuid4())
    with contextlib.closing(begin(single, layout_id)) as line:
        stream = events(single, layout_id)
        assert next(body for body in stream if body["stage"] == "placing_assets")["status"] == "processing"
        (engine,) = children_of(single.process.pid, "pacifico.server.work.child") - single.readers
        yield layout_id, line, stream, os.pidfd_open(engine)


def test_a_client_that_leaves_ends_the_engine(single, computing):
    layout_id, line, stream, engine = computing
    line.shutdown(socket.SHUT_RDWR)
    assert wait_for_end(engine)
    assert [body["status"] for body in stream][-1] == "cancelled"
    assert single.get(f"/layouts/{layout_id}/status").json()["error_kind"] == "cancelled"


def test_the_same_request_of_a_client_that_left_is_computed_anew(single):
    """A broken connection must not spoil an idempotency key."""
    layout_id = str(uuid.uuid4())
    with contextlib.closing(begin(single, layout_id)):
        stream = events(single, layout_id)
        assert next(body for body in stream if body["stage"] == "placing_assets")
    assert [body["status"] for body in stream][-1] == "cancelled"
    body = {"site_id": single.site, "layout_id": layout_id, "strategy": "density"}
    for headers, status in (({"Prefer": "respond-async"}, 202), ({}, 409)):  # what is cancelled on request stays so
        reply = single.post("/layouts/generate", json=body, headers=headers)
        assert reply.status_code == status, reply.text
        single.post(f"/layouts/{layout_id}/cancel")
    assert single.ask("DELETE", f"/layouts/{layout_id}").status_code == 200
    small = {"site_id": single.site, "target_capacity_kw": 1000, "layout_id": layout_id, "use_terrain": False}
    assert single.post("/layouts/generate", json=small).json()["status"] == "completed"


def test_a_cancellation_ends_the_engine_and_answers_who_waits(single, computing):
    layout_id, line, stream, engine = computing
    assert single.post(f"/layouts/{layout_id}/cancel").json()["status"] == "cancelled"
    assert wait_for_end(engine)
    assert [body["status"] for body in stream][-1] == "cancelled"
    reply = line.recv(65536)
    assert b" 409 " in reply.splitlines()[0]
    assert b'"code": "cancelled"' in reply


def test_a_deletion_ends_the_engine_and_leaves_nothing(single, computing):
    layout_id, line, stream, engine = computing
    refused = single.ask("DELETE", f"/sites/{single.site}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert layout_id in refused.json()["detail"]
    assert single.ask("DELETE", f"/layouts/{layout_id}").status_code == 200
    assert wait_for_end(engine)
    assert b" 404 " in line.recv(65536).splitlines()[0]
    assert all(body["status"] in ("processing", "cancelled") for body in stream)
    assert [p for p in (single.folder / "store" / "owners").rglob("*") if layout_id in str(p)] == []


def test_a_client_that_leaves_its_place_in_the_queue_is_not_computed(single, computing):
    _, _, _, engine = computing
    waiting = str(uuid.uuid4())
    with contextlib.closing(begin(single, waiting)):
        stream = events(single, waiting)
        assert next(stream)["status"] == "queued"
    assert [body["status"] for body in stream] == ["cancelled"]
    assert single.get(f"/layouts/{waiting}/status").json()["attempt"] == 0
    assert not wait_for_end(engine, limit_s=0)  # the other one goes on


def test_a_layout_can_be_generated_after_all_that(single):
    seen = []
    body = {"site_id": single.site, "target_capacity_kw": 1000}
    threads = [
        threading.Thread(target=lambda: seen.append(single.post("/layouts/generate", json=body).status_code))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert seen == [200, 200]


def test_a_server_that_stops_does_not_wait_for_its_engines(single, computing):
    _, _, _, engine = computing
    for _ in range(2):  # jobs in the background: the second one waits for the first
        body = {"site_id": single.site, "parameters": {"layer": "none"}}
        single.post("/layouts/generate", json=body, headers={"Prefer": "respond-async"})
    single.process.send_signal(signal.SIGTERM)
    assert wait_for_end(engine)
    assert single.process.wait(timeout=15) in (0, -signal.SIGTERM)
    assert "Traceback" not in single.log
