"""Mass balance over the site: what surplus goes where, what must be brought in, what is left over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import InputError
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA, EarthworkCriteria

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MOST_PAIRS = 250_000
"""Of surplus and need: past it the linear program takes longer than the layout."""


@dataclass(frozen=True)
class Haul:
    """One flow from a place with surplus cut to a place that lacks fill."""

    source: int
    """Index of the place with surplus."""
    sink: int
    """Index of the place in need."""
    bank_m3: float
    """Cut volume moved, as it lies in the ground [m³]."""
    distance_m: float
    """Straight line between both [m]."""


@dataclass(frozen=True)
class MassBalance:
    """Site-level balance of cut and fill; bank volumes [m³] unless said otherwise."""

    hauls: tuple[Haul, ...]
    moved_m3: float
    """Hauled between places."""
    moved_loose_m3: float
    """The same on the truck, with swell [m³ loose]."""
    moment_m4: float
    """Sum of bank volume times straight-line distance [m³ m]: a lower bound, roads are longer."""
    surplus_m3: float
    """Cut that no place needs."""
    borrow_m3: float
    """Cut that must be brought in from outside, to be compacted as fill."""

    @property
    def mean_haul_m(self) -> float:
        """Mean straight-line haul [m]; 0 where nothing is moved."""
        return self.moment_m4 / self.moved_m3 if self.moved_m3 > 0 else 0.0


def mass_balance(
    places: NDArray[np.float64],
    cut_m3: Sequence[float],
    fill_m3: Sequence[float],
    *,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> MassBalance:
    """Cheapest haul that evens out surplus and need between places, by a transport linear program.

    A place is a pad (its centroid) or a road or a stretch of one (its middle); each first uses its own cut as fill,
    which needs fill / (1 - shrink) of it. Side slopes count where the caller adds them to cut and fill.

    Parameters
    ----------
    places : ndarray, shape (n, 2)
        Easting and northing [m].
    cut_m3, fill_m3 : sequence of float, length n
        Bank cut and compacted fill at each place [m³].

    Raises
    ------
    InputError
        Where lengths differ, a volume is negative or not a number, or there are too many pairs to solve.
    """
    cut, fill = np.asarray(cut_m3, dtype=np.float64), np.asarray(fill_m3, dtype=np.float64)
    at = np.asarray(places, dtype=np.float64).reshape(-1, 2)
    if not len(at) == len(cut) == len(fill):
        raise InputError(f"{len(at)} places, {len(cut)} cuts and {len(fill)} fills; give one of each for each place")
    if not (np.isfinite(at).all() and (cut >= 0).all() and (fill >= 0).all() and np.isfinite(cut + fill).all()):
        raise InputError("a place or volume is negative or not a number; give finite volumes of 0 or more")
    net = cut - fill / (1.0 - criteria.shrink)
    # A balanced pad leaves rounding, not earth.
    net[np.abs(net) <= 1e-9 * (cut + fill) + 1e-6] = 0.0
    sources, sinks = np.flatnonzero(net > 0), np.flatnonzero(net < 0)
    have, need = float(net[sources].sum()), float(-net[sinks].sum())
    if len(sources) * len(sinks) > _MOST_PAIRS:
        raise InputError(
            f"{len(sources)} places with surplus and {len(sinks)} in need make more than {_MOST_PAIRS} pairs;"
            " join neighbouring places first"
        )
    hauls = _transport(at, net, sources, sinks) if len(sources) and len(sinks) else ()
    moved = float(sum(h.bank_m3 for h in hauls))
    return MassBalance(
        hauls=hauls,
        moved_m3=moved,
        moved_loose_m3=moved * (1.0 + criteria.swell),
        moment_m4=float(sum(h.bank_m3 * h.distance_m for h in hauls)),
        surplus_m3=max(have - moved, 0.0),
        borrow_m3=max(need - moved, 0.0),
    )


def _transport(
    at: NDArray[np.float64], net: NDArray[np.float64], sources: NDArray[np.intp], sinks: NDArray[np.intp]
) -> tuple[Haul, ...]:
    """Flows of least volume x distance that move all of the lesser side."""
    from scipy.optimize import linprog  # noqa: PLC0415 (0.3 s, only where something is hauled)
    from scipy.sparse import identity, kron, vstack  # noqa: PLC0415 (as above)

    m, n = len(sources), len(sinks)
    distance = np.hypot(*(at[sources][:, None, :] - at[sinks][None, :, :]).transpose(2, 0, 1))
    leaves = kron(identity(m), np.ones((1, n)), format="csr")
    arrives = kron(np.ones((1, m)), identity(n), format="csr")
    have, need = net[sources], -net[sinks]
    scale = max(have.max(), need.max())
    if have.sum() <= need.sum():
        equal, limit, total, room = leaves, arrives, have, need
    else:
        equal, limit, total, room = arrives, leaves, need, have
    found = linprog(
        distance.ravel(),
        A_eq=vstack([equal], format="csr"),
        b_eq=total / scale,
        A_ub=vstack([limit], format="csr"),
        # the sides may differ by rounding alone; an exact limit would then be infeasible
        b_ub=room / scale * (1 + 1e-9) + 1e-12,
        method="highs",
    )
    if found.status != 0:  # the program is always feasible: this is a fault of ours, not of the input
        raise RuntimeError(f"transport program of {m} x {n} places: {found.message}")
    flow = found.x.reshape(m, n) * scale
    rows, columns = np.nonzero(flow > 1e-6)
    return tuple(
        Haul(int(sources[i]), int(sinks[j]), float(flow[i, j]), float(distance[i, j]))
        for i, j in zip(rows, columns, strict=True)
    )
