"""Kernels of surface products over 3 x 3 windows, row by row.

Rows pass through three padded buffers that fit into the first-level cache, so that each cell is read from memory once for any
number of products. Each product is a loop over one row without branches or library calls, which the compiler vectorizes. The
pad outside the grid continues the two outermost cells linearly: estimates at the border are one-sided and exact on planes. NaN
in a window gives NaN. Rows are independent, so that blocks and threads of any size give the same bytes. No loop depends on
values of the heights.
"""

# ruff: noqa: FBT001 (kernels take plain arrays and numbers, by position)

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.jit import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Flags = NDArray[np.uint8]

DEGREES = 180.0 / math.pi
QUARTER = math.pi / 4.0
HALF = math.pi / 2.0
TAN_EIGHTH = math.tan(math.pi / 8.0)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def arctan_to_one(t: float) -> float:
    """Arc tangent for 0 <= t <= 1, within 2e-16.

    The rational form of Cephes (Moshier), without branches.
    """
    folded = t > TAN_EIGHTH
    u = (t - 1.0) / (t + 1.0) if folded else t
    w = u * u
    above = (((-8.750608600031904122785e-1 * w - 1.615753718733365076637e1) * w - 7.500855792314704667340e1) * w
             - 1.228866684490136173410e2) * w - 6.485021904942025371773e1  # fmt: skip
    below = ((((w + 2.485846490142306297962e1) * w + 1.650270098316988542046e2) * w + 4.328810604912902668951e2) * w
             + 4.853903996359136964868e2) * w + 1.945506571482613964425e2  # fmt: skip
    angle = u + u * w * above / below
    return angle + QUARTER if folded else angle


@njit(cache=True, nogil=True, error_model="numpy")
def _load(row: Floats, out: Floats) -> None:
    """Copy a row into a buffer with two more cells, continued linearly."""
    n = row.shape[0]
    for j in range(n):
        out[j + 1] = row[j]
    out[0] = 2.0 * out[1] - out[2]
    out[n + 1] = 2.0 * out[n] - out[n - 1]


@njit(cache=True, nogil=True, error_model="numpy")
def _continue_rows(north: Floats, here: Floats, south: Floats, is_first: bool, is_last: bool) -> None:
    """Continue rows beyond the first and the last linearly.

    Parameters
    ----------
    north, here, south : ndarray
        Padded rows; the outer ones are overwritten at the border.
    is_first, is_last : bool
        Whether the middle row is the first or last of the grid.
    """
    n = here.shape[0]
    if is_first:
        for j in range(n):
            north[j] = 2.0 * here[j] - south[j]
    if is_last:
        for j in range(n):
            south[j] = 2.0 * here[j] - north[j]


