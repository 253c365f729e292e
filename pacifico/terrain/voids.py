"""Find values of an elevation raster that are no ground.

Four kinds are turned into NaN, in this order, and a warning names each: impossible heights; patches of a typical filler
value such as 0 or -999 that the terrain around does not come near; patches of exactly 0 at the edge of the window (a collar,
or the sea); and the rim around a hole that was resampled together with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pacifico.grid import HIGHEST_M, LOWEST_M

Heights = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

FILLERS = (0.0, -1.0, -9.0, -10.0, -99.0, -100.0, -999.0, -1000.0)
"""Values, in the file's unit, that software writes where it has no height.

Other usual ones are impossible heights. Positive ones are ordinary heights and must be isolated to be removed.
"""
PATCH_CELLS = 64
"""Cells from which a patch of one value is judged by its place alone: at the edge, or far from all other heights."""
ISOLATED_M = 200.0
"""Distance from all other heights beyond which a patch of any exact value is no ground [m]."""
JUMP_M, JUMP_STEPS = 10.0, 5.0
"""A filler's patch differs from all terrain around by this [m], and by so many rough steps between neighbours."""
FEWEST_AROUND = 8
"""Cells around a patch that are needed to judge it by them; else all heights of the window are used."""
RIM_CELLS = 12
"""Width of a hole's rim that resampling can spoil: four source cells of cubic interpolation to a third of the cell."""
RINGS = ((2, 4, 0.0), (RIM_CELLS, RIM_CELLS + 4, 100.0))
"""Rings of terrain around a patch: from beyond so many cells, up to so many, and the least difference there [m].

The nearer ring is enough for a patch that was not resampled, the farther one lies beyond what resampling blurred. Coasts rise
by less than 100 m over it at some place.
"""
RIM_PASSES = 4
"""Passes over the rims: cells that are far off hide others that are less so."""
RIM_M, RIM_SPREADS = 10.0, 4.0
"""A rim cell is spoiled if it is off the mean of the terrain nearby by this [m] and by so many standard deviations of it.

The rough steps that a slope may rise over the width of the rim are added.
"""
BELOW_ZERO = 0.01
"""Share of heights below zero from which zeros are ordinary heights of low land [-]."""
SAMPLED_ROWS = 400
"""Rows from which the roughness of the terrain is estimated."""


def remove_voids(z: Heights, *, declared_nodata: bool, metres: float = 1.0) -> tuple[str, ...]:
    """Turn values that are no ground into NaN, in place.

    Parameters
    ----------
    z : ndarray, shape (ny, nx)
        Heights [m], NaN for nodata; changed in place.
    declared_nodata : bool
        Whether the file declares a nodata value: zeros at the edge then are the sea.
    metres : float
        Metres per unit of the file, negative for depths: filler values are round numbers in that unit.
    """
    warnings = _remove_impossible(z)
    warnings += _remove_fillers(z, metres)
    warnings += _remove_isolated(z)
    warnings += _remove_edge_zeros(z, declared_nodata=declared_nodata)
    warnings += _remove_spoiled_rims(z)
    return tuple(warnings)


def _remove_impossible(z: Heights) -> list[str]:
    with np.errstate(invalid="ignore"):
        impossible = (z < LOWEST_M) | (z > HIGHEST_M)
    if not impossible.any():
        return []
    example, share = float(z[impossible].flat[0]), _percent(impossible)
    z[impossible] = np.nan
    return [
        (
            f"{share} of the window holds impossible heights such as {example:.6g} m "
            f"(outside {LOWEST_M:.0f} to {HIGHEST_M:.0f} m): taken as undeclared nodata"
        )
    ]


def _remove_fillers(z: Heights, metres: float) -> list[str]:
    """Remove patches of a filler value far from the terrain around."""
    warnings = []
    rough = None
    fillers = z.dtype.type(metres) * np.array(FILLERS, dtype=z.dtype)
    for filler, value in zip(FILLERS, fillers, strict=True):
        alike = np.abs(z - value) <= 4 * np.spacing(np.abs(value).astype(np.float32))
        if not alike.any():
            continue
        if rough is None:
            rough = _rough_step(np.where(np.isin(z, fillers), np.nan, z))
        jump_m = max(JUMP_M, JUMP_STEPS * rough)
        patch = np.zeros_like(alike)
        for near, far, least_m in RINGS:
            patch |= _cut_off(z, alike & ~patch, float(value), (near, far, max(jump_m, least_m)))
        if patch.any():
            share = _percent(patch)
            z[patch] = np.nan
            warnings.append(
                f"{share} of the window holds exactly {filler:g} where the terrain around is far from it: taken as "
                "undeclared nodata (a void)"
            )
    return warnings


def _cut_off(z: Heights, alike: Mask, value: float, ring: tuple[int, int, float]) -> Mask:
    """Patches of one value whose surroundings all differ from it.

    Parameters
    ----------
    z : ndarray
        Heights [m].
    alike : ndarray of bool
        Cells that hold the value.
    value : float
        The value [m].
    ring : (int, int, float)
        Surroundings: cells beyond the first distance and up to the second, and the least difference of their heights [m].
    """
    from scipy.ndimage import label, maximum_filter, minimum  # noqa: PLC0415 (slow to import, seldom needed)

    near, far, jump_m = ring
    others = np.isfinite(z) & ~alike
    if not others.any() or not alike.any():
        return np.zeros_like(alike)
    labels, count = label(alike, structure=np.ones((3, 3)))
    around = maximum_filter(labels, size=2 * far + 1)
    around[~others | (maximum_filter(labels, size=2 * near + 1) > 0)] = 0
    numbers = np.arange(1, count + 1)
    # Crowded patches hide each other's surroundings: a few cells say nothing about them.
    found = np.bincount(around.ravel(), minlength=count + 1)[1:] >= FEWEST_AROUND
    nearest = np.full(count, np.abs(z[others] - value).min(), dtype=np.float64)
    if found.any():
        nearest[found] = minimum(np.abs(z - value), around, numbers[found])
    keep = np.concatenate([[False], nearest > jump_m])
    return np.asarray(keep[labels], dtype=np.bool_)


