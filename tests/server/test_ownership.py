"""What is another owner's is not there, and takes the same time to say so."""

from __future__ import annotations

import statistics
import time
import uuid

import pytest
from fixtures.rest_server import serve

pytestmark = pytest.mark.slow

ROUNDS = 60
#: Medians of the same work on a busy machine differ by some per cent.
MOST_RATIO = 1.25


@pytest.fixture(scope="module")
def owners(tmp_path_factory):
    """Ann's server, and a completed layout with a site of Bob's in the same store."""
    folder = tmp_path_factory.mktemp("owners")
    store = str(folder / "store")
    with serve(folder / "bob", PACIFICO_STORE=store, PACIFICO_OWNER="bob") as bob:
        site = bob.upload()
        body = {"site_id": site, "target_capacity_kw": 1000, "use_terrain": False}
        layout = bob.post("/layouts/generate", json=body).json()["layout_id"]
    with serve(folder / "ann", PACIFICO_STORE=store, PACIFICO_OWNER="ann", PACIFICO_SERVER_PROCESSES="1") as ann:
        yield ann, site, layout


PATHS = {
    "site": "/sites/{site}",
    "exclusions": "/sites/{site}/exclusions",
    "terrain": "/sites/{site}/terrain",
    "layout": "/layouts/{layout}",
    "status": "/layouts/{layout}/status",
    "events": "/layouts/{layout}/events",
    "file": "/layouts/{layout}/files/layout.geojson",
    "export": "/layouts/{layout}/export/kmz",
    "compliance": "/layouts/{layout}/compliance?pack=nfpa-855",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_anothers_is_absent_in_the_same_time(owners, path, capsys):
    """Medians of requests in turn for what is Bob's and for what is nobody's."""
    ann, site, layout = owners
    times = {"bob": [], "nobody": []}
    told = {"bob": set(), "nobody": set()}
    for n in range(ROUNDS):
        for whose in ("bob", "nobody") if n % 2 else ("nobody", "bob"):
            ids = {"site": site, "layout": layout}
            if whose == "nobody":
                ids = {"site": uuid.uuid4().hex, "layout": str(uuid.uuid4())}
            begun = time.perf_counter()
            reply = ann.get(path.format(**ids))
            times[whose].append(time.perf_counter() - begun)
            detail = reply.json()["detail"].replace(ids["site"], "X").replace(ids["layout"], "X")
            told[whose].add((reply.status_code, reply.json()["code"], detail, tuple(sorted(reply.headers))))
    bob, nobody = (statistics.median(t) for t in times.values())
    with capsys.disabled():
        print(
            f"\n{path}: {1000 * bob:.2f} ms for another's, {1000 * nobody:.2f} ms for nobody's, ratio {bob / nobody:.2f}"
        )
    assert told["bob"] == told["nobody"]
    assert len(told["bob"]) == 1
    assert {found[0] for found in told["bob"]} == {404}
    assert 1 / MOST_RATIO < bob / nobody < MOST_RATIO


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/sites/{site}"), ("DELETE", "/layouts/{layout}"), ("POST", "/layouts/{layout}/cancel"),
     ("POST", "/layouts/{layout}/redrive"), ("POST", "/layouts/{layout}/roads/recompute"),
     ("POST", "/layouts/{layout}/earthwork/recompute")],
)  # fmt: skip
def test_what_is_anothers_can_not_be_changed(owners, method, path):
    ann, site, layout = owners
    reply = ann.ask(method, path.format(site=site, layout=layout))
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


def test_anothers_site_makes_no_layout(owners):
    ann, site, _ = owners
    assert ann.post("/layouts/generate", json={"site_id": site}).status_code == 404
    assert ann.get("/layouts").json()["layouts"] == []
    assert ann.get("/sites").json()["sites"] == []
