"""Reasons why cells can't be built on, with a legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BUILDABLE = 0
NO_ELEVATION = "no elevation, or beside it"


@dataclass(frozen=True)
class Reasons:
    """Reason of each cell, as a category."""

    codes: NDArray[np.uint8]
    """Shape (ny, nx): 0 for cells where every asset type may be built, else a key of the legend."""
    legend: dict[int, str]
    """Meaning of each code, in the order of the reasons: the first that applies to a cell is its category."""

    def area_ha(self, cell_area_m2: float) -> dict[str, float]:
        """Area by category [ha]."""
        counts = np.bincount(self.codes.ravel(), minlength=max(self.legend) + 1)
        return {name: float(counts[code]) * cell_area_m2 / 1e4 for code, name in self.legend.items()}


def reasons(
    barred: Mapping[str, NDArray[np.bool_]], slope_deg: NDArray[np.floating[Any]], slope_limits_deg: Mapping[str, float]
) -> Reasons:
    """First reason why each cell can't be built on.

    In this order: the barred areas as given, no elevation, too steep for which asset types.

    Parameters
    ----------
    barred : mapping of name to ndarray of bool, shape (ny, nx)
        Areas where nothing may be built, such as exclusions by name.
    slope_deg : ndarray, shape (ny, nx)
        Slope [°], NaN without elevation or beside nodata.
    slope_limits_deg : mapping
        Limit of natural ground by asset type [°].

    Raises
    ------
    InputError
        There are more than 255 categories, or a mask has another shape.

    Examples
    --------
    >>> why = reasons({"outside the boundary": outside}, slope, {"solar_array": 10.0, "battery": 4.0})
    >>> why.legend
    {0: 'buildable', 1: 'outside the boundary', 2: 'no elevation, or beside it', 3: 'over 10°: solar_array, battery', 4: 'over 4°: battery'}
    """
    limits = sorted(set(slope_limits_deg.values()), reverse=True)
    if len(barred) + 2 + len(limits) > 256:
        raise InputError(f"{len(barred)} barred areas and {len(limits)} slope limits are more than 255 categories")
    codes = np.zeros(slope_deg.shape, dtype=np.uint8)
    legend = {BUILDABLE: "buildable"}

    def claim(name: str, where: NDArray[np.bool_]) -> None:
        if where.shape != codes.shape:
            raise InputError(f"the mask '{name}' has shape {where.shape}, the slope {codes.shape}; they must match")
        code = len(legend)
        legend[code] = name
        codes[(codes == BUILDABLE) & where] = code

    for name, mask in barred.items():
        claim(name, mask)
    claim(NO_ELEVATION, np.isnan(slope_deg))
    for limit in limits:
        stopped = [name for name, own in slope_limits_deg.items() if own <= limit]
        with np.errstate(invalid="ignore"):
            claim(f"over {limit:g}°: {', '.join(stopped)}", slope_deg > limit)
    return Reasons(codes, legend)
