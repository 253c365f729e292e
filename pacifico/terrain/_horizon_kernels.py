"""Kernel of terrain horizons: rays marched over a DEM."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True, nogil=True)
def horizons(
    z: Floats,
    x0: float,
    y0: float,
    dx: float,
    dy: float,
    x: Floats,
    y: Floats,
    eye: Floats,
    azimuth: Floats,
    reach: float,
    bend: float,
) -> Floats:
    """Greatest elevation angle of the ground over each point in each direction [rad], 0 at least.

    Heights between cell centres are bilinear; a ray ends where the ground is unknown. Steps are half a cell, and 1 % of the
    distance far away. `bend` is the fall of the ground below a level line, over the distance squared [1/m].
    """
    ny, nx = z.shape
    out = np.zeros((x.size, azimuth.size))
    step = 0.5 * min(dx, dy)
    for p in range(x.size):
        for a in range(azimuth.size):
            east, north = np.sin(azimuth[a]), np.cos(azimuth[a])
            best, d = 0.0, step
            while d <= reach:
                c = (x[p] + east * d - x0) / dx - 0.5
                r = (y0 - y[p] - north * d) / dy - 0.5
                if c < 0.0 or r < 0.0 or c > nx - 1.0 or r > ny - 1.0:
                    break
                i, j = min(int(c), nx - 2), min(int(r), ny - 2)
                fc, fr = c - i, r - j
                height = (z[j, i] * (1 - fc) + z[j, i + 1] * fc) * (1 - fr) + (
                    z[j + 1, i] * (1 - fc) + z[j + 1, i + 1] * fc
                ) * fr
                if np.isnan(height):
                    break
                best = max(best, (height - eye[p] - bend * d * d) / d)
                d += max(step, 0.01 * d)
            out[p, a] = np.arctan(best)
    return out
