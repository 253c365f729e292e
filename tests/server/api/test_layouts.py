"""Layouts: list, read, poll, cancel, redrive, delete."""

from __future__ import annotations

import uuid

import jsonschema

from pacifico.jobs.serving.schemas import schema

NONE = "00000000-0000-4000-8000-000000000000"


def test_a_layout_holds_what_the_contract_says(rest, layout):
    assert layout["status"] == "completed"
    assert {a["asset_type"] for a in layout["assets"]} >= {"solar_array", "substation"}
    assert layout["metrics"]["asset_count"] == len(layout["assets"])
    assert layout["roads"]
    assert layout["geojson"]["type"] == "FeatureCollection"
    reply = rest.get(f"/layouts/{layout['layout_id']}")
    assert reply.json()["geojson"] == layout["geojson"]


def test_a_poll_costs_a_304(rest, layout):
    first = rest.get(f"/layouts/{layout['layout_id']}/status")
    body = first.json()
    plain = {k: v for k, v in body.items() if k not in ("stalled", "target_capacity_kw", "shortfall")}
    jsonschema.Draft202012Validator(schema("status")).validate(plain)
    assert (body["target_capacity_kw"], body["stalled"], body["progress_pct"]) == (2000, False, 100)
    again = rest.get(f"/layouts/{layout['layout_id']}/status", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_lists_with_filters(rest, layout, site):
    def found(query):
        return [row["layout_id"] for row in rest.get(f"/layouts?{query}").json()["layouts"]]

    assert layout["layout_id"] in found(f"site_id={site}&status=completed&since=2020-01-01T00:00:00Z")
    assert layout["layout_id"] not in found("status=failed")
    assert found("since=2100-01-01T00:00:00Z") == []
    assert rest.get("/layouts?since=yesterday").status_code == 422
    assert rest.get("/layouts?cursor=nonsense").status_code == 422


def test_what_does_not_exist(rest):
    for method, path, body in (
        ("GET", "", None), ("GET", "/status", None), ("GET", "/events", None), ("POST", "/cancel", {}),
        ("POST", "/redrive", {}), ("DELETE", "", None), ("GET", "/export/kmz", None), ("GET", "/files/layout.geojson", None),
        ("GET", "/compliance?pack=nfpa-855", None), ("POST", "/roads/recompute", {}), ("POST", "/earthwork/recompute", {}),
        ("PATCH", "/assets/battery-0001", {"rotation_deg": 90}),
    ):  # fmt: skip
        reply = rest.ask(method, f"/layouts/{NONE}{path}", json=body)
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found"), path


def test_cancel_redrive_and_delete(rest, site):
    layout_id = str(uuid.uuid4())
    body = {"site_id": site, "target_capacity_kw": 2000, "layout_id": layout_id}
    made = rest.post("/layouts/generate", json=body, headers={"Prefer": "respond-async"})
    assert made.json()["layout_id"] == layout_id
    assert rest.post(f"/layouts/{layout_id}/redrive").status_code in (202, 409)
    cancelled = rest.post(f"/layouts/{layout_id}/cancel")
    assert cancelled.status_code == 200
    assert rest.wait(layout_id)["status"] == "cancelled"
    refused = rest.post(f"/layouts/{layout_id}/redrive", json={"force": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_redrivable")
    assert rest.post(f"/layouts/{layout_id}/cancel").json()["status"] == "cancelled"
    assert rest.ask("DELETE", f"/layouts/{layout_id}").status_code == 200
    assert rest.get(f"/layouts/{layout_id}/status").status_code == 404
    assert rest.ask("DELETE", f"/layouts/{layout_id}").status_code == 404
