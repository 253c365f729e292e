"""Reasons for missing capacity, in one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Unplaced
    from pacifico.layout.placement.draft import Draft


def why_no_ground(field: Field, limit_deg: float, spec: Spec) -> str:
    """Why a site has no buildable ground."""
    if field.placeable.is_empty:
        return (
            f"no buildable ground: exclusions and the setback of {spec.number('site', 'setback_m'):g} m leave nothing; "
            "reduce the setback or the exclusions"
        )
    slopes = field.slope[field.inside]
    if not slopes.size or np.isnan(slopes).all():
        return "no buildable ground: the DEM has no data inside the site; use a DEM that covers it"
    return (
        f"no buildable ground: the gentlest cell has a slope of {np.nanmin(slopes):.1f} deg, the limit is {limit_deg:g} deg; "
        "raise slope_limit_deg in --spec or choose another site"
    )


def why_no_asset(draft: Draft, target_kw: float | None, unreached: str) -> str:
    """Why no asset could be placed on buildable ground.

    Parameters
    ----------
    draft : Draft
        Last draft, with the reasons of its unplaced assets.
    target_kw : float or None
        Requested capacity [kW].
    unreached : str
        Reason for which roads reach no asset; may be empty.
    """
    reasons = "; ".join(f"{u.kind}: {u.reason}" for u in draft.unplaced if u.kind != "substation") or unreached
    target = f" for a target of {target_kw:,.0f} kW" if target_kw is not None else ""
    return f"no buildable ground: not one asset can be placed{target} ({reasons or 'the target is below the smallest unit'})"


def why_less(placed_kw: float, target_kw: float | None, smallest_kw: float, unplaced: Sequence[Unplaced]) -> str:
    """Why capacity is missing from the target; empty where none is.

    Parameters
    ----------
    placed_kw, target_kw : float
        Placed and requested capacity [kW]; no target: None.
    smallest_kw : float
        Smallest unit: less than it is not missing [kW].
    unplaced : sequence of Unplaced
        Assets without a place.
    """
    missing = "; ".join(f"{u.count} x {u.kind}: {u.reason}" for u in unplaced)
    if target_kw is not None and placed_kw <= target_kw - smallest_kw:
        return f"{placed_kw:,.0f} kW of the {target_kw:,.0f} kW asked for are placed" + (
            f" ({missing})" if missing else ": the site's good ground is used up"
        )
    return f"not everything is placed ({missing})" if missing else ""
