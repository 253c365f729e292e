"""Tight places of a drawn network replaced by drivable curves, each only where that leaves fewer of them.

::

           |  <- the line goes on              of a line that bends too tight the stretch from some way before to some
      . - -+                                   way after is drawn anew, between the poses that it has there; at a junction
    ./   __|  too tight                        it may leave in the direction of the line that it continues
    +___/ .
    |   - -
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import shapely
from shapely import LineString

from pacifico.layout.bends import NOTHING, tight_bends, tight_turns
from pacifico.layout.curves import drivable
from pacifico.layout.drawing import TOLERANCE_M, _serves, touching

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pacifico.layout.alignment import Profile, Stations
    from pacifico.layout.bends import Keep
    from pacifico.layout.curves import Curve
    from pacifico.layout.drawing import Case, Drawing

    Floats = NDArray[np.float64]

AROUND_M = (20.0, 40.0, 70.0, 110.0)
"""Lengths of line replaced before a tight place and after it, for a radius of `USUAL_M` or less; else in proportion."""
USUAL_M = 15.0
LONGER, LONGER_M = 3.0, 60.0
"""A curve is at most this many times as long as what it replaces, and so much longer."""
APART_M = 1.0
"""A line is not cut nearer than this to one of its vertices, but at it."""
TANGENT = 0.25
"""At a vertex where it turns more it is not cut [rad]."""
SAME = 0.05
"""Directions that differ by less are one [rad]."""
PASSES = 2
WHOLES = 16
"""How many times all heights of a network are designed to see whether changes have a profile."""
TOUCHED_M = 1e-6
"""Most that a profile between known heights may miss them by."""


class Heights(Protocol):
    """Asked whether a drawing with some lines changed has a profile within the limits."""

    def __call__(self, drawing: Drawing, changed: Sequence[int]) -> bool:
        """Whether it has one; what is said to have one is built."""


class Design(Protocol):
    """Stations and heights of a drawing, and the most that they lack [m]."""

    def __call__(self, drawing: Drawing, ends: Sequence[tuple[float, float]] | None) -> tuple[Stations, Profile, float]:
        """Design heights, with those that the lines are to have at their `ends`."""


class Levels:
    """Whether changed lines have a profile: first between the heights that their ends have, then together with all."""

    def __init__(self, known: tuple[Drawing, Stations, Profile], design: Design) -> None:
        self.design = design
        self.left = WHOLES
        self._know(known[1], known[2])

    def _know(self, stations: Stations, profile: Profile) -> None:
        """Keep the heights of the ends of lines."""
        self.ends = [(float(profile.z[ids[0]]), float(profile.z[ids[-1]])) for ids in stations.of_line]

    def __call__(self, drawing: Drawing, changed: Sequence[int]) -> bool:
        """Whether there is a profile."""
        number = {c: k for k, c in enumerate(changed)}
        part = replace(
            drawing,
            lines=[drawing.lines[c] for c in changed],
            ups=[number.get(drawing.ups[c], -1) for c in changed],
            line_of={t: number[c] for t, c in drawing.line_of.items() if c in number},
        )
        _, _, lacks = self.design(part, [self.ends[c] for c in changed])
        if lacks <= TOUCHED_M:
            return True
        if not self.left:
            return False
        self.left -= 1
        stations, profile, lacks = self.design(drawing, None)
        if lacks > TOLERANCE_M:
            return False
        self._know(stations, profile)
        return True


@dataclass(frozen=True)
class Change:
    """A line as it would be."""

    xy: Floats
    straight: Floats


@dataclass(frozen=True)
class Cut:
    """Where a stretch to be replaced begins or ends: distance along the line, and the pose there."""

    run: float
    pose: Floats


def mended(
    case: Case, drawing: Drawing, sizes: Sequence[float], *, keep: Keep = NOTHING, heights: Heights | None = None
) -> Drawing:
    """Drawing with drivable curves where lines bend, or turn at junctions, tighter than their radius.

    Parameters
    ----------
    case : Case
        Free ground, terminals and rules.
    drawing : Drawing
        Lines as drawn; it is not changed.
    sizes : sequence of float
        Radius of the centreline that each line is to hold [m].
    keep : Keep
        Places about which nothing is changed.
    heights : callable, optional
        Asked of each change that is otherwise good, with the drawing that it would make: whether there is a profile.

    Returns
    -------
    Drawing
        With fewer tight bends and turns, or the very one given. Lines without a change are the same arrays; all serve
        what they served, and meet where they met.
    """
    work = _Work(case, drawing, list(sizes), keep, heights)
    for _ in range(PASSES):
        if not work.once():
            break
    return work.drawing


@dataclass
class _Work:
    """A drawing while it is mended."""

    case: Case
    drawing: Drawing
    sizes: list[float]
    keep: Keep
    heights: Heights | None
    follows: list[list[int]] = field(init=False)
    bound: list[list[int]] = field(init=False)
    chains: list[list[int]] = field(init=False)
    """Lines that alone go on from one another: where they meet they bend, and do not turn off."""
    chain_of: list[int] = field(init=False)
    tree: shapely.STRtree = field(init=False)
    hopeless: set[bytes] = field(default_factory=set)
    """Places where nothing was found, with the lines about them."""

    def __post_init__(self) -> None:
        n = len(self.drawing.lines)
        self.follows, self.bound = [[] for _ in range(n)], [[] for _ in range(n)]
        for c, up in enumerate(self.drawing.ups):
            if up >= 0:
                self.follows[up].append(c)
        for t, c in self.drawing.line_of.items():
            self.bound[c].append(t)
        self.chains, self.chain_of = [], [0] * n
        for c, up in enumerate(self.drawing.ups):
            if up >= 0 and len(self.follows[up]) == 1 and self.sizes[c] == self.sizes[up]:
                self.chain_of[c] = self.chain_of[up]
                self.chains[self.chain_of[c]].append(c)
            else:
                self.chain_of[c] = len(self.chains)
                self.chains.append([c])
        self.tree = shapely.STRtree([LineString(x) for x in self.drawing.lines])

    def once(self) -> bool:
        """Go over all tight places, and tell whether any was mended."""
        some = False
        for chain in self.chains:
            tried: set[bytes] = set()
            while True:
                whole = self._whole(chain, {})
                places = [p for p in tight_bends([whole], self.sizes[chain[0]]) if p.tobytes() not in tried]
                if not places:
                    break
                tried.add(places[0].tobytes())
                some |= self._at(chain, places[0])
        for a, after in enumerate(self.follows):
            for b in after:
                if len(self._turns(a, [b], {})):
                    some |= self._try(self._turn(a, b), self.drawing.lines[a][-1], (a, b))
        return some

    def _whole(self, chain: Sequence[int], changes: dict[int, Change]) -> Floats:
        parts = [changes[c].xy if c in changes else self.drawing.lines[c] for c in chain]
        return np.vstack([parts[0], *(p[1:] for p in parts[1:])])

    def _at(self, chain: Sequence[int], place: Floats) -> bool:
        """Mend one bend."""
        for k, c in enumerate(chain):
            at = np.flatnonzero((self.drawing.lines[c] == place).all(axis=1))
            if at.size and 0 < at[0] < len(self.drawing.lines[c]) - 1:
                return self._try(self._bend(c, int(at[0])), place, (c,))
            if at.size and at[0] > 0 and k + 1 < len(chain):
                return self._try(self._turn(c, chain[k + 1]), place, (c, chain[k + 1]))
        return False

    def _try(self, ways: Iterator[dict[int, Change]], place: Floats, lines: Sequence[int]) -> bool:
        """Take the first of some changes that is good."""
        if self.keep.covers(place[None])[0]:
            return False
        about = place.tobytes() + b"".join(self.drawing.lines[c].tobytes() for c in lines)
        if about in self.hopeless:
            return False
        for changes in ways:
            done = self._good(changes)
            if done is not None:
                self.drawing = done
                self.tree = shapely.STRtree([LineString(x) for x in done.lines])
                return True
        self.hopeless.add(about)
        return False

    def _good(self, changes: dict[int, Change]) -> Drawing | None:
        """Drawing with some changes, where that has fewer faults and holds all else."""
        if self._faults(changes, changes) >= self._faults(changes, {}):
            return None
        if not all(_serves(self.case, changes[c].xy, t) for c in changes for t in self.bound[c]):
            return None
        if self._touches(changes):
            return None
        lines, straight = list(self.drawing.lines), list(self.drawing.straight)
        for c, change in changes.items():
            lines[c], straight[c] = change.xy, change.straight
        done = replace(self.drawing, lines=lines, straight=straight)
        return done if self.heights is None or self.heights(done, sorted(changes)) else None

    def _faults(self, about: dict[int, Change], changes: dict[int, Change]) -> int:
        """Tight bends and turns of some lines and of what they meet."""
        chains = sorted({self.chain_of[c] for c in about})
        joints = sorted({j for c in about for j in (c, self.drawing.ups[c]) if j >= 0})
        bends = sum(
            len(tight_bends([self._whole(self.chains[k], changes)], self.sizes[self.chains[k][0]])) for k in chains
        )
        return bends + sum(len(self._turns(j, self.follows[j], changes)) for j in joints)

    def _turns(self, a: int, after: Sequence[int], changes: dict[int, Change]) -> Floats:
        """Tight turns from the end of a line into some that follow it."""
        if not after:
            return np.zeros((0, 2))
        lines = [changes[c].straight if c in changes else self.drawing.straight[c] for c in (a, *after)]
        return tight_turns(self.case, lines, [-1] + [0] * len(after))

    def _touches(self, changes: dict[int, Change]) -> bool:
        """Whether changed lines meet others, or themselves, elsewhere than where one continues the other."""
        shapes = [LineString(change.xy) for change in changes.values()]
        own = sorted({*changes, *self.tree.query(shapes, "dwithin", self.case.rules.width_m)[1].tolist()})
        number = {c: k for k, c in enumerate(own)}
        ups = [number.get(u, -2 - u) for u in (self.drawing.ups[c] for c in own)]
        lines = [changes[c].xy if c in changes else self.drawing.lines[c] for c in own]
        before = [self.drawing.lines[c] for c in own]
        if set(touching(lines, ups)) - set(touching(before, ups)):
            return True
        # nor do they come nearer than a road's width to lines that they do not meet
        for c, shape in zip(changes, shapes, strict=True):
            mine = {c, self.drawing.ups[c], *self.follows[c]}
            mine |= set(self.follows[self.drawing.ups[c]]) if self.drawing.ups[c] >= 0 else set()
            was = LineString(self.drawing.lines[c])
            for other in own:
                if other not in mine and other not in changes:
                    beside = LineString(self.drawing.lines[other])
                    if shape.distance(beside) < min(self.case.rules.width_m, was.distance(beside)) - 1e-6:
                        return True
        return False

    def _bend(self, c: int, k: int) -> Iterator[dict[int, Change]]:
        """Changes of a line about one of its vertices."""
        line = self.drawing.lines[c]
        run = _run(line)
        lengths = [a * max(self.sizes[c] / USUAL_M, 1.0) for a in AROUND_M]
        starts = [(n, cut) for n, a in enumerate(lengths) for cut in self._starts(c, float(run[k]) - a)]
        ends = [(n, cut) for n, a in enumerate(lengths) for cut in self._ends(c, float(run[k]) + a)]
        pairs = sorted(
            ((end.run - start.run, i, j) for i, (_, start) in enumerate(starts) for j, (_, end) in enumerate(ends)),
        )
        for searching in (False, True):
            for _, i, j in pairs:
                if not searching or starts[i][0] == ends[j][0]:
                    change = self._changed(c, starts[i][1], ends[j][1], searching=searching)
                    if change is not None:
                        yield {c: change}

    def _turn(self, a: int, b: int) -> Iterator[dict[int, Change]]:
        """Changes of two lines about the junction where one leaves the other: of either, or of both."""
        first, second = self.drawing.lines[a], self.drawing.lines[b]
        total = float(_run(first)[-1])
        out, into = _heading(first[-2], first[-1]), _heading(second[0], second[1])
        off = _turned(out, into)
        lengths = [x * max(self.sizes[b] / USUAL_M, 1.0) for x in AROUND_M]
        for share in (0.0, 1.0, 0.5, 0.25, 0.75):
            here = np.array([*second[0], out + share * off])
            for length in lengths:
                heads = [self._changed(a, cut, Cut(total, here)) for cut in self._starts(a, total - length)[:1]]
                tails = [self._changed(b, Cut(0.0, here), cut) for cut in self._ends(b, length)[:1]]
                for head in heads if share else [None]:
                    for tail in tails if share < 1 else [None]:
                        if (head is None) == (not share) and (tail is None) == (share == 1):
                            yield {c: x for c, x in ((a, head), (b, tail)) if x is not None}

    def _starts(self, c: int, run: float) -> list[Cut]:
        """Where a stretch may begin; at the line's own start also in the direction of the line that it continues."""
        line = self.drawing.lines[c]
        cut = _cut(line, run)
        up = self.drawing.ups[c]
        if cut is None or cut.run > 0 or up < 0:
            return [] if cut is None else [cut]
        return _various([cut.pose[2], _heading(*self.drawing.lines[up][-2:])], cut)

    def _ends(self, c: int, run: float) -> list[Cut]:
        """Where a stretch may end; at the line's own end also in the direction of a line that goes on from it."""
        line = self.drawing.lines[c]
        cut = _cut(line, run)
        if cut is None or cut.run < _run(line)[-1]:
            return [] if cut is None else [cut]
        return _various([cut.pose[2], *(_heading(*self.drawing.lines[k][:2]) for k in self.follows[c])], cut)

    def _changed(self, c: int, start: Cut, end: Cut, *, searching: bool = True) -> Change | None:
        """Line with a drivable curve between two of its places."""
        stretch = end.run - start.run
        if stretch <= APART_M:
            return None
        more = {} if searching else {"most": 0}
        curve = drivable(
            self.case.lattice, start.pose, end.pose, size=self.sizes[c], longest=LONGER * stretch + LONGER_M,
            max_grade=self.case.rules.max_grade, **more,
        )  # fmt: skip
        if curve is None:
            return None
        return Change(
            _spliced(self.drawing.lines[c], start.run, end.run, curve.xy),
            _straightened(self.drawing.lines[c], self.drawing.straight[c], start.run, end.run, curve),
        )


