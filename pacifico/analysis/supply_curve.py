"""Supply curve of a plan: capacity against the civil works that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.economics.civil_costs import civil_works
from pacifico.layout.economics.removal_order import Removal, removal_order

if TYPE_CHECKING:
    import pandas as pd

    from pacifico.array_types import FloatArray
    from pacifico.layout.model.plan import Plan

MIN_BEND = 0.02
"""Least distance of a knee below the straight line between the ends of the curve, as a share of both ranges [-]."""


def supply_curve_of(plan: Plan) -> pd.DataFrame:
    """Capacity of a plan in the order in which it is worth building, with its civil cost.

    The order is that of leaving out the dearest branch first, reversed. The first step holds what all units share: the
    entry road and the substation's pad.

    Parameters
    ----------
    plan : Plan
        Plan to explain.
    """
    import pandas as pd  # noqa: PLC0415 (0.3 s)

    works = civil_works(plan)
    removals = list(removal_order(works))
    steps = [Removal.of_rest(works, removals), *reversed(removals)] if works.units else []
    kw, usd = (np.cumsum([getattr(s, of) for s in steps]) for of in ("kw", "usd"))
    knee = knee_of(kw, usd)
    return pd.DataFrame(
        {
            "units": [", ".join(works.units[u].name for u in s.units) for s in steps],
            "capacity_kw": np.round(kw, 3),
            "civil_cost_usd": np.round(usd, 2),
            "usd_per_kw": np.round([s.usd_per_kw for s in steps], 2),
            "is_knee": [k == knee for k in range(len(steps))],
        },
        index=pd.RangeIndex(1, len(steps) + 1, name="step"),
    )


def knee_of(kw: FloatArray, usd: FloatArray) -> int | None:
    """Step of a curve beyond which capacity becomes dearer; None where no step does.

    It is the step farthest below the straight line from the first to the last (Satopää et al. 2011).

    Parameters
    ----------
    kw, usd : (n,) float
        Cumulative capacity [kW] and cost [USD].

    References
    ----------
    Satopää, Albrecht, Irwin, Raghavan (2011): Finding a "Kneedle" in a Haystack. doi:10.1109/ICDCSW.2011.20
    """
    if len(kw) < 3 or usd[-1] <= usd[0]:
        return None
    below = (kw - kw[0]) / (kw[-1] - kw[0]) - (usd - usd[0]) / (usd[-1] - usd[0])
    best = int(np.argmax(below))
    return best if below[best] >= MIN_BEND else None