@njit(cache=True, nogil=True, error_model="numpy")
def surface(
    z: Floats,
    first: int,
    last: int,
    dx: float,
    dy: float,
    light: Floats,
    slope: Floats,
    aspect: Floats,
    shade: Floats,
    profile: Floats,
    plan: Floats,
    roughness: Floats,
    tri: Floats,
    tpi: Floats,
) -> None:
    """Compute surface products of a block of rows.

    Parameters
    ----------
    z : ndarray, shape (ny, nx)
        Elevation [m]. Rows beside the block are read as neighbours.
    first, last : int
        First row of the block, and the row after its last.
    dx, dy : float
        Cell size [m].
    light : ndarray, shape (3,)
        Unit vector towards the light: east, north, up.
    slope, aspect, shade, profile, plan, roughness, tri, tpi : ndarray, shape (last - first, nx)
        Outputs; empty arrays are skipped.
    """
    ny, nx = z.shape
    ring = np.empty((3, nx + 2))
    p, q, g = np.empty(nx), np.empty(nx), np.empty(nx)
    kx, ky = 1.0 / (8.0 * dx), 1.0 / (8.0 * dy)
    light_east, light_north, light_up = light[0], light[1], light[2]
    horn = slope.size or aspect.size or shade.size
    relief = roughness.size or tri.size or tpi.size
    bend = profile.size or plan.size
    if first:
        _load(z[first - 1], ring[(first - 1) % 3])
    _load(z[first], ring[first % 3])
    for i in range(first, last):
        north, here, south = ring[(i + 2) % 3], ring[i % 3], ring[(i + 1) % 3]
        if i + 1 < ny:
            _load(z[i + 1], south)
        _continue_rows(north, here, south, i == 0, i == ny - 1)
        k = i - first
        if horn:
            for j in range(nx):
                nw, n, ne = north[j], north[j + 1], north[j + 2]
                w, c, e = here[j], here[j + 1], here[j + 2]
                sw, s, se = south[j], south[j + 1], south[j + 2]
                hole = c - c  # 0, or NaN if the cell is: Horn's window does not use it
                p[j] = ((ne - nw) + 2.0 * (e - w) + (se - sw)) * kx + hole
                q[j] = ((nw - sw) + 2.0 * (n - s) + (ne - se)) * ky
                g[j] = p[j] * p[j] + q[j] * q[j]
        if slope.size:
            for j in range(nx):
                run = math.sqrt(g[j])
                steep = run > 1.0
                angle = arctan_to_one(1.0 / run if steep else run)
                slope[k, j] = (HALF - angle if steep else angle) * DEGREES
        if aspect.size:
            for j in range(nx):
                east, up = -p[j], -q[j]
                a, b = abs(east), abs(up)
                wide = a > b
                # 0 / 0 on level ground gives the NaN intended there.
                angle = arctan_to_one((b if wide else a) / (a if wide else b))
                angle = HALF - angle if wide else angle
                angle = math.pi - angle if up < 0.0 else angle
                turned = 360.0 - angle * DEGREES if east < 0.0 else angle * DEGREES
                aspect[k, j] = 0.0 if turned >= 360.0 else turned
        if shade.size:
            for j in range(nx):
                lit = (light_up - light_east * p[j] - light_north * q[j]) / math.sqrt(1.0 + g[j])
                shade[k, j] = max(lit, 0.0)
        edge_row = i in (0, ny - 1)
        if bend:
            _curvature(north, here, south, dx, dy, profile[k], plan[k])
            if profile.size:
                _open_border(profile[k], edge_row)
            if plan.size:
                _open_border(plan[k], edge_row)
        if relief:
            _relief(
                north,
                here,
                south,
                roughness[k],
                tri[k],
                tpi[k],
            )
            if roughness.size:
                _open_border(roughness[k], edge_row)
            if tri.size:
                _open_border(tri[k], edge_row)
            if tpi.size:
                _open_border(tpi[k], edge_row)


@njit(cache=True, nogil=True, error_model="numpy")
def _open_border(row: Floats, whole: bool) -> None:
    """Set both ends of a row, or all of it, to NaN."""
    if whole:
        row[:] = math.nan
    row[0] = math.nan
    row[-1] = math.nan


@njit(cache=True, nogil=True, error_model="numpy")
def _curvature(north: Floats, here: Floats, south: Floats, dx: float, dy: float, profile: Floats, plan: Floats) -> None:
    """Profile and plan curvature of a row [1/m].

    Level cells are 0 if they do not curve, else NaN.

    Parameters
    ----------
    north, here, south : ndarray
        Padded rows [m].
    dx, dy : float
        Cell size [m].
    profile, plan : ndarray
        Outputs; empty arrays are skipped.
    """
    n = here.shape[0] - 2
    kp, kq, kr, kt, ks = 0.5 / dx, 0.5 / dy, 1.0 / (dx * dx), 1.0 / (dy * dy), 0.25 / (dx * dy)
    for j in range(n):
        c = here[j + 1]
        p = (here[j + 2] - here[j]) * kp
        q = (north[j + 1] - south[j + 1]) * kq
        r = (here[j] - 2.0 * c + here[j + 2]) * kr
        t = (north[j + 1] - 2.0 * c + south[j + 1]) * kt
        s = (north[j + 2] - north[j] - south[j + 2] + south[j]) * ks
        pp, qq, pqs = p * p, q * q, 2.0 * p * q * s
        g = pp + qq
        still = abs(r) + abs(t) + abs(s)
        # 0 / 0 at summits and pits, which have no fall line; level planes are not curved.
        level = (g == 0.0) & (still == 0.0)
        if profile.size:
            bent = -(pp * r + pqs + qq * t) / (g * (1.0 + g) * math.sqrt(1.0 + g))
            profile[j] = 0.0 if level else bent
        if plan.size:
            bent = -(qq * r - pqs + pp * t) / (g * math.sqrt(g))
            plan[j] = 0.0 if level else bent


