"""Compare two report folders: parameters, metrics and geometry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from pacifico import legend
from pacifico.crs import reproject
from pacifico.errors import InputError
from pacifico.layout.files.stored import StoredLayout
from pacifico.report.tables import Table
from pacifico.run import manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

SAME_M = 0.05
"""Hausdorff distance up to which two features are the same [m]."""


_ASKED = ("profile", "strategy", "target_capacity_kw", "dem")
"""What a layout says about its request."""


@dataclass(frozen=True)
class Change:
    """One value in both reports."""

    name: str
    a: Any
    """Value in report A; None if it has none."""
    b: Any
    """Value in report B."""


@dataclass(frozen=True)
class Overlap:
    """Features of one kind in both layouts, and how far they coincide."""

    name: str
    a_count: int
    """Features in report A."""
    b_count: int
    """Features in report B."""
    same: int
    """Features of A that B holds unmoved."""
    shared: float
    """Common area over the area of both together, lines as strips of 1 m [0-1]."""


@dataclass(frozen=True)
class Comparison:
    """Two reports compared: text by `str()`, tables in a notebook."""

    a: str
    b: str
    parameters: tuple[Change, ...]
    """Parameters and inputs that differ, inputs by their hash."""
    metrics: tuple[Change, ...]
    """All metrics of either report, equal ones too."""
    geometry: tuple[Overlap, ...]

    @property
    def identical(self) -> bool:
        """Whether request, metrics and geometry are the same."""
        alike = all(o.a_count == o.b_count == o.same for o in self.geometry)
        return alike and not self.parameters and not self.changed

    @property
    def changed(self) -> tuple[Change, ...]:
        """Metrics that differ."""
        return tuple(c for c in self.metrics if c.a != c.b)

    def tables(self) -> dict[str, Table]:
        """Tables of parameters, of metrics that differ, and of geometry."""
        asked = tuple((c.name, _shown(c.a), _shown(c.b)) for c in self.parameters)
        figures = tuple((c.name, _shown(c.a), _shown(c.b), _delta(c.a, c.b)) for c in self.changed)
        places = tuple((o.name, str(o.a_count), str(o.b_count), str(o.same), f"{o.shared:.1%}") for o in self.geometry)
        return {
            "asked": Table(
                ("Asked and given", "A", "B"), asked, words=3, empty="The same was asked of the same inputs."
            ),
            "figures": Table(("Figure", "A", "B", "B - A"), figures, empty="All figures are the same."),
            "geometry": Table(("In place", "A", "B", "unmoved", "shared ground"), places, empty="No geometry."),
        }

    def __str__(self) -> str:
        lines = [f"A: {self.a}", f"B: {self.b}"]
        if self.identical:
            return "\n".join([*lines, "identical: same request, same figures, same geometry"])
        return "\n\n".join(["\n".join(lines), *(str(table) for table in self.tables().values())])


def compare(a: str | Path, b: str | Path) -> Comparison:
    """Compare two report folders.

    Parameters
    ----------
    a, b : str or Path
        Report folders.

    Raises
    ------
    InputError
        One is no report, or its run failed before it had a layout.
    """
    first, second = (_Report.read(Path(p)) for p in (a, b))
    return Comparison(
        str(a),
        str(b),
        tuple(_changes(first.asked, second.asked)),
        tuple(_metrics(first.layout.metrics, second.layout.metrics)),
        tuple(_overlaps(first.layout, second.layout)),
    )


def compare_layouts(a: StoredLayout, b: StoredLayout) -> Comparison:
    """Compare two layouts without their reports: metrics and geometry."""
    asked = [{k: layout.about[k] for k in _ASKED} for layout in (a, b)]
    return Comparison("A", "B", tuple(_changes(*asked)), tuple(_metrics(a.metrics, b.metrics)), tuple(_overlaps(a, b)))


@dataclass(frozen=True)
class _Report:
    """Request and layout of a report folder."""

    asked: Mapping[str, Any]
    layout: StoredLayout

    @classmethod
    def read(cls, folder: Path) -> _Report:
        """Read a report folder."""
        record = manifest.read(folder)
        path = folder / "layout.geojson"
        if not path.is_file():
            reason = record["outcome"].get("error_message") or "it has no layout.geojson"
            raise InputError(f"{folder} holds no layout to compare: {reason}")
        inputs = {name: entry["sha256"][:12] for name, entry in record["inputs"].items()}
        asked = {k: v for k, v in record["request"]["parameters"].items() if k not in inputs}
        asked |= {f"{name} (sha256)": digest for name, digest in inputs.items()}
        asked |= {"notebook": record["notebook"]["name"], "notebook (sha256)": record["notebook"]["sha256"][:12]}
        asked |= {"pacifico": record["environment"]["pacifico"], "git commit": record["environment"]["git_commit"]}
        return cls(asked, StoredLayout.read(path))


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    """Entries that differ."""
    for name in [*a, *(k for k in b if k not in a)]:
        if a.get(name) != b.get(name):
            yield Change(name, a.get(name), b.get(name))


def _metrics(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    """All metrics of either, those in a mapping one by one."""
    for name in [*a, *(k for k in b if k not in a)]:
        x, y = a.get(name), b.get(name)
        if isinstance(x, dict) or isinstance(y, dict):
            for part in sorted({*(x or {}), *(y or {})}):
                yield Change(f"{name}: {part}", (x or {}).get(part, 0), (y or {}).get(part, 0))
        else:
            yield Change(name, x, y)


def _overlaps(a: StoredLayout, b: StoredLayout) -> Iterator[Overlap]:
    """Overlap of each kind of feature and of each asset type."""
    for kind in ("boundary", "buildable", "exclusion", "pad", "road", "cable"):
        yield from _overlap(kind, _of(a, b, kind), [s.geometry for s in b.of_kind(kind)])
    types = [s["asset_type"] for layout in (a, b) for s in layout.of_kind("asset")]
    for asset_type in [*legend.ASSETS, *sorted(set(types) - set(legend.ASSETS))]:
        name = legend.ASSETS.get(asset_type, (asset_type, ""))[0]
        theirs = [s.geometry for s in b.of_kind("asset") if s["asset_type"] == asset_type]
        yield from _overlap(name, _of(a, b, "asset", asset_type), theirs)


def _of(a: StoredLayout, b: StoredLayout, kind: str, asset_type: str | None = None) -> list[BaseGeometry]:
    """Geometry of features of A in the CRS of B.

    Parameters
    ----------
    a, b : StoredLayout
        Layouts.
    kind : str
        Kind of feature.
    asset_type : str, optional
        Asset type; None for all.
    """
    found = [s.geometry for s in a.of_kind(kind) if asset_type is None or s["asset_type"] == asset_type]
    return [reproject(g, a.crs, b.crs) for g in found]


def _overlap(name: str, a: list[BaseGeometry], b: list[BaseGeometry]) -> Iterator[Overlap]:
    """Overlap of two sets of features; nothing if both are empty."""
    if not a and not b:
        return
    tree = shapely.STRtree(b)
    same = 0
    for geometry in a:
        near: list[int] = tree.query(geometry, predicate="dwithin", distance=SAME_M).tolist() if b else []
        same += any(_unmoved(geometry, b[k]) for k in near)
    here, there = _ground(a), _ground(b)
    common, together = here.intersection(there).area, here.union(there).area
    yield Overlap(name, len(a), len(b), same, float(common / together) if together > 0 else 1.0)


def _ground(geometries: list[BaseGeometry]) -> BaseGeometry:
    """Ground that features cover, lines as strips of 1 m."""
    return shapely.union_all([g if g.area > 0 else g.buffer(0.5) for g in geometries])


def _unmoved(a: BaseGeometry, b: BaseGeometry) -> bool:
    """Whether two features are the same within `SAME_M`."""
    return float(shapely.hausdorff_distance(a, b)) <= SAME_M


def _shown(value: Any) -> str:
    """Value as a cell."""
    if value is None:
        return "–"
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:,.6g}" if abs(value) < 1e4 else f"{value:,.1f}"
    return value if isinstance(value, str) else json.dumps(value)


def _delta(a: Any, b: Any) -> str:
    """Difference of two numbers, absolute and in percent; empty for anything else."""
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b)):
        return ""
    percent = f" ({100 * (b - a) / abs(a):+.1f} %)" if a else ""
    return f"{b - a:+,.6g}{percent}"
