"""The layout of a site: a plan."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from dataclasses import fields as dataclass_fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pacifico.crs import geojson_geometries
from pacifico.frozen import frozen, thawed
from pacifico.layout.criteria.spec import Spec, make_spec
from pacifico.layout.files.geojson import KINDS, text, write
from pacifico.layout.files.versions import SCHEMA_VERSION
from pacifico.layout.model.plan_findings import PlanFindings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    from pyproj import CRS
    from shapely import MultiPolygon, Point, Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.model.assets import Asset, Pad, Unplaced
    from pacifico.layout.model.cables import Cable
    from pacifico.layout.model.crossings import Crossing
    from pacifico.layout.model.earthwork import CorridorVolumes
    from pacifico.layout.model.edits import Edit
    from pacifico.layout.model.fences import Fence
    from pacifico.layout.model.racking import RackingDesign
    from pacifico.layout.model.roads import Road
    from pacifico.site.model import Site
    from pacifico.vocabulary import Profile, Strategy


def _sorted(overrides: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Overrides of rules in alphabetical order."""
    return {section: dict(sorted(thawed(overrides[section]).items())) for section in sorted(overrides)}


MAX_ENTRY_SHIFT_M = 75.0
"""Distance from a named entry up to which an entry of the roads has its name [m]."""


