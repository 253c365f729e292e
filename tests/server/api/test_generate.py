"""Generate layouts, both ways."""

from __future__ import annotations

import uuid

import pytest

from pacifico.server.api.generate import preferences

ASYNC = {"Prefer": "respond-async"}


@pytest.mark.slow
def test_in_the_background_the_answer_is_that_of_the_contract(rest, site):
    body = {"site_id": site, "target_capacity_kw": 1000, "layout_id": str(uuid.uuid4())}
    reply = rest.post("/layouts/generate", json=body, headers=ASYNC)
    assert reply.status_code == 202
    message = "Layout generation job queued successfully"
    assert reply.json() == {"layout_id": body["layout_id"], "status": "queued", "message": message}
    assert reply.headers["Location"].endswith(body["layout_id"])
    assert reply.headers["Preference-Applied"] == "respond-async"
    before = rest.get(f"/layouts/{body['layout_id']}").json()
    assert (before["geojson"], before["assets"]) == (None, [])
    assert rest.wait(body["layout_id"])["status"] == "completed"
    assert "report.html" in rest.get(f"/layouts/{body['layout_id']}/status").json()["artifacts"]


def test_one_key_is_one_layout(rest, site):
    body = {"site_id": site, "target_capacity_kw": 1000}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = rest.post("/layouts/generate", json=body, headers=key).json()
    second = rest.post("/layouts/generate", json=body, headers=key).json()
    assert first == second
    other = rest.post("/layouts/generate", json={**body, "target_capacity_kw": 1100}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert "key of its own" in other.json()["detail"]
    for bad in ("", "x" * 300, "a b"):
        assert rest.post("/layouts/generate", json=body, headers={"Idempotency-Key": bad}).status_code == 422
    both = rest.post("/layouts/generate", json={**body, "layout_id": str(uuid.uuid4())}, headers=key)
    assert both.status_code == 422


@pytest.mark.parametrize(
    "more",
    [
        {"target_capacity_kw": 99},
        {"target_capacity_kw": "1000"},
        {"generation_profile": "nuclear"},
        {"strategy": "cheap"},
        {"dem": "/etc/passwd"},
        {"dem": "file:///etc/passwd"},
        {"dem": "https://example.com/x.tif"},
        {"use_terrain": False, "dem": "sample"},
        {"parameters": {"nonsense": 1}},
        {"parameters": {"exclusions": "/etc/passwd"}},
        {"parameters": {"roads": "/etc/passwd"}},
        {"parameters": {"boundary": "/etc/passwd"}},
        {"parameters": {"spec": {"solar": {"tracker_gcr": 99}}}},
        {"parameters": {"spec": {"solar": 5}}},
        {"parameters": {"energy": True}},
        {"parameters": {"setback_m": -5}},
        {"parameters": {"entry": [True, False]}},
        {"parameters": {"dem_units": "yards"}},
        {"notebook": "../../x"},
        {"notebook": "explore_site"},
        {"owner": "bob"},
        {"schema_version": 1},
        {"layout_id": "x" * 36},
    ],
)
def test_what_can_not_be_generated_is_refused_and_leaves_nothing(rest, site, more):
    count = len(rest.get("/layouts?limit=100").json()["layouts"])
    reply = rest.post("/layouts/generate", json={"site_id": site, **more})
    assert reply.status_code == 422, reply.text
    assert reply.json()["code"] == "invalid_input"
    assert len(rest.get("/layouts?limit=100").json()["layouts"]) == count


@pytest.mark.parametrize(
    "rules", ["/etc/passwd", "/tmp/pack.toml", "../pack.toml", "pack.toml", "https://127.0.0.1/pack.toml"]
)
def test_rules_of_a_job_are_no_file_of_the_machine(rest, site, rules):
    body = {"site_id": site, "parameters": {"rules": rules}}
    reply = rest.post("/layouts/generate", json=body, headers=ASYNC)
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("respond-async", {"respond-async"}),
        ("RESPOND-ASYNC, wait=5", {"respond-async", "wait"}),
        ('respond-async=""', {"respond-async"}),
        ("respond-async; x=1, return=minimal", {"respond-async", "return"}),
        ("wait = 10", {"wait"}),
        ('note="later, respond-async"', {"note"}),
        ('"respond-async"', set()),
        ("", set()),
    ],
)
def test_preferences_are_read_as_http_writes_them(header, names):
    assert preferences(header) == names


