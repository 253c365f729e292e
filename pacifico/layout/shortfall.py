"""Reasons for missing capacity, in one line each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.criteria.capacities import ROUNDING_KW
from pacifico.layout.ground.buildable import buildable_mask, cells_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.criteria.racking import ArraySlopes
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Unplaced
    from pacifico.layout.placement.draft import Draft
    from pacifico.site.model import Site
    from pacifico.vocabulary import AssetKind, Profile

_COST = re.compile(r"\d[\d,]*(?= USD/kW)")
"""Cost in a reason, the first of which is that of the assets, and further ones limits."""
LARGE = 0.05
"""Smallest share of a site that a reason names [-]."""


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


def why_no_asset(draft: Draft, target_kw: float | None, smallest_kw: float, unreached: str) -> str:
    """Why no asset could be placed.

    Parameters
    ----------
    draft : Draft
        Last draft, with the reasons of its unplaced assets.
    target_kw : float or None
        Requested capacity [kW].
    smallest_kw : float
        Capacity of the smallest unit [kW].
    unreached : str
        Reason for which roads reach no asset; may be empty.
    """
    if target_kw is not None and target_kw < smallest_kw - ROUNDING_KW:
        return (
            f"the {target_kw:,.0f} kW asked for are less than one unit of {smallest_kw:,.0f} kW; ask for that or more"
        )
    # the last draft keeps off the ground that roads didn't reach, so that its own reason is of the rest alone
    said = dict.fromkeys(f"{u.kind}: {u.reason}" for u in draft.unplaced if u.kind != "substation")
    reasons = unreached or "; ".join(said)
    target = f" for a target of {target_kw:,.0f} kW" if target_kw is not None else ""
    return f"no buildable ground: not one asset can be placed{target} ({reasons or 'no place is free'})"


@dataclass(frozen=True)
class GroundShares:
    """Shares of a site that can't be built on."""

    steep: float
    """Share steeper than the limit [-]."""
    unknown: float
    """Share without a slope, for want of elevation [-]."""
    reserved: float
    """Share of setback, exclusions and channels of the drainage [-]."""
    limit_deg: float
    """Slope limit of the main asset type [°]."""
    buildable_ha: float
    for_rows: float = 0.0
    """Share within the limit, but steeper along or across rows than is graded for their racking [-]."""

    @classmethod
    def of(
        cls, site: Site, field: Field, limit_deg: float, buildable_ha: float, for_arrays: ArraySlopes | None = None
    ) -> GroundShares:
        """Shares of a site, counted in cells.

        Parameters
        ----------
        site : Site
            Site with its boundary.
        field : Field
            Its ground.
        limit_deg : float
            Slope limit of the main asset type [°].
        buildable_ha : float
            Area of buildable ground [ha].
        for_arrays : ArraySlopes, optional
            Steepest ground under arrays, where these are the main asset type.
        """
        cells = max(int(cells_inside(site.boundary, field.grid).sum()), 1)
        slopes = field.slope[field.inside]
        gentle = buildable_mask(field, limit_deg)
        return cls(
            float((slopes > limit_deg).sum() / cells),
            float(np.isnan(slopes).sum() / cells),
            1 - slopes.size / cells,
            limit_deg,
            buildable_ha,
            0.0 if for_arrays is None else float((field.steep_for_arrays(for_arrays) & gentle).sum() / cells),
        )

    def __str__(self) -> str:
        parts = (
            (self.steep, f"too steep (over {self.limit_deg:g} deg)"),
            (self.reserved, "setback, exclusions and channels"),
            (self.unknown, "without elevation"),
            (self.for_rows, "steeper along or across rows than is graded for the racking"),
        )
        large = [f"{share:.0%} of the site is {what}" for share, what in sorted(parts, reverse=True) if share >= LARGE]
        left = f"{self.buildable_ha:,.1f} ha of buildable ground carry no more"
        return ", ".join([*large, left])


