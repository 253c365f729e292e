"""Profiles, catalog and rule packs."""

from __future__ import annotations


def test_lists(rest):
    found = rest.get("/profiles").json()
    assert {"name": "solar_farm", "main_asset": "solar_array"} in found["profiles"]
    assert found["strategies"] == ["balanced", "density", "low_earthwork", "clustered"]
    assert rest.get("/catalog").json()["solar"]["tracker_gcr"]["source"]
    assert "nfpa-855" in rest.get("/rule-packs").json()["packs"]


def test_they_have_change_tags(rest):
    first = rest.get("/catalog")
    assert rest.get("/catalog", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
