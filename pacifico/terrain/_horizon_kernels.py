"""Kernel of terrain horizons: march rays over a DEM."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pacifico.jit import njit

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
    """Horizon angles [rad] of points in given directions, at least 0.

    Heights between cell centres are bilinear. A ray ends at the edge of the DEM and at heights that are not finite. Steps are
    half a cell, and 1 % of the distance far away.

    Parameters
    ----------
    z : ndarray, shape (ny, nx)
        Elevation [m].
    x0, y0 : float
        Outer corner in the north-west [m].
    dx, dy : float
        Cell size [m].
    x, y, eye : ndarray, shape (n,)
        Places and heights of the observers [m].
    azimuth : ndarray, shape (m,)
        Directions, clockwise from north, finite [rad].
    reach : float
        Distance to which ground is considered [m].
    bend : float
        Drop of the ground below a level line, over the distance squared [1/m].

    Returns
    -------
    ndarray, shape (n, m)
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
                # Written so that NaN ends the ray too.
                if not (c >= 0.0 and r >= 0.0 and c <= nx - 1.0 and r <= ny - 1.0):
                    break
                i, j = min(int(c), nx - 2), min(int(r), ny - 2)
                fc, fr = c - i, r - j
                height = (z[j, i] * (1 - fc) + z[j, i + 1] * fc) * (1 - fr) + (
                    z[j + 1, i] * (1 - fc) + z[j + 1, i + 1] * fc
                ) * fr
                if not np.isfinite(height):
                    break
                best = max(best, (height - eye[p] - bend * d * d) / d)
                d += max(step, 0.01 * d)
            out[p, a] = np.arctan(best)
    return out
