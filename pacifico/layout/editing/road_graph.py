"""Roads of an edited plan: what still leads somewhere, and what serves an asset at its new place.

Roads meet at shared vertices. The network is looked at as it stands, whatever the order it was made in; only what an
edit touches is drawn or taken away.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.earthwork import PadPlane
    from pacifico.layout.model.roads import Road, RoadCriteria

Key = tuple[float, float]

SLACK_M = 0.001
"""Of distances between what was placed exactly."""
STEP_M = 0.01
"""Of heights, that a road and a pad may miss each other by."""


@dataclass(frozen=True)
class Wanted:
    """An asset that a road must reach."""

    name: str
    footprint: Polygon
    reach_m: float
    pad: Polygon | None = None
    plane: PadPlane | None = None

    @property
    def taken(self) -> Polygon:
        """What no road may cross."""
        return self.pad or self.footprint


@dataclass(frozen=True)
class Net:
    """Roads as they stand, and where they meet."""

    roads: tuple[Road, ...]
    entry: Key
    at: dict[Key, list[int]] = field(init=False, repr=False, compare=False)
    """Roads through each vertex."""
    beside: list[set[int]] = field(init=False, repr=False, compare=False)
    """Roads that each one meets."""
    lines: FloatArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lines = np.array([r.line for r in self.roads], dtype=object)
        xy, of = shapely.get_coordinates(lines, return_index=True)
        at: dict[Key, list[int]] = {}
        for x, y, road in zip(*xy.T.tolist(), of.tolist(), strict=True):
            here = at.setdefault((x, y), [])
            if road not in here:
                here.append(road)
        beside: list[set[int]] = [set() for _ in self.roads]
        for who in at.values():
            if len(who) > 1:
                for k in who:
                    beside[k].update(o for o in who if o != k)
        object.__setattr__(self, "at", at)
        object.__setattr__(self, "beside", beside)
        object.__setattr__(self, "lines", lines)

    def without(self, gone: Collection[str]) -> Net:
        """Roads less some."""
        return Net(tuple(r for r in self.roads if r.road_id not in gone), self.entry) if gone else self

    def plus(self, more: Iterable[Road]) -> Net:
        """Roads and others, in the order of their numbers."""
        return Net(tuple(sorted((*self.roads, *more), key=lambda r: (len(r.road_id), r.road_id))), self.entry)

    def cut_off(self, gone: Collection[int]) -> set[int]:
        """Roads that nothing joins to the entry where some are gone."""
        seen = {k for k in self.at.get(self.entry, ()) if k not in gone}
        queue = list(seen)
        while queue:
            fresh = self.beside[queue.pop()] - seen - set(gone)
            seen |= fresh
            queue += fresh
        return set(range(len(self.roads))) - seen - set(gone)

    def needed(self, k: int, served: Mapping[str, int], gone: Collection[int] = ()) -> bool:
        """Whether a road serves something, holds the entry alone, or leads to what does."""
        road, here = self.roads[k], self.at.get(self.entry, ())
        if served.get(road.road_id) or (k in here and all(o == k or o in gone for o in here)):
            return True
        return any(served.get(self.roads[o].road_id) for o in self.cut_off({*gone, k}) - self.cut_off(gone))

    def next_id(self, used: Iterable[str] = ()) -> int:
        """Number that no road has or had."""
        return 1 + max((int(i[1:]) for i in (*(r.road_id for r in self.roads), *used)), default=0)


def ends(road: Road) -> tuple[Key, Key]:
    """First and last vertex."""
    coords = road.line.coords
    return (coords[0][0], coords[0][1]), (coords[-1][0], coords[-1][1])


def vertices(road: Road) -> list[Key]:
    """All vertices in plan."""
    return [(c[0], c[1]) for c in road.line.coords]


def dead_roads(net: Net, served: Mapping[str, int], suspects: Iterable[str]) -> set[str]:
    """Which of some roads, and of those that lead to them alone, are needed no more; their turnarounds with them.

    What serves nothing and leads to nothing is a turnaround: it stays while the road stays whose end it is at.
    """
    number = {r.road_id: k for k, r in enumerate(net.roads)}
    own = [number[s] for s in suspects if s in number]
    before = Counter(served) + Counter(net.roads[k].road_id for k in own)
    gone: set[int] = set()
    queue = list(own)
    while queue:
        k = queue.pop(0)
        if k in gone or net.needed(k, served, gone):
            continue
        if k not in own and not net.needed(k, before):
            # a turnaround: of what is gone where it met that alone
            meets = [v for v in vertices(net.roads[k]) if gone & set(net.at[v])]
            if not any(set(net.at[v]) <= gone | {k} | _idle(net, net.at[v], before) for v in meets):
                continue
        gone.add(k)
        queue += sorted(net.beside[k] - gone)
    gone |= net.cut_off(gone)
    return {net.roads[k].road_id for k in gone}


def turnarounds_of(net: Net, served: Mapping[str, int]) -> set[str]:
    """Roads that serve nothing and lead to nothing."""
    return {net.roads[k].road_id for k in _idle(net, range(len(net.roads)), served)}


def _idle(net: Net, which: Iterable[int], served: Mapping[str, int]) -> set[int]:
    """Turnarounds among some roads."""
    return {k for k in which if not net.needed(k, served)}


def blocked_by(net: Net, taken: Polygon, criteria: RoadCriteria) -> list[str]:
    """Roads whose strip comes nearer to a pad or footprint than the clearance."""
    if not net.roads:
        return []
    far = shapely.distance(net.lines, taken)
    keep = np.array([r.width_m / 2 for r in net.roads]) + criteria.clearance_m - SLACK_M
    return [net.roads[k].road_id for k in np.flatnonzero(far < keep)]


def server_of(
    net: Net, wanted: Wanted, criteria: RoadCriteria, *, liked: str = "", last: Collection[str] = ()
) -> tuple[str, str]:
    """Road within reach whose height meets the pad: the one it had before first, some last; else nothing, and why not."""
    if not net.roads:
        return "", "there is no road"
    far = shapely.distance(net.lines, wanted.footprint)
    near = np.flatnonzero(far <= wanted.reach_m - SLACK_M)
    if not near.size:
        k = int(np.argmin(far))
        return (
            "",
            f"the nearest road, {net.roads[k].road_id}, is {far[k]:.0f} m away, the reach is {wanted.reach_m:g} m",
        )
    order = sorted(
        near.tolist(), key=lambda k: (net.roads[k].road_id in last, net.roads[k].road_id != liked, far[k], k)
    )
    worst = ""
    for k in order:
        step, gap = pad_step(net.roads[k], wanted)
        if step <= criteria.max_grade * gap + STEP_M:
            return net.roads[k].road_id, ""
        worst = worst or (
            f"road {net.roads[k].road_id}, {gap:.1f} m from its pad, is {step:.1f} m above or below it, "
            f"the grade limit of {100 * criteria.max_grade:g} % allows {criteria.max_grade * gap:.1f} m"
        )
    return "", worst


def pad_step(road: Road, wanted: Wanted) -> tuple[float, float]:
    """Height between a road and a pad where a drive between them is gentlest, and its length [m]."""
    if wanted.pad is None or wanted.plane is None:
        return 0.0, 0.0
    xyz = shapely.get_coordinates(road.line, include_z=True)
    at = road.line.project(shapely.shortest_line(wanted.pad, road.line).boundary.geoms[1]) if road.length_m else 0.0
    here = road.line.interpolate(at)
    xyz = np.vstack([xyz, [here.x, here.y, _height_along(xyz, at)]])
    points = np.asarray(shapely.points(xyz[:, :2]), dtype=object)
    gap = np.asarray(shapely.distance(points, wanted.pad))
    near = np.flatnonzero(gap <= max(wanted.reach_m, float(gap.min()) + SLACK_M))
    touch = shapely.get_coordinates(shapely.shortest_line(points[near], wanted.pad))[1::2]
    step = np.abs(xyz[near, 2] - wanted.plane.height_at(touch[:, 0], touch[:, 1]))
    best = int(np.argmin(step / np.maximum(gap[near], 0.1)))
    return float(step[best]), float(gap[near][best])


def _height_along(xyz: FloatArray, at: float) -> float:
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))])
    return float(np.interp(at, along, xyz[:, 2]))


def is_clear(road: Road, taken: Sequence[Polygon], allowed: Polygon | MultiPolygon, criteria: RoadCriteria) -> bool:
    """Whether a road that stood before is still legal: clear of what stands, inside what is allowed."""
    keep = road.width_m / 2 + criteria.clearance_m - SLACK_M
    if len(taken) and bool(shapely.dwithin(np.asarray(taken, dtype=object), road.line, keep).any()):
        return False
    return bool(allowed.covers(road.line.buffer(road.width_m / 2 - SLACK_M, cap_style="flat")))


def restored(
    net: Net, retired: Sequence[Road], wanted: Wanted, taken: Sequence[Polygon], place: Field, criteria: RoadCriteria
) -> str:
    """Which of the roads that an earlier edit took away would serve an asset again, all of them being legal; '' if none."""
    whole = net.plus(retired)
    if not retired or not all(is_clear(r, taken, place.allowed, criteria) for r in retired):
        return ""
    number = {r.road_id: k for k, r in enumerate(whole.roads)}
    own = {number[r.road_id] for r in retired}
    joints = [v for r in retired for v in ends(r) if set(whole.at[v]) - own]
    if not joints or any(not _same_height(whole, v) for v in joints):
        return ""
    found, _ = server_of(Net(tuple(retired), net.entry), wanted, criteria)
    return found


def _same_height(net: Net, place: Key) -> bool:
    """Whether all roads through a vertex have one height there."""
    z = [float(c[2]) for k in net.at[place] for c in net.roads[k].line.coords if (c[0], c[1]) == place]
    return max(z) - min(z) <= SLACK_M
