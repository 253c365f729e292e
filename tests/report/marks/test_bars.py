"""Colour bar beside a map: its numbers stand at their colours."""

import io

import numpy as np
import pytest
import shapely
from matplotlib import colormaps
from PIL import Image

from pacifico.report.mapframe import map_figure
from pacifico.report.marks.bars import colour_bar
from pacifico.report.marks.orientation import size_pt

MINUS = "\u2212"


def drawn(first, last, **options):
    figure, ax = map_figure(shapely.box(0, 0, 1000, 900))
    dots = ax.scatter([1], [1], c=[first], vmin=first, vmax=last, cmap="viridis")
    before = len(ax.texts)
    colour_bar(ax, dots, "reveal [m]", low=0.3, high=0.8, **options)
    return figure, ax, ax.texts[before:]


@pytest.mark.parametrize(
    ("first", "last", "numbers"),
    [
        (1.2, 1.8, ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8"]),
        (-1.0, 1.0, [f"{MINUS}1.00", f"{MINUS}0.75", f"{MINUS}0.50", f"{MINUS}0.25", "0.00", "0.25", "0.50", "0.75", "1.00"]),
        (341.0, 379.0, ["345", "350", "355", "360", "365", "370", "375"]),
    ],
)  # fmt: skip
def test_numbers_are_round_and_inside(first, last, numbers):
    *found, label = drawn(first, last)[2]
    assert [text.get_text() for text in found] == numbers
    assert label.get_text() == "reveal [m]"


@pytest.mark.parametrize("extend", ["neither", "both"])
def test_a_number_stands_beside_its_colour(extend):
    figure, ax, texts = drawn(1.2, 1.8, extend=extend)
    pixels = np.asarray(Image.open(io.BytesIO(figure._repr_png_())))
    x = ax.transAxes.transform((1, 0))[0] + 18 / 72 * figure.dpi
    scale = figure.dpi / 72
    for text in texts[:-1]:
        y = ax.bbox.y0 + text.get_position()[1] * scale
        row = min(max(round(pixels.shape[0] - y), 0), pixels.shape[0] - 1)
        expected = np.array(colormaps["viridis"]((float(text.get_text()) - 1.2) / 0.6)[:3]) * 255
        near = pixels[row - 4 : row + 5, round(x)].astype(float)
        assert np.abs(near - expected).max(axis=1).min() < 16
    ends = [t.get_position()[1] / size_pt(ax)[1] for t in (texts[0], texts[-2])]
    assert ends[0] == pytest.approx(0.3, abs=1e-9) if extend == "neither" else ends[0] > 0.31
    assert ends[1] == pytest.approx(0.8, abs=1e-9) if extend == "neither" else ends[1] < 0.79
