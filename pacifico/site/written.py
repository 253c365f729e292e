"""Write a site as GeoJSON that reads back as the same site."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pacifico.crs import geojson_geometries

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from pacifico.site.model import Site


def site_geojson(site: Site) -> bytes:
    """GeoJSON (RFC 7946) of boundary, exclusions, anchors and named lines, for `read_site`."""
    properties: list[dict[str, Any]] = [{"kind": "boundary", "name": site.name}]
    properties += [
        {
            "kind": "exclusion",
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
    properties += [
        {"kind": "entry" if a.is_entry else "anchor", "name": a.name, **({"role": "poi"} if a.is_poi else {})}
        for a in site.anchors
    ]
    properties += [{"kind": "line", "name": n.name} for n in site.lines]
    shapes: list[BaseGeometry] = [
        site.boundary,
        *(z.geometry for z in site.exclusions),
        *(a.point for a in site.anchors),
    ]
    shapes += [n.line for n in site.lines]
    features = [
        {"type": "Feature", "geometry": g, "properties": p}
        for g, p in zip(geojson_geometries(shapes, site.crs), properties, strict=True)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))
    return text.encode()
