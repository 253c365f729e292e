"""Array types for annotations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Int32Array = NDArray[np.int32]
FlagArray = NDArray[np.uint8]
"""Flags of compiled code: 0 or 1."""
BoolArray = NDArray[np.bool_]
