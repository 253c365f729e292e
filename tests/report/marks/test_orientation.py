"""Round numbers for scales, sizes on paper, scale bar and north arrow."""

import numpy as np
import pytest
import shapely

from pacifico.report.mapframe import map_figure
from pacifico.report.marks.orientation import beside, metres_per_point, nice, nice_above, on_paper, size_pt


@pytest.mark.parametrize(("value", "expected"), [(1.0, 1.0), (1.99, 1.0), (730.0, 500.0), (0.3, 0.2), (5.0, 5.0)])
def test_round_number_below(value, expected):
    assert nice(value) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "expected"), [(1.0, 1.0), (1.01, 2.0), (730.0, 1000.0), (0.32, 0.5), (5.0, 5.0)])
def test_round_number_above(value, expected):
    assert nice_above(value) == pytest.approx(expected)


@pytest.fixture
def ax():
    return map_figure(shapely.box(0, 0, 1000, 900))[1]


def test_a_point_on_paper_is_a_72nd_of_an_inch(ax):
    ends = on_paper(ax).transform([(0, 0), (72, 0), (0, 72)])
    dpi = ax.get_figure().dpi
    np.testing.assert_allclose(ends[1:] - ends[0], [(dpi, 0), (0, dpi)], atol=1e-6)
    low, high = ax.get_xlim()
    assert metres_per_point(ax) * size_pt(ax)[0] == pytest.approx(high - low)
    assert ax.transAxes.transform((beside(ax, 1.0), 0))[0] - ax.bbox.x1 == pytest.approx(dpi)


def test_the_arrow_points_up_from_its_letter_and_stays_on_the_map(ax):
    letter = next(t for t in ax.texts if t.get_text() == "N")
    head = next(p for p in ax.patches if type(p).__name__ == "Polygon").get_xy()
    tip, base = head[:, 1].max(), head[:, 1].min()
    assert letter.get_position()[1] < base < tip < size_pt(ax)[1]
    assert letter.get_position()[0] == pytest.approx(head[np.argmax(head[:, 1]), 0])
