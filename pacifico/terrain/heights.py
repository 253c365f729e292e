"""Unit and direction of the heights in an elevation raster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pacifico.crs import (
    METRES_PER_FOOT,
    METRES_PER_US_SURVEY_FOOT,
    SAME_UNIT,
    metres_per_factor,
    metres_per_unit,
    unit_name,
)
from pacifico.errors import DEMError
from pacifico.grid import HIGHEST_M, LOWEST_M

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

Units = Literal["m", "ft"]

FEET = (METRES_PER_FOOT, METRES_PER_US_SURVEY_FOOT)
NEAR_LIMIT, GAPLESS_SHARE = 1.1, 0.01
"""Heights within this factor of the highest possible one, and their least share on both sides of it [-].

Terrain in a smaller unit passes the limit without a gap. Everest ends below it, and blurred rims of voids have fewer cells.
"""


@dataclass(frozen=True)
class HeightUnit:
    """Unit of height of a raster, and where it is known from."""

    metres: float
    """Metres per unit."""
    told_by: str
    """Unit and its source, for reports."""
    warnings: tuple[str, ...] = ()
    down: bool = False
    """Whether the vertical axis points down, so that values are depths."""


def height_unit(crs: CRS, band_unit: str | None, asked: Units | None) -> HeightUnit:
    """Unit of height, as asked or as the file declares it.

    In this order: the unit asked for, the vertical CRS, the band's unit tag, metres.

    Parameters
    ----------
    crs : CRS
        CRS of the raster, with its vertical part if it has one.
    band_unit : str or None
        Unit tag of the band.
    asked : {"m", "ft"} or None
        Unit that the user gave: it decides before anything that the file declares.

    Raises
    ------
    DEMError
        No unit was asked for, and the file declares one that is not known.
    """
    axis = _vertical_axis(crs)
    down = axis is not None and axis.direction == "down"
    vertical = metres_per_factor(axis.unit_conversion_factor) if axis is not None else None
    tag = metres_per_unit(band_unit) if band_unit and band_unit.strip() else None
    turned = ("the vertical axis points down (depth): signs of the values are reversed",) if down else ()
    if asked is not None:
        factor, warnings = _as_asked(asked, vertical if vertical is not None else tag)
        return HeightUnit(factor, f"{unit_name(factor)}: as asked", (*warnings, *turned), down)
    if axis is not None and vertical is None:
        raise DEMError(
            f"the vertical CRS is in {axis.unit_name}, which is not a known unit of height; convert the raster, or say "
            "--dem-units m or ft"
        )
    if tag is None and band_unit and band_unit.strip() and vertical is None:
        raise DEMError(
            f"the band's unit tag is '{band_unit.strip()[:40]}', which is neither metres nor feet; say --dem-units m or ft, "
            "or correct the tag"
        )
    if vertical is not None:
        said = _contradiction(vertical, tag)
        return HeightUnit(vertical, f"{unit_name(vertical)}: vertical CRS", (*said, *turned), down)
    if tag is not None:
        return HeightUnit(tag, f"{unit_name(tag)}: band unit tag", turned, down)
    return HeightUnit(1.0, "metres: no unit declared", _suspected_feet(crs))


def _as_asked(asked: Units, declared: float | None) -> tuple[float, tuple[str, ...]]:
    """Metres per unit asked for, and a warning if the file differs."""
    factor = METRES_PER_FOOT if asked == "ft" else 1.0
    if asked == "ft" and declared in FEET:
        return declared, ()  # the file knows which of the two feet
    if declared is not None and abs(declared / factor - 1) > SAME_UNIT:
        return factor, (
            f"heights taken in {unit_name(factor)} as asked, though the file declares {unit_name(declared)}",
        )
    return factor, ()


def _contradiction(vertical: float, tag: float | None) -> tuple[str, ...]:
    """Warning if the vertical CRS and the unit tag differ."""
    if tag is None or vertical == tag:
        return ()
    return (
        (
            f"the vertical CRS says {unit_name(vertical)} and the band's unit tag {unit_name(tag)}: {unit_name(vertical)} taken; "
            "overrule with the DEM units option"
        ),
    )


def _suspected_feet(crs: CRS) -> tuple[str, ...]:
    """Warning if heights without a unit may be in feet."""
    if crs.axis_info and crs.is_projected and crs.axis_info[0].unit_conversion_factor != 1.0:
        reason = "the CRS is in feet"
    elif crs.geodetic_crs is not None and crs.geodetic_crs.name == "NAD27":
        reason = "the raster is in NAD27, as old American maps in feet are"
    else:
        return ()
    return (
        (
            f"no unit of height is declared and {reason}: metres assumed; if the heights are in feet, say so with the DEM "
            "units option (ft)"
        ),
    )


def in_metres(values: NDArray[np.floating[Any]], unit: HeightUnit, name: str) -> NDArray[np.floating[Any]]:
    """Heights in metres, upwards.

    Parameters
    ----------
    values : ndarray
        Values as stored, NaN for nodata.
    unit : HeightUnit
        Their unit.
    name : str
        Of the raster, for messages.

    Raises
    ------
    DEMError
        Half of the heights are impossible as they would be in a smaller unit, or all ground would lie deep below zero.
    """
    z = values if unit.metres == 1.0 else values * values.dtype.type(unit.metres)
    if unit.down:
        z = np.negative(z)
        high = np.fmax.reduce(z, axis=None)
        if high < 0 and np.fmin.reduce(z, axis=None) >= LOWEST_M:
            raise DEMError(
                f"{name}'s vertical axis points down (depth), so that all ground would lie below zero, at {high:.0f} m and "
                "deeper; give a DEM of heights, or correct its vertical CRS"
            )
    _require_plausible(z, name)
    return z


def _require_plausible(z: NDArray[np.floating[Any]], name: str) -> None:
    """Refuse heights that look like a unit smaller than metres."""
    known = z[np.isfinite(z)]
    if not known.size or not _passes_the_limit(known):
        return
    known = known[known > HIGHEST_M]
    low, high = float(known.min()), float(known.max())
    if low == high:
        return  # one value: undeclared nodata
    read = " or ".join(
        f"{low * factor:.0f} to {high * factor:.0f} m in {unit_name(factor)}"
        for factor in (0.01, 0.001)
        if high * factor <= HIGHEST_M
    )
    raise DEMError(
        f"{name} holds heights from {low:.6g} to {high:.6g} m around the site, impossible above {HIGHEST_M:.0f} m"
        + (f"; they would be {read}" if read else "")
        + ": give the file its scale, for instance gdal_translate -a_scale 0.01 for centimetres"
    )


def _passes_the_limit(known: NDArray[np.floating[Any]]) -> bool:
    """Whether heights lie above the limit, or pass it without gap."""
    if float(np.median(known)) > HIGHEST_M:
        return True
    below = (known > HIGHEST_M / NEAR_LIMIT) & (known <= HIGHEST_M)
    above = (known > HIGHEST_M) & (known <= HIGHEST_M * NEAR_LIMIT)
    return min(float(below.mean()), float(above.mean())) > GAPLESS_SHARE


def _vertical_axis(crs: CRS) -> Any:
    """Vertical axis of a compound or 3D CRS, or None."""
    for part in crs.sub_crs_list if crs.is_compound else [crs]:
        for axis in part.axis_info:
            if axis.direction in {"up", "down"}:
                return axis
    return None