def test_a_preference_is_confirmed_only_where_it_was_asked_for(new_server):
    rest = new_server(PACIFICO_ASYNC="True", PACIFICO_SERVER_PROCESSES="1")
    body = {"site_id": rest.upload(), "target_capacity_kw": 1000, "use_terrain": False}
    for headers, applied in (({}, None), ({"Prefer": "respond-async;x=1"}, "respond-async")):
        reply = rest.post("/layouts/generate", json=body, headers=headers)
        assert (reply.status_code, reply.headers.get("Preference-Applied")) == (202, applied)
        rest.post(f"/layouts/{reply.json()['layout_id']}/cancel")
    assert rest.post("/layouts/generate", json=body, headers={"Prefer": "wait=60"}).status_code == 200


def test_a_point_of_interconnection_shapes_the_layout_and_its_edits(rest, site):
    near = [-84.178, 36.603]
    body = {"site_id": site, "target_capacity_kw": 1000, "use_terrain": False}
    plain = rest.post("/layouts/generate", json=body).json()
    made = rest.post("/layouts/generate", json={**body, "parameters": {"poi": near}})
    assert made.status_code == 200, made.text
    assert made.json()["geojson"] != plain["geojson"]
    edited = rest.post(f"/layouts/{made.json()['layout_id']}/earthwork/recompute")
    assert (edited.status_code, edited.json()["unchanged"]) == (200, True)


def test_no_layout_without_a_site(rest):
    assert rest.post("/layouts/generate", json={"site_id": "none"}).status_code == 404


def test_ground_that_is_not_buildable_is_said(rest, site):
    reply = rest.post("/layouts/generate", json={"site_id": site, "parameters": {"setback_m": 1000}})
    assert reply.status_code == 422, reply.text
    assert "failed" in reply.json()["detail"]


def test_level_ground_needs_no_elevation(rest, site):
    body = {"site_id": site, "use_terrain": False, "target_capacity_kw": 1000}
    assert rest.post("/layouts/generate", json=body).json()["metrics"]["cut_volume_m3"] >= 0


@pytest.mark.slow
def test_variants_while_the_request_waits_and_in_the_background(rest, site):
    body = {"site_id": site, "target_capacity_kw": 1000, "strategies": ["balanced", "clustered", "balanced"]}
    reply = rest.post("/layouts/generate-variants", json=body)
    assert reply.status_code == 200, reply.text
    rows = reply.json()["variants"]
    assert [(r["strategy"], r["status"]) for r in rows] == [("balanced", "completed"), ("clustered", "completed")]
    key = {"Idempotency-Key": str(uuid.uuid4()), **ASYNC}
    first, again = (rest.post("/layouts/generate-variants", json=body, headers=key) for _ in range(2))
    assert first.status_code == 202
    ids = [r["layout_id"] for r in first.json()["variants"]]
    assert ids == [r["layout_id"] for r in again.json()["variants"]]
    other = {**body, "target_capacity_kw": 1100, "strategies": ["density", "clustered"]}
    refused = rest.post("/layouts/generate-variants", json=other, headers=key)  # none of them is begun
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    for layout_id in ids:
        rest.post(f"/layouts/{layout_id}/cancel")
    assert rest.post("/layouts/generate-variants", json={**body, "site_id": "none"}).status_code == 404
    assert rest.post("/layouts/generate-variants", json={**body, "strategies": []}).status_code == 422
