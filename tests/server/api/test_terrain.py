"""Terrain of a site."""

from __future__ import annotations

import uuid

import pytest


def test_figures_contours_slopes_and_buildable_ground(rest, site):
    summary = rest.get(f"/sites/{site}/terrain").json()
    assert summary["site"]["area_ha"] == pytest.approx(291.3, abs=0.1)
    for path in ("contours?contour_interval_m=20", "slope-classes", "buildable?profile=bess"):
        reply = rest.get(f"/sites/{site}/{path}")
        assert reply.headers["Content-Type"] == "application/geo+json"
        assert reply.json()["features"], path
    level = rest.get(f"/sites/{site}/buildable?dem=level").json()["features"][0]["properties"]
    hilly = rest.get(f"/sites/{site}/buildable").json()["features"][0]["properties"]
    assert level["buildable_area_ha"] >= hilly["buildable_area_ha"] > 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("dem=/etc/passwd", 422),
        ("dem=upload:" + "0" * 64, 404),
        ("dem=http://127.0.0.1/x", 422),
        ("resolution_m=0", 422),
        ("setback_m=-1", 422),
        ("setback_m=nan", 422),
        ("contour_interval_m=x", 422),
        ("profile=solar_farm", 422),
    ],
)
def test_strange_ground_is_refused(rest, site, query, status):
    assert rest.get(f"/sites/{site}/terrain?{query}").status_code == status


def test_no_ground_without_a_site(rest):
    assert rest.get(f"/sites/{uuid.uuid4().hex}/contours").status_code == 404
