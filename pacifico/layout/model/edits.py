"""Records of edits of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from shapely import Point

from pacifico.crs import geojson_geometries

if TYPE_CHECKING:
    from pyproj import CRS

    from pacifico.layout.model.assets import Item
    from pacifico.layout.model.roads import Road


EditKind = Literal["move", "rotate", "remove", "add", "add_zone", "move_zone", "remove_zone", "roads"]

Pose = tuple[float, float, float]
"""Easting [m], northing [m] and rotation [°] of an asset's centre."""

SAME_M = 1e-6
"""Coordinates closer than this are equal [m]."""


@dataclass(frozen=True)
class Edit:
    """One edit of a plan, with its consequences."""

    kind: EditKind
    subject: str
    """Identifier of the asset, or name of the zone."""
    asset_type: str = ""
    before: Pose | None = None
    after: Pose | None = None
    also: tuple[str, ...] = ()
    """Assets removed as a consequence."""
    roads_removed: tuple[Road, ...] = ()
    removed_ids: tuple[str, ...] = ()
    """Roads removed of which only the identifier is known: the edit comes from a file."""
    roads_added: tuple[str, ...] = ()
    borrowed: str = ""
    """Turnaround that serves the asset where no other road does."""
    note: str = ""
    """Consequences beyond the request, in one line."""

    def properties(self, crs: CRS) -> dict[str, Any]:
        """Entry of the edit in layout.geojson, with poses in longitude and latitude.

        Parameters
        ----------
        crs : CRS
            Working CRS of the plan.
        """

        def lonlat(pose: Pose | None) -> dict[str, Any] | None:
            """Pose in degrees."""
            if pose is None:
                return None
            x, y, rotation = pose
            point = geojson_geometries([Point(x, y)], crs)[0]
            return {"lonlat": list(point["coordinates"]), "rotation_deg": rotation}

        zone = self.kind in ("add_zone", "move_zone", "remove_zone")
        return {
            "kind": self.kind,
            "asset_id": self.subject if self.subject and not zone else None,
            "zone": self.subject if zone else None,
            "from": lonlat(self.before),
            "to": lonlat(self.after),
            "also_removed": list(self.also),
            "roads_removed": [*self.removed_ids, *(r.road_id for r in self.roads_removed)],
            "roads_added": list(self.roads_added),
            "note": self.note,
        }


def pose(item: Item) -> Pose:
    """Centre [m] and rotation [°] of an item."""
    return (*item.centre, item.rotation_deg)
