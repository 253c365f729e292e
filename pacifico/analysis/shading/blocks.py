r"""Power that shade along the edge of a collector takes.

::

      ________________      blocks: parts of the collector's width whose cells are in series along the rows,
      block 2                       such as the halves of half-cut modules
      ----------------      cells: cells of a block one behind the other across the rows; a block has lost
      block 1                       its beam once one of them is dark
      ################      shade
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec


@dataclass(frozen=True)
class ShadeBlocks:
    """Blocks of cells across a collector.

    >>> ShadeBlocks(2, 12).lost([0.0, 1 / 48, 0.25, 1.0])
    array([0.  , 0.25, 0.5 , 1.  ])
    """

    blocks: int
    """Blocks one behind the other across a collector."""
    cells: int
    """Cells one behind the other across a block; 1: loss in proportion to the shade."""

    def lost(self, shaded: FloatArray | list[float]) -> FloatArray:
        """Share of the beam's power that is lost, from the shaded share of the width."""
        depth = np.asarray(shaded, dtype=np.float64) * self.blocks
        whole = np.floor(depth)
        lost: FloatArray = (whole + np.minimum(self.cells * (depth - whole), 1.0)) / self.blocks
        return lost


LINEAR = ShadeBlocks(1, 1)
"""Loss in proportion to the shade, as of thin-film modules across the rows."""


def shade_blocks(spec: Spec) -> ShadeBlocks:
    """Blocks of a spec's modules and mounting."""
    mounting = spec.choice("solar", "mounting")
    return ShadeBlocks(
        round(spec.number("energy", f"{mounting}_shade_blocks")), round(spec.number("energy", "shade_cells"))
    )
