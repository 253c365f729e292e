"""Edits of a completed layout by hand."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def place(rest, site):
    made = rest.post(
        "/layouts/generate", json={"site_id": site, "target_capacity_kw": 2000, "strategy": "clustered"}
    ).json()
    return f"/layouts/{made['layout_id']}"


@pytest.mark.slow
def test_move_an_asset_make_roads_again_and_measure(rest, place):
    before = rest.get(place)
    feature = next(
        f for f in before.json()["geojson"]["features"] if f["properties"].get("asset_type") == "solar_array"
    )
    asset = feature["properties"]["asset_id"]
    ring = feature["geometry"]["coordinates"][0][:4]
    lon, lat = (sum(p[k] for p in ring) / 4 for k in (0, 1))
    tag = before.headers["ETag"]
    moved = rest.ask("PATCH", f"{place}/assets/{asset}", json={"to": [lon, lat + 2e-5]}, headers={"If-Match": tag})
    assert moved.status_code == 200, moved.text
    assert (moved.json()["edits"], moved.json()["edit"]["kind"], moved.json()["edit"]["asset_id"]) == (1, "move", asset)
    stale = rest.ask("PATCH", f"{place}/assets/{asset}", json={"rotation_deg": 0.0}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    after = rest.get(place)
    assert after.headers["ETag"] == moved.headers["ETag"] != tag
    assert after.json()["edits"] == 1
    shown = next(f for f in after.json()["geojson"]["features"] if f["properties"].get("asset_id") == asset)
    assert shown["geometry"] != feature["geometry"]
    roads = rest.post(f"{place}/roads/recompute")
    assert (roads.json()["edits"], roads.json()["edit"]["kind"]) == (2, "roads")
    earth = rest.post(f"{place}/earthwork/recompute").json()
    assert earth["unchanged"]
    assert earth["metrics"]["cut_volume_m3"] == roads.json()["metrics"]["cut_volume_m3"]
    assert rest.get(f"{place}/export/kmz").status_code == 200


@pytest.mark.slow
def test_an_edit_that_breaks_a_limit_is_refused_and_kept_nowhere(rest, place):
    count = rest.get(place).json()["edits"]
    far = rest.ask("PATCH", f"{place}/assets/substation-0001", json={"to": [0.0, 0.0]})
    assert (far.status_code, far.json()["code"]) == (422, "edit_refused")
    assert far.json()["detail"].startswith("the place 0,0 is")
    none = rest.ask("PATCH", f"{place}/assets/battery-0099", json={"rotation_deg": 90})
    assert (none.status_code, none.json()["code"]) == (404, "not_found")
    assert rest.get(place).json()["edits"] == count


@pytest.mark.parametrize("body", [{}, {"to": [1]}, {"to": [999, 0]}, {"to": "here"}, {"rotation_deg": "90"}, {"x": 1}])
def test_wrong_edits(rest, place, body):
    assert rest.ask("PATCH", f"{place}/assets/substation-0001", json=body).status_code == 422
