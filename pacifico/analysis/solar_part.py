"""Solar part of a layout: its arrays, their horizons and their rows in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pyproj import Proj

from pacifico.analysis.shading.row_pairs import row_fields
from pacifico.crs import LONLAT, transformer
from pacifico.errors import InputError
from pacifico.terrain.horizon import horizon_deg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr
    from pyproj import CRS

    from pacifico.analysis.shading.row_pairs import RowField
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.racking import RackingDesign

AZIMUTH_STEP_DEG = 5.0
"""Angle between directions of a horizon [°]."""


@dataclass(frozen=True)
class SolarPart:
    """Solar arrays of a layout, as far as energy depends on them."""

    lat: float
    lon: float
    """Position of the plant [°]."""
    altitude_m: float
    dc_kw: FloatArray
    """DC rating of each array, shape (n,) [kW]."""
    ac_kw: FloatArray
    """AC rating of each array, shape (n,) [kW]."""
    mounting: Literal["tracker", "fixed"]
    gcr: float
    """Ground coverage ratio: collector width over row pitch [-]."""
    horizon_deg: FloatArray | None = None
    """Horizon of each array in directions 0, 5, ... 355 from true north, shape (n, 72) [°]; None: flat."""
    rows: PlantRows | None = None
    """Rows in space; None: level rows that never shade each other."""
    convergence_deg: float = 0.0
    """Direction of grid north, clockwise from true north [°]."""


@dataclass(frozen=True, eq=False)
class PlantRows:
    """Rows of a plant in space, with the rating of their arrays."""

    fields: tuple[RowField, ...]
    """Rows, one field for each azimuth."""
    dc_kw: Mapping[str, float]
    """DC rating of each array [kW]."""


def plant_rows(
    assets: Sequence[Asset], spec: Spec, dem: xr.DataArray, *, design: RackingDesign | None = None
) -> PlantRows:
    """Rows of solar arrays in space.

    Parameters
    ----------
    assets : sequence of Asset
        Assets of a layout.
    spec : Spec
        Rules of the layout.
    dem : DataArray
        DEM that the layout was made on.
    design : RackingDesign, optional
        Designed racking; without it tubes rest on piles over natural ground.

    Raises
    ------
    InputError
        The DEM has no ground under a row.
    """
    rating = {a.asset_id: a.item.capacity_dc_kw for a in assets if a.item.kind == "solar_array"}
    return PlantRows(row_fields(assets, spec, dem, design=design), rating)


def solar_part(
    x: FloatArray,
    y: FloatArray,
    dc_kw: FloatArray,
    ac_kw: FloatArray,
    *,
    crs: CRS,
    altitude_m: float,
    spec: Spec,
    dem: xr.DataArray | None = None,
    rows: PlantRows | None = None,
) -> SolarPart:
    """Solar part of a layout, with horizons from its DEM.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Centres of the arrays in the working CRS [m].
    dc_kw, ac_kw : ndarray, shape (n,)
        Ratings of the arrays [kW].
    crs : CRS
        Working CRS.
    altitude_m : float
        Altitude of the site [m].
    spec : Spec
        Section ``solar``: mounting and ground coverage.
    dem : DataArray, optional
        Ground for the horizons; without it they are flat.
    rows : PlantRows, optional
        Rows in space; without them rows are level and never shade each other.

    Raises
    ------
    InputError
        There is no array.
    """
    if not len(x):
        raise InputError("the layout has no solar array: there is no solar energy to compute")
    lon, lat = transformer(crs, LONLAT).transform(float(np.average(x, weights=dc_kw)), float(np.average(y, weights=dc_kw)))  # fmt: skip
    # angle from true north to grid north, eastwards
    convergence = float(Proj(crs).get_factors(lon, lat).meridian_convergence)
    horizon = None
    if dem is not None:
        azimuths = np.arange(0.0, 360.0, AZIMUTH_STEP_DEG) - convergence
        horizon = horizon_deg(dem, x, y, azimuths_deg=azimuths)
    mounting: Literal["tracker", "fixed"] = "tracker" if spec.choice("solar", "mounting") == "tracker" else "fixed"
    return SolarPart(
        lat,
        lon,
        altitude_m,
        dc_kw,
        ac_kw,
        mounting,
        spec.number("solar", f"{mounting}_gcr"),
        horizon,
        rows,
        convergence,
    )
