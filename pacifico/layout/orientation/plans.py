"""Plans turned into a frame and back to the map."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from pacifico.grid import Grid
from pacifico.layout.model.assets import move_item, outline, rotate_item
from pacifico.layout.orientation.frame import frame_of
from pacifico.layout.orientation.ground import turned_dem
from pacifico.layout.orientation.site import turned_site, turned_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import xarray as xr

    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.assets import Asset, Pad
    from pacifico.layout.model.cables import Cable
    from pacifico.layout.model.crossings import Crossing
    from pacifico.layout.model.edits import Edit, Pose
    from pacifico.layout.model.fences import Fence
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.roads import Road
    from pacifico.layout.orientation.frame import TurnedFrame
    from pacifico.site.model import Site, Zone

    T = TypeVar("T")
    DrawnT = TypeVar("DrawnT", Road, Cable, Crossing, Fence)


def turned_asset(asset: Asset, frame: TurnedFrame) -> Asset:
    """Asset in a frame: its place, footprint, rotation and aspect."""
    moved = move_item(asset.item, frame.point(*asset.item.centre))
    item = rotate_item(moved, frame.rotation(asset.item.rotation_deg))
    return replace(
        asset,
        item=item,
        footprint=outline(item),
        aspect_deg=asset.aspect_deg if math.isnan(asset.aspect_deg) else frame.bearing(asset.aspect_deg),
    )


def turned_pad(pad: Pad, frame: TurnedFrame) -> Pad:
    """Pad in a frame: its outline and grades."""
    plane = pad.plane
    grade_east, grade_north = frame.vector(plane.grade_east, plane.grade_north)
    polygon = frame.geometry(plane.polygon)
    return replace(pad, plane=replace(plane, polygon=polygon, grade_east=grade_east, grade_north=grade_north))


def turned_edit(edit: Edit, frame: TurnedFrame) -> Edit:
    """Record of an edit in a frame."""

    def turned(pose: Pose | None) -> Pose | None:
        """Pose in the frame."""
        return None if pose is None else (*frame.point(pose[0], pose[1]), frame.rotation(pose[2]))

    removed = tuple(replace(r, line=frame.geometry(r.line)) for r in edit.roads_removed)
    return replace(edit, before=turned(edit.before), after=turned(edit.after), roads_removed=removed)


@dataclass
class PlanTurner:
    """Turns plans of one site, and remembers which records belong together.

    Records that an edit leaves alone come back as the same objects.
    """

    frame: TurnedFrame
    """Frame of the layout."""
    spec: Spec
    """Rules on the map."""
    frame_spec: Spec
    """Rules in the frame."""
    dem: Mapping[str, Any]
    """Facts of the DEM on the map."""
    frame_dem: Mapping[str, Any]
    """Facts of the DEM in the frame."""
    _known: dict[int, tuple[Any, Any]] = field(default_factory=dict, repr=False)
    """Record and its counterpart, by the record's identity: both stay alive here."""

    def in_frame(self, plan: Plan) -> Plan:
        """Plan in the frame."""
        return self._counterpart(plan, lambda p: self._plan(p, self.frame, self.frame_spec, self.frame_dem))

    def on_map(self, plan: Plan) -> Plan:
        """Plan on the map."""
        return self._counterpart(plan, lambda p: self._plan(p, self.frame.inverse, self.spec, self.dem))

    def zone(self, zone: Zone) -> Zone:
        """Zone in the frame."""
        return self._counterpart(zone, lambda z: replace(z, geometry=self.frame.geometry(z.geometry)))

    def know(self, on_map: T, in_frame: T) -> None:
        """Remember that two records belong together."""
        self._known[id(on_map)] = (on_map, in_frame)
        self._known[id(in_frame)] = (in_frame, on_map)

    def _counterpart(self, record: T, make: Callable[[T], T]) -> T:
        """Counterpart of a record, made where it isn't known."""
        if id(record) not in self._known:
            self.know(record, make(record))
        found: T = self._known[id(record)][1]
        return found

    def _plan(self, plan: Plan, frame: TurnedFrame, spec: Spec, dem: Mapping[str, Any]) -> Plan:
        """Plan turned by a frame.

        Parameters
        ----------
        plan : Plan
            Plan to turn.
        frame : TurnedFrame
            Frame to turn it by.
        spec : Spec
            Rules of the turned plan.
        dem : mapping
            Facts of its DEM.
        """

        def all_of(records: Iterable[T], make: Callable[[T], T]) -> tuple[T, ...]:
            """Counterparts of records."""
            return tuple(self._counterpart(r, make) for r in records)

        def drawn(records: Iterable[DrawnT]) -> tuple[DrawnT, ...]:
            """Counterparts of records of which only the line turns."""
            return all_of(records, lambda r: replace(r, line=frame.geometry(r.line)))

        return replace(
            plan,
            site=self._counterpart(plan.site, lambda s: self._site(s, frame)),
            spec=spec,
            dem=dem,
            buildable=frame.geometry(plan.buildable),
            entry=self._counterpart(plan.entry, frame.geometry),
            further_entries=all_of(plan.further_entries, frame.geometry),
            asset_list=all_of(plan.asset_list, lambda a: turned_asset(a, frame)),
            pad_list=all_of(plan.pad_list, lambda p: turned_pad(p, frame)),
            road_list=drawn(plan.road_list),
            cable_list=drawn(plan.cable_list),
            crossing_list=drawn(plan.crossing_list),
            fence_list=drawn(plan.fence_list),
            edits=all_of(plan.edits, lambda e: turned_edit(e, frame)),
            racking=None,
        )

    def _site(self, site: Site, frame: TurnedFrame) -> Site:
        """Site turned by a frame; parts that are known keep their counterparts."""
        zones = tuple(
            self._counterpart(z, lambda z: replace(z, geometry=frame.geometry(z.geometry))) for z in site.exclusions
        )
        anchors = tuple(self._counterpart(a, lambda a: replace(a, point=frame.geometry(a.point))) for a in site.anchors)
        lines = tuple(self._counterpart(n, lambda n: replace(n, line=frame.geometry(n.line))) for n in site.lines)
        boundary = self._counterpart(site.boundary, frame.geometry)
        return replace(
            site, boundary=boundary, exclusions=zones, anchors=anchors, lines=lines, true_area_ha=site.area_ha
        )


def turner_of(plan: Plan, dem: xr.DataArray) -> tuple[PlanTurner, xr.DataArray] | None:
    """Turner of a plan, and the DEM in its frame; None where rows run north to south.

    Parameters
    ----------
    plan : Plan
        Plan on the map.
    dem : DataArray
        DEM that it was made on.

    Raises
    ------
    CRSMismatchError, DEMError
        As for `turned_dem`.
    """
    frame = frame_of(plan.spec, dem)
    if frame is None:
        return None
    ground = turned_dem(dem, frame, turned_site(plan.site, frame))
    facts = {**plan.dem, "resolution_m": round(Grid.of(ground).dx, 3)}
    return PlanTurner(frame, plan.spec, turned_spec(plan.spec, frame, plan.site), plan.dem, facts), ground
