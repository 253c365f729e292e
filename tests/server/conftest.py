"""A real Jupyter Server with the extension, in a process of its own, over loopback."""

from __future__ import annotations

import contextlib

import pytest
from fixtures.rest_server import serve


@pytest.fixture(scope="session")
def rest(tmp_path_factory):
    """Server of the session, with a local store. No request may leave a traceback in its log."""
    with serve(tmp_path_factory.mktemp("rest")) as found:
        yield found
    assert "Traceback" not in found.log
    assert "never retrieved" not in found.log


@pytest.fixture(scope="session")
def site(rest):
    """Site of the session: the sample."""
    return rest.upload()


@pytest.fixture(scope="session")
def layout(rest, site):
    """Layout of the session, generated while the request waits."""
    reply = rest.post("/layouts/generate", json={"site_id": site, "target_capacity_kw": 2000})
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.fixture
def new_server(tmp_path):
    """Function that starts a server of this test's own."""
    with contextlib.ExitStack() as running:
        yield lambda **environment: running.enter_context(serve(tmp_path, **environment))