@njit(cache=True, nogil=True, error_model="numpy")
def _relief(north: Floats, here: Floats, south: Floats, roughness: Floats, tri: Floats, tpi: Floats) -> None:
    """Roughness, ruggedness and topographic position of a row [m].

    Parameters
    ----------
    north, here, south : ndarray
        Padded rows [m].
    roughness, tri, tpi : ndarray
        Outputs; empty arrays are skipped.
    """
    n = here.shape[0] - 2
    if roughness.size:
        for j in range(n):
            low = high = here[j + 1]
            total = 0.0
            for d in range(3):
                a, b, c = north[j + d], here[j + d], south[j + d]
                total += a + b + c
                low = a if a < low else low  # noqa: FURB136 (min and max do not vectorize)
                low = b if b < low else low  # noqa: FURB136
                low = c if c < low else low  # noqa: FURB136
                high = a if a > high else high  # noqa: FURB136
                high = b if b > high else high  # noqa: FURB136
                high = c if c > high else high  # noqa: FURB136
            roughness[j] = high - low + (total - total)
    if tri.size:
        for j in range(n):
            c = here[j + 1]
            squares = 0.0
            for d in range(3):
                a, b, e = north[j + d] - c, here[j + d] - c, south[j + d] - c
                squares += a * a + b * b + e * e
            tri[j] = math.sqrt(squares)
    if tpi.size:
        for j in range(n):
            c = here[j + 1]
            around = (
                north[j] + north[j + 1] + north[j + 2] + here[j] + here[j + 2] + south[j] + south[j + 1] + south[j + 2]
            )
            tpi[j] = c - around * 0.125


@njit(cache=True, nogil=True, error_model="numpy")
def gentle_counts(
    z: Floats, noise: Floats, usable: Flags, dx: float, dy: float, limits: Floats, counts: Floats
) -> None:
    """Count usable cells whose squared gradient is within limits.

    The gradient is Horn's; a NaN gradient is within no limit.

    Parameters
    ----------
    z, noise : ndarray, shape (ny, nx)
        Elevation and what is added to it [m].
    usable : ndarray of uint8, shape (ny, nx)
        1 for cells that count.
    dx, dy : float
        Cell size [m].
    limits : ndarray
        Squared gradients [-].
    counts : ndarray
        Output, one per limit.
    """
    ny, nx = z.shape
    ring = np.empty((3, nx + 2))
    row = np.empty(nx)
    kx, ky = 1.0 / (8.0 * dx), 1.0 / (8.0 * dy)
    counts[:] = 0.0
    for j in range(nx):
        row[j] = z[0, j] + noise[0, j]
    _load(row, ring[0])
    for i in range(ny):
        north, here, south = ring[(i + 2) % 3], ring[i % 3], ring[(i + 1) % 3]
        if i + 1 < ny:
            for j in range(nx):
                row[j] = z[i + 1, j] + noise[i + 1, j]
            _load(row, south)
        _continue_rows(north, here, south, i == 0, i == ny - 1)
        for j in range(nx):
            c = here[j + 1]
            p = ((north[j + 2] - north[j]) + 2.0 * (here[j + 2] - here[j]) + (south[j + 2] - south[j])) * kx + (c - c)
            q = ((north[j] - south[j]) + 2.0 * (north[j + 1] - south[j + 1]) + (north[j + 2] - south[j + 2])) * ky
            row[j] = p * p + q * q
        for k in range(limits.shape[0]):
            found = 0
            limit = limits[k]
            for j in range(nx):
                found += usable[i, j] & (row[j] <= limit)
            counts[k] += found


@njit(cache=True, nogil=True, error_model="numpy")
def spread(white: Floats, row_taps: Floats, row_from: Any, column_taps: Floats, column_from: Any, out: Floats) -> None:
    """Smooth white noise on a coarse lattice into a field.

    Weighted sums run along the columns, then along the rows.

    Parameters
    ----------
    white : ndarray
        Noise on the lattice.
    row_taps, column_taps : ndarray, shape (n, taps)
        Weights of each row and column of the field.
    row_from, column_from : ndarray of int, shape (n,)
        First lattice row and column of each.
    out : ndarray, shape (ny, nx)
        Output.
    """
    ny, taps = row_taps.shape
    nx = column_taps.shape[0]
    wide = white.shape[1]
    line = np.empty(wide)
    for i in range(ny):
        line[:] = 0.0
        for a in range(taps):
            weight = row_taps[i, a]
            source = white[row_from[i] + a]
            for j in range(wide):
                line[j] += weight * source[j]
        for j in range(nx):
            total = 0.0
            at = column_from[j]
            for a in range(taps):
                total += column_taps[j, a] * line[at + a]
            out[i, j] = total
