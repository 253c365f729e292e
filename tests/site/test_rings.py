"""Repair of rings."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pacifico.errors import SiteError

BOX = [[10, 45], [10.02, 45], [10.02, 45.01], [10, 45.01], [10, 45]]


def test_unclosed_ring_is_closed_with_a_warning(read, kml, whole):
    site = read(kml.document(kml.placemark(kml.polygon("10,45 10.02,45 10.02,45.01 10,45.01"))))
    assert_allclose(site.area_ha, whole, rtol=1e-6)
    assert any("1 ring was not closed" in w for w in site.warnings)


def test_bowtie_is_repaired_with_a_warning(read, geojson, whole):
    site = read(geojson([[10, 45], [10.02, 45.01], [10.02, 45], [10, 45.01], [10, 45]]), "a.geojson")
    assert_allclose(site.area_ha, whole / 2, rtol=1e-4)
    assert any("crosses or touches itself; repaired" in w and "0.00 ha as drawn" in w for w in site.warnings)
    assert site.boundary.is_valid


def test_ring_wound_twice_is_no_hole(read, geojson, whole):
    inner = [[10.005, 45.002], [10.015, 45.002], [10.015, 45.008], [10.005, 45.008], [10.005, 45.002]]
    ring = [*BOX[:4], [10, 45], *inner, [10, 45]]
    site = read(geojson(ring), "a.geojson")
    assert_allclose(site.area_ha, whole, rtol=1e-3)
    assert site.warnings


def test_spike_is_cut_with_a_warning(read, geojson, whole):
    ring = [*BOX[:2], [10.3, 45.0], [10.02, 45], *BOX[2:]]
    site = read(geojson(ring), "a.geojson")
    assert_allclose(site.area_ha, whole, rtol=1e-6)
    assert any("repaired" in w for w in site.warnings)
    assert site.boundary.bounds[2] - site.boundary.bounds[0] < 1700


def test_thin_spike_is_a_warning(read, geojson):
    ring = [*BOX[:2], [10.3, 45.0], [10.02, 45.00001], *BOX[2:]]
    site = read(geojson(ring), "a.geojson")
    assert any("1 spike" in w for w in site.warnings)


def test_hole_that_swallows_the_shell(read, geojson):
    big = [[9, 44], [11, 44], [11, 46], [9, 46], [9, 44]]
    with pytest.raises(SiteError, match="holes of 'parcel 1' cover the whole polygon"):
        read(geojson(BOX, big), "a.geojson")


def test_hole_across_the_shell_is_cut_not_turned(read, geojson, box_area_ha, whole):
    across = [[10.01, 45.002], [10.05, 45.002], [10.05, 45.008], [10.01, 45.008], [10.01, 45.002]]
    site = read(geojson(BOX, across), "a.geojson")
    assert_allclose(site.area_ha, whole - box_area_ha(10.01, 45.002, 10.02, 45.008), rtol=1e-6)
    assert any("reach beyond its outer ring" in w for w in site.warnings)


def test_tangle_is_refused(read, geojson):
    ring = np.random.default_rng(7).random((3000, 2)) * 0.01 + [10, 45]
    with pytest.raises(SiteError, match="crosses itself more than 41,000 times"):
        read(geojson(ring.tolist()), "a.geojson")
