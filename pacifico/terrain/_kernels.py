"""Compiled passes over elevation arrays: 3 x 3 windows, row by row.

Rows stream through three padded buffers that stay in the first-level cache, so each cell is read from memory once.
The pad outside the grid is the linear continuation of the two outermost cells, which makes every border estimate
one-sided and exact on planes. NaN in a window gives NaN.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

DEGREES = 180.0 / math.pi


@njit(cache=True, nogil=True)
def _load(row, out):
    """Row into a buffer of two more cells, its ends continued linearly."""
    n = row.shape[0]
    for j in range(n):
        out[j + 1] = row[j]
    out[0] = 2.0 * out[1] - out[2]
    out[n + 1] = 2.0 * out[n] - out[n - 1]


@njit(cache=True, nogil=True)
def _window(z, i, north, here, south):
    """Fill the three buffers for row i."""
    ny = z.shape[0]
    _load(z[i], here)
    if i > 0:
        _load(z[i - 1], north)
    if i < ny - 1:
        _load(z[i + 1], south)
    if i == 0:
        for j in range(here.shape[0]):
            north[j] = 2.0 * here[j] - south[j]
    if i == ny - 1:
        for j in range(here.shape[0]):
            south[j] = 2.0 * here[j] - north[j]


@njit(cache=True, nogil=True)
def slope_degrees(z, dx, dy, out):
    """Horn's slope [°] of `z` into `out`."""
    ny, nx = z.shape
    north, here, south = np.empty(nx + 2), np.empty(nx + 2), np.empty(nx + 2)
    kx, ky = 1.0 / (8.0 * dx), 1.0 / (8.0 * dy)
    for i in range(ny):
        _window(z, i, north, here, south)
        for j in range(nx):
            east = north[j + 2] + 2.0 * here[j + 2] + south[j + 2]
            west = north[j] + 2.0 * here[j] + south[j]
            up = north[j] + 2.0 * north[j + 1] + north[j + 2]
            down = south[j] + 2.0 * south[j + 1] + south[j + 2]
            p, q = (east - west) * kx, (up - down) * ky
            steep = math.atan(math.sqrt(p * p + q * q)) * DEGREES
            out[i, j] = math.nan if math.isnan(here[j + 1]) else steep


@njit(cache=True, nogil=True)
def aspect_degrees(z, dx, dy, out):
    """Direction the ground faces [°], clockwise from north, NaN where it is level."""
    ny, nx = z.shape
    north, here, south = np.empty(nx + 2), np.empty(nx + 2), np.empty(nx + 2)
    kx, ky = 1.0 / (8.0 * dx), 1.0 / (8.0 * dy)
    for i in range(ny):
        _window(z, i, north, here, south)
        for j in range(nx):
            east = north[j + 2] + 2.0 * here[j + 2] + south[j + 2]
            west = north[j] + 2.0 * here[j] + south[j]
            up = north[j] + 2.0 * north[j + 1] + north[j + 2]
            down = south[j] + 2.0 * south[j + 1] + south[j + 2]
            p, q = (east - west) * kx, (up - down) * ky
            if math.isnan(here[j + 1]) or (p == 0.0 and q == 0.0):
                out[i, j] = math.nan
            else:
                facing = math.atan2(-p, -q) * DEGREES
                if facing < 0.0:
                    facing += 360.0
                out[i, j] = facing if facing < 360.0 else 0.0


@njit(cache=True, nogil=True)
def hillshade(z, dx, dy, light_east, light_north, light_up, out):
    """Lambert shading 0 to 1 under a parallel light, given as a unit vector towards it."""
    ny, nx = z.shape
    north, here, south = np.empty(nx + 2), np.empty(nx + 2), np.empty(nx + 2)
    kx, ky = 1.0 / (8.0 * dx), 1.0 / (8.0 * dy)
    for i in range(ny):
        _window(z, i, north, here, south)
        for j in range(nx):
            east = north[j + 2] + 2.0 * here[j + 2] + south[j + 2]
            west = north[j] + 2.0 * here[j] + south[j]
            up = north[j] + 2.0 * north[j + 1] + north[j + 2]
            down = south[j] + 2.0 * south[j + 1] + south[j + 2]
            p, q = (east - west) * kx, (up - down) * ky
            shade = (light_up - light_east * p - light_north * q) / math.sqrt(1.0 + p * p + q * q)
            if shade < 0.0:
                shade = 0.0
            out[i, j] = math.nan if math.isnan(here[j + 1]) else shade


@njit(cache=True, nogil=True)
def curvature(z, dx, dy, plan, out):
    """Plan or profile curvature [1/m] from the partial quartic of Zevenbergen and Thorne."""
    ny, nx = z.shape
    for i in range(ny):
        for j in range(nx):
            if i == 0 or j == 0 or i == ny - 1 or j == nx - 1:
                out[i, j] = math.nan
                continue
            middle = z[i, j]
            p = (z[i, j + 1] - z[i, j - 1]) / (2.0 * dx)
            q = (z[i - 1, j] - z[i + 1, j]) / (2.0 * dy)
            r = (z[i, j - 1] - 2.0 * middle + z[i, j + 1]) / (dx * dx)
            t = (z[i - 1, j] - 2.0 * middle + z[i + 1, j]) / (dy * dy)
            s = (z[i - 1, j + 1] - z[i - 1, j - 1] - z[i + 1, j + 1] + z[i + 1, j - 1]) / (4.0 * dx * dy)
            g = p * p + q * q
            if g == 0.0:
                out[i, j] = 0.0 if (r == 0.0 and t == 0.0 and s == 0.0) else math.nan
            elif plan:
                out[i, j] = -(q * q * r - 2.0 * p * q * s + p * p * t) / (g * math.sqrt(g))
            else:
                out[i, j] = -(p * p * r + 2.0 * p * q * s + q * q * t) / (g * (1.0 + g) * math.sqrt(1.0 + g))


@njit(cache=True, nogil=True)
def relief(z, kind, out):
    """Roughness (0), TRI (1) or TPI (2) of the 3 x 3 window [m]; NaN at the border."""
    ny, nx = z.shape
    for i in range(ny):
        for j in range(nx):
            if i == 0 or j == 0 or i == ny - 1 or j == nx - 1:
                out[i, j] = math.nan
                continue
            middle = z[i, j]
            low = high = middle
            squares = total = 0.0
            for a in range(-1, 2):
                for b in range(-1, 2):
                    v = z[i + a, j + b]
                    low, high = min(low, v), max(high, v)
                    squares += (v - middle) * (v - middle)
                    total += v
            if math.isnan(total):
                out[i, j] = math.nan
            elif kind == 0:
                out[i, j] = high - low
            elif kind == 1:
                out[i, j] = math.sqrt(squares)
            else:
                out[i, j] = middle - (total - middle) / 8.0
