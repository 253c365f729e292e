"""Names for the arrays that annotations use; nothing here runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Int32Array = NDArray[np.int32]
FlagArray = NDArray[np.uint8]
"""Flags that compiled code reads: 0 or 1."""
BoolArray = NDArray[np.bool_]
