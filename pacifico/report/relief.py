"""Ground of the report's 3D view: heights on a coarse grid, as the page reads them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.crs import LONLAT, transformer
from pacifico.grid import Grid, elevations

if TYPE_CHECKING:
    import xarray as xr

MOST_SIDE = 200
"""Most heights along a side: 40,000 in all, which 16-bit indices of a mesh still number."""
NOTHING = 65_535
"""Mark of ground without elevation."""


def relief(dem: xr.DataArray) -> dict[str, Any] | None:
    """Heights of a DEM for the page, at most 200 by 200; None where it has none.

    Members: `corners` (longitude and latitude [°] of the heights in the north-west, north-east and south-west), `columns`, `rows`,
    `size_m` (from the first to the last height, east and south), `low_m`, `high_m`, and `heights`: 16-bit steps from low to high,
    row by row from the north, 65535 where there is no elevation, in base64.

    Parameters
    ----------
    dem : DataArray
        Elevation model.
    """
    grid, values = Grid.of(dem), elevations(dem)
    step = max(-(-max(values.shape) // MOST_SIDE), 1)
    start = step // 2
    shown = values[start::step, start::step]
    known = np.isfinite(shown)
    if min(shown.shape) < 2 or not known.any():
        return None
    low, high = float(shown[known].min()), float(shown[known].max())
    scaled = np.full(shown.shape, NOTHING, dtype="<u2")
    scaled[known] = np.round((shown[known] - low) / max(high - low, 1e-6) * (NOTHING - 1))
    rows, columns = shown.shape
    x, y = grid.x_centres()[start::step], grid.y_centres()[start::step]
    lon, lat = transformer(grid.crs, LONLAT).transform([x[0], x[-1], x[0]], [y[0], y[0], y[-1]])
    return {
        "corners": [[round(float(a), 8), round(float(b), 8)] for a, b in zip(lon, lat, strict=True)],
        "columns": columns,
        "rows": rows,
        "size_m": [round(float(x[-1] - x[0]), 2), round(float(y[0] - y[-1]), 2)],
        "low_m": round(low, 2),
        "high_m": round(high, 2),
        "heights": base64.b64encode(scaled.tobytes()).decode("ascii"),
    }
