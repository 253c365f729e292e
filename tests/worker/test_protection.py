"""Scale-in protection."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from worker.protection import Protection


@pytest.mark.parametrize("busy", [False, True])
def test_scale_in_protection_is_asked_for_and_given_back(busy):
    asked = []

    class Agent(BaseHTTPRequestHandler):
        def do_PUT(self):
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Agent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    agent = f"http://127.0.0.1:{server.server_port}"
    with Protection(longest_s=1800, agent=agent, others_busy=lambda: busy).held():
        assert asked == [("/task-protection/v1/state", {"ProtectionEnabled": True, "ExpiresInMinutes": 40})]
    assert len(asked) == (1 if busy else 2)
    server.shutdown()
    server.server_close()
    with Protection(longest_s=1800, agent=agent).held():
        pass  # an agent that is gone stops no job