def _rough_step(z: Heights) -> float:
    """Difference that 99 % of neighbouring cells stay within [m]."""
    rows = z[:: max(z.shape[0] // SAMPLED_ROWS, 1)]
    steps = np.abs(np.diff(rows, axis=1))
    steps = steps[np.isfinite(steps) & (steps > 0)]
    return float(np.quantile(steps, 0.99)) if steps.size else 0.0


def _remove_isolated(z: Heights) -> list[str]:
    """Remove patches of an extreme value far from other heights."""
    warnings = []
    for extreme in (np.fmin, np.fmax):
        value = extreme.reduce(z, axis=None)
        alike = z == value
        if not np.isfinite(value) or value == 0.0 or int(alike.sum()) < PATCH_CELLS:  # zeros have a rule of their own
            continue
        nearest = extreme.reduce(np.where(alike, np.nan, z), axis=None)
        if not abs(nearest - value) > ISOLATED_M:  # NaN: there are no other heights
            continue
        patch = _patches(alike, edge_only=False)
        if patch.any():
            share = _percent(patch)
            z[patch] = np.nan
            warnings.append(
                f"{share} of the window is a patch of exactly {float(value):g} m, "
                f"{abs(float(nearest - value)):.0f} m from all other heights: taken as undeclared nodata"
            )
    return warnings


def _remove_edge_zeros(z: Heights, *, declared_nodata: bool) -> list[str]:
    """Remove patches of exactly 0 at the edge, unless declared ground."""
    zero = z == 0.0
    rim = int(zero[[0, -1], :].sum() + zero[:, [0, -1]].sum())
    if rim == 0 or int(zero.sum()) < PATCH_CELLS or bool((zero | np.isnan(z)).all()):
        return []
    if float((z < 0).mean()) > BELOW_ZERO:
        return []
    patch = _patches(zero, edge_only=True)
    if not patch.any():
        return []
    found = f"{_percent(patch)} of the window is a patch of exactly 0 m at its edge"
    if declared_nodata:
        return [f"{found}: water? It is kept as ground"]
    z[patch] = np.nan
    return [f"{found}, and no nodata value is declared: taken as nodata (a collar, or the sea)"]


def _patches(alike: Mask, *, edge_only: bool) -> Mask:
    """Patches of at least `PATCH_CELLS` cells, or those at the edge."""
    from scipy.ndimage import label  # noqa: PLC0415 (slow to import, seldom needed)

    labels, count = label(alike)
    keep = np.bincount(labels.ravel(), minlength=count + 1) >= PATCH_CELLS
    if edge_only:
        touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
        keep &= np.isin(np.arange(count + 1), touching)
    keep[0] = False
    return np.asarray(keep[labels], dtype=np.bool_)


def _remove_spoiled_rims(z: Heights) -> list[str]:
    """Remove cells beside holes that resampling blended with the hole's filler value."""
    hole = np.isnan(z)
    if not hole.any() or hole.all():
        return []
    spoiled = hole & False
    for _ in range(RIM_PASSES):
        found = _spoiled(np.where(spoiled, np.nan, z), hole | spoiled)
        if not found.any():
            break
        spoiled |= found
    if not spoiled.any():
        return []
    values = z[spoiled]
    example, share = float(values[np.argmax(np.abs(values - np.nanmedian(z)))]), _percent(spoiled)
    z[spoiled] = np.nan
    return [
        (
            f"{share} of the window lies in the rim beside holes and is far off the terrain around, such as {example:.6g} m: "
            "taken as nodata blended in by resampling"
        )
    ]


def _spoiled(z: Heights, hole: Mask) -> Mask:
    """Rim cells far off the terrain beyond, and their neighbours."""
    from scipy.ndimage import maximum_filter, uniform_filter  # noqa: PLC0415 (slow to import, needed for holes only)

    rim = maximum_filter(hole, size=2 * RIM_CELLS + 1) & ~hole
    beyond = ~rim & ~hole
    if not rim.any() or not beyond.any():
        return np.zeros_like(hole)
    size = 4 * RIM_CELLS + 1
    centred = np.where(beyond, z - np.median(z[beyond]), 0.0).astype(np.float64)
    weight = uniform_filter(beyond.astype(np.float64), size=size)
    seen = weight > 0.5 / size**2
    weight = np.where(seen, weight, 1.0)
    mean = uniform_filter(centred, size=size) / weight
    spread = np.sqrt(np.maximum(uniform_filter(centred**2, size=size) / weight - mean**2, 0.0))
    allowed = np.maximum(RIM_M, RIM_SPREADS * spread) + RIM_CELLS * _rough_step(np.where(beyond, z, np.nan))
    with np.errstate(invalid="ignore"):
        off = rim & seen & (np.abs(z - np.median(z[beyond]) - mean) > allowed)
    near: Mask = np.asarray(maximum_filter(off, size=3) & rim, dtype=np.bool_)
    return near


def _percent(mask: Mask) -> str:
    """Share of true cells, for messages."""
    share = float(mask.mean())
    return f"{share:.1%}" if share >= 0.001 else "under 0.1%"
