"""Repair of tight places: replace stretches of road by drivable curves where that reduces faults.

::

           |  <- the line goes on              of a line that bends too tight the stretch from some way before to some
      . - -+                                   way after is drawn anew, between the poses that it has there; at a junction
    ./   __|  too tight                        it may leave in the direction of the line that it continues
    +___/ .
    |   - -
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

from pacifico.layout.alignment.drivable_curves import ANY, MOST, NO_SHAPES, drivable
from pacifico.layout.alignment.horizontal import served_by, serves, touching
from pacifico.layout.alignment.polyline_splice import (
    Change,
    Cut,
    cut_at,
    differing,
    heading,
    places_on,
    returns,
    run_of,
    spliced,
    straightened,
    turned,
    various,
)
from pacifico.layout.alignment.smoothing import NOTHING, tight_bends, tight_turns
from pacifico.layout.routing.problem import served_downstream, terminals_by_line
from pacifico.layout.routing.routing_grid import Shapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.alignment.height_ranges import HeightRanges
    from pacifico.layout.alignment.smoothing import FrozenAreas
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem


AROUND_M = (20.0, 40.0, 70.0, 110.0)
"""Lengths of line replaced on each side of a tight place, for a radius up to `USUAL_M`; longer in proportion [m]."""
USUAL_M = 15.0
LONGER, LONGER_M = 3.0, 60.0
"""Largest length of a curve: times the replaced length [-], plus a length [m]."""
PASSES = (0, MOST, MOST)
"""Poses that searches may expand in each pass; the first pass tries Dubins curves only."""
SEARCHES = 30
"""Searches per alignment: a bound on run time."""
SEARCHED = (1, 3, 2)
"""Order in which the lengths are searched: without a curve for the longest, the others are skipped."""
SHARES = 3
"""Ways to share a turn that are searched."""
LOCAL = 4.0
"""Distance from a change beyond which faults stay the same [radii]."""
NEAR_M = 150.0
"""A failed place is retried only after a change of the line within this distance [m], or of its radius."""
MOST_TIGHT = 4
"""Tight bends per served terminal beyond which a line is not repaired."""
MOST_AGAIN = 4
"""Repairs along a line per initial tight bend: a new curve may bend elsewhere."""
MOST_LOST = 2
"""Most terminals that a curve passes where it would not serve them by itself."""
TURNED = (0.0, 1.0, 0.5, 0.25, 0.75)
"""Shares of a junction turn taken by the incoming line, in the order of trial; the other line takes the rest."""


def repair_curves(
    problem: RoutingProblem,
    alignment: HorizontalAlignment,
    *,
    keep: FrozenAreas = NOTHING,
    leeway: HeightRanges | None = None,
) -> HorizontalAlignment:
    """Alignment with drivable curves where lines bend, or turn at junctions, tighter than their radius.

    Parameters
    ----------
    problem : Case
        Free ground, terminals and rules.
    alignment : Drawing
        Lines as drawn; it is not changed.
    keep : Keep
        Places about which nothing is changed.
    leeway : Leeway, optional
        Heights that the drawing may have: then only what has a profile is changed.

    Returns
    -------
    Drawing
        With fewer tight bends and turns, or the very one given. Lines without a change are the same arrays; all serve
        what they served, and meet where they met.
    """
    work = _Work(problem, alignment, problem.sizes_of(alignment).tolist(), keep, leeway)
    for most in PASSES:
        if not work.once(most) and most:
            break
    return work.alignment


@dataclass
class _Work:
    """An alignment under repair."""

    problem: RoutingProblem
    alignment: HorizontalAlignment
    sizes: list[float]
    keep: FrozenAreas
    leeway: HeightRanges | None
    follows: list[list[int]] = field(init=False)
    bound: list[list[int]] = field(init=False)
    chains: list[list[int]] = field(init=False)
    """Lines that continue each other: where they meet they bend and do not branch."""
    chain_of: list[int] = field(init=False)
    tree: shapely.STRtree = field(init=False)
    most: int = 0
    """Poses that a search may expand."""
    searches: int = SEARCHES
    """Remaining searches."""
    lost: list[int] = field(default_factory=list)
    """Terminals that the last checked change would not serve, if nothing else speaks against it."""
    changed: set[int] = field(default_factory=set)
    corners: dict[int, FloatArray] = field(default_factory=dict)
    """Distance along lines of their original corners [m]."""

    def __post_init__(self) -> None:
        n = len(self.alignment.lines)
        self.follows, self.bound = [[] for _ in range(n)], terminals_by_line(n, self.alignment.line_of)
        for c, up in enumerate(self.alignment.ups):
            if up >= 0:
                self.follows[up].append(c)
        self.chains, self.chain_of = [], [0] * n
        for c, up in enumerate(self.alignment.ups):
            if up >= 0 and len(self.follows[up]) == 1 and self.sizes[c] == self.sizes[up]:
                self.chain_of[c] = self.chain_of[up]
                self.chains[self.chain_of[c]].append(c)
            else:
                self.chain_of[c] = len(self.chains)
                self.chains.append([c])
        self.tree = _tree(self.alignment.lines)

    def once(self, most: int) -> bool:
        """Try all tight places once; returns whether any was repaired."""
        self.most = most
        some = False
        tight = tight_bends([self._whole(chain, {}) for chain in self.chains], self._sizes(range(len(self.chains))))[1]
        beyond = served_downstream(self.alignment)
        for k, count in zip(*(a.tolist() for a in np.unique(tight, return_counts=True)), strict=True):
            chain = self.chains[k]
            if count > MOST_TIGHT * max(beyond[chain[0]], 1):
                continue  # a large effort for a small gain
            tried: set[bytes] = set()
            places = self._bends(k)
            left = MOST_AGAIN * count
            while places and left:
                left -= 1
                place = places.pop(0)
                tried.add(place.tobytes())
                if self._at(chain, place):
                    some = True
                    places = [p for p in self._bends(k) if p.tobytes() not in tried]
        now = self.alignment
        for b in tight_turns(self.problem, now.straight, now.ups, np.array(self.sizes))[1].tolist():
            a = now.ups[b]
            if len(self._turns(a, [b], {})):
                some |= self._try(self._turn(a, b), self.alignment.lines[a][-1], (a, b))
        return some

    def _bends(self, k: int) -> list[FloatArray]:
        return list(tight_bends([self._whole(self.chains[k], {})], self._sizes([k]))[0])

    def _sizes(self, chains: Iterable[int]) -> FloatArray:
        """Radius of some chains [m]."""
        return np.array([self.sizes[self.chains[k][0]] for k in chains])

    def _whole(self, chain: Sequence[int], changes: dict[int, Change]) -> FloatArray:
        parts = [changes[c].xy if c in changes else self.alignment.lines[c] for c in chain]
        return np.vstack([parts[0], *(p[1:] for p in parts[1:])])

    def _at(self, chain: Sequence[int], place: FloatArray) -> bool:
        """Repair one bend."""
        for k, c in enumerate(chain):
            at = np.flatnonzero((self.alignment.lines[c] == place).all(axis=1))
            if at.size and 0 < at[0] < len(self.alignment.lines[c]) - 1:
                return self._try(self._bend(c, int(at[0])), place, (c,))
            if at.size and at[0] > 0 and k + 1 < len(chain):
                return self._try(self._turn(c, chain[k + 1]), place, (c, chain[k + 1]))
        return False

    def _try(self, ways: Iterator[dict[int, Change]], place: FloatArray, lines: Sequence[int]) -> bool:
        """Apply the first acceptable change."""
        stale = self.leeway is not None and self.leeway.once and not self.changed.isdisjoint(lines)
        if stale or self.keep.covers(place[None])[0]:
            return False
        near = [x[np.hypot(*(x - place).T) < NEAR_M] for x in (self.alignment.lines[c] for c in lines)]
        sizes = np.array([self.sizes[c] for c in lines])
        about = bytes([self.most > 0]) + b"".join(x.tobytes() for x in (place, sizes, *near))
        if about in self.problem.hopeless or (self.most and self.searches <= 0):
            return False
        for changes in ways:
            done = self._good(changes)
            if done is not None:
                self._take(done, changes)
                return True
        self.problem.hopeless.add(about)
        return False

    def _take(self, done: HorizontalAlignment, changes: dict[int, Change]) -> None:
        self.alignment = done
        self.tree = _tree(done.lines)
        for c in changes:
            self.changed.add(c)
            self.corners.pop(c, None)
            for t in [t for t in self.bound[c] if done.line_of[t] != c]:
                self.bound[c].remove(t)
                self.bound[done.line_of[t]].append(t)

    def _good(self, changes: dict[int, Change]) -> HorizontalAlignment | None:
        """Alignment with some changes, or None where it has no fewer faults or breaks a limit."""
        self.lost = []
        if not self._fewer(changes):
            return None
        lines, straight = list(self.alignment.lines), list(self.alignment.straight)
        for c, change in changes.items():
            lines[c], straight[c] = change.xy, change.straight
        line_of = dict(self.alignment.line_of)
        afresh = self.leeway is None or not self.leeway.once
        for t in [t for c in changes for t in self.bound[c]]:
            if not serves(self.problem, lines[line_of[t]], t):
                line_of[t] = served_by(self.problem, t, lines, self.sizes, self.tree, pads=afresh)
                self.lost += [t] if line_of[t] < 0 else []
        if self.lost or self._touches(changes) or any(returns(x, self.sizes[c]) for c, x in changes.items()):
            return None
        done = replace(self.alignment, lines=lines, straight=straight, line_of=line_of)
        return done if self.leeway is None or self.leeway.holds(done) else None

    def _fewer(self, changes: dict[int, Change]) -> bool:
        """Whether changes reduce the tight bends and turns near them."""
        more = 0
        for k in sorted({self.chain_of[c] for c in changes}):
            size = self._sizes([k])
            old, new = differing(self._whole(self.chains[k], {}), self._whole(self.chains[k], changes), LOCAL * size[0])
            more += len(tight_bends([new], size)[1]) - len(tight_bends([old], size)[1])
        for j in sorted({j for c in changes for j in (c, self.alignment.ups[c]) if j >= 0}):
            more += len(self._turns(j, self.follows[j], changes)) - len(self._turns(j, self.follows[j], {}))
        return more < 0

    def _turns(self, a: int, after: Sequence[int], changes: dict[int, Change]) -> FloatArray:
        """Tight turns from the end of a line into the lines that follow."""
        if not after:
            return np.zeros((0, 2))
        lines = [changes[c].straight if c in changes else self.alignment.straight[c] for c in (a, *after)]
        return tight_turns(
            self.problem, lines, [-1] + [0] * len(after), np.array([self.sizes[c] for c in (a, *after)])
        )[0]  # fmt: skip

    def _touches(self, changes: dict[int, Change]) -> bool:
        """Whether changed lines touch others, or themselves, apart from their joints."""
        shapes = [LineString(change.xy) for change in changes.values()]
        own = sorted({*changes, *self.tree.query(shapes, "dwithin", self.problem.criteria.width_m)[1].tolist()})
        number = {c: k for k, c in enumerate(own)}
        ups = [number.get(u, -2 - u) for u in (self.alignment.ups[c] for c in own)]
        lines = [changes[c].xy if c in changes else self.alignment.lines[c] for c in own]
        before = [self.alignment.lines[c] for c in own]
        if set(touching(lines, ups)) - set(touching(before, ups)):
            return True
        # keep a road's width from lines that they do not meet
        for c, shape in zip(changes, shapes, strict=True):
            mine = {c, self.alignment.ups[c], *self.follows[c]}
            mine |= set(self.follows[self.alignment.ups[c]]) if self.alignment.ups[c] >= 0 else set()
            was = LineString(self.alignment.lines[c])
            for other in own:
                if other not in mine and other not in changes:
                    beside = LineString(self.alignment.lines[other])
                    if shape.distance(beside) < min(self.problem.criteria.width_m, was.distance(beside)) - 1e-6:
                        return True
        return False

    def _bend(self, c: int, k: int) -> Iterator[dict[int, Change]]:
        """Candidate changes of a line at one of its vertices."""
        run = float(run_of(self.alignment.lines[c])[k])
        lengths = [a * max(self.sizes[c] / USUAL_M, 1.0) for a in AROUND_M]
        starts = [(n, cut) for n, a in enumerate(lengths) for cut in self._starts(c, run - a)]
        ends = [(n, cut) for n, a in enumerate(lengths) for cut in self._ends(c, run + a)]
        if not self.most:
            pairs = {(*s.key, *e.key): (s, e) for _, s in starts for _, e in ends}
            for start, end in sorted(pairs.values(), key=lambda p: p[1].run - p[0].run):
                change = self._changed(c, start, end)
                if change is not None:
                    yield {c: change}
            return
        some = True
        seen: set[tuple[float, ...]] = set()
        for n in SEARCHED:
            if not some:
                return
            some = n != SEARCHED[1]
            for start, end in [(s, e) for m, s in starts for k, e in ends if m == n == k]:
                if (key := (*start.key, *end.key)) in seen:
                    continue
                seen.add(key)
                change = self._changed(c, start, end)
                if change is None:
                    continue
                some = True
                yield {c: change}
                if 0 < len(self.lost) <= MOST_LOST:
                    change = self._changed(c, start, end, by=self.lost)
                    if change is not None:
                        yield {c: change}

    def _turn(self, a: int, b: int) -> Iterator[dict[int, Change]]:
        """Candidate changes at a junction: of either line, or of both."""
        first, second = self.alignment.lines[a], self.alignment.lines[b]
        total = float(run_of(first)[-1])
        out = heading(first[-2], first[-1])
        off = turned(out, heading(second[0], second[1]))
        lengths = [x * max(self.sizes[b] / USUAL_M, 1.0) for x in AROUND_M]
        for share in TURNED[:SHARES] if self.most else TURNED:
            here = np.array([*second[0], out + share * off])
            for length in [lengths[n] for n in SEARCHED[:2]] if self.most else lengths:
                changes: dict[int, Change | None] = {}
                if share > 0:
                    changes[a] = self._changed(a, self._starts(a, total - length)[0], Cut(total, here))
                if share < 1 and changes.get(a, b) is not None:
                    changes[b] = self._changed(b, Cut(0.0, here), self._ends(b, length)[0])
                found = {c: x for c, x in changes.items() if x is not None}
                if len(found) == (share > 0) + (share < 1):
                    yield found

    def _starts(self, c: int, run: float) -> list[Cut]:
        """Possible starts of a stretch; at the line's start also in the direction of the previous line."""
        here, up = cut_at(self.alignment.lines[c], run), self.alignment.ups[c]
        if here.run > 0 or up < 0:
            return [here]
        return various([here.pose[2], heading(*self.alignment.lines[up][-2:])], here)

    def _ends(self, c: int, run: float) -> list[Cut]:
        """Possible ends of a stretch; at the line's end also in the direction of a following line."""
        line = self.alignment.lines[c]
        here = cut_at(line, run)
        if here.run < run_of(line)[-1]:
            return [here]
        return various([here.pose[2], *(heading(*self.alignment.lines[k][:2]) for k in self.follows[c])], here)

    def _changed(self, c: int, start: Cut, end: Cut, *, by: Sequence[int] = ()) -> Change | None:
        """Line with a drivable curve between two of its places, past some terminals."""
        stretch = end.run - start.run
        if stretch <= 0:
            return None
        self.searches -= self.most > 0
        s = self.problem.shapes
        rings = [s.coords[s.start[t] : s.start[t + 1]] for t in by]
        shapes = Shapes(np.concatenate(rings), np.cumsum([0, *map(len, rings)])) if rings else NO_SHAPES
        curve = drivable(
            self.problem.road_grid, start.pose, end.pose, size=self.sizes[c], longest=LONGER * stretch + LONGER_M,
            max_grade=self.problem.criteria.max_grade, most=self.most, shapes=shapes, reach_m=self.problem.reach_m[list(by)],
            levels=self.leeway.between(c, start.run, end.run) if self.leeway else ANY,
        )  # fmt: skip
        if curve is None:
            return None
        line, straight = self.alignment.lines[c], self.alignment.straight[c]
        if c not in self.corners:
            self.corners[c] = places_on(line, straight)
        before = int((run_of(line) < start.run - 1e-9).sum())
        return Change(
            spliced(line, start.run, end.run, curve.xy),
            straightened(straight, self.corners[c], start.run, end.run, curve),
            slice(before, before + len(curve.xy)),
        )


def _tree(lines: Sequence[FloatArray]) -> shapely.STRtree:
    """Spatial index of lines."""
    of_line = np.repeat(np.arange(len(lines)), [len(x) for x in lines])
    return shapely.STRtree(shapely.linestrings(np.concatenate(lines), indices=of_line))