@dataclass(frozen=True, eq=False, repr=False)
class Plan(PlanFindings):
    """Layout of a site; geometry in the working CRS `site.crs` [m].

    Plans are equal where their layout.geojson is.
    """

    site: Site
    profile: Profile
    strategy: Strategy
    target_capacity_kw: float | None
    """Requested capacity [kW]; None: as much as the ground carries."""
    dem: Mapping[str, Any]
    """Source, SHA-256, resolution, units and nodata share of the DEM."""
    buildable: Polygon | MultiPolygon
    """Ground on which the main asset type may stand."""
    entry: Point
    """Start of the road network."""
    asset_list: tuple[Asset, ...]
    pad_list: tuple[Pad, ...]
    road_list: tuple[Road, ...]
    road_volumes: tuple[CorridorVolumes, ...]
    """Earthwork of each road, in the order of `road_list`."""
    unplaced: tuple[Unplaced, ...]
    warnings: tuple[str, ...]
    metrics: Mapping[str, Any]
    shortfall: str
    """Why capacity is missing from the target; empty where none is."""
    cable_list: tuple[Cable, ...] = ()
    spec: Spec = dataclass_field(default_factory=make_spec)
    """Catalog values and overrides that it was made with."""
    edits: tuple[Edit, ...] = ()
    """Edits since it was generated, oldest first."""
    unreached_count: int = 0
    """Assets taken out because no road reaches them."""
    cable_warnings: tuple[str, ...] = ()
    """Those of `warnings` that are about collection cables."""
    crossing_list: tuple[Crossing, ...] = ()
    """Crossings of roads and cables."""
    fence_list: tuple[Fence, ...] = ()
    """Fences around the plant, the longest first."""
    further_entries: tuple[Point, ...] = ()
    """Other places where roads meet the boundary."""
    racking: RackingDesign | None = None
    """Rows, piles and graded ground, from `pacifico.add_racking`."""

    def __post_init__(self) -> None:
        for name in ("dem", "metrics"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Plan) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __getstate__(self) -> dict[str, Any]:
        """Fields alone: what follows from them is made again when it is needed."""
        return {f.name: getattr(self, f.name) for f in dataclass_fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the fields of a frozen instance."""
        vars(self).update(state)

    def __repr__(self) -> str:
        metrics = self.metrics
        storage = f", {metrics['storage_kwh'] / 1000:,.0f} MWh" if metrics["storage_kwh"] else ""
        return (
            f"<Plan {self.site.name!r}: {self.profile}, {self.strategy}, {metrics['total_capacity_kw'] / 1000:,.1f} MW AC"
            f"{storage}, {len(self.asset_list):,} assets, {metrics['road_length_m'] / 1000:,.2f} km of road>"
        )

    @cached_property
    def _text(self) -> str:
        """Text of layout.geojson."""
        return text(self.to_geojson())

    @property
    def crs(self) -> CRS:
        """Working CRS."""
        return self.site.crs

    @property
    def assets(self) -> gpd.GeoDataFrame:
        """Table of assets with the properties of layout.geojson."""
        return self._frame("asset")

    @property
    def pads(self) -> gpd.GeoDataFrame:
        """Table of pads."""
        return self._frame("pad")

    @property
    def roads(self) -> gpd.GeoDataFrame:
        """Table of roads, with design heights in their lines."""
        return self._frame("road")

    @property
    def cables(self) -> gpd.GeoDataFrame:
        """Table of collection cables."""
        return self._frame("cable")

    @property
    def crossings(self) -> gpd.GeoDataFrame:
        """Table of crossings of roads and cables."""
        return self._frame("crossing")

    @property
    def fences(self) -> gpd.GeoDataFrame:
        """Table of fences, with the number of their gates."""
        return self._frame("fence")

    @property
    def entries(self) -> tuple[Point, ...]:
        """All entries; the first is `entry`."""
        return (self.entry, *self.further_entries)

    def to_geojson(self) -> dict[str, Any]:
        """FeatureCollection in EPSG:4326, as the package's JSON Schema describes it.

        Returns
        -------
        dict
            Content of layout.geojson: features, and the member `pacifico` with metrics and headline.

        Examples
        --------
        >>> plan.to_geojson()["pacifico"]["metrics"]["asset_count"]             # doctest: +SKIP
        126
        """
        features = []
        for kind in KINDS:
            rows, geometries = self.feature_rows(kind)
            for row, shape in zip(rows, geojson_geometries(geometries, self.crs), strict=True):
                features.append({"type": "Feature", "geometry": shape, "properties": {"kind": kind, **row}})
        about = {**self.about, "headline": [answer.to_json() for answer in self.headline]}
        return {"type": "FeatureCollection", "pacifico": about, "features": features}

    @property
    def about(self) -> dict[str, Any]:
        """Member `pacifico` of layout.geojson, without the headline."""
        return {
            "schema_version": SCHEMA_VERSION,
            "crs": ":".join(self.crs.to_authority() or (self.crs.name,)),
            "profile": self.profile,
            "strategy": self.strategy,
            "target_capacity_kw": self.target_capacity_kw,
            "dem": thawed(self.dem),
            "metrics": thawed(self.metrics),
            "warnings": list(self.warnings),
            "unplaced": [{"asset_type": u.kind, "count": u.count, "reason": u.reason} for u in self.unplaced],
            **({"spec": _sorted(self.spec.overrides)} if self.spec.overrides else {}),
            **({"edits": [e.properties(self.crs) for e in self.edits]} if self.edits else {}),
        }

    def feature_rows(self, kind: str) -> tuple[list[dict[str, Any]], Sequence[BaseGeometry]]:
        """Properties and geometries of one kind of feature, in the working CRS.

        Parameters
        ----------
        kind : str
            One of `pacifico.layout.files.geojson.KINDS`.

        Returns
        -------
        rows : list of dict
            Properties of each feature, as in layout.geojson.
        geometries : sequence of geometry
            Their geometries [m].

        Examples
        --------
        >>> rows, lines = plan.feature_rows("road")                             # doctest: +SKIP
        """
        site = self.site
        if kind == "boundary":
            return [{"name": site.name}], [site.boundary]
        if kind == "buildable":
            return ([{}], [self.buildable]) if not self.buildable.is_empty else ([], [])
        if kind == "exclusion":
            zones: list[dict[str, Any]] = [
                {
                    "name": z.name,
                    "zone_type": z.zone_type,
                    "buffer_m": z.buffer_m,
                    "cost_multiplier": z.cost_multiplier,
                    **({} if z.crossable is None else {"crossable": z.crossable}),
                    **({"drivable": True} if z.drivable else {}),
                    **({"existing": True} if z.existing else {}),
                }
                for z in site.exclusions
            ]
            return zones, [z.geometry for z in site.exclusions]
        if kind == "entry":
            return [{"name": name} for name in self._entry_names()], self.entries
        if kind == "asset":
            return [a.properties() for a in self.asset_list], [a.footprint for a in self.asset_list]
        if kind == "pad":
            return [p.properties() for p in self.pad_list], [p.plane.polygon for p in self.pad_list]
        if kind == "cable":
            return [c.properties() for c in self.cable_list], [c.line for c in self.cable_list]
        if kind == "crossing":
            return [c.properties() for c in self.crossing_list], [c.line for c in self.crossing_list]
        if kind == "fence":
            return [f.properties() for f in self.fence_list], [f.line for f in self.fence_list]
        roads = [r.properties(v) for r, v in zip(self.road_list, self.road_volumes, strict=True)]
        return roads, [r.line for r in self.road_list]

    def write(self, path: str | Path) -> Path:
        """Write layout.geojson; equal plans give equal bytes.

        Parameters
        ----------
        path : str or Path
            File to write; an existing one is replaced as a whole.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OSError
            The file can't be written.

        Examples
        --------
        >>> plan.write("layout.geojson")                                        # doctest: +SKIP
        """
        return write(self.to_geojson(), path)

    def _entry_names(self) -> list[str]:
        """Name of each entry."""
        named = self.site.entries
        names = [next((a.name for a in named), "entry")]
        for number, point in enumerate(self.further_entries, 2):
            near = min(named, key=lambda a: point.distance(a.point), default=None)
            names.append(near.name if near and point.distance(near.point) <= MAX_ENTRY_SHIFT_M else f"entry {number}")
        return names

    def _frame(self, kind: str) -> gpd.GeoDataFrame:
        """Features of one kind as a GeoDataFrame."""
        import geopandas as gpd  # noqa: PLC0415 (1 s)

        rows, geometries = self.feature_rows(kind)
        return gpd.GeoDataFrame(rows, geometry=list(geometries), crs=self.crs)
