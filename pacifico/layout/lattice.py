"""Strips of equal units in pairs between aisles: how solar arrays, battery blocks and generators stand.

::

    ===================  aisle (a road fits)
    [unit][unit][unit] | [unit][unit]     strip        | cross aisle
    -------------------  pair gap
    [unit][unit][unit] | [unit][unit]     strip
    ===================  aisle
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.buildable import Bools, Floats, Sieve, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_PHASES, MOST_PHASES = 4, 12
"""Phases tried along each axis: more on small sites, where a unit more or less counts."""
TRIALS = 200_000
"""Units tested in all, about, for the choice of a phase."""
EDGE_M = 1e-3
"""Units along an edge of the site keep so much off it, for rounding."""


@dataclass(frozen=True)
class Lattice:
    """Dimensions of a strip lattice [m]."""

    pitch_x: float
    """Unit with its gap to the next."""
    gap_x: float
    height: float
    pair_gap: float
    aisle: float
    cross_every: int
    """Units between cross aisles."""
    most_units: int = 1
    """Units that join into one asset."""


@dataclass(frozen=True)
class Runs:
    """Places of assets on a lattice, one a row; `units` of them joined."""

    rects: Floats
    units: NDArray[np.int64]
    strip: NDArray[np.int64]
    """Index of the strip, counted from the south; strips 2k and 2k + 1 are a pair."""

    def take(self, which: NDArray[np.int64]) -> Runs:
        """Some of them, in the order asked for."""
        return Runs(self.rects[which], self.units[which], self.strip[which])


@dataclass(frozen=True)
class Fit:
    """A lattice laid on a site: every unit, and whether it can stand."""

    lattice: Lattice
    units: Floats
    """Shape (strips, columns, 4)."""
    ok: Bools
    """Shape (strips, columns)."""
    linked: Bools
    """Whether a unit can join the next of its strip, shape (strips, columns - 1): the gap between is good ground too."""

    def runs(self, blocked: Floats) -> Runs:
        """Neighbouring good units joined, none that touches a blocked rectangle (rows of west, south, east, north)."""
        ok = self.ok.copy()
        for west, south, east, north in blocked:
            column = (self.units[0, :, 0] < east) & (self.units[0, :, 2] > west)
            strip = (self.units[:, 0, 1] < north) & (self.units[:, 0, 3] > south)
            ok[np.ix_(strip, column)] = False
        return _joined(self.units, ok, self.linked, self.lattice)


def fit_lattice(lattice: Lattice, sieve: Sieve, *, margin: float) -> Fit:
    """Lay a lattice at the phase at which most units can stand.

    Parameters
    ----------
    lattice : Lattice
    sieve : Sieve
        Ground and polygon test of the asset type.
    margin : float
        Kept free around each unit, for a pad's apron [m].
    """
    outside = Table.of(~sieve.field.inside, sieve.field.grid)
    best, phase = -1, (0.0, 0.0)
    period_x = lattice.cross_every * lattice.pitch_x + lattice.aisle
    period_y = 2 * lattice.height + lattice.pair_gap + lattice.aisle
    count_at_once = _units(lattice, sieve, phase)[0][..., 0].size
    phases = int(np.clip(np.sqrt(TRIALS / count_at_once), FEWEST_PHASES, MOST_PHASES))
    phases_x = [i * period_x / phases for i in range(phases)]
    phases_y = [j * period_y / phases for j in range(phases)]
    if phases == MOST_PHASES:
        # a strip barely as wide as its units takes them along its edges alone
        west, south, _, north = sieve.field.placeable.bounds
        phases_x += [west + margin + EDGE_M - lattice.aisle]
        phases_y += [south + margin + EDGE_M - lattice.aisle, north - lattice.height - lattice.aisle - margin - EDGE_M]
    for y in phases_y:
        for x in phases_x:
            trial = (x, y)
            rects = _units(lattice, sieve, trial)[0].reshape(-1, 4)
            count = int(np.count_nonzero(sieve.by_ground(rects) & (outside.share(rects) <= 0.02)))
            if count > best:
                best, phase = count, trial
    units, group = _units(lattice, sieve, phase)
    ok = sieve.passes(units.reshape(-1, 4), apron=margin).reshape(units.shape[:2])
    linked = ok[:, :-1] & ok[:, 1:] & (np.diff(group) == 0)
    if lattice.most_units > 1:
        gaps = units[:, :-1].copy()
        gaps[..., 0], gaps[..., 2] = units[:, :-1, 2], units[:, 1:, 0]
        linked[linked] = sieve.passes(gaps[linked])
    return Fit(lattice, units, ok, linked)


def touching(rects: Floats, others: Floats) -> Bools:
    """Which rectangles overlap any of the others, shape (n,)."""
    hit = np.zeros(len(rects), dtype=bool)
    if not len(rects):
        return hit
    low, high = rects[:, :2].min(axis=0), rects[:, 2:].max(axis=0)
    others = others[(others[:, :2] < high).all(axis=1) & (others[:, 2:] > low).all(axis=1)]
    for west, south, east, north in others:
        hit |= (rects[:, 0] < east) & (rects[:, 2] > west) & (rects[:, 1] < north) & (rects[:, 3] > south)
    return hit


def _units(lattice: Lattice, sieve: Sieve, phase: tuple[float, float]) -> tuple[Floats, NDArray[np.int64]]:
    """Unit rectangles, shape (strips, columns, 4), and the group between cross aisles of each column."""
    west, south, east, north = sieve.field.placeable.bounds
    period_x = lattice.cross_every * lattice.pitch_x + lattice.aisle
    period_y = 2 * lattice.height + lattice.pair_gap + lattice.aisle
    # aligned to the CRS's origin, so that a boundary moved by a hair does not move every array
    first_x = np.floor((west - phase[0]) / period_x) * period_x + phase[0]
    first_y = np.floor((south - phase[1]) / period_y) * period_y + phase[1]
    groups = np.arange(int(np.ceil((east - first_x) / period_x)))
    pairs = np.arange(int(np.ceil((north - first_y) / period_y)))
    x = (
        first_x + groups[:, None] * period_x + lattice.aisle + np.arange(lattice.cross_every) * lattice.pitch_x
    ).ravel()
    offsets = np.array([lattice.aisle, lattice.aisle + lattice.height + lattice.pair_gap])
    y = (first_y + pairs[:, None] * period_y + offsets).ravel()
    rects = np.empty((y.size, x.size, 4))
    rects[..., 0], rects[..., 2] = x, x + lattice.pitch_x - lattice.gap_x
    rects[..., 1], rects[..., 3] = y[:, None], y[:, None] + lattice.height
    return rects, np.repeat(groups, lattice.cross_every)


def _joined(units: Floats, ok: Bools, linked: Bools, lattice: Lattice) -> Runs:
    """Neighbouring good units of a strip joined, up to the most and never across a cross aisle."""
    rects, counts, strips = [], [], []
    for s in range(units.shape[0]):
        columns = np.flatnonzero(ok[s])
        if not columns.size:
            continue
        breaks = np.flatnonzero((np.diff(columns) != 1) | ~linked[s, columns[:-1]]) + 1
        for run in np.split(columns, breaks):
            # as equal as possible: five units make 3 + 2, not 4 + 1
            for part in np.array_split(run, -(-run.size // lattice.most_units)):
                rects.append([units[s, part[0], 0], units[s, part[0], 1], units[s, part[-1], 2], units[s, part[0], 3]])
                counts.append(part.size)
                strips.append(s)
    return Runs(
        np.array(rects, dtype=np.float64).reshape(-1, 4),
        np.array(counts, dtype=np.int64),
        np.array(strips, dtype=np.int64),
    )
