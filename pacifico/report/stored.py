"""A layout.geojson read back into the working CRS: what figures and comparisons draw on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from pacifico.crs import LONLAT, reproject
from pacifico.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True)
class Shape:
    """One feature: geometry in the working CRS [m] and its properties."""

    geometry: BaseGeometry
    properties: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.properties.get(name)


@dataclass(frozen=True)
class StoredLayout:
    """A layout as it was stored."""

    about: Mapping[str, Any]
    """The member `pacifico`: metrics, warnings, unplaced, dem, ..."""
    crs: CRS
    shapes: tuple[Shape, ...]

    @classmethod
    def of(cls, collection: Mapping[str, Any]) -> StoredLayout:
        """Layout from a layout.geojson's content.

        Raises
        ------
        InputError
            It is none.
        """
        about = collection.get("pacifico") if isinstance(collection, dict) else None
        if not isinstance(about, dict) or "features" not in collection:
            raise InputError("this GeoJSON has no member 'pacifico': give a layout.geojson that pacifico wrote")
        try:
            crs = CRS.from_user_input(about["crs"])
        except (CRSError, KeyError):
            raise InputError(f"the layout's working CRS {about.get('crs')!r} is unknown to PROJ") from None
        shapes = tuple(
            Shape(reproject(shapely.geometry.shape(f["geometry"]), LONLAT, crs), f["properties"])
            for f in collection["features"]
        )
        return cls(about, crs, shapes)

    @classmethod
    def read(cls, path: str | Path) -> StoredLayout:
        """Layout from a file."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} can't be read as a layout: {error}") from None
        return cls.of(content)

    def of_kind(self, kind: str) -> list[Shape]:
        """Features of a kind, in the file's order."""
        return [s for s in self.shapes if s["kind"] == kind]

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Its figures."""
        metrics: Mapping[str, Any] = self.about["metrics"]
        return metrics

    @cached_property
    def boundary(self) -> BaseGeometry:
        """Outer limit of the site."""
        return shapely.union_all([s.geometry for s in self.of_kind("boundary")])

    @property
    def coarse(self) -> bool:
        """Whether the ground is known too coarsely (cells over 10 m) for any claim about grading."""
        return bool(self.about["dem"]["resolution_m"] > COARSE_M)


LEVEL = "level ground"
"""Source of ground that was assumed, not measured."""
COARSE_M = 10.0
"""From cells coarser than this no figure about grading is to be trusted [m]."""
