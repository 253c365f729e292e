r"""Intervals about values measured on a DEM.

A value f is measured on the DEM z, which is the ground g plus an error. Draws e of that error give f(z + e). Quantiles of
f(z + e) alone are no interval about f(z): added error roughens the ground, so that every draw has more earthwork and less
gentle ground than the DEM itself. The sign of this bias is not known for the true ground. Where z already holds one such
error, f(z) is too rough, and f(g) is about 2 f(z) - f(z + e); where the cells of z hide relief, f(z) is too smooth, and f(g)
is about f(z + e). Both are taken as equally likely, so that f(g) - f(z) is distributed as ± |f(z + e) - f(z)|::

    P10, P90 = f(z) ∓ h      h: 80th percentile of |f(z + e) - f(z)|      P50 = f(z)

This is the symmetric bootstrap interval, which holds 80 % of the distribution, the bias included. The value is its centre, so
it can't leave it, and the interval grows with the error.

References
----------
Hall (1988), On symmetric bootstrap confidence intervals, Journal of the Royal Statistical Society B 50, 35-45.
Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 12 to 14. Oksanen and Sarjakoski (2005),
https://doi.org/10.1016/j.cageo.2005.02.014, on quantities that depend on slope and aspect being biased by DEM error.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

COVERAGE = 0.8
"""Share of the distribution between P10 and P90."""


def symmetric_interval(value: float, changes: ArrayLike, *, largest: float = math.inf) -> tuple[float, float]:
    """P10 and P90 about a value.

    Parameters
    ----------
    value : float
        Value on the DEM as it is, 0 or more.
    changes : array_like
        Value under each draw of the error, less that on the DEM, both by the same method; at least one.
    largest : float
        Largest possible value.

    Returns
    -------
    tuple of float
        P10 and P90, from 0 to `largest`; the value is between them.

    Examples
    --------
    Every draw raises the volume, and the interval still holds the volume itself.

    >>> symmetric_interval(100.0, [10.0, 10.0, 10.0, 20.0, 20.0, 20.0])
    (80.0, 120.0)
    """
    half = float(np.quantile(np.abs(np.asarray(changes, dtype=np.float64)), COVERAGE))
    return max(value - half, min(value, 0.0)), max(min(value + half, largest), value)
