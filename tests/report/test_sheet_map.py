"""The scale of the sheet's map is usual and fits the site."""

import numpy as np
import pytest
import shapely

from pacifico.report.paper import MAP_MM
from pacifico.report.sheet_map import RATIOS, map_ratio


@pytest.mark.parametrize(("width", "height"), [(10, 10), (420, 380), (3000, 500), (40_000, 39_000), (1, 60_000)])
def test_the_scale_is_usual_and_fits_the_site(width, height):
    ratio = map_ratio(shapely.box(0, 0, width, height))
    assert ratio / 10 ** np.floor(np.log10(ratio) + 1e-9) in [pytest.approx(r) for r in RATIOS]
    assert width <= ratio * (MAP_MM[2] - MAP_MM[0]) / 1000
    assert height <= ratio * (MAP_MM[3] - MAP_MM[1]) / 1000
