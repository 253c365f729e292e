"""A square level site and its variants, laid out once."""

import pytest
import shapely

from pacifico.crs import utm
from pacifico.report.variants import generate_variants
from pacifico.site.model import Site
from pacifico.terrain.dem import level_ground


@pytest.fixture(scope="session")
def field():
    """Site of 420 m by 420 m and its level ground."""
    site = Site("square <b>field</b>", utm(-93.0, 42.0), shapely.box(500_000, 4_600_000, 500_420, 4_600_420))
    return site, level_ground(site, resolution_m=10.0)


@pytest.fixture(scope="session")
def variants(field):
    """Layouts of 1.5 MW by two strategies."""
    return generate_variants(*field, strategies=("density", "clustered"), target_capacity_kw=1500)
