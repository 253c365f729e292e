"""Request for a layout: the site with all its zones, and the design, checked together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.criteria.design import split_design
from pacifico.layout.criteria.request import main_slope_limit, requested_spec
from pacifico.layout.orientation.site import turned_site, turned_spec
from pacifico.site.poi import with_poi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.layout.criteria.capacities import Capacities
    from pacifico.layout.criteria.design import Design
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.orientation.frame import TurnedFrame
    from pacifico.site.model import Site, Zone
    from pacifico.vocabulary import Profile, Strategy


@dataclass(frozen=True)
class LayoutRequest:
    """Checked request for a layout."""

    site: Site
    """Site with all exclusions."""
    profile: Profile
    strategy: Strategy
    target_kw: float | None
    """Requested capacity, at most what the grid takes [kW]; None for as much as fits."""
    capacities: Capacities
    spec: Spec
    compare_stricter: bool = True
    """Whether layouts under stricter rules are compared; not where the caller has them."""

    over_grid: str = ""
    """That more was asked for than the grid takes; empty where it wasn't."""

    @property
    def slope_limit_deg(self) -> float:
        """Slope limit of the main asset type [°]."""
        return main_slope_limit(self.profile, self.spec)

    def turned(self, frame: TurnedFrame) -> LayoutRequest:
        """The same request in a turned frame."""
        spec = turned_spec(self.spec, frame, self.site)
        return replace(self, site=turned_site(self.site, frame), spec=spec)


def checked_design(options: Mapping[str, Any]) -> Design:
    """Design of the keywords; others are refused."""
    design, unknown = split_design(options)
    if unknown:
        raise TypeError(f"generate_layout() has no keyword {next(iter(unknown))!r}")
    return design


def checked_request(site: Site, asked: Design, exclusions: Sequence[Zone]) -> LayoutRequest:
    """Checked request for a layout."""
    spec = requested_spec(
        asked.profile,
        asked.strategy,
        asked.target_capacity_kw,
        asked.setback_m,
        asked.max_road_grade_pct,
        asked.spec,
    )
    target_kw = within_grid(asked.target_capacity_kw, spec)
    capacities = requested_capacities(asked.profile, target_kw, spec)
    whole = _requested_site(site if asked.poi is None else with_poi(site, asked.poi), exclusions, asked.entry)
    over_grid = _over_grid(asked.target_capacity_kw, target_kw)
    return LayoutRequest(whole, asked.profile, asked.strategy, target_kw, capacities, spec, over_grid=over_grid)


def within_grid(target_kw: float | None, spec: Spec) -> float | None:
    """Target capacity, at most what the grid takes [kW]; without a target, all that it takes."""
    limit_kw = spec.number("grid", "limit_kw")
    if limit_kw <= 0:
        return target_kw
    return limit_kw if target_kw is None else min(target_kw, limit_kw)


def _over_grid(asked_kw: float | None, target_kw: float | None) -> str:
    """That more was asked for than the grid takes [kW]; empty where it wasn't."""
    if asked_kw is None or target_kw is None or asked_kw <= target_kw:
        return ""
    return f"of the {asked_kw:,.0f} kW asked for, the grid takes {target_kw:,.0f} kW; raise grid.limit_kw (--grid-limit-kw)"


def _requested_site(site: Site, exclusions: Sequence[Zone], entry: tuple[float, float] | None) -> Site:
    """Site with requested exclusions; a requested entry replaces the file's."""
    if exclusions:
        site = replace(site, exclusions=(*site.exclusions, *exclusions))
    if entry is not None:
        site = replace(site, anchors=tuple(a for a in site.anchors if not a.is_entry))
    return site
