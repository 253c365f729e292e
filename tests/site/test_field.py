"""Every real and hostile vector file, held to what its own list says of it."""

import json
import os
import re
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from pacifico.errors import PacificoError
from pacifico.site.boundary import read_site
from pacifico.site.exclusions import net_area_ha

pytestmark = pytest.mark.field

DATA = Path(os.environ.get("PACIFICO_FIELD_DATA") or Path(__file__).parents[3] / "shared") / "data"

# One hundred fields scattered over 859 x 1,852 km: listed with their total, as no working CRS keeps its scale over them.
LISTED = {"fiboa-india10k.zip": "62.61 ha in all"}


def hostile():
    listing = DATA / "hostile" / "expected.json"
    rows = json.loads(listing.read_text(encoding="utf-8")) if listing.exists() else []
    return [row for row in rows if not row["file"].endswith(".tif")]


def real():
    """Rows (file, what an importer should do) of the table of boundaries."""
    listing = DATA / "SOURCES.md"
    if not listing.exists():
        return []
    names = {path.name for path in (DATA / "boundary").iterdir()}
    rows = (line.strip().strip("|").split(" | ") for line in listing.read_text(encoding="utf-8").splitlines())
    return [(row[0].strip(), row[-1].strip()) for row in rows if row[0].strip() in names]


def outcome(path):
    """Site, or the error, which is one line and names the file."""
    try:
        return read_site(path)
    except PacificoError as error:
        found = error
    assert "\n" not in str(found)
    assert path.name in str(found)
    return found


@pytest.mark.parametrize("row", hostile(), ids=lambda row: row["file"])
def test_hostile(row):
    found = outcome(DATA / "hostile" / row["file"])
    if isinstance(found, PacificoError):
        assert row["expect"].startswith("error"), found
        return
    assert row["expect"] != "error", f"{row['why']}: read as {found.area_ha} ha"
    assert found.boundary.is_valid
    if row["expect"] in {"warn", "error-or-warn"}:
        assert found.warnings
    if row["area_ha"] is not None:
        assert_allclose(found.area_ha, row["area_ha"], rtol=1e-3)


@pytest.mark.parametrize(("name", "expected"), real(), ids=[name for name, _ in real()])
def test_real(name, expected):
    found = outcome(DATA / "boundary" / name)
    if name in LISTED:
        assert LISTED[name] in str(found)
        return
    refused = re.search(r"error|\bask\b|too large|unsupported|state-size", expected)
    if isinstance(found, PacificoError):
        assert refused, f"{expected}: {found}"
        if "list and ask" in expected or "ask for the layer" in expected:
            assert "layer=" in str(found)
        return
    assert not refused, f"{expected}: read as {found.area_ha} ha"
    assert found.boundary.is_valid
    assert_allclose(
        found.area_ha, float(re.search(r"([\d,]+\.\d+) ha", expected)[1].replace(",", "")), rtol=1e-3, atol=0.005
    )
    if "warning" in expected:
        assert found.warnings
    holes = re.search(r"(?:1 polygon.*|, )(\d) holes?", expected)
    if holes and "parcels" not in expected and "polygons" not in expected:
        parts = getattr(found.boundary, "geoms", [found.boundary])
        assert sum(len(part.interiors) for part in parts) == int(holes[1])


def test_real_project_with_exclusions(field):
    site = read_site(field / "boundary" / "hopp-pv-layout.kml")
    assert len(site.exclusions) == 52
    assert_allclose(site.area_ha, 785.64, rtol=1e-5)
    assert_allclose(net_area_ha(site), 605.86, rtol=2e-5)
    assert any("52 rings were not closed" in w for w in site.warnings)
    assert any(all(f"'Site Exclusion {n}'" in w for n in (12, 18, 31, 41)) for w in site.warnings)


def test_authored_sites_read_alike_from_both_formats(field):
    for path in sorted((field / "sites").glob("*.kml")):
        first, second = read_site(path), read_site(path.with_suffix(".geojson"))
        assert first.crs == second.crs
        assert_allclose(first.area_ha, second.area_ha, rtol=1e-6)


def test_the_listed_layer_can_be_chosen(field):
    site = read_site(field / "boundary" / "fiboa-pt-parcels.gpkg", layer="OcupacoesSolo_Aveiro")
    assert_allclose(site.area_ha, 26.10, rtol=1e-3)
    site = read_site(field / "boundary" / "google-kml-samples.kml", layer="The Pentagon")
    assert len(site.boundary.interiors) == 1
