"""Hints on swapped coordinates."""

import pytest
from pyproj import CRS

from pacifico.crs import LONLAT, swapped_hint, utm

DEM = (-87.01, 35.99, -86.99, 36.01)


@pytest.mark.parametrize(
    ("site", "swapped"),
    [
        ((35.999, -87.001, 36.001, -86.999), True),
        ((36.02, -87.0, 36.021, -86.999), True),  # the DEM would miss the site by less than its own size
        ((-87.001, 35.999, -86.999, 36.001), False),
        ((-93.0, 42.0, -92.9, 42.1), False),
        ((100.0, 36.0, 100.1, 36.1), False),
    ],
)
def test_a_boundary_looks_swapped_where_the_swap_brings_it_to_the_dem(site, swapped):
    assert bool(swapped_hint(site, LONLAT, DEM, LONLAT)) is swapped


def test_the_hint_names_the_place_and_works_in_any_crs():
    site = (498_000.0, 7_550_000.0, 502_000.0, 7_560_000.0)  # 68.1 N, 15 E
    dem = (68.0, 14.9, 68.2, 15.1)
    assert "(swapped, it is at lon 68." in swapped_hint(site, utm(15.0, 68.1), dem, LONLAT)
    assert swapped_hint(site, utm(15.0, 68.1), site, utm(15.0, 68.1)) == ""
    assert swapped_hint(site, utm(15.0, 68.1), (0.0, 0.0, 1.0, 1.0), CRS.from_epsg(4269)) == ""