def _run(line: Floats) -> Floats:
    """Distance of each vertex from the start."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def _heading(a: Floats, b: Floats) -> float:
    return float(np.arctan2(b[1] - a[1], b[0] - a[0]))


def _turned(a: float, b: float) -> float:
    """By how much one direction is turned from another, counterclockwise."""
    return float(np.arctan2(np.sin(b - a), np.cos(b - a)))


def _various(headings: Sequence[float], cut: Cut) -> list[Cut]:
    """Cuts at one place in directions that differ."""
    out: list[float] = []
    for h in headings:
        if all(abs(_turned(h, other)) > SAME for other in out):
            out.append(h)
    return [Cut(cut.run, np.array([*cut.pose[:2], h])) for h in out]


def _cut(line: Floats, run: float) -> Cut | None:
    """Place to cut a line, near a distance along it: inside a leg, or at a vertex where it hardly turns."""
    runs = _run(line)
    if run <= APART_M:
        return Cut(0.0, np.array([*line[0], _heading(line[0], line[1])]))
    if run >= runs[-1] - APART_M:
        return Cut(float(runs[-1]), np.array([*line[-1], _heading(line[-2], line[-1])]))
    k = int(np.searchsorted(runs, run)) - 1
    way = _heading(line[k], line[k + 1])
    if min(run - runs[k], runs[k + 1] - run) >= APART_M:
        x, y = line[k] + (line[k + 1] - line[k]) * (run - runs[k]) / (runs[k + 1] - runs[k])
        return Cut(run, np.array([x, y, way]))
    for v in sorted((k, k + 1), key=lambda v: abs(runs[v] - run)):
        if not 0 < v < len(line) - 1:
            continue
        before, after = _heading(line[v - 1], line[v]), _heading(line[v], line[v + 1])
        if abs(_turned(before, after)) <= TANGENT:
            return Cut(float(runs[v]), np.array([*line[v], before + _turned(before, after) / 2]))
    middle = (runs[k] + runs[k + 1]) / 2
    return Cut(float(middle), np.array([*(line[k] + line[k + 1]) / 2, way]))


def _spliced(line: Floats, start: float, end: float, new: Floats) -> Floats:
    """Line with what is between two distances along it replaced."""
    runs = _run(line)
    out = np.vstack([line[runs < start - 1e-9], new, line[runs > end + 1e-9]])
    out[0], out[-1] = line[0], line[-1]
    return np.ascontiguousarray(out)


def _straightened(line: Floats, straight: Floats, start: float, end: float, curve: Curve) -> Floats:
    """Line before rounding, with the corners of a curve between two distances along the rounded one."""
    shape = LineString(line)
    at = shapely.line_locate_point(shape, shapely.points(straight))
    at[0], at[-1] = 0.0, shape.length
    out = np.vstack([straight[at < start - 1e-6], curve.corners, straight[at > end + 1e-6]])
    keep = [0]
    for k in range(1, len(out) - 1):
        back, on = out[k] - out[keep[-1]], out[k + 1] - out[k]
        bent = abs(_turned(float(np.arctan2(back[1], back[0])), float(np.arctan2(on[1], on[0]))))
        if np.hypot(*back) > 0.01 and np.hypot(*on) > 0.01 and bent > 1e-3:
            keep.append(k)
    return np.ascontiguousarray(out[[*keep, len(out) - 1]])
