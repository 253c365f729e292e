"""Terrain horizon of places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import InputError
from pacifico.grid import Ground

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EARTH_M = 6_371_000.0
"""Mean radius of the earth [m]."""
REFRACTION = 0.13
"""Share of the earth's curvature that refraction cancels, for light near the ground (Gauss) [-]."""
EYE_M = 1.5
"""Height of the observer over the ground: the middle of a collector [m]."""


def horizon_deg(
    dem: xr.DataArray,
    x: Floats,
    y: Floats,
    *,
    azimuths_deg: Floats,
    eye_m: float = EYE_M,
    reach_m: float = 20_000.0,
) -> Floats:
    """Elevation angle of the terrain horizon at places [°].

    ::

        sun at azimuth a is hidden where its elevation is below horizon_deg[place, a]

    Parameters
    ----------
    dem : xarray.DataArray
        As `open_dem` returns it. Only ground in the DEM is seen: the horizon is that of its halo.
    x, y : ndarray, shape (n,)
        Places, in the DEM's CRS [m].
    azimuths_deg : ndarray, shape (m,)
        Directions, clockwise from grid north [°].
    eye_m : float
        Height over the ground [m].
    reach_m : float
        Distance to which ground is considered [m].

    Returns
    -------
    ndarray, shape (n, m)
        Elevation angle of the horizon, 0 or more [°].

    Raises
    ------
    InputError
        A place has no ground in the DEM, or a direction is not finite.

    Notes
    -----
    The earth's curvature, less 13 % for refraction, lowers distant ground. Grid north differs from true north by the meridian
    convergence, at most 3° within a UTM zone at 60° latitude; `azimuths_deg` must allow for it.
    """
    from pacifico.terrain._horizon_kernels import horizons  # noqa: PLC0415 (numba)

    ground = Ground.of(dem)
    g = ground.grid
    at_x, at_y = np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64)
    eye = ground.at(at_x, at_y) + eye_m
    if np.isnan(eye).any():
        raise InputError(
            f"{int(np.isnan(eye).sum())} of {eye.size} places have no ground in the DEM; use a DEM that covers the layout"
        )
    directions = np.radians(np.asarray(azimuths_deg, dtype=np.float64))
    if not np.isfinite(directions).all():
        raise InputError("azimuths_deg holds values that are not finite; give degrees clockwise from north")
    bend = (1.0 - REFRACTION) / (2.0 * EARTH_M)
    place = ground.z, g.x0, g.y0, g.dx, g.dy
    return np.asarray(np.degrees(horizons(*place, at_x, at_y, eye, directions, reach_m, bend)))
