"""Event streams over HTTP."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from fixtures.raw_http import TOKEN, open_socket, read_reply


def test_a_stream_shows_the_last_status_and_ends(rest, layout):
    reply = rest.get(f"/layouts/{layout['layout_id']}/events", stream=True, timeout=30)
    assert reply.headers["Content-Type"] == "text/event-stream"
    assert "Content-Length" not in reply.headers
    blocks = reply.content.decode().strip().split("\n\n")
    assert [b.splitlines()[0] for b in blocks] == ["event: status", "event: end"]
    data = next(line for line in blocks[0].splitlines() if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: "))["status"] == "completed"


def test_a_client_that_connects_again_is_not_sent_what_it_has(rest, layout):
    place = f"/layouts/{layout['layout_id']}/events"
    last = str(rest.get(f"/layouts/{layout['layout_id']}/status").json()["revision"])
    again = rest.get(place, headers={"Last-Event-ID": last})
    assert (again.status_code, again.content) == (204, b"")  # a browser stops on it
    older = rest.get(place, headers={"Last-Event-ID": "1"})
    assert (older.status_code, older.text.count("event: status"), older.text.count("event: end")) == (200, 1, 1)


def test_a_stream_goes_on_after_the_event_that_the_client_has(new_server):
    rest = new_server(PACIFICO_SERVER_PROCESSES="1")
    site = rest.upload()
    first, waiting = str(uuid.uuid4()), str(uuid.uuid4())
    for layout_id in (first, waiting):
        body = {"site_id": site, "layout_id": layout_id, "target_capacity_kw": 1000}
        rest.post("/layouts/generate", json=body, headers={"Prefer": "respond-async"})
    now = rest.get(f"/layouts/{waiting}/status").json()
    headers = {"Last-Event-ID": str(now["revision"])}
    with rest.get(f"/layouts/{waiting}/events", headers=headers, stream=True, timeout=60) as stream:
        assert stream.status_code == 200
        for layout_id in (waiting, first):
            rest.post(f"/layouts/{layout_id}/cancel")
        data = [line for line in stream.iter_lines(chunk_size=1) if line.startswith(b'data: {"')]
    assert [json.loads(line.removeprefix(b"data: "))["status"] for line in data] == ["cancelled"]


def test_a_thousand_streams_are_too_many_and_nothing_falls_over(new_server):
    rest = new_server(PACIFICO_SERVER_STREAMS="20", PACIFICO_SERVER_PROCESSES="1", PACIFICO_QUEUE_URL="")
    site = rest.upload()
    first, waiting = str(uuid.uuid4()), str(uuid.uuid4())
    for layout_id in (first, waiting):  # the second waits for the first, so its streams stay open
        body = {"site_id": site, "layout_id": layout_id, "target_capacity_kw": 1000}
        assert rest.post("/layouts/generate", json=body, headers={"Prefer": "respond-async"}).status_code == 202
    head = f"GET /pacifico/api/layouts/{waiting}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n"

    def follow(_):
        line = open_socket(rest)
        line.sendall(head.encode())
        return line, read_reply(line).split(b"\r\n")[0]

    with ThreadPoolExecutor(20) as pool:
        opened = list(pool.map(follow, range(1000)))
    try:
        codes = [status.split()[1] for _, status in opened]
        assert codes.count(b"200") == 20
        assert codes.count(b"503") == 980
        assert rest.get("/health").status_code == 200
        assert rest.get(f"/layouts/{waiting}/status").json()["status"] == "queued"
    finally:
        for line, _ in opened:
            line.close()
        for layout_id in (waiting, first):
            rest.post(f"/layouts/{layout_id}/cancel")
    reply = rest.get(f"/layouts/{waiting}/events", timeout=30)
    assert b"event: end" in reply.content


@pytest.mark.slow
def test_a_thousand_streams_are_open_at_once_and_all_of_them_end(new_server):
    rest = new_server(PACIFICO_SERVER_STREAMS="1000", PACIFICO_SERVER_PROCESSES="1")
    site = rest.upload()
    first, waiting = str(uuid.uuid4()), str(uuid.uuid4())
    for layout_id in (first, waiting):
        body = {"site_id": site, "layout_id": layout_id, "target_capacity_kw": 1000}
        assert rest.post("/layouts/generate", json=body, headers={"Prefer": "respond-async"}).status_code == 202
    head = f"GET /pacifico/api/layouts/{waiting}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n"

    def follow(_):
        line = open_socket(rest)
        line.sendall(head.encode())
        return line, read_reply(line)

    def rest_of(opened):
        line, data = opened
        while b"event: end" not in data and (piece := line.recv(65536)):
            data += piece
        line.close()
        return data

    with ThreadPoolExecutor(20) as pool:
        opened = list(pool.map(follow, range(1000)))
        assert {data.split()[1] for _, data in opened} == {b"200"}
        assert rest.get(f"/layouts/{waiting}/events").status_code == 503
        assert rest.get(f"/layouts/{waiting}/status").json()["status"] == "queued"
        rest.post(f"/layouts/{waiting}/cancel")
        ends = list(pool.map(rest_of, opened))
    assert all(b'"cancelled"' in data and b"event: end" in data for data in ends)
    rest.post(f"/layouts/{first}/cancel")
    assert rest.get(f"/layouts/{waiting}/events").status_code == 200  # there is room again
