"""Loss of blocks of cells to shade."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pacifico.analysis.shading.blocks import LINEAR, ShadeBlocks, shade_blocks
from pacifico.layout.criteria.spec import make_spec


def test_a_block_is_dark_once_one_row_of_cells_is():
    lost = ShadeBlocks(2, 12).lost([0.0, 1 / 48, 1 / 24, 0.25, 0.5, 0.5 + 1 / 24, 1.0])
    assert_allclose(lost, [0.0, 0.25, 0.5, 0.5, 0.5, 1.0, 1.0], atol=1e-12)


def test_thin_film_loses_in_proportion():
    shaded = np.linspace(0.0, 1.0, 11)
    assert_allclose(LINEAR.lost(shaded), shaded, atol=1e-12)


@pytest.mark.parametrize(("mounting", "blocks"), [("tracker", 2), ("fixed", 4)])
def test_blocks_are_those_of_the_mounting(mounting, blocks):
    assert shade_blocks(make_spec({"solar": {"mounting": mounting}})) == ShadeBlocks(blocks, 12)
