"""One edit under way: what every step of it needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.layout.editing.road_graph import RoadConstraints, RoadGraph
from pacifico.layout.ground.channels import road_cost_zones
from pacifico.layout.model.assets import pad_outline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Polygon

    from pacifico.layout.editing.context import EditContext
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.edits import Edit
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site


@dataclass(frozen=True)
class Change:
    """Plan before an edit, record of the edit, and site after it."""

    plan: Plan
    context: EditContext
    edit: Edit
    site: Site

    @property
    def field(self) -> Field:
        """Ground with the zones of the site after the edit."""
        return self.context.field(self.site)

    @property
    def roads(self) -> RoadGraph:
        """Roads before the edit."""
        plan = self.plan
        return RoadGraph(plan.road_list, (plan.entry.x, plan.entry.y), tuple((e.x, e.y) for e in plan.further_entries))

    def constraints(self, assets: Sequence[Asset], *more: Polygon) -> RoadConstraints:
        """Constraints on new roads beside some assets and further obstacles."""
        obstacles = [*(pad_outline(a.item) or a.footprint for a in assets), *more]
        cost_zones = road_cost_zones(self.site.exclusions, self.field.drainage, self.context.spec)
        return RoadConstraints(self.field, obstacles, cost_zones, self.context.roads)

    def next_road_number(self, roads: RoadGraph) -> int:
        """Number that no road has now or had before an earlier edit."""
        edits = self.plan.edits
        past = [i for e in edits for i in (*e.roads_added, *e.removed_ids, *(r.road_id for r in e.roads_removed))]
        return roads.next_number((*past, *(r.road_id for r in self.plan.road_list)))
