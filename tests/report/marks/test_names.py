"""Names of features as one shape."""

import numpy as np
import shapely

from pacifico.report.mapframe import map_figure
from pacifico.report.marks.names import write_names
from pacifico.report.marks.orientation import INK, metres_per_point


def test_each_name_has_its_middle_on_its_point():
    _, ax = map_figure(shapely.box(0, 0, 1000, 900))
    before = len(ax.patches)
    write_names(ax, {"12": shapely.Point(200, 300), "7": shapely.Point(800, 700)}, size_pt=6)
    edges, letters = ax.patches[before:]
    assert letters.get_gid() == "12 7"
    assert edges.get_path() is letters.get_path()
    assert edges.get_linewidth() > 0
    assert letters.get_facecolor()[:3] == tuple(int(INK[k : k + 2], 16) / 255 for k in (1, 3, 5))
    xy = letters.get_path().vertices
    for x, y in ((200, 300), (800, 700)):
        own = xy[np.hypot(*(xy - (x, y)).T) < 100]
        np.testing.assert_allclose((own.min(axis=0) + own.max(axis=0)) / 2, (x, y), atol=0.1 * metres_per_point(ax) * 6)
        assert 0.5 < np.ptp(own[:, 1]) / (metres_per_point(ax) * 6) < 1


def test_without_names_nothing_is_drawn():
    _, ax = map_figure(shapely.box(0, 0, 1000, 900))
    before = len(ax.get_children())
    write_names(ax, {}, size_pt=6)
    assert len(ax.get_children()) == before
