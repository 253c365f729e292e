"""Round numbers for scales, and stretched hillshade."""

import io

import numpy as np
import pytest
from PIL import Image

from pacifico.report.mapframe import DPI, Picture, nice, nice_above, stretched


def test_the_stretch_keeps_order_and_is_bounded():
    light = np.array([0.70, 0.705, 0.71])
    out = stretched(light, np.ones(3, dtype=bool))
    assert (np.diff(out) > 0).all()
    assert np.ptp(out) <= 8 * np.ptp(light) + 1e-12


@pytest.mark.parametrize(("value", "expected"), [(1.0, 1.0), (1.99, 1.0), (730.0, 500.0), (0.3, 0.2), (5.0, 5.0)])
def test_round_number_below(value, expected):
    assert nice(value) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "expected"), [(1.0, 1.0), (1.01, 2.0), (730.0, 1000.0), (0.32, 0.5), (5.0, 5.0)])
def test_round_number_above(value, expected):
    assert nice_above(value) == pytest.approx(expected)


def test_a_picture_shows_itself_as_opaque_png_at_its_resolution():
    picture = Picture(figsize=(2.0, 1.0), dpi=DPI, facecolor="white")
    picture.text(0.5, 0.5, "ridge", color="#8b0d1e")
    shown = Image.open(io.BytesIO(picture._repr_png_()))
    assert (shown.mode, shown.size) == ("RGB", (2 * DPI, DPI))
    assert shown.getpixel((0, 0)) == (255, 255, 255)
    assert picture._repr_png_() == picture._repr_png_()
    saved = io.BytesIO()
    picture.savefig(saved, format="png")
    np.testing.assert_array_equal(np.asarray(shown), np.asarray(Image.open(saved).convert("RGB")))
