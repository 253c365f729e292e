"""Parcels of one site, or of several."""

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.crs import LONLAT, reproject
from pacifico.errors import SiteError


def test_several_placemarks_are_one_site(read, kml, whole):
    east = "10.03,45 10.05,45 10.05,45.01 10.03,45.01 10.03,45"
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), kml.placemark(kml.polygon(east), "B")))
    assert_allclose(site.area_ha, 2 * whole, rtol=1e-6)
    assert site.boundary.geom_type == "MultiPolygon"
    assert site.name == "plan"
    assert "2 parcels read as one site" in site.warnings


def test_neighbours_are_dissolved_and_slivers_closed(read, kml):
    # The western edge of B leaves a gap of 1e-6 degrees (0.08 m) that is closed at both ends.
    b = "10.02,45 10.04,45 10.04,45.01 10.02,45.01 10.02,45.009 10.020001,45.009 10.020001,45.001 10.02,45.001 10.02,45"
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), kml.placemark(kml.polygon(b), "B")))
    assert site.boundary.geom_type == "Polygon"
    assert len(site.boundary.interiors) == 0
    assert any("1 sliver under 0.5 m wide" in w for w in site.warnings)


def test_overlap_counts_once(read, kml, whole):
    east = "10.01,45 10.03,45 10.03,45.01 10.01,45.01 10.01,45"
    site = read(kml.document(kml.placemark(f"<MultiGeometry>{kml.polygon()}{kml.polygon(east)}</MultiGeometry>", "A")))
    assert_allclose(site.area_ha, 1.5 * whole, rtol=1e-6)
    assert any("counted once" in w for w in site.warnings)


def test_parcels_too_far_apart_are_listed(read, kml):
    far = "20,45 20.02,45 20.02,45.01 20,45.01 20,45"
    text = kml.document(
        kml.placemark(kml.polygon(), "A"), kml.placemark(kml.polygon(far), "B & C".replace("&", "&amp;"))
    )
    with pytest.raises(SiteError, match=r"'A' 175\.\d+ ha, 'B & C' 175\.\d+ ha \(350\.\d+ ha in all\)") as caught:
        read(text)
    assert "layer=" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert read(text, layer="B & C").crs.to_epsg() == 32634


def test_unknown_layer_lists_what_there_is(read, kml):
    with pytest.raises(SiteError, match="no layer, folder or parcel is named 'X'; its parcels: 'A'"):
        read(kml.document(kml.placemark(kml.polygon(), "A")), layer="X")


def test_folder_can_be_chosen(read, kml):
    far = "20,45 20.02,45 20.02,45.01 20,45.01 20,45"
    text = kml.document(
        f"<Folder>{kml.placemark(kml.polygon(), 'A')}<name>Option 1</name></Folder>",
        f"<Folder><name>Option 2</name>{kml.placemark(kml.polygon(far), 'B')}</Folder>",
    )
    assert read(text, layer="Option 1").name == "A"
    assert read(text, layer="Option 2").name == "B"


def test_more_than_200_parcels_ask(read, kml):
    rows = [f"{10 + i / 1000},45 {10 + i / 1000 + 5e-4},45 {10 + i / 1000},45.001" for i in range(201)]
    with pytest.raises(SiteError, match=r"201 parcels are more than one site has \(limit 200\).*and 193 more"):
        read(kml.document(*(kml.placemark(kml.polygon(r)) for r in rows)))
    assert (
        "200 parcels read as one site"
        in read(kml.document(*(kml.placemark(kml.polygon(r)) for r in rows[:200]))).warnings
    )


def test_dense_outline_is_simplified_within_its_tolerance(read, geojson, whole):
    angle = np.linspace(0, 2 * np.pi, 60_001)[:-1]
    ring = np.column_stack([10 + 0.01 * np.cos(angle), 45 + 0.007 * np.sin(angle)])
    site = read(geojson([*ring.tolist(), ring[0].tolist()]), "a.geojson")
    assert shapely.get_num_coordinates(site.boundary) < 10_000
    assert any("60,001 vertices simplified" in w and "within 0.05 m" in w for w in site.warnings)
    whole = reproject(shapely.Polygon(ring), LONLAT, site.crs)
    assert shapely.hausdorff_distance(whole, site.boundary) < 0.06
    assert_allclose(site.boundary.area, whole.area, rtol=1e-4)
