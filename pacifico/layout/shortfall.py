"""Why less stands than was asked for, or nothing at all: true reasons in one line each."""

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
    """Why no ground is buildable at all."""
    if field.placeable.is_empty:
        return (
            f"no buildable ground: exclusions and the setback of {spec.number('site', 'setback_m'):g} m leave nothing; "
            "reduce the setback or the exclusions"
        )
    known = field.slope[field.inside]
    if not known.size or np.isnan(known).all():
        return "no buildable ground: the DEM has no data inside the site; use a DEM that covers it"
    return (
        f"no buildable ground: the gentlest cell has a slope of {np.nanmin(known):.1f} deg, the limit is {limit_deg:g} deg; "
        "raise slope_limit_deg in --spec or choose another site"
    )


def why_no_asset(draft: Draft, target_kw: float | None, lost: str) -> str:
    """Why nothing that generates or stores stands, though there is ground; `lost` is what roads said."""
    reasons = "; ".join(f"{u.kind}: {u.reason}" for u in draft.unplaced if u.kind != "substation") or lost
    wanted = f" for a target of {target_kw:,.0f} kW" if target_kw is not None else ""
    return (
        f"no buildable ground: not one asset can stand{wanted} ({reasons or 'the target is below the smallest unit'})"
    )


def why_less(got_kw: float, target_kw: float | None, smallest_kw: float, unplaced: Sequence[Unplaced]) -> str:
    """One line where less stands than was asked for, else nothing."""
    missing = "; ".join(f"{u.count} x {u.kind}: {u.reason}" for u in unplaced)
    if target_kw is not None and got_kw <= target_kw - smallest_kw:
        return f"{got_kw:,.0f} kW of the {target_kw:,.0f} kW asked for are placed" + (
            f" ({missing})" if missing else ": the site's good ground is used up"
        )
    return f"not everything is placed ({missing})" if missing else ""
