"""Pictures as PNG."""

import io

import numpy as np
import pytest
from PIL import Image

from pacifico.png import png_bytes


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (40, 33)])
def test_pixels_come_back(channels, mode, shape):
    pixels = np.random.default_rng(3).integers(0, 256, (*shape, channels), dtype=np.uint8)
    shown = Image.open(io.BytesIO(png_bytes(pixels)))
    assert shown.mode == mode
    np.testing.assert_array_equal(np.asarray(shown).reshape(pixels.shape), pixels)


def test_a_view_of_a_larger_array_comes_back():
    canvas = np.random.default_rng(4).integers(0, 256, (9, 8, 4), dtype=np.uint8)
    shown = Image.open(io.BytesIO(png_bytes(canvas[:, :, :3])))
    np.testing.assert_array_equal(np.asarray(shown), canvas[:, :, :3])


def test_the_resolution_is_recorded():
    shown = Image.open(io.BytesIO(png_bytes(np.zeros((2, 2, 3), dtype=np.uint8), dpi=125)))
    assert shown.info["dpi"] == pytest.approx((125, 125), abs=0.01)


def test_even_areas_pack_well():
    assert len(png_bytes(np.full((500, 500, 3), 200, dtype=np.uint8))) < 8000