def why_less(
    placed_kw: float,
    target_kw: float | None,
    smallest_kw: float,
    unplaced: Sequence[Unplaced],
    land: Land | None = None,
    *,
    over_grid: str = "",
) -> str:
    """Why capacity is missing from the target; empty where none is.

    Unplaced assets are the reason where they could hold half of what is missing; otherwise the ground is.

    Parameters
    ----------
    placed_kw, target_kw : float
        Placed and requested capacity [kW]; no target: None.
    smallest_kw : float
        Smallest unit: less than it is not missing [kW].
    unplaced : sequence of Unplaced
        Assets without a place.
    land : Land, optional
        Ground of the site and capacities of asset types, where they are known.
    over_grid : str
        That more was asked for than the grid takes; it comes last.
    """
    less = _less_than_target(placed_kw, target_kw, smallest_kw, unplaced, land)
    return "; ".join(reason for reason in (less, over_grid) if reason)


def _less_than_target(
    placed_kw: float, target_kw: float | None, smallest_kw: float, unplaced: Sequence[Unplaced], land: Land | None
) -> str:
    """Why capacity is missing from the target; parameters as for `why_less`."""
    missing = reasons_in_words(unplaced)
    if target_kw is None or placed_kw > target_kw - smallest_kw:
        return f"not everything is placed ({missing})" if missing else ""
    text = f"{placed_kw:,.0f} kW of the {target_kw:,.0f} kW asked for are placed"
    if land is None:
        return f"{text} ({missing})" if missing else f"{text}: the site's buildable ground carries no more"
    named = reasons_in_words(explaining(unplaced, target_kw - placed_kw, land.spec, land.profile))
    return f"{text} ({named})" if named else f"{text}: {land.shares}"


@dataclass(frozen=True)
class Land:
    """What decides between ground and unplaced assets as the reason of a shortfall."""

    shares: GroundShares
    profile: Profile
    spec: Spec


def reasons_in_words(unplaced: Sequence[Unplaced]) -> str:
    """Counts, types and reasons of unplaced assets, one clause for each reason.

    Reasons that differ in their cost alone are one, with the range of the cost.

    Examples
    --------
    >>> from pacifico.layout.model.assets import Unplaced
    >>> reasons_in_words([Unplaced("solar_array", 2, "left out: 90 USD/kW"), Unplaced("solar_array", 3, "left out: 70 USD/kW")])
    '5 x solar_array: left out: 70 to 90 USD/kW'
    """
    groups: dict[str, list[Unplaced]] = {}
    for one in unplaced:
        groups.setdefault(_COST.sub("{cost}", one.reason, count=1), []).append(one)
    clauses = []
    for reason, members in groups.items():
        counts: dict[str, int] = {}
        for one in members:
            counts[one.kind] = counts.get(one.kind, 0) + one.count
        costs = sorted(
            (found[0] for one in members if (found := _COST.search(one.reason))), key=lambda c: int(c.replace(",", ""))
        )
        cost = " to ".join(dict.fromkeys((costs[0], costs[-1]))) if costs else ""
        whose = ", ".join(f"{count} x {kind}" for kind, count in counts.items())
        clauses.append(f"{whose}: {reason.replace('{cost}', cost)}")
    return "; ".join(clauses)


def explaining(unplaced: Sequence[Unplaced], missing_kw: float, spec: Spec, profile: Profile) -> Sequence[Unplaced]:
    """Unplaced assets if they could hold half of the missing capacity; else substations alone.

    Parameters
    ----------
    unplaced : sequence of Unplaced
        Assets without a place.
    missing_kw : float
        Capacity that is missing from the target [kW].
    spec : Spec
        Capacities of asset types.
    profile : str
        Kind of plant.
    """
    most_kw = sum(u.count * _most_kw(u.kind, spec, profile) for u in unplaced)
    return unplaced if most_kw >= missing_kw / 2 else [u for u in unplaced if u.kind == "substation"]


def _most_kw(kind: AssetKind, spec: Spec, profile: Profile) -> float:
    """Largest capacity towards the target that one asset of a type holds [kW]."""
    if kind == "solar_array":
        return spec.number("solar", "array_max_kw")
    if kind == "substation":
        return 0.0
    found = asset_type(spec, kind)
    return found.storage_kw if profile == "bess" else found.capacity_kw
