"""Records of a land waterfall: parts of a site, each with one reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from pacifico.crs import geojson_geometries
from pacifico.escaping import for_markup
from pacifico.layout.files.geojson import write

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry


class Reason(IntEnum):
    """Reason of a cell. Reasons up to TOO_STEEP leave no buildable ground."""

    OUTSIDE = 0
    SETBACK = 1
    EXCLUSION = 2
    NO_ELEVATION = 3
    TOO_STEEP = 4
    TOO_SMALL = 5
    SPACING = 6
    CUT_OFF = 7
    NO_ROAD_WORTH_IT = 8
    NOT_NEEDED = 9
    USED = 10


LABELS: dict[Reason, str] = {
    Reason.SETBACK: "Setback",
    Reason.NO_ELEVATION: "No elevation",
    Reason.TOO_STEEP: "Too steep",
    Reason.TOO_SMALL: "Pieces too small",
    Reason.SPACING: "Spacing of turbines",
    Reason.CUT_OFF: "No road joins it",
    Reason.NO_ROAD_WORTH_IT: "No road or pad worth it",
    Reason.NOT_NEEDED: "Not needed for the target",
    Reason.USED: "Used",
}
"""Labels of reasons but exclusions, which have names of their own."""
DIGITS = 4
"""Decimals of areas in hectares: a square metre."""


@dataclass(frozen=True)
class LandPart:
    """Part of a site with one reason."""

    reason: Reason
    label: str
    hectares: float
    """Geodesic area [ha]."""
    geometry: BaseGeometry
    """Ground in the working CRS, along cell edges where slope or works decide [m]."""

    @property
    def key(self) -> str:
        """Reason in lower case, for an exclusion with its name."""
        name = self.reason.name.lower()
        return f"{name}:{self.label}" if self.reason is Reason.EXCLUSION else name


@dataclass(frozen=True, repr=False)
class LandUse:
    """Parts of a site from setback to used ground. Their areas sum to that of the site."""

    site_name: str
    site_ha: float
    """Geodesic area of the site [ha]."""
    crs: CRS
    """Working CRS of the parts."""
    parts: tuple[LandPart, ...]
    """Parts with an area, in the order of the waterfall; used ground is last."""

    def __repr__(self) -> str:
        lost = max(self.parts, key=lambda p: p.hectares if p.reason is not Reason.USED else -1.0)
        return f"<LandUse {self.site_name!r}: {self.used_ha:,.1f} of {self.site_ha:,.1f} ha used; largest loss: {lost.label.lower()}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'>{for_markup(p.label)}</td><td>{p.hectares:,.1f}</td>"
            f"<td>{p.hectares / self.site_ha:.1%}</td></tr>"
            for p in self.parts
        )
        head = "<tr><th style='text-align:left'>Land</th><th>ha</th><th>of the site</th></tr>"
        whole = f"<tr><td style='text-align:left'>Site</td><td>{self.site_ha:,.1f}</td><td>100.0%</td></tr>"
        return f"<table><thead>{head}</thead><tbody>{whole}{rows}</tbody></table>"

    @property
    def used_ha(self) -> float:
        """Buildable ground under works and between them [ha]."""
        return self.hectares_of(Reason.USED)

    @property
    def buildable_ha(self) -> float:
        """Buildable ground, used or not [ha]."""
        return math.fsum(p.hectares for p in self.parts if p.reason > Reason.TOO_STEEP)

    def hectares_of(self, reason: Reason) -> float:
        """Area of all parts with a reason [ha]."""
        return math.fsum(p.hectares for p in self.parts if p.reason is reason)

    def to_frame(self) -> pd.DataFrame:
        """Table of the waterfall: each part with what is left after it.

        Returns
        -------
        DataFrame
            Columns `label`, `hectares`, `share` of the site [-] and `left_ha`, indexed by `key`. The first row is the
            site.
        """
        import pandas as pd  # noqa: PLC0415 (0.3 s)

        left, rows = self.site_ha, [("site", "Site", self.site_ha, 1.0, self.site_ha)]
        for part in self.parts:
            left = left if part.reason is Reason.USED else round(left - part.hectares, DIGITS)
            rows.append((part.key, part.label, part.hectares, part.hectares / self.site_ha, left))
        return pd.DataFrame(rows, columns=["key", "label", "hectares", "share", "left_ha"]).set_index("key")

    def to_geojson(self) -> dict[str, Any]:
        """FeatureCollection in EPSG:4326, one feature for each part."""
        shapes = geojson_geometries([p.geometry for p in self.parts], self.crs)
        features = [
            {
                "type": "Feature",
                "geometry": shape,
                "properties": {
                    "kind": "land_use",
                    "key": part.key,
                    "name": part.label,
                    "area_ha": part.hectares,
                    "share": round(part.hectares / self.site_ha, 6),
                },
            }
            for part, shape in zip(self.parts, shapes, strict=True)
        ]
        return {"type": "FeatureCollection", "features": features}

    def write(self, path: str | Path) -> Path:
        """Write the parts as GeoJSON; equal plans give equal bytes."""
        return write(self.to_geojson(), path)
