"""What the numbers of an elevation raster mean: their unit, and which of them are no heights at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pacifico.crs import METRES_PER_FOOT, METRES_PER_US_SURVEY_FOOT
from pacifico.errors import DEMError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

Units = Literal["m", "ft"]

LOWEST_M, HIGHEST_M = -1000.0, 9000.0
"""No dry ground lies beyond these: such values are undeclared nodata."""
SEA_CELLS = 64
"""A patch of exact zeros at the edge of the window is taken for nodata from this many cells."""
LONELY_M = 200.0
"""A patch of one exact height at the edge, with no other height within this of it, is no ground: a sentinel such as -999."""

_METRES = {"m", "metre", "metres", "meter", "meters", "metre (m)"}
_FEET = {"ft", "foot", "feet", "international foot", "international feet", "ft (international)"}
_SURVEY_FEET = {
    "us-ft",
    "ftus",
    "us survey foot",
    "us survey feet",
    "foot_us",
    "us_survey_foot",
    "us foot",
    "feet_us",
    "sft",
}


@dataclass(frozen=True)
class HeightUnit:
    """Metres in one unit of height, and how that is known."""

    metres: float
    told_by: str
    warnings: tuple[str, ...] = ()


def height_unit(crs: CRS, band_unit: str | None, asked: Units | None) -> HeightUnit:
    """Unit of height: as asked, else by the vertical CRS, else by the band's unit tag, else metres.

    Raises
    ------
    DEMError
        For a unit tag or vertical CRS in a unit that is neither metres nor feet.
    """
    tag = _tagged(band_unit)
    vertical = _vertical_factor(crs)
    declared = vertical if vertical is not None else tag
    warnings = []
    if vertical is not None and tag is not None and abs(vertical / tag - 1) > 1e-9:
        warnings.append(
            f"the vertical CRS says {_name(vertical)} and the band's unit tag {_name(tag)}: {_name(vertical)} taken; "
            "overrule with the DEM units option"
        )
    if asked is not None:
        factor = METRES_PER_FOOT if asked == "ft" else 1.0
        if asked == "ft" and declared is not None and declared != 1.0:
            factor = declared  # which of the two feet, the file knows
        elif declared is not None and abs(declared / factor - 1) > 1e-9:
            warnings.append(f"heights taken in {_name(factor)} as asked, though the file declares {_name(declared)}")
        return HeightUnit(factor, f"{_name(factor)}: as asked", tuple(warnings))
    if vertical is not None:
        return HeightUnit(vertical, f"{_name(vertical)}: vertical CRS", tuple(warnings))
    if tag is not None:
        return HeightUnit(tag, f"{_name(tag)}: band unit tag")
    if crs.axis_info and crs.is_projected and crs.axis_info[0].unit_conversion_factor != 1.0:
        warnings.append(
            "no unit of height is declared and the CRS is in feet: metres assumed; if the heights are in feet "
            "too, say so with the DEM units option (ft)"
        )
    elif crs.geodetic_crs is not None and crs.geodetic_crs.name == "NAD27":
        warnings.append(
            "no unit of height is declared and the raster is in NAD27, as old American maps in feet are: metres assumed; "
            "if the heights are in feet, say so with the DEM units option (ft)"
        )
    return HeightUnit(1.0, "metres: no unit declared", tuple(warnings))


def without_impostors(z: NDArray[np.floating[Any]], *, declared_nodata: bool) -> tuple[str, ...]:
    """Turn undeclared nodata in `z` [m] into NaN, in place; say what was found.

    Impossible heights (-9999, -32767, 3.4e38, ...) go wherever they are. A patch of at least `SEA_CELLS` cells of one
    exact height that touches the edge of the window goes where no other height is within `LONELY_M` of it (a sentinel),
    and where it is exactly zero, the file declares no nodata and other heights exist: a collar, or the sea.
    """
    warnings = []
    with np.errstate(invalid="ignore"):
        impossible = (z < LOWEST_M) | (z > HIGHEST_M)
    if impossible.any():
        example = float(z[impossible].flat[0])
        share = float(impossible.mean())
        z[impossible] = np.nan
        warnings.append(
            f"{_percent(share)} of the window holds impossible heights such as {example:.6g} m "
            f"(outside {LOWEST_M:.0f} to {HIGHEST_M:.0f} m): taken as undeclared nodata"
        )
    warnings += _without_sentinels(z)
    zero = z == 0.0
    rim = int(zero[[0, -1], :].sum() + zero[:, [0, -1]].sum())
    if rim == 0 or int(zero.sum()) < SEA_CELLS or bool((zero | np.isnan(z)).all()):
        return tuple(warnings)
    patch = _at_the_edge(zero)
    if patch.any():
        portion = _percent(float(patch.mean()))
        if declared_nodata:
            warnings.append(
                f"{portion} of the window is a patch of exactly 0 m at its edge: water? It is kept as ground"
            )
        else:
            z[patch] = np.nan
            warnings.append(
                f"{portion} of the window is a patch of exactly 0 m at its edge, and no nodata value is declared: "
                "taken as nodata (a collar, or the sea)"
            )
    return tuple(warnings)


def _without_sentinels(z: NDArray[np.floating[Any]]) -> list[str]:
    """Turn patches of a lonely lowest or highest height at the edge into NaN, in place; say what was found."""
    warnings = []
    for extreme in (np.fmin, np.fmax):
        value = extreme.reduce(z, axis=None)
        with np.errstate(invalid="ignore"):
            alike = z == value
        if not np.isfinite(value) or value == 0.0 or int(alike.sum()) < SEA_CELLS:  # zeros are judged apart
            continue
        nearest = extreme.reduce(np.where(alike, np.nan, z), axis=None)
        if not abs(nearest - value) > LONELY_M:  # NaN: nothing else is there
            continue
        patch = _at_the_edge(alike)
        if patch.any():
            z[patch] = np.nan
            warnings.append(
                f"{_percent(float(patch.mean()))} of the window is a patch of exactly {float(value):g} m at its edge, "
                f"{abs(float(nearest - value)):.0f} m from all other heights: taken as undeclared nodata"
            )
    return warnings


def _at_the_edge(zero: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Patches of true cells that touch the edge and have at least `SEA_CELLS` cells."""
    from scipy.ndimage import label  # noqa: PLC0415 (needed for coasts and collars alone)

    labels, count = label(zero)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    keep = np.zeros(count + 1, dtype=bool)
    keep[touching] = True
    keep &= sizes >= SEA_CELLS
    keep[0] = False
    return np.asarray(keep[labels], dtype=np.bool_)


