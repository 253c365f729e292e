"""Frame of coordinates that is turned so that rows run upright.

::

        north   rows          In the frame, rows run along y and rectangles of the layout are upright.
          |    /              The frame keeps the origin's coordinates; all others turn about it, anticlockwise
          |az /               by the azimuth. Lengths, areas and heights stay the same.
          | /
        origin ------ east
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import shapely

from pacifico.grid import Grid

if TYPE_CHECKING:
    import xarray as xr
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec

    GeometryT = TypeVar("GeometryT", bound=BaseGeometry)

AZIMUTH_RULE = ("solar", "row_azimuth_deg")
"""Section and name of the rule that turns a layout."""
ANGLE_DECIMALS = 9
"""Decimals to which angles are rounded [°]: it keeps 20.1 - 20.1 at 0."""
PLACE_DECIMALS = 6
"""Decimals to which places are rounded where they come into the frame as inputs, or go back to the map [m].

Sites that differ by a turn alone then give equal layouts, and places that were on the map come back to it exactly.
"""


@dataclass(frozen=True)
class TurnedFrame:
    """Frame whose y axis points along an azimuth.

    >>> TurnedFrame(90.0, (0.0, 0.0)).point(1.0, 0.0)
    (0.0, 1.0)
    """

    azimuth_deg: float
    """Direction of the frame's y axis, clockwise from grid north [°]."""
    origin: tuple[float, float]
    """Easting and northing that the frame turns about [m]."""

    to_map: bool = False
    """Whether it turns back to the map: then places are rounded to a micrometre."""

    @cached_property
    def inverse(self) -> TurnedFrame:
        """Frame that turns back."""
        return TurnedFrame(-self.azimuth_deg, self.origin, to_map=not self.to_map)

    @cached_property
    def _cos_sin(self) -> tuple[float, float]:
        """Cosine and sine of the azimuth; right angles are exact."""
        angle = math.radians(self.azimuth_deg)
        cos, sin = math.cos(angle), math.sin(angle)
        return (float(round(cos)), float(round(sin))) if self.azimuth_deg % 90.0 == 0.0 else (cos, sin)

    def turned(self, xy: FloatArray) -> FloatArray:
        """Coordinates in the frame, of coordinates with x, y and perhaps z in columns [m]."""
        cos, sin = self._cos_sin
        out = np.array(xy, dtype=np.float64)
        x, y = out[:, 0] - self.origin[0], out[:, 1] - self.origin[1]
        out[:, 0], out[:, 1] = self.origin[0] + (x * cos - y * sin), self.origin[1] + (x * sin + y * cos)
        return out

    def point(self, x: float, y: float) -> tuple[float, float]:
        """One place in the frame [m]."""
        found = self._placed(np.array([[x, y]]))[0]
        return float(found[0]), float(found[1])

    def vector(self, east: float, north: float) -> tuple[float, float]:
        """Direction, distance or gradient in the frame."""
        cos, sin = self._cos_sin
        return east * cos - north * sin, east * sin + north * cos

    def geometry(self, shape: GeometryT) -> GeometryT:
        """Geometry in the frame; heights stay."""
        turned: GeometryT = shapely.transform(shape, self._placed, include_z=bool(shape.has_z))
        return turned

    def input(self, shape: GeometryT) -> GeometryT:
        """Geometry in the frame as an input of a layout, rounded to a micrometre."""
        turned: GeometryT = shapely.transform(
            shape, lambda xyz: _rounded(self.turned(xyz)), include_z=bool(shape.has_z)
        )
        return turned

    def _placed(self, xyz: FloatArray) -> FloatArray:
        """Coordinates in the frame, rounded where it is the map [m]."""
        return _rounded(self.turned(xyz)) if self.to_map else self.turned(xyz)

    def bearing(self, bearing_deg: float) -> float:
        """Bearing in the frame, 0 to below 360, clockwise [°]."""
        return round((bearing_deg - self.azimuth_deg) % 360.0, ANGLE_DECIMALS) % 360.0

    def rotation(self, rotation_deg: float) -> float:
        """Rotation of a rectangle in the frame, 0 to below 180, anticlockwise [°]."""
        return round((rotation_deg + self.azimuth_deg) % 180.0, ANGLE_DECIMALS) % 180.0


def _rounded(xyz: FloatArray) -> FloatArray:
    """Coordinates with places rounded to a micrometre; heights stay."""
    xyz[:, :2] = np.round(xyz[:, :2], PLACE_DECIMALS)
    return xyz


def frame_of(spec: Spec, dem: xr.DataArray) -> TurnedFrame | None:
    """Frame of a spec's row azimuth; None where rows run north to south.

    Its origin is the cell corner nearest to the middle of the DEM, which is the same whenever the DEM is.

    Parameters
    ----------
    spec : Spec
        Rules of the layout.
    dem : DataArray
        Elevation model, north up.

    Raises
    ------
    CRSMismatchError
        The DEM has no north-up grid in metres.
    """
    azimuth_deg = spec.number(*AZIMUTH_RULE)
    if azimuth_deg == 0.0:
        return None
    grid = Grid.of(dem)
    return TurnedFrame(azimuth_deg, (grid.x0 + (grid.nx // 2) * grid.dx, grid.y0 - (grid.ny // 2) * grid.dy))
