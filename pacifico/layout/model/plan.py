"""Record of a layout."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from pacifico.crs import geojson_geometries
from pacifico.layout.criteria.spec import Profile, Spec, Strategy, make_spec
from pacifico.layout.files.geojson import KINDS, SCHEMA_VERSION, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    import xarray as xr
    from pyproj import CRS
    from shapely import MultiPolygon, Point, Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.model.assets import Asset, Pad, Unplaced
    from pacifico.layout.model.bill import Bill
    from pacifico.layout.model.cables import Cable
    from pacifico.layout.model.earthwork import CorridorVolumes
    from pacifico.layout.model.edits import Edit
    from pacifico.layout.model.roads import Road
    from pacifico.site.model import Site

_UPPER = {
    "bill": "pacifico.analysis.costs:bill",
    "cut_fill": "pacifico.layout.earthwork.cut_fill_raster:cut_fill",
    "write_cut_fill": "pacifico.layout.earthwork.cut_fill_raster:write_cut_fill",
}
"""Functions of rooms above this one that methods of a plan call; loaded when first called."""


def _upper(name: str) -> Any:
    return resolve_name(_UPPER[name])


@dataclass(frozen=True)
class Plan:
    """A layout; geometry in the working CRS `site.crs`, in metres."""

    site: Site
    profile: Profile
    strategy: Strategy
    target_capacity_kw: float | None
    dem: Mapping[str, Any]
    buildable: Polygon | MultiPolygon
    entry: Point
    asset_list: tuple[Asset, ...]
    pad_list: tuple[Pad, ...]
    road_list: tuple[Road, ...]
    road_volumes: tuple[CorridorVolumes, ...]
    unplaced: tuple[Unplaced, ...]
    warnings: tuple[str, ...]
    metrics: Mapping[str, Any]
    shortfall: str
    """Why less stands than was asked for; empty where all of it does."""
    cable_list: tuple[Cable, ...] = ()
    spec: Spec = dataclass_field(default_factory=make_spec)
    """What it was made with: the catalog and what was overridden of it."""
    edits: tuple[Edit, ...] = ()
    """What was changed by hand since it was generated, oldest first."""
    unreached_count: int = 0
    """Assets taken out because no road reaches them."""
    cable_warnings: tuple[str, ...] = ()
    """Those of `warnings` that are about collection cables."""

    @property
    def crs(self) -> CRS:
        """Working CRS."""
        return self.site.crs

    @property
    def assets(self) -> gpd.GeoDataFrame:
        """Assets, one a row, with the properties of layout.geojson."""
        return self._frame("asset")

    @property
    def pads(self) -> gpd.GeoDataFrame:
        """Pads, one a row."""
        return self._frame("pad")

    @property
    def roads(self) -> gpd.GeoDataFrame:
        """Roads with design heights, one a row."""
        return self._frame("road")

    @property
    def cables(self) -> gpd.GeoDataFrame:
        """Collection cables, one a row."""
        return self._frame("cable")

    def to_geojson(self) -> dict[str, Any]:
        """FeatureCollection of the plan as the package's JSON Schema describes it (EPSG:4326)."""
        features = []
        for kind in KINDS:
            rows, geometries = self.feature_rows(kind)
            for row, shape in zip(rows, geojson_geometries(geometries, self.crs), strict=True):
                features.append({"type": "Feature", "geometry": shape, "properties": {"kind": kind, **row}})
        return {
            "type": "FeatureCollection",
            "pacifico": {
                "schema_version": SCHEMA_VERSION,
                "crs": ":".join(self.crs.to_authority() or (self.crs.name,)),
                "profile": self.profile,
                "strategy": self.strategy,
                "target_capacity_kw": self.target_capacity_kw,
                "dem": dict(self.dem),
                "metrics": dict(self.metrics),
                "warnings": list(self.warnings),
                "unplaced": [{"asset_type": u.kind, "count": u.count, "reason": u.reason} for u in self.unplaced],
                **({"edits": [e.properties(self.crs) for e in self.edits]} if self.edits else {}),
            },
            "features": features,
        }

    def feature_rows(self, kind: str) -> tuple[list[dict[str, Any]], Sequence[BaseGeometry]]:
        """Properties and geometries (working CRS) of all features of one kind.

        Parameters
        ----------
        kind : str
            One of `pacifico.layout.files.geojson.KINDS`.
        """
        site = self.site
        if kind == "boundary":
            return [{"name": site.name}], [site.boundary]
        if kind == "buildable":
            return ([{}], [self.buildable]) if not self.buildable.is_empty else ([], [])
        if kind == "exclusion":
            zones: list[dict[str, Any]] = [
                {"name": z.name, "zone_type": z.zone_type, "buffer_m": z.buffer_m, "cost_multiplier": z.cost_multiplier}
                for z in site.exclusions
            ]
            return zones, [z.geometry for z in site.exclusions]
        if kind == "entry":
            return [{"name": next((a.name for a in site.entries), "entry")}], [self.entry]
        if kind == "asset":
            return [a.properties() for a in self.asset_list], [a.footprint for a in self.asset_list]
        if kind == "pad":
            return [p.properties() for p in self.pad_list], [p.plane.polygon for p in self.pad_list]
        if kind == "cable":
            return [c.properties() for c in self.cable_list], [c.line for c in self.cable_list]
        roads = [r.properties(v) for r, v in zip(self.road_list, self.road_volumes, strict=True)]
        return roads, [r.line for r in self.road_list]

    def write(self, path: str | Path) -> Path:
        """Write layout.geojson; the same plan gives the same bytes."""
        return write(self.to_geojson(), path)

    def bill_of_quantities(self, *, spec: Spec | None = None) -> Bill:
        """What it takes and may cost; `rules` with other unit costs, by default those it was made with."""
        made: Bill = _upper("bill")(self, spec=spec)
        return made

    def cut_fill(self, dem: xr.DataArray) -> xr.DataArray:
        """Design minus ground on the grid of the DEM it was made on [m]: cut negative, fill positive, NaN elsewhere."""
        raster: xr.DataArray = _upper("cut_fill")(self, dem)
        return raster

    def write_cut_fill(self, dem: xr.DataArray, path: str | Path) -> Path:
        """Write `cut_fill` as a GeoTIFF; the same plan gives the same bytes."""
        written: Path = _upper("write_cut_fill")(self, dem, path)
        return written

    def _frame(self, kind: str) -> gpd.GeoDataFrame:
        import geopandas as gpd  # noqa: PLC0415 (1 s)

        rows, geometries = self.feature_rows(kind)
        return gpd.GeoDataFrame(rows, geometry=list(geometries), crs=self.crs)
