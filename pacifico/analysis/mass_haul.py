"""Mass haul: the cheapest haul from cut to fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import InputError, InternalError
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA, EarthworkCriteria

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_PAIRS = 250_000
"""Pairs of source and sink: with more, the linear program takes longer than the layout."""
MIN_FLOW_M3 = 1e-6
"""Smaller flows and imbalances are rounding [m³]."""


@dataclass(frozen=True)
class Haul:
    """Haul from surplus cut to a place that lacks fill."""

    source: int
    """Index of the place with surplus."""
    sink: int
    """Index of the place that lacks fill."""
    bank_m3: float
    """Bank volume hauled [m³]."""
    distance_m: float
    """Straight-line distance [m]."""


@dataclass(frozen=True)
class MassHaul:
    """Haul, borrow and spoil of a site; bank volumes unless stated."""

    hauls: tuple[Haul, ...]
    hauled_m3: float
    """Volume hauled between places [m³]."""
    hauled_loose_m3: float
    """The same on the truck, with swell [m³ loose]."""
    haul_moment_m4: float
    """Sum of volume times straight-line distance [m³ m]: a lower bound, as roads are longer."""
    spoil_m3: float
    """Surplus cut to take off the site [m³]."""
    borrow_m3: float
    """Volume to bring in from outside and compact as fill [m³]."""

    @property
    def mean_haul_m(self) -> float:
        """Mean straight-line haul [m]; 0 without haul."""
        return self.haul_moment_m4 / self.hauled_m3 if self.hauled_m3 > 0 else 0.0


def mass_haul(
    places: NDArray[np.float64],
    cut_m3: Sequence[float],
    fill_m3: Sequence[float],
    *,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> MassHaul:
    """Cheapest haul between places, by a transport linear program.

    A place is a pad (its centroid) or a road (its midpoint). Each place first uses its own cut as fill; a fill takes
    fill / (1 - shrink) of bank volume. Add side slopes to cut and fill to include them.

    Parameters
    ----------
    places : ndarray, shape (n, 2)
        Easting and northing [m].
    cut_m3, fill_m3 : sequence of float, length n
        Bank cut and compacted fill at each place [m³].
    criteria : EarthworkCriteria
        Shrink and swell.

    Raises
    ------
    InputError
        Lengths differ, a volume is negative or not a number, or there are too many pairs to solve.
    InternalError
        The linear program was not solved.
    """
    cut, fill = np.asarray(cut_m3, dtype=np.float64), np.asarray(fill_m3, dtype=np.float64)
    at = np.asarray(places, dtype=np.float64).reshape(-1, 2)
    if not len(at) == len(cut) == len(fill):
        raise InputError(f"{len(at)} places, {len(cut)} cuts and {len(fill)} fills; give one of each for each place")
    if not (np.isfinite(at).all() and (cut >= 0).all() and (fill >= 0).all() and np.isfinite(cut + fill).all()):
        raise InputError("a place or volume is negative or not a number; give finite volumes of 0 or more")
    net = cut - fill / (1.0 - criteria.shrink)
    # what is left at a balanced pad is rounding
    net[np.abs(net) <= 1e-9 * (cut + fill) + MIN_FLOW_M3] = 0.0
    sources, sinks = np.flatnonzero(net > 0), np.flatnonzero(net < 0)
    surplus, lack = float(net[sources].sum()), float(-net[sinks].sum())
    if len(sources) * len(sinks) > MAX_PAIRS:
        raise InputError(
            f"{len(sources)} places with surplus and {len(sinks)} that lack fill make more than {MAX_PAIRS} pairs;"
            " join neighbouring places first"
        )
    hauls = _transport(at, net, sources, sinks) if len(sources) and len(sinks) else ()
    hauled = float(sum(h.bank_m3 for h in hauls))
    return MassHaul(
        hauls=hauls,
        hauled_m3=hauled,
        hauled_loose_m3=hauled * (1.0 + criteria.swell),
        haul_moment_m4=float(sum(h.bank_m3 * h.distance_m for h in hauls)),
        spoil_m3=max(surplus - hauled, 0.0),
        borrow_m3=max(lack - hauled, 0.0),
    )


def _transport(
    at: NDArray[np.float64], net: NDArray[np.float64], sources: NDArray[np.intp], sinks: NDArray[np.intp]
) -> tuple[Haul, ...]:
    """Hauls of least volume x distance.

    Parameters
    ----------
    at : ndarray, shape (n, 2)
        Places [m].
    net : ndarray, shape (n,)
        Surplus of each place, negative where fill is lacking [m³].
    sources, sinks : ndarray of int
        Places with surplus, and places that lack fill.
    """
    from scipy.optimize import linprog  # noqa: PLC0415 (0.3 s, only where something is hauled)
    from scipy.sparse import identity, kron, vstack  # noqa: PLC0415 (as above)

    m, n = len(sources), len(sinks)
    distance = np.hypot(*(at[sources][:, None, :] - at[sinks][None, :, :]).transpose(2, 0, 1))
    leaves = kron(identity(m), np.ones((1, n)), format="csr")
    arrives = kron(np.ones((1, m)), identity(n), format="csr")
    surplus, lack = net[sources], -net[sinks]
    scale = max(surplus.max(), lack.max())
    if surplus.sum() <= lack.sum():
        equal, limit, total, room = leaves, arrives, surplus, lack
    else:
        equal, limit, total, room = arrives, leaves, lack, surplus
    found = linprog(
        distance.ravel(),
        A_eq=vstack([equal], format="csr"),
        b_eq=total / scale,
        A_ub=vstack([limit], format="csr"),
        # both sides may differ by rounding only, and an exact limit would then be infeasible
        b_ub=room / scale * (1 + 1e-9) + 1e-12,
        method="highs",
    )
    if found.status != 0:  # the program is feasible for every input
        raise InternalError(f"mass haul of {m} x {n} places was not solved ({found.message}); please report this site")
    flow = found.x.reshape(m, n) * scale
    rows, columns = np.nonzero(flow > MIN_FLOW_M3)
    return tuple(
        Haul(int(sources[i]), int(sinks[j]), float(flow[i, j]), float(distance[i, j]))
        for i, j in zip(rows, columns, strict=True)
    )