def _tagged(band_unit: str | None) -> float | None:
    text = (band_unit or "").strip().lower()
    if not text:
        return None
    for names, factor in ((_METRES, 1.0), (_FEET, METRES_PER_FOOT), (_SURVEY_FEET, METRES_PER_US_SURVEY_FOOT)):
        if text in names:
            return factor
    raise DEMError(
        f"the band's unit tag is '{text[:40]}', neither metres nor feet: convert the raster, or correct the tag"
    )


def _vertical_factor(crs: CRS) -> float | None:
    """Metres in a unit of the vertical CRS, or None without one."""
    for part in crs.sub_crs_list if crs.is_compound else [crs]:
        up = [axis for axis in part.axis_info if axis.direction in {"up", "down"}]
        if up:
            factor = up[0].unit_conversion_factor
            known = (1.0, METRES_PER_FOOT, METRES_PER_US_SURVEY_FOOT)
            for value in known:
                if abs(factor / value - 1) < 1e-9:
                    return value
            raise DEMError(f"the vertical CRS is in {up[0].unit_name}, neither metres nor feet: convert the raster")
    return None


def _name(factor: float) -> str:
    if factor == 1.0:
        return "metres"
    return "feet" if factor == METRES_PER_FOOT else "US survey feet"


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "under 0.1%"
