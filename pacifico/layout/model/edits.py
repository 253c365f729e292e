"""Records of the edits of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from shapely import Point

from pacifico.crs import geojson_geometries

if TYPE_CHECKING:
    from pyproj import CRS

    from pacifico.layout.model.assets import Item
    from pacifico.layout.model.roads import Road


EditKind = Literal["move", "rotate", "remove", "add", "add_zone", "move_zone", "remove_zone"]

Pose = tuple[float, float, float]
"""Easting, northing [m] and rotation [°] of an asset's middle."""

SAME_M = 1e-6


@dataclass(frozen=True)
class Edit:
    """One change of a plan, as it happened."""

    kind: EditKind
    subject: str
    """Asset's identifier, or zone's name."""
    asset_type: str = ""
    before: Pose | None = None
    after: Pose | None = None
    also: tuple[str, ...] = ()
    """Assets that went with it."""
    roads_removed: tuple[Road, ...] = ()
    roads_added: tuple[str, ...] = ()
    borrowed: str = ""
    """Turnaround that serves the asset, for want of another road."""
    note: str = ""
    """What was done beyond what was asked for."""

    def properties(self, crs: CRS) -> dict[str, Any]:
        """Entry of the edit in layout.geojson; poses in longitude and latitude.

        Parameters
        ----------
        crs : CRS
            Working CRS of the plan.
        """

        def lonlat(pose: Pose | None) -> dict[str, Any] | None:
            if pose is None:
                return None
            x, y, rotation = pose
            point = geojson_geometries([Point(x, y)], crs)[0]
            return {"lonlat": point["coordinates"], "rotation_deg": rotation}

        zone = self.kind in ("add_zone", "move_zone", "remove_zone")
        return {
            "kind": self.kind,
            "asset_id": None if zone else self.subject,
            "zone": self.subject if zone else None,
            "from": lonlat(self.before),
            "to": lonlat(self.after),
            "also_removed": list(self.also),
            "roads_removed": [r.road_id for r in self.roads_removed],
            "roads_added": list(self.roads_added),
            "note": self.note,
        }


def pose(item: Item) -> Pose:
    """Where an item stands, and how it is turned."""
    return (*item.centre, item.rotation_deg)
