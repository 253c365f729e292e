"""Ground that belongs to a layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.errors import CRSMismatchError
from pacifico.grid import Ground

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.files.stored import StoredLayout


def ground_of(layout: StoredLayout, dem: xr.DataArray) -> Ground:
    """Ground heights of a DEM in a layout's working CRS.

    Raises
    ------
    CRSMismatchError
        The DEM has another CRS than the layout.
    """
    ground = Ground.of(dem)
    if ground.grid.crs != layout.crs:
        raise CRSMismatchError(
            f"the ground is in {ground.grid.crs.name}, the layout in {layout.crs.name}; read it for the layout's site"
        )
    return ground
