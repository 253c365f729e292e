"""Sites: upload, list, read, delete."""

from __future__ import annotations

import json
import zipfile

import pytest

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[-93.70, 41.95], [-93.69, 41.95], [-93.69, 41.96], [-93.70, 41.96], [-93.70, 41.95]]],
}


def geojson(n=0.0):
    moved = [[x + n, y] for x, y in SQUARE["coordinates"][0]]
    return json.dumps({"type": "Polygon", "coordinates": [moved]}).encode()


def test_a_site_is_stored_listed_read_and_deleted(rest):
    reply = rest.post("/sites/upload", files={"file": ("field.geojson", geojson())})
    assert reply.status_code == 201
    added = reply.json()
    assert added["area_ha"] == pytest.approx(91.9, abs=1)
    assert reply.headers["Location"].endswith(f"/sites/{added['site_id']}")
    again = rest.post("/sites/upload", files={"file": ("other name.geojson", geojson())})
    assert again.json()["site_id"] == added["site_id"]
    assert added["site_id"] in [s["site_id"] for s in rest.get("/sites").json()["sites"]]
    whole = rest.get(f"/sites/{added['site_id']}")
    assert whole.json()["boundary"]["features"][0]["properties"]["kind"] == "boundary"
    assert rest.get(f"/sites/{added['site_id']}", headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert rest.ask("DELETE", f"/sites/{added['site_id']}").json()["objects"] == 3
    assert rest.get(f"/sites/{added['site_id']}").status_code == 404


def test_pages_of_sites(rest):
    made = {
        rest.post("/sites/upload", files={"file": ("f.geojson", geojson(n / 10))}).json()["site_id"] for n in (1, 2, 3)
    }
    seen, cursor = set(), ""
    while True:
        page = rest.get(f"/sites?limit=1{cursor}").json()
        seen |= {s["site_id"] for s in page["sites"]}
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert made <= seen


def test_a_zipped_shapefile_and_a_whole_body(rest, tmp_path):
    import geopandas as gpd
    import shapely

    frame = gpd.GeoDataFrame(geometry=[shapely.from_geojson(geojson(0.5))], crs=4326)
    frame.to_file(tmp_path / "s.shp")
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for path in tmp_path.glob("s.*"):
            if path.suffix != ".zip":
                archive.write(path, path.name)
    data = (tmp_path / "s.zip").read_bytes()
    reply = rest.post("/sites/upload?filename=parcel.zip", data=data, headers={"Content-Type": "application/zip"})
    assert reply.status_code == 201, reply.text
    frame.to_file(tmp_path / "s.gpkg")
    assert rest.upload(tmp_path / "s.gpkg")


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("site.exe", b"MZ", 415),
        ("site", b"x", 415),
        ("site.kml", b"", 422),
        ("site.kml", b"<kml/>", 422),
        ("site.kml", b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><kml>&a;</kml>", 422),
        ("site.zip", b"PK not a zip", 422),
        ("site.gpkg", b"\0" * 1000, 422),
        ("../../x.geojson", b"{}", 422),
        ("site.geojson", b"[" * 100_000, 422),
    ],
)
def test_files_that_are_no_boundaries(rest, name, content, status):
    reply = rest.post("/sites/upload", files={"file": (name, content)})
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert "root:" not in reply.text
    assert str(rest.folder) not in reply.text


def test_a_form_without_a_file(rest):
    assert rest.post("/sites/upload", data={"file": "text"}).status_code == 415
    assert rest.post("/sites/upload", data={"a": "b"}, files={"file": ("", b"x")}).status_code == 415


@pytest.mark.parametrize("site_id", ["none", "..%2f..", "%2e%2e%2f", "a" * 200, "owners", "A%00B", "<script>"])
def test_sites_that_do_not_exist(rest, site_id):
    for path in ("", "/exclusions", "/terrain", "/buildable"):
        assert rest.get(f"/sites/{site_id}{path}").status_code in (400, 404), path
    assert rest.ask("DELETE", f"/sites/{site_id}").status_code in (400, 404, 405)


def test_exclusions_of_the_file(rest, site):
    found = rest.get(f"/sites/{site}/exclusions").json()
    assert [f["properties"]["kind"] for f in found["features"]] == ["exclusion"]


def test_other_files_get_an_address(rest):
    reply = rest.post("/uploads", files={"file": ("spec.toml", b"[site]\n")})
    assert reply.status_code == 201
    assert reply.json()["upload"].startswith("upload:")
    assert rest.post("/uploads", files={"file": ("run.py", b"x")}).status_code == 415
